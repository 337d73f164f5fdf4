"""``python -m runner.compare FOLDER...``: which setting is better, by how much, how
surely."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runner.arguments import OneLineParser
from runner.compare.scores import METRICS
from runner.printable import escape_what_cannot_be_encoded, one_line
from runner.run_folder import SUMMARY
from runner.whole_files import reason

_DESCRIPTION = """\
Compare finished runs, old or new, from one sweep or several.

Runs whose configs differ in the seed only are replicates of one setting. Settings are
compared on the same data only (a task), replicate by replicate on the same seed.
Written to the output folder: index.html (open it in a browser; it needs no network),
leaderboard.csv and .md, pairs.csv and the pictures."""

_EPILOG = """\
examples:
  python -m runner.compare outputs/sweeps/2026-01-31_12-00-00
  python -m runner.compare outputs/runs --metric best.test_loss
  python -m runner.compare old/sweep new/sweep --output outputs/old_and_new
  python -m runner.compare sweep --tune optimizer.learning_rate,initializer
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = OneLineParser(
        prog="python -m runner.compare",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("folders", nargs="+", metavar="FOLDER", help="where runs are, at any depth")
    result.add_argument(
        "--output",
        metavar="FOLDER",
        help="where to write; default: comparison/ in the folder or in what holds them all",
    )
    result.add_argument(
        "--metric",
        metavar="NAME",
        help=f"what to score, one of {', '.join(METRICS[:6])}, or best.<one of these> for the "
        "epoch of the lowest validation loss; default: test_accuracy",
    )
    result.add_argument(
        "--tune",
        metavar="KEYS",
        help="settings or sections, comma-separated, whose value validation data choose for "
        "each row; default: optimizer.learning_rate if it was swept beside something else; "
        "none: every combination is a row",
    )
    result.add_argument(
        "--embed",
        action="store_true",
        help="put the runs' own pictures into index.html, so that it can be sent alone",
    )
    result.add_argument(
        "--no-pictures", action="store_true", help="write tables and index.html only"
    )
    return result


def default_output(folders: Sequence[str]) -> Path:
    """Return comparison/ in the folder given, or in what holds all of several; never in a run."""
    common = Path(os.path.commonpath([os.path.abspath(folder) for folder in folders]))
    if (common / SUMMARY).is_file():
        common = common.parent
    return Path(os.path.relpath(common)) / "comparison"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print the leaderboard; return 0, or 2 with one line if that cannot
    be."""
    from runner.compare.comparison import compare
    from runner.compare.leaderboard import terminal

    escape_what_cannot_be_encoded()
    try:
        chosen = parser().parse_args(arguments)
        output = chosen.output or default_output(chosen.folders)
        comparison = compare(
            chosen.folders,
            output,
            metric=chosen.metric,
            tune=chosen.tune,
            pictures=not chosen.no_pictures,
            embed=chosen.embed,
        )
    except ValueError as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {one_line(reason(error))}", file=sys.stderr)
        return 1
    print(terminal(comparison))
    print(f"\n{one_line(Path(output) / 'index.html')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
