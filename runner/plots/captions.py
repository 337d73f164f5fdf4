"""The words on a picture: what was run, what differed from the defaults, how to repeat it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

from runner.network.architecture import model_name
from runner.plots.style import Picture
from runner.results.run import Run

_IN_TITLE = ("activation", "dataset")
_IN_FOOTER = ("seed", "replicates", "plots", "hydra.run.dir", "extensions")


def page(run: Run, subject: str, notes: Sequence[str] = (), **layout: Any) -> Picture:
    """Return an empty picture with the run's title, settings, notes and footer."""
    config = run.config
    classes = 0 if config.model.hidden else run.data().classes
    name = config.activation["name"]
    model = model_name(name, config.model.hidden, classes, config.training.loss)
    title = f"{model} on {config.dataset['name']}: {subject}"
    footer = f"{run.summary['command']}   ({seeds(run)})"
    return Picture(title, settings(run), notes, footer, **layout)


def settings(run: Run) -> str:
    """Return the settings that differ from the defaults, as the run's command names them."""
    words = shlex.split(run.summary["command"])
    changed = [
        word.partition("=")[0].rpartition(".")[2] + "=" + word.partition("=")[2]
        for word in words
        if "=" in word and word.partition("=")[0] not in (*_IN_TITLE, *_IN_FOOTER)
    ]
    return "  ".join(changed) if changed else "default settings"


def seeds(run: Run) -> str:
    """Return "seed 3" or "seeds 0 to 4"."""
    first, count = run.config.seed, run.config.replicates
    words = f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"
    return words.replace(" ", "\u00a0")  # stays on one line of the footer


def counted(run: Run, statistic: str) -> str:
    """Return what a centre and its band are and of how many seeds: "..., n = 8 of 10 seeds"."""
    replicates = run.summary["replicates"]
    total = len(replicates)
    lost = sum(replicate["status"] == "diverged" for replicate in replicates)
    if total == 1:
        return "diverged" if lost else ""
    if lost == total:
        return f"{total} of {total} seeds diverged (x)"
    if lost:
        return f"{statistic}, n = {total - lost} of {total} seeds, {lost} diverged (x)"
    return f"{statistic}, n = {total} seeds"
