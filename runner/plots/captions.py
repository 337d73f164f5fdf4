"""The texts of a picture: title, settings that differ from the defaults, command, statistics."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Any

from runner.network.architecture import model_name
from runner.plots.style import Picture
from runner.results.run import Run

_IN_TITLE = ("activation", "dataset")
_IN_FOOTER = (
    *("seed", "replicates", "plots", "hydra.run.dir", "extensions", "training.snapshots"),
    *("tune", "placebo", "objective"),
)


def page(run: Run, subject: str, notes: Sequence[str] = (), **layout: Any) -> Picture:
    """Return a picture without panels, with the run's title, settings, notes and command."""
    config = run.config
    classes = 0 if config.model.hidden else run.data().classes
    name = config.activation["name"]
    model = model_name(name, config.model.hidden, classes, config.training.loss)
    title = f"{model} on {config.dataset['name']}: {subject}"
    footer = f"{run.summary['command']}   ({seeds(run)})"
    return Picture(title, settings(run), notes, footer, **layout)


def settings(run: Run) -> str:
    """Return the settings that differ from the defaults, as in the run's command.

    Four or more equal layers are shortened: [16,16,16,16] becomes [16] x 4.
    """
    words = shlex.split(run.summary["command"])
    changed = [
        word.partition("=")[0].rpartition(".")[2] + "=" + word.partition("=")[2]
        for word in words
        if "=" in word and word.partition("=")[0] not in (*_IN_TITLE, *_IN_FOOTER)
    ]
    text = "  ".join(changed) if changed else "default settings"
    equal_layers = r"\[(\d+)((?:,\1){3,})\]"
    return re.sub(equal_layers, lambda found: f"[{found[1]}] x {found[2].count(',') + 1}", text)


def seeds(run: Run) -> str:
    """Return "seed 3" or "seeds 0 to 4"."""
    first, count = run.config.seed, run.config.replicates
    words = f"seed {first}" if count == 1 else f"seeds {first} to {first + count - 1}"
    return words.replace(" ", "\u00a0")  # keeps it on one line of the footer


def counted(run: Run, statistic: str) -> str:
    """Return the statistic that is drawn and the number of seeds: "mean, n = 8 of 10 seeds"."""
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
