"""``python -m runner.compare FOLDER...``: compare finished runs."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from runner.compare.comparison import Comparison, build
from runner.compare.outputs import print_undrawn, terminal, write
from runner.compare.scores import METRICS, choose_metric, choose_tuned
from runner.config.experiment import PICTURE_FORMATS
from runner.config.extension_words import load_extensions_among
from runner.results.run import SUMMARY
from runner.system.command import prepare, status_of
from runner.system.terminal import OneLineParser, one_line

_DESCRIPTION = """\
Compare finished runs: single runs, one sweep or several.

Runs whose configs differ only in the seed are replicates of one setting.
Settings are compared only on the same data (a task), in pairs of replicates
with the same seed. Runs of another version of this code are left out.

Writes into the output folder: index.html (open it in a browser; it needs no
network), leaderboard.csv, .md and .tex, scores.csv, pairs.csv and the
pictures."""

_EPILOG = """\
examples:
  python -m runner.compare outputs/sweeps/activation_f79fb126
  python -m runner.compare outputs/runs --metric best.test_loss
  python -m runner.compare outputs/runs outputs/sweeps/* --output outputs/all
  python -m runner.compare sweep --tune optimizer.learning_rate,initializer
  python -m runner.compare outputs/runs 'extensions=[my_activations.py]'
      draws the decision boundaries of your own activation; other files are
      not imported
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = OneLineParser(
        prog="python -m runner.compare",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "folders", nargs="+", metavar="FOLDER", help="a folder with runs, at any depth"
    )
    result.add_argument(
        "--output",
        metavar="FOLDER",
        help="where to write; default: FOLDER/comparison for all runs in a folder, otherwise "
        "comparison_<activations>_<hash of runs, metric and tuned keys> beside them",
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
        help="keys or sections, comma-separated, whose value is chosen on validation data for "
        "each row; default: optimizer.learning_rate, if another key was swept too; none makes "
        "every combination a row",
    )
    result.add_argument(
        "--embed",
        action="store_true",
        help="embed the runs' own pictures in index.html, so that you can send one file",
    )
    pictures = result.add_mutually_exclusive_group()
    pictures.add_argument(
        "--format",
        choices=[name for name in PICTURE_FORMATS if name != "none"],
        help="picture format: png (the default), or svg or pdf for papers",
    )
    pictures.add_argument(
        "--no-pictures",
        dest="format",
        action="store_const",
        const="none",
        help="write tables and index.html only",
    )
    return result


def default_output(comparison: Comparison, folders: Sequence[str]) -> Path:
    """Return the default output folder, which is never inside a run.

    With the default metric and tuning, a folder's comparison goes to comparison/ in it, as a
    sweep's does. Any other comparison is named by its contents, so that it overwrites no other.
    """
    places = {os.path.abspath(folder) for folder in folders}
    common = Path(os.path.commonpath(places))
    by_default = choose_metric(comparison.settings, None), choose_tuned(comparison.settings, None)
    is_run = (common / SUMMARY).is_file()
    if len(places) == 1 and not is_run and by_default == (comparison.metric, comparison.tuned):
        return Path(os.path.relpath(common)) / "comparison"
    common = Path(os.path.relpath(common.parent if is_run else common))
    runs = sorted(os.path.relpath(run.path, common) for run in comparison.runs)
    contents = "\n".join([*runs, comparison.metric, *comparison.tuned])
    digits = hashlib.sha256(contents.encode()).hexdigest()[:8]
    names = dict.fromkeys(setting.activation for setting in comparison.settings)
    words = re.sub(r"[^A-Za-z0-9_]+", "-", "-".join(names))[:40].strip("-")
    return common / f"comparison_{words}_{digits}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare, and print verdict and leaderboard. Return 0; 2 after a one-line error for invalid
    input; 1 after one line for each picture that could not be drawn."""
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments), bad_input=ValueError)


def _main(arguments: Sequence[str] | None) -> int:
    chosen = parser().parse_intermixed_args(arguments)
    folders = load_extensions_among(chosen.folders)
    comparison = build(folders, metric=chosen.metric, tune=chosen.tune)
    output = chosen.output or default_output(comparison, folders)
    write(comparison, output, plots=chosen.format or "png", embed=chosen.embed)
    print(terminal(comparison))
    print(f"\n{one_line(Path(output) / 'index.html')}")
    return 1 if print_undrawn(comparison) else 0


if __name__ == "__main__":
    sys.exit(main())
