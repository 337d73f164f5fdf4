"""The report that the shell prints after a run."""

from __future__ import annotations

import shutil
import textwrap
from typing import Any

from activations import Formula
from runner.results.run import Run
from runner.results.summary import ENDS


def report(run: Run, reused: bool, seconds: float) -> str:
    """Return the report of a run: result, time, folder, findings, the command that repeats it.

    ``seconds`` is the time of the whole command, with pictures.
    """
    summary = run.summary
    first, *table = result_lines(run)
    lines = [first, *_formula(run), *table]
    if reused:
        note = "already done; delete the folder to train again"
        lines.append(f"  time     {seconds:.2f} s  ({note})")
    else:
        training = summary["seconds"]["training"]
        lines.append(f"  time     {seconds:.2f} s, of which training {training:.2f} s")
    lines.append(f"  init     {summary['initializer']['text']}")
    lines.append(f"  folder   {run.path}")
    width = max(shutil.get_terminal_size().columns, 60)
    for finding in (found for found in summary["diagnosis"] if found["shown"]):
        lines += textwrap.wrap(
            finding["text"],
            width,
            initial_indent="  note     ",
            subsequent_indent="           ",
        )
    lines.append(f"  repeat   {summary['command']}")
    return "\n".join(lines)


def result_lines(run: Run) -> list[str]:
    """Return a run's title and its scores, one per line."""
    table = scores(run)
    wide = max(23, *(len(loss) for _, loss, _, _ in table)) + 2
    rows = [f"  {part:9}{loss:{wide}}{accuracy:24}{rest}" for part, loss, accuracy, rest in table]
    return [title(run), *(row.rstrip() for row in rows)]


def title(run: Run) -> str:
    """Return a run's title: model and data, number of parameters, seeds."""
    seeds, count = run.config.seeds, run.config.replicates
    which = f"seed {seeds[0]}" if count == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    return (
        f"{run.config.title}: {run.summary['parameters']} parameters, "
        f"{count} replicate{'s' if count > 1 else ''} ({which})"
    )


def scores(run: Run) -> list[list[str]]:
    """Return the cells of a table: headings, then part, loss and accuracy of training and test.

    The last heading says of what the intervals are.
    """
    together = run.summary["together"]["final"]
    n, count = together["train_loss"]["n"], run.config.replicates
    of = "" if n == count else f" of {count}, without those that diverged"
    headings = ["", "loss", "accuracy", ""]
    if n > 1:
        headings = ["", "loss, geometric mean", "accuracy, mean", f"95% intervals, n={n}{of}"]
    rows = [headings]
    for part in ("train", "test"):
        if together[f"{part}_loss"]["n"]:
            loss = _with_interval(together[f"{part}_loss"], _loss_format(together))
            rows.append([part, loss, _with_interval(together[f"{part}_accuracy"], ".3f"), ""])
    return rows


def _formula(run: Run) -> list[str]:
    if run.config.activation["name"] != "formula":
        return []
    activation = run.config.activation_object()
    assert isinstance(activation, Formula)
    value, slope = activation.written()
    return [f"  f(x)     {value}", f"  f'(x)    {slope}"]


def _loss_format(together: dict[str, Any]) -> str:
    """Return ".4f", or ".3g" where that would be long or lose a small loss's digits."""
    ends = [together[f"{part}_loss"][end] or 0 for part in ("train", "test") for end in ENDS]
    smallest = min((end for end in ends if end), default=1)
    return ".4f" if max(ends) < 1000 and smallest >= 0.001 else ".3g"


def _with_interval(entry: dict[str, Any], form: str) -> str:
    """Write centre [low, high]."""
    centre, low, high = (entry[end] for end in ENDS)
    if centre is None:
        return "-"
    if low is None or high is None:
        return format(centre, form)
    return f"{centre:{form}} [{low:{form}}, {high:{form}}]"
