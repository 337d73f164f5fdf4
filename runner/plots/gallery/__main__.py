"""Draw activations by family: ``python -m runner.plots.gallery [--output FOLDER] [NAME ...]``.

A NAME is a family or an activation; without a NAME all families are drawn. ``--output
outputs/gallery`` redraws the committed pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from activations.families import FAMILIES
from runner.system.command import prepare, status_of
from runner.system.terminal import OneLineParser, one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the named activations, print the paths of the files, and return the exit status."""
    if arguments is None:
        prepare()  # before Matplotlib is loaded
    return status_of(partial(_main, arguments), bad_input=ValueError)


def _main(arguments: Sequence[str] | None) -> int:
    from runner.plots.gallery.portraits import write

    parser = OneLineParser(
        prog="python -m runner.plots.gallery",
        description="Draw activations with their derivatives: one picture for each family.",
        epilog=f"families: {', '.join(FAMILIES)}. Example: "
        "python -m runner.plots.gallery --output pictures self_gated tanh",
    )
    parser.add_argument(
        "name",
        nargs="*",
        metavar="NAME",
        help="a family or an activation (default: every family)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outputs/portraits"),
        metavar="FOLDER",
        help="folder for the PNG files (default: outputs/portraits)",
    )
    options = parser.parse_args(arguments)
    for path in write(options.output, options.name):
        print(one_line(path))
    return 0


if __name__ == "__main__":
    sys.exit(main())
