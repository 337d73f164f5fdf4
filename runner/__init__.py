"""The laboratory from Python: ``run`` an experiment, ``load_run`` a stored one, ``sweep`` over
many, ``compare`` what is stored, ``propagate`` through networks that are not trained.

>>> from runner import run, sweep
>>> result = run(["activation=tanh"])
>>> result.predict([[0.5, 0.25]]), result.figures()["loss"]
>>> sweep(["activation=relu,tanh", "replicates=10"]).verdict

They leave the caller's state alone: signals, logging, folder, Hydra's and Matplotlib's state.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING, Any

if sys.argv[:1] == ["-m"] and __name__ in {word.partition(".")[0] for word in sys.orig_argv}:
    from runner.system.command import prepare  # "python -m runner.compare" is still importing

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

    ``activation`` may be an instance of your own Activation subclass, which then stands in
    the place of activation=<name>. Returns the run: ``history`` as arrays, ``predict`` and
    ``predict_proba``, ``summary``, ``network()`` and ``data()``, all in the data's own units, and
    ``figures()``, which show inline in a notebook.
    Raises ConfigError (a ValueError) for a wrong override.
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
    """Run a sweep's missing jobs and compare all, as ``python -m runner -m`` does with the same
    overrides; the same files are written.

    Returns ``verdict``, ``table`` and ``figures()``, as ``compare`` does; jobs that failed are in
    ``failures``. Raises ConfigError (a ValueError) for a wrong override, WorkFailed if no job
    succeeded, and KeyboardInterrupt after it has compared the finished jobs.
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
    """Compare runs: what ``run`` returned, or folders that hold runs at any depth.

    ``metric`` is what to score, such as "test_loss" or "best.test_accuracy"; ``tune`` the keys,
    comma-separated, whose value validation data choose, "none" for none. Both have the defaults
    of ``python -m runner.compare``. Returns ``verdict``, ``table`` and ``figures()``; nothing is
    written. Raises ValueError for a folder that does not exist, no finished run in any, or
    a metric or key that no run has.
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
    """Predict by mean-field theory what an activation does to signals and gradients in a deep
    network, and measure it on networks that are drawn and not trained.

    As ``python -m runner.propagate`` with the same overrides, but nothing is written.
    ``activation`` may be an instance of your own Activation subclass. Returns ``predicted``,
    ``measured``, ``figures()``, ``to_dict()``, and the table as its text.
    Raises ConfigError (a ValueError) for a wrong override.
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
    with progress_bar("drawing networks", show_progress) as tell:
        return carry_out(settings, tell)


def load_run(path: str | os.PathLike[str]) -> Result:
    """Read a finished run from its folder. Raises ValueError if it is not one."""
    from runner.notebook import Result
    from runner.results.run import load_run as read

    return Result.of(read(path))


def _words(overrides: Iterable[str]) -> list[str]:
    from runner.system.terminal import ConfigError

    words = overrides if isinstance(overrides, str) else list(overrides)
    if isinstance(words, str) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"overrides must be a list of texts, got {words!r}")
    return words


class _Package(ModuleType):
    """``sweep``, ``compare`` and ``propagate`` are the functions above and the names of packages,
    which may not take their place here: ``from runner.compare.table import records`` finds a
    package all the same, ``import runner.compare.table as table`` does not."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
