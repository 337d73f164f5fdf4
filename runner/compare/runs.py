"""Finds run folders, reads of each only what a comparison needs, groups them by
setting."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from activations.base import Array
from runner.results.run import (
    CONFIG,
    HISTORY,
    LEADERBOARD,
    SUMMARY,
    WEIGHTS,
    damages,
    read_history,
    read_summary,
)
from runner.system.files import read_whole
from runner.system.yaml_text import read_yaml
from runner.training.checkpoint import INTERRUPTED

MOST_SETTINGS = 1000
"""Twenty times as many as a run has: each that differs has a column and a picture."""

WITHOUT = {
    HISTORY: "its curves are left out, its scores count",
    WEIGHTS: "its boundaries are left out, its scores count",
}


@dataclass(frozen=True)
class RunRecord:
    """One run folder: its config flattened to dotted keys, and its summary.

    ``damage`` tells by file name what is wrong with the history or the weights, and what is
    left out therefore.
    """

    path: Path
    config: dict[str, Any]
    summary: dict[str, Any]
    damage: dict[str, str] = field(default_factory=dict)

    @property
    def replicates(self) -> list[dict[str, Any]]:
        return list(self.summary["replicates"])

    @cached_property
    def history(self) -> dict[str, Array]:
        """By column name, (replicates, records) float64 with NaN after a replicate's end.

        A damaged file gives epoch 0 only.
        """
        if HISTORY not in self.damage:
            try:
                return read_history(self.path / HISTORY, len(self.replicates))
            except (ValueError, MemoryError) as error:
                self.damage[HISTORY] = f"{error}; {WITHOUT[HISTORY]}"
        return {"epoch": np.zeros((len(self.replicates), 1))}

    @property
    def pictures(self) -> list[str]:
        """Names of the pictures saved in the folder that a browser shows, sorted."""
        kinds = (".png", ".svg")
        with os.scandir(self.path) as entries:
            # behind a link may be a file of yours, to be embedded and sent on
            names = [
                e.name
                for e in entries
                if e.name.endswith(kinds) and e.is_file(follow_symlinks=False)
            ]
        return sorted(name for name in names if not name.startswith("."))


@dataclass(frozen=True)
class Problem:
    """A folder that is not part of the comparison, and why."""

    path: str
    reason: str
    command: str = ""


def collect(folders: Iterable[str | os.PathLike[str]]) -> tuple[list[RunRecord], list[Problem]]:
    """Read all runs at or below some folders, each once, sorted by path.

    Whatever is left out becomes a Problem: a run that is unfinished or damaged, a folder that
    cannot be listed, a link to a folder, a folder named that holds no run, a file that a
    pattern as in ``sweep/*`` names among folders.

    Raises ValueError if a folder does not exist.
    """
    runs: list[RunRecord] = []
    problems: list[Problem] = []
    seen: set[Path] = set()
    named = [Path(folder) for folder in folders]
    several = any(folder.is_dir() for folder in named)
    for folder in named:
        if several and folder.is_file():
            problems.append(Problem(str(folder), "is a file"))
            continue
        if not folder.is_dir():
            raise ValueError(f"{folder} is not a folder; name folders that hold runs")
        known = len(problems)
        found = list(_run_folders(folder, problems))
        # a folder that cannot be listed is a problem already
        if not found and len(problems) == known and LEADERBOARD not in os.listdir(folder):
            problems.append(Problem(str(folder), "holds no run"))
        for path in found:
            real = path.resolve()
            if real in seen:
                continue
            seen.add(real)
            try:
                runs.append(read_run(path))
            except ValueError as error:
                problems.append(Problem(str(path), str(error)))
            except Exception as error:  # one bad folder costs itself only
                problems.append(Problem(str(path), f"cannot be read: {_first_line(error)}"))
    return runs, problems


def _run_folders(folder: Path, problems: list[Problem]) -> Iterator[Path]:
    """All folders with a config or a summary, depth first by name."""

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"cannot be read: {error.strerror}"))

    for current, folders, files in os.walk(folder, onerror=unreadable):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        if CONFIG in files or SUMMARY in files:
            yield Path(current)
            folders.clear()
        for link in (path for name in folders if (path := Path(current, name)).is_symlink()):
            # It may lead round in a circle, or out of what a stranger has sent.
            if not link.resolve().is_relative_to(folder.resolve()):
                problems.append(Problem(str(link), "is a link; name the folder it leads to"))


def read_run(path: Path) -> RunRecord:
    """Read a run's summary and config. Raises ValueError with one line saying what is
    wrong."""
    if path.name.endswith(INTERRUPTED):
        raise ValueError("interrupted before its end; the command that began it goes on from there")
    if not (path / SUMMARY).is_file():
        raise ValueError(f"unfinished: it has no {SUMMARY}")
    summary = read_summary(path)
    try:
        entries = summary["replicates"]
        if not entries:
            raise ValueError("it lists no replicates")
        for entry in entries:
            entry["seed"], entry["status"], entry["epochs"], entry["final"]
        float(summary["seconds"]["total"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{SUMMARY} cannot be read: {_first_line(error)}") from None
    try:
        config = read_yaml(read_whole(path / CONFIG))
        if not isinstance(config, dict):
            raise ValueError("it is not a mapping")
        settings = flatten(config)
        if len(settings) > MOST_SETTINGS:
            raise ValueError(f"it has more than {MOST_SETTINGS} settings")
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"{CONFIG} cannot be read: {_first_line(error)}") from None
    found = damages(path, summary)
    for name in (SUMMARY, CONFIG):
        if name in found:
            raise ValueError(f"{name} {found[name]}")
    notes = {name: f"{name} {reason}; {WITHOUT[name]}" for name, reason in found.items()}
    return RunRecord(path, settings, summary, notes)


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested sections as dotted keys: {"model": {"hidden": [8]}} ->
    model.hidden."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _first_line(error: BaseException) -> str:
    if isinstance(error, KeyError):
        return f"it lacks {error}"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
