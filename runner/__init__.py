"""The laboratory from Python.

``run`` runs one experiment, ``load_run`` reads a stored run, ``sweep`` runs many experiments,
``compare`` compares stored runs, and ``propagate`` examines untrained networks.

>>> from runner import run, sweep
>>> result = run(["activation=tanh"])
>>> result.predict([[0.5, 0.25]]), result.figures()["loss"]
>>> sweep(["activation=relu,tanh", "replicates=10"]).verdict

None of them changes the caller's signal handlers, logging, working directory, Hydra or Matplotlib.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

if sys.argv[:1] == ["-m"] and __name__ in {word.partition(".")[0] for word in sys.orig_argv}:
    from runner.system.command import prepare  # "python -m runner.compare" imports this first

    prepare()

if TYPE_CHECKING:
    from activations import Activation
    from runner.notebook import ComparisonResult, Result
    from runner.propagate.result import Result as PropagateResult
    from runner.results.run import Run

__all__ = ["compare", "load_run", "propagate", "run", "sweep"]


def run(
    overrides: Iterable[str] = (),
    *,
    activation: Activation | None = None,
    show_progress: bool = False,
) -> Result:
    """Run one experiment, as ``python -m runner`` does with the same overrides.

    ``activation`` may be an instance of your own Activation subclass; it replaces
    activation=<name>. Returns a Result. It has ``history`` (arrays), ``summary``, ``predict``,
    ``predict_proba``, ``network()`` and ``data()``, which use the data's own units, and
    ``figures()``, which a notebook shows inline.
    Raises ConfigError (a ValueError) for an invalid override.
    """
    from runner.config.compose import compose as composed
    from runner.config.compose import hydra_set_aside
    from runner.config.extensions import offer_instance
    from runner.execute import repeat_command
    from runner.notebook import Result
    from runner.one_run import carry_out
    from runner.system.terminal import ConfigError

    words = _words(overrides)
    with hydra_set_aside():
        if activation is not None:
            words += offer_instance(activation)
        composition = composed(words)
        if composition.sweeps or any(word.is_axis for word in composition.words):
            raise ConfigError("run() takes one experiment; use sweep() for several")
        done, _ = carry_out(composition, command=repeat_command(words), show_progress=show_progress)
    return Result.of(done)


def sweep(overrides: Iterable[str] = (), *, show_progress: bool = False) -> ComparisonResult:
    """Run a sweep's missing jobs and compare all its runs.

    Writes the same files as ``python -m runner -m`` with the same overrides. Returns what
    ``compare`` returns; ``failures`` lists the failed jobs. Raises ConfigError (a ValueError) for
    an invalid override and WorkFailed if no job succeeded. If the sweep is interrupted, it
    compares the finished jobs and then raises KeyboardInterrupt.
    """
    from runner.config.compose import compose as composed
    from runner.config.compose import hydra_set_aside
    from runner.notebook import ComparisonResult
    from runner.sweep.sweep import carry_out
    from runner.system.signals import NOTICE
    from runner.system.terminal import WorkFailed

    with hydra_set_aside():
        done = carry_out(composed(_words(overrides)), show_progress=show_progress)
    if done.stop:
        raise KeyboardInterrupt(NOTICE)
    if done.comparison is None:
        raise WorkFailed(f"no job succeeded; the first: {done.failures[0]}")
    return ComparisonResult.of(done.comparison)


def compare(
    runs: Iterable[Run | str | os.PathLike[str]],
    *,
    metric: str | None = None,
    tune: str | None = None,
) -> ComparisonResult:
    """Compare runs, given as results of ``run`` or as folders that hold runs at any depth.

    ``metric`` names the score, for instance "test_loss" or "best.test_accuracy". ``tune`` lists
    the tuned keys, separated by commas; "none" tunes no key. Both have the defaults of
    ``python -m runner.compare``. Returns a ComparisonResult with ``verdict``, ``table`` and
    ``figures()``; nothing is written. Raises ValueError if a folder does not exist, if there is
    no finished run, or if no run has the metric or key.
    """
    from runner.compare.comparison import build
    from runner.notebook import ComparisonResult
    from runner.results.run import Run

    if isinstance(runs, (str, os.PathLike)):
        raise ValueError(f"runs must be a list of runs or folders, got {runs!r}")
    folders = [one.path if isinstance(one, Run) else one for one in runs]
    if not folders:
        raise ValueError("runs must name at least one run or folder, got an empty list")
    return ComparisonResult.of(build(folders, metric=metric, tune=tune))


def propagate(
    overrides: Iterable[str] = (),
    *,
    activation: Activation | None = None,
    show_progress: bool = False,
) -> PropagateResult:
    """Predict signals and gradients in a deep network, and measure them in random networks.

    Mean-field theory predicts; the networks are untrained. The same as
    ``python -m runner.propagate`` with the same overrides, but nothing is written.
    ``activation`` may be an instance of your own Activation subclass. The result has
    ``predicted``, ``measured``, ``conclusion`` (yes or no, and why), ``figures()`` and
    ``to_dict()``, and prints as a table.
    Raises ConfigError (a ValueError) for an invalid override.
    """
    from runner.config.compose import hydra_set_aside
    from runner.config.extensions import offer_instance
    from runner.propagate.result import propagate as carry_out
    from runner.propagate.settings import compose as composed
    from runner.system.terminal import progress_bar

    words = _words(overrides)
    with hydra_set_aside():
        if activation is not None:
            words += offer_instance(activation)
        settings = composed(words)
    with progress_bar("drawing networks", show_progress) as progress:
        return carry_out(settings, progress)


def load_run(path: str | os.PathLike[str]) -> Result:
    """Read a finished run from its folder. Raises ValueError if the folder holds none."""
    from runner.notebook import Result
    from runner.results.run import load_run as read

    return Result.of(read(path))


def _words(overrides: Iterable[str]) -> list[str]:
    from runner.config.key_value import refuse_repeated
    from runner.system.terminal import ConfigError

    words = overrides if isinstance(overrides, str) else list(overrides)
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"overrides must be a list of texts, got {words!r}")
    refuse_repeated(words)
    return words


class _Package(ModuleType):
    """Keeps the functions ``sweep``, ``compare`` and ``propagate`` as attributes of this package.

    Subpackages have the same names, and Python sets a subpackage as an attribute when it imports
    it. This class ignores that. So ``from runner.compare.table import records`` works, and
    ``import runner.compare.table as table`` does not.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
