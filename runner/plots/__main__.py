"""Redraw the pictures of finished runs: ``python -m runner.plots FOLDER...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from runner.arguments import OneLineParser
from runner.extensions import load_extensions
from runner.model import Network
from runner.plots import FORMATS, draw
from runner.printable import escape_what_cannot_be_encoded, one_line
from runner.run_folder import load_run
from runner.whole_files import reason

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
    """Draw and name the files; return 2 after one line for each folder that is wrong.

    Nothing is drawn unless every folder holds a finished run.
    """
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
    failed = False
    escape_what_cannot_be_encoded()
    try:
        options = parser.parse_args(arguments)
        load_extensions(options.extension)
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    folders = list(dict.fromkeys(options.folders))
    for work in (_network, partial(_draw, format=options.format)):
        for folder in folders:
            failed |= not _done(work, folder)
        if failed:
            return 2
    return 0


def _done(work: Callable[[str], object], folder: str) -> bool:
    try:
        work(folder)
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return False
    except OSError as error:
        print(f"error: {one_line(reason(error))}", file=sys.stderr)
        return False
    return True


def _network(folder: str) -> Network:
    """Return what the pictures need of a run's files: its config and weights."""
    return load_run(folder).network()


def _draw(folder: str, format: str) -> None:
    for path in draw(folder, format):
        print(one_line(path))


if __name__ == "__main__":
    sys.exit(main())
