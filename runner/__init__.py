"""The laboratory from Python: ``run`` an experiment, ``load_run`` a stored one.

>>> from runner import run
>>> result = run(["activation=tanh"])
>>> result.history["test_accuracy"].shape
(5, 101)
>>> result.figures()["loss"]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if sys.argv[:1] == ["-m"] and __name__ in {word.partition(".")[0] for word in sys.orig_argv}:
    from runner.system.command import prepare  # "python -m runner.compare" is still importing

    prepare()

if TYPE_CHECKING:
    import os

    from activations import Activation
    from runner.notebook import Result

__all__ = ["load_run", "run"]


def run(
    overrides: Iterable[str] = (),
    *,
    activation: Activation | None = None,
    show_progress: bool = False,
) -> Result:
    """Carry out one experiment, as ``python -m runner`` does with the same overrides.

    ``activation`` may be an instance of your own Activation subclass, which then stands in
    the place of activation=<name>. Returns the run: ``history`` as arrays, ``summary``,
    ``network()`` and ``data()``, both in the data's own units, and ``figures()``, which show
    inline in a notebook.
    Raises ConfigError (a ValueError) for a wrong override.
    """
    from runner.config.compose import compose, hydra_set_aside
    from runner.config.extensions import offer_instance
    from runner.execute import execute, repeat_command
    from runner.notebook import Result
    from runner.system.terminal import ConfigError

    words = overrides if isinstance(overrides, str) else list(overrides)
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"overrides must be a list of texts, got {words!r}")
    if activation is not None:
        words += offer_instance(activation)
    with hydra_set_aside():
        composition = compose(words)
    if composition.sweeps:
        raise ConfigError("run() carries out one experiment; sweeps are started from the shell")
    done, _ = execute(
        composition.experiment,
        composition.folder,
        command=repeat_command(words),
        show_progress=show_progress,
    )
    return Result.load(done.path)


def load_run(path: str | os.PathLike[str]) -> Result:
    """Read a finished run from its folder. Raises ValueError if it is not one."""
    from runner.notebook import Result

    return Result.load(path)
