"""Redraw the pictures of finished runs: ``python -m runner.plots FOLDER...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from runner.config.extensions import load_extensions
from runner.network.network import Network
from runner.plots import FORMATS
from runner.plots.artist import DrawingError, draw
from runner.results.run import LEADERBOARD, SUMMARY, load_run
from runner.system.command import prepare
from runner.system.files import reason
from runner.system.terminal import OneLineParser, note, one_line

EXAMPLES = """\
what is drawn into each folder:
  loss, accuracy     train, validation and test against the epoch, with every seed
  boundary           what the network says at every point (data with two features)
  activation         the function, its derivative, and what the layers feed it
  flow               the gradient that reaches each layer
  units              dead units and flat outputs by layer

examples:
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d
  python -m runner.plots outputs/runs/* --format svg
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and name the files; return 2 after one line for each folder that is wrong, 1 after
    one for each whose pictures cannot be drawn.

    Nothing is drawn unless every folder holds a finished run; files and comparisons among
    them, as a pattern like ``sweep/*`` names, are passed over.
    """
    if arguments is None:
        prepare()
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
        help="a run's folder, as named at the end of the run",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default="png",
        help="png (the default), or svg or pdf for papers",
    )
    parser.add_argument(
        "--extension",
        action="append",
        default=[],
        metavar="FILE.py",
        help="where an activation of your own is defined; nothing is imported unasked",
    )
    try:
        options = parser.parse_args(arguments)
        load_extensions(options.extension)
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    named = list(dict.fromkeys(options.folders))
    folders = [folder for folder in named if not _is_no_run(Path(folder))] or named
    for folder in named:
        if folder not in folders:
            note(f"{folder} is no run and is passed over")
    for work in (_network, partial(_draw, format=options.format)):
        status = max([_done(work, folder) for folder in folders])
        if status:
            return status
    return 0


def _is_no_run(path: Path) -> bool:
    comparison = (path / LEADERBOARD).is_file() and not (path / SUMMARY).is_file()
    return comparison or path.is_file()


def _done(work: Callable[[str], object], folder: str) -> int:
    try:
        work(folder)
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    except DrawingError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"error: {one_line(reason(error))}", file=sys.stderr)
        return 1
    return 0


def _network(folder: str) -> Network:
    """Return what the pictures need of a run's files: its config and weights."""
    return load_run(folder).network()


def _draw(folder: str, format: str) -> None:
    for path in draw(folder, format):
        print(one_line(path))


if __name__ == "__main__":
    sys.exit(main())
