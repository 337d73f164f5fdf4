"""Find and read the run folders of a comparison."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.compare.histories import Histories
from runner.results.run import CONFIG, LEADERBOARD, SUMMARY, Run, no_folder, read_run
from runner.system.terminal import first_line
from runner.training.fingerprint import laboratory_code


@dataclass(frozen=True)
class Problem:
    """A folder that is not part of the comparison, why, and the command that mends it."""

    path: str
    reason: str
    command: str = ""


def collect(folders: Iterable[str | os.PathLike[str]]) -> tuple[list[Run], list[Problem]]:
    """Read all runs at or below some folders, each once, sorted by path.

    Whatever is skipped becomes a Problem: an unfinished or damaged run, a folder that cannot be
    listed, a link to a folder, a named folder without a run, and a file among the named folders
    (as from the pattern ``sweep/*``).

    Raises ValueError if a folder does not exist.
    """
    runs: list[Run] = []
    problems: list[Problem] = []
    histories = Histories()
    seen: set[Path] = set()
    named = [Path(folder) for folder in folders]
    several = any(folder.is_dir() for folder in named)
    for folder in named:
        if several and folder.is_file():
            problems.append(Problem(str(folder), "is a file"))
            continue
        if not folder.is_dir():
            raise ValueError(no_folder(folder))
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
                runs.append(histories.hold(read_run(path)))
            except Exception as error:  # one bad folder must not stop the others
                problems.append(Problem(str(path), first_line(error)))
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
            # A link may form a cycle, or point outside an untrusted folder.
            if not link.resolve().is_relative_to(folder.resolve()):
                problems.append(Problem(str(link), "is a link; name the folder it points to"))


def of_one_version(runs: Sequence[Run]) -> tuple[list[Run], list[Problem]]:
    """Return the runs that one version of the laboratory's code trained; the others as problems.

    The version is the one in use if it trained any of them, else the one that trained most.
    """
    versions = [run.summary["fingerprint"].get("code") for run in runs]
    in_use = laboratory_code()
    kept = in_use if in_use in versions else Counter(versions).most_common(1)[0][0]
    others = [run for run, code in zip(runs, versions, strict=True) if code != kept]
    reason = "another version of this laboratory's code trained it"
    problems = [Problem(str(run.path), reason, _again(run)) for run in others]
    return [run for run, code in zip(runs, versions, strict=True) if code == kept], problems


def _again(run: Run) -> str:
    """Return the command that trains a run again in its folder."""
    words = run.summary["command"].split(" ")
    words = [word for word in words if not word.startswith("hydra.run.dir=")]
    return " ".join([*words, shlex.quote(f"hydra.run.dir={run.path}")])
