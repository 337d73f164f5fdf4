"""``python -m runner.propagate``: predict and measure networks that are not trained."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from functools import partial

from runner.config.key_value import refuse_repeated, refuse_without_key
from runner.system.command import prepare, status_of
from runner.system.terminal import ConfigError, OneLineParser, printable, progress_bar

_DESCRIPTION = """\
Do signals and gradients pass through a deep network before any training?

Predicts this by mean-field theory and measures it in networks drawn at random.
The first line says yes or no. It says no if, in most networks, the gradient or
the signal shrinks or grows by more than a factor of 32 from one end of the
network to the other, or the difference between two inputs shrinks by more.
A table with prediction and measurement follows. propagate.png (all layers) and
propagate.json are written into a folder under outputs/propagate."""

EPILOG = """\
settings, with their defaults (conf/propagate.yaml):
  activation=tanh               any, also a formula; activation.KEY=VALUE
  initializer=auto              also .gain, .bias_std: sigma_w and sigma_b
  depth=20  width=64            hidden layers, and outputs of each
  nets=100  inputs=10           networks to draw, inputs of each
  features=null                 features of an input; null: as many as width
  variance=1.0                  mean square of an input's features
  correlation=0.5               correlation of each pair of inputs
  saturated=0.05                an output is saturated where |f'| is below this
  seed=0                        determines networks and inputs
  plots=png                     svg, pdf or none
  extensions=[]                 your own functions: 'extensions=[file.py]'
  experiment=NAME               a ready-made setting, e.g. smooth_rectifiers
  hydra.run.dir=FOLDER          where the results go

examples:
  python -m runner.propagate activation=tanh
      yes: by default the weights suit the activation
  python -m runner.propagate activation=gelu initializer=he_normal depth=50
      no: He's weights, made for ReLU, let the signal of GELU die out
  python -m runner.propagate initializer=lecun_normal initializer.gain=3
      no: chaos, gradients explode
  python -m runner.propagate activation=formula 'activation.expression=sin(x)'
      yes: the formula may be your own
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Predict, measure, write and print; return the exit status, 2 for invalid input."""
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments))


def _main(arguments: Sequence[str] | None) -> int:
    started = time.perf_counter()
    parser = OneLineParser(
        prog="python -m runner.propagate",
        description=_DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="see below")
    parser.add_argument("-m", "--multirun", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_intermixed_args(arguments)
    if chosen.multirun:
        raise ConfigError("--multirun is refused: runner.propagate takes one setting at a time")
    refuse_without_key(chosen.overrides)
    refuse_repeated(chosen.overrides)
    from runner.propagate.result import propagate
    from runner.propagate.settings import compose

    settings = compose(chosen.overrides)
    with progress_bar("drawing networks", show=True) as progress:
        found = propagate(settings, progress)
    found.write()
    print(printable(repr(found)))
    print(f"  {'time':15}{time.perf_counter() - started:.2f} s")
    print(printable(f"  {'folder':15}{settings.folder}"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
