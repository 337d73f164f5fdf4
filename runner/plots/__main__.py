"""Redraw the pictures of finished runs: ``python -m runner.plots FOLDER...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from runner.config.extensions import load_extensions
from runner.plots import FORMATS
from runner.plots.artist import animate, draw
from runner.results.run import LEADERBOARD, SUMMARY, load_run
from runner.system.command import prepare, status_of
from runner.system.terminal import OneLineParser, note, one_line

EXAMPLES = """\
what is drawn into each folder:
  loss, accuracy  train, validation, test by epoch, with bands over the seeds
  boundary        what the network predicts at each point (two features only)
  activation      the function, its derivative, and what the layers feed it
  flow            the gradient that reaches each layer
  units           dead units and flat outputs by layer
or, with --animate, for a run with training.snapshots:
  animation       boundary, loss and activation, epoch by epoch: a gif, and an
                  html page with a slider

examples:
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d
  python -m runner.plots outputs/runs/* --format svg
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d --animate
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and name the files; return 2 after one line for each folder that is wrong, 1 after
    one for each whose pictures cannot be drawn.

    Nothing is drawn unless every folder holds a finished run; files and comparisons among
    them, as a pattern like ``sweep/*`` names, are passed over.
    """
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments), bad_input=ValueError)


def _main(arguments: Sequence[str] | None) -> int:
    parser = OneLineParser(
        prog="python -m runner.plots",
        description="Redraw the pictures of finished runs from their folders.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folders",
        nargs="+",
        metavar="FOLDER",
        help="a run's folder, as printed at the end of the run",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--animate",
        action="store_true",
        help="draw animation.gif and animation.html of a run with training.snapshots",
    )
    what.add_argument(
        "--format",
        choices=FORMATS,
        default="png",
        help="picture format: png (the default), or svg or pdf for papers",
    )
    parser.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="FILE.py",
        help="a file that defines your own parts; no other file is imported",
    )
    options = parser.parse_args(arguments)
    load_extensions(options.extension)
    named = list(dict.fromkeys(options.folders))
    folders = [folder for folder in named if not _is_no_run(Path(folder))] or named
    for folder in named:
        if folder not in folders:
            note(f"{folder} is not a run and is skipped")
    read = _read_snapshots if options.animate else _read
    drawn = animate if options.animate else lambda folder: draw(folder, options.format)
    for work in (read, partial(_draw, drawn)):
        tasks = [partial(work, folder) for folder in folders]
        status = max([status_of(task, bad_input=ValueError) for task in tasks])
        if status:
            return status
    return 0


def _is_no_run(path: Path) -> bool:
    comparison = (path / LEADERBOARD).is_file() and not (path / SUMMARY).is_file()
    return comparison or path.is_file()


def _read(folder: str) -> int:
    """Read what the pictures need of a run's files: its config and weights."""
    load_run(folder).network()
    return 0


def _read_snapshots(folder: str) -> int:
    load_run(folder).snapshots()
    return 0


def _draw(drawn: Callable[[str], list[Path]], folder: str) -> int:
    for path in drawn(folder):
        print(one_line(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
