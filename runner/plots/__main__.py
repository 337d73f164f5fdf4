"""Redraw the pictures of finished runs: ``python -m runner.plots FOLDER...``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from runner.arguments import OneLineParser
from runner.extensions import load_extensions
from runner.plots import FORMATS, draw
from runner.printable import one_line
from runner.whole_files import reason

EXAMPLES = """\
what is drawn into each folder:
  loss, accuracy     train, validation and test against the epoch, with every seed
  boundary           what the network says at every point (data with two features)
  activation         the function, its derivative, and what the layers feed it
  flow               the gradient that reaches each layer
  units              dead and saturated units by layer

examples:
  python -m runner.plots outputs/runs/tanh_moons_1a2b3c4d
  python -m runner.plots outputs/runs/* --format svg
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw and name the files; return 2 after one line for each folder that is wrong."""
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
    try:
        options = parser.parse_args(arguments)
        load_extensions(options.extension)
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    for folder in options.folders:
        try:
            for path in draw(folder, options.format):
                print(one_line(path))
        except ValueError as error:
            print(f"error: {one_line(error)}", file=sys.stderr)
            failed = True
        except OSError as error:
            print(f"error: {one_line(reason(error))}", file=sys.stderr)
            failed = True
    return 2 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
