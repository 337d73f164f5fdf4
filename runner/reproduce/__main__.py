"""``python -m runner.reproduce [NAME...]``: compare published results with ours."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from activations.arguments import close_names
from runner.reproduce import page, table
from runner.reproduce.catalogue import REPRODUCTIONS
from runner.reproduce.outcome import reproduce
from runner.system.command import prepare, status_of
from runner.system.files import write_whole
from runner.system.terminal import ConfigError, OneLineParser, one_line, progress_bar

OUTPUT = Path("outputs/reproduce")

_DESCRIPTION = """\
Reproduce published results: print each expected value, its source and ours.

Without a NAME, all results are reproduced. The command writes index.html,
results.json and a figure for each result, NAME.png, into outputs/reproduce.
The exit status is 1 if a quantity is outside its tolerance."""

_EPILOG = """\
provenance of an expected value:
  published    printed in the source
  exact        follows from a formula
  recomputed   another program computed it under the same conditions; the
               source does not print it

examples:
  python -m runner.reproduce
  python -m runner.reproduce --list
  python -m runner.reproduce vanishing_gradient nielsen_slowdown
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    result = OneLineParser(
        prog="python -m runner.reproduce",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument("names", nargs="*", metavar="NAME", help="a published result; default: all")
    result.add_argument(
        "--list",
        action="store_true",
        help="only list the results, their sources, and commands that vary them",
    )
    result.add_argument(
        "--readme",
        metavar="FILE.md",
        type=Path,
        help="also write the table of all results between the markers in this file",
    )
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Reproduce the named results and print them.

    Return 0; 1 if a quantity is outside its tolerance; 2 after a one-line error for bad input.
    """
    if arguments is None:
        prepare()
    return status_of(partial(_main, arguments))


def _main(arguments: Sequence[str] | None) -> int:
    options = parser().parse_args(arguments)
    for name in options.names:
        if name not in REPRODUCTIONS:
            close = close_names(name, REPRODUCTIONS)
            hint = f"did you mean {' or '.join(close)}?" if close else "--list names them all"
            raise ConfigError(f"{name} is unknown; {hint}")
    chosen = [one for name, one in REPRODUCTIONS.items() if name in options.names]
    chosen = chosen or list(REPRODUCTIONS.values())
    if options.list:
        print(table.catalogue_text(chosen))
        return 0
    if options.readme:
        if options.names:
            raise ConfigError("--readme writes the table of all results; omit the names")
        table.parts(options.readme)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with progress_bar("reproduce", True) as progress:
        outcomes = reproduce(chosen, OUTPUT, progress)
    results = {outcome.reproduction.name: outcome.to_json() for outcome in outcomes}
    write_whole(OUTPUT / "results.json", json.dumps(results, indent=1) + "\n")
    write_whole(OUTPUT / "index.html", page.page(outcomes))
    if options.readme:
        table.write_into(options.readme, outcomes)
    print("\n\n".join(map(table.text, outcomes)))
    passed = sum(outcome.passes for outcome in outcomes)
    skipped = sum(outcome.skipped for outcome in outcomes)
    print(
        f"\n{passed} of {len(outcomes)} reproduced"
        f"{f', {skipped} skipped' if skipped else ''}: {one_line(OUTPUT / 'index.html')}"
    )
    return 1 if any(outcome.fails for outcome in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
