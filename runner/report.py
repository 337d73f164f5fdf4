"""What the shell prints when a run is done."""

from __future__ import annotations

import math
import shutil
import textwrap
from typing import Any

from activations import Formula
from runner.run_folder import Run

_ENDS = ("mean", "low", "high")


def report(run: Run, reused: bool) -> str:
    """Return the lines that end a run: result, time, folder, diagnosis, how to repeat it."""
    summary = run.summary
    seeds = run.config.seeds
    count = len(seeds)
    which = f"seed {seeds[0]}" if count == 1 else f"seeds {seeds[0]}-{seeds[-1]}"
    title = (
        f"{summary['activation']} on {summary['dataset']}: "
        f"{summary['parameters']} parameters, "
        f"{count} replicate{'s' if count > 1 else ''} ({which})"
    )
    together = summary["together"]["final"]
    interval = f"mean, 95% t interval, n={together['train_loss']['n']}"
    lines = [
        title,
        *_formula(run),
        f"  {'':9}{'loss':<25}{'accuracy':<24}" + (interval if count > 1 else ""),
    ]
    for part in ("train", "test"):
        if together[f"{part}_loss"]["n"]:
            loss = _with_interval(together[f"{part}_loss"], _loss_format(together), math.inf)
            accuracy = _with_interval(together[f"{part}_accuracy"], ".3f", 1.0)
            lines.append(f"  {part:<9}{loss:<25}{accuracy}")
    seconds = summary["seconds"]
    note = "  (this very run was there already; delete the folder to train again)"
    lines.append(
        f"  time     {seconds['total']:.2f} s, of which training {seconds['training']:.2f} s"
        + (note if reused else "")
    )
    lines.append(f"  init     {summary['initializer']['text']}")
    lines.append(f"  folder   {run.path}")
    width = max(shutil.get_terminal_size().columns, 60)
    for finding in summary["diagnosis"]:
        lines += textwrap.wrap(
            finding["text"],
            width,
            initial_indent="  note     ",
            subsequent_indent="           ",
        )
    lines.append(f"  repeat   {summary['command']}")
    return "\n".join(line.rstrip() for line in lines)


def _formula(run: Run) -> list[str]:
    if run.config.activation["name"] != "formula":
        return []
    activation = run.config.activation_object()
    assert isinstance(activation, Formula)
    value, slope = activation.written()
    return [f"  f(x)     {value}", f"  f'(x)    {slope}"]


def _loss_format(together: dict[str, Any]) -> str:
    """Return ".4f", or ".3g" for losses that would be longer than their column."""
    ends = [together[f"{part}_loss"][end] or 0 for part in ("train", "test") for end in _ENDS]
    return ".4f" if max(ends) < 1000 else ".3g"


def _with_interval(entry: dict[str, Any], form: str, largest: float) -> str:
    """Write mean [low, high], the interval cut off where the quantity ends."""
    mean, low, high = entry["mean"], entry["low"], entry["high"]
    if mean is None:
        return "-"
    if low is None or high is None:
        return format(mean, form)
    return f"{mean:{form}} [{max(low, 0):{form}}, {min(high, largest):{form}}]"
