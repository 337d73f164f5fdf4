"""The command ``python -m runner``: compose the config, run it, print the report."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from runner.system.command import prepare, status_of

if TYPE_CHECKING:
    from runner.plots.artist import Artist
    from runner.shell.arguments import Options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one experiment or a sweep; return the exit status (2 for bad input)."""
    started = time.perf_counter()
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments, started))


def _main(arguments: Sequence[str] | None, started: float) -> int:
    from runner.shell.arguments import parse

    options = parse(sys.argv[1:] if arguments is None else arguments)
    if options.help:
        from runner.shell.help import help_text

        print(help_text(options.settings))
        return 0
    if options.version:
        from runner.system.version import VERSION

        print(f"runner {VERSION}")
        return 0
    if options.for_hydra:
        from runner.shell.hydra_options import hand_over

        return hand_over(options.for_hydra, options.overrides)
    artist = None
    if arguments is None and options.draws_one_run:
        from runner.plots.artist import Artist

        artist = Artist.start()
    try:
        return _run(options, artist, started)
    finally:
        if artist:
            artist.close()


def _run(options: Options, artist: Artist | None, started: float) -> int:
    from runner.config.compose import compose

    composition = compose(options.overrides)
    if options.multirun or composition.sweeps:
        from runner.sweep.sweep import sweep

        return sweep(composition)
    from runner.execute import repeat_command
    from runner.one_run import carry_out
    from runner.shell.report import report
    from runner.system.terminal import printable

    run, reused = carry_out(
        composition,
        command=repeat_command(options.words),
        started=started,
        draw=partial(artist.draw, composition.experiment.extensions) if artist else None,
    )
    print(printable(report(run, reused, time.perf_counter() - started)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
