"""Write a comparison: report, tables and pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from runner.compare.comparison import Comparison, build
from runner.compare.pairs import UNKNOWN_SPREAD
from runner.compare.runs import Problem
from runner.system.files import write_whole


def compare(
    folders: Sequence[str | os.PathLike[str]],
    output: str | os.PathLike[str],
    *,
    metric: str | None = None,
    tune: str | None = None,
    failures: Iterable[Problem] = (),
    plots: str = "png",
    embed: bool = False,
) -> Comparison:
    """Compare runs and write leaderboard, verdict, pictures and index.html to
    ``output``, as ``build`` and ``write`` do."""
    comparison = build(folders, metric=metric, tune=tune, failures=failures)
    write(comparison, output, plots=plots, embed=embed)
    return comparison


@UNKNOWN_SPREAD
def write(
    comparison: Comparison,
    output: str | os.PathLike[str],
    *,
    plots: str = "png",
    embed: bool = False,
) -> None:
    """Write leaderboard, verdict, pictures and index.html to ``output``.

    The same runs give the same bytes. ``plots`` is the pictures' format as a run's setting
    has it: png, svg, pdf or none; ``embed`` puts the runs' own pictures into index.html instead
    of linking to them. A picture that cannot be drawn is listed in ``comparison.undrawn``.
    """
    from runner.compare.leaderboard import write_leaderboard
    from runner.compare.report import write_report

    target = Path(output)
    target.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, bytes] = {}
    if plots != "none":
        try:
            from runner.compare.pictures import draw_all

            drawn, comparison.undrawn = draw_all(comparison, plots)
        except Exception as error:  # Matplotlib cannot be loaded, or no process be started
            why = f"{type(error).__name__}: {error}"
            comparison.undrawn = [Problem("leaderboard, like all others,", why)]
    for name, content in drawn.items():
        write_whole(target / name, content)
    write_report(comparison, target, drawn, embed=embed)
    # After the pictures, which may find weights damaged.
    write_leaderboard(comparison, target)
