"""Redraw the pictures of finished runs: ``python -m runner.plots FOLDER...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from runner.config.extension_words import load_extensions_among
from runner.plots import FORMATS
from runner.plots.artist import animate, draw
from runner.results.run import LEADERBOARD, SUMMARY, load_run
from runner.system.command import prepare, status_of
from runner.system.terminal import OneLineParser, note, one_line

EXAMPLES = """\
pictures written into each folder:
  loss, accuracy  train, validation and test, by epoch, with intervals over the
                  replicates
  boundary        the network's prediction at each point (two features only)
  activation      the function, its derivative, and its pre-activations
  flow            the gradient of each layer
  units           dead units and saturated outputs of each layer
with --animate, for a run with training.snapshots:
  animation       boundary, loss and activation, epoch by epoch: a GIF, and an
                  HTML page with a slider

examples:
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d
  python -m runner.plots outputs/runs/* --format svg
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d --animate
  python -m runner.plots outputs/runs/* 'extensions=[my_activations.py]'
      for runs with your own activation; imports no other file
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the pictures and print their paths; return the exit status.

    The status is 2 if a folder holds no finished run; then nothing is drawn. It is 1 if a
    picture cannot be drawn. Each such folder gets one line on stderr. Files and folders of
    comparisons, which a pattern like ``sweep/*`` also matches, are skipped.
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
    options = parser.parse_intermixed_args(arguments)
    named = list(dict.fromkeys(load_extensions_among(options.folders)))
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
    """Read the files that the pictures need, to find out whether they are damaged."""
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
