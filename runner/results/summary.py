"""Summarise a run for summary.json: results of the replicates, estimates over them, findings."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np

from activations.base import Array
from runner.config.experiment import Experiment
from runner.results.diagnosis import diagnose
from runner.statistics.estimates import estimate, estimate_description
from runner.system.version import VERSION
from runner.training.outcome import TrainingResult

FORMAT_VERSION = 3
ENDS = ("centre", "low", "high")
METRICS = tuple(
    f"{part}_{quantity}"
    for part in ("train", "validation", "test")
    for quantity in ("loss", "accuracy")
)


def summarise(
    experiment: Experiment, training: TrainingResult, command: str, total_seconds: float
) -> dict[str, Any]:
    """Return the content of summary.json, without checksums, fingerprint and origin."""
    replicates = [_replicate(training, k) for k in range(experiment.replicates)]
    kept = [entry for entry in replicates if entry["status"] != "diverged"]
    return {
        "format_version": FORMAT_VERSION,
        "digest": experiment.digest,
        "status": "complete" if len(kept) == len(replicates) else "diverged",
        "command": command,
        "activation": experiment.activation["name"],
        "dataset": experiment.dataset["name"],
        "classes": experiment.classes,
        "parameters": training.parameters,
        "initializer": {
            "name": experiment.initializer["name"],
            "gains": [float(f"{gain:.9g}") for gain in training.gains],
            "text": _initializer_text(experiment),
        },
        "replicates": replicates,
        "together": {
            which: {
                metric: _estimate(metric, [entry[which].get(metric) for entry in kept], experiment)
                for metric in METRICS
            }
            for which in ("final", "best")
        },
        "diagnosis": diagnose(experiment, training),
        "seconds": {
            "total": round(total_seconds, 3),
            "training": round(training.seconds, 3),
        },
        "versions": {
            "runner": VERSION,
            "python": platform.python_version(),
            "numpy": np.__version__,
        },
    }


def _initializer_text(experiment: Experiment) -> str:
    name, activation = experiment.initializer["name"], experiment.activation["name"]
    if name != "auto":
        return f"{name}, the same for every activation"
    parts = experiment.parts()
    scalings = parts.initializer.scalings(parts.activation, experiment.model.hidden)
    if len(scalings) == 1:
        return "auto: no hidden layer, so no gain"
    layer = scalings[1]
    if not layer.orthogonal:
        return f"auto: gain {layer.gain:.4g} = 1/sqrt(E {activation}(z)^2), z ~ N(0, 1)"
    centre = f", inputs centred at {layer.input_mean:.3g}" if abs(layer.input_mean) > 1e-9 else ""
    return (
        f"auto, {len(experiment.model.hidden)} layers deep: orthogonal weights of gain "
        f"{layer.gain:.4g} = 1/sqrt(E {activation}'(z)^2), biases of deviation "
        f"{layer.bias_std:.3g}{centre}"
    )


def _replicate(training: TrainingResult, k: int) -> dict[str, Any]:
    outcome = training.outcomes[k]
    return {
        "seed": outcome.seed,
        "status": outcome.status,
        "epochs": outcome.epochs,
        "diverged_epoch": outcome.diverged_epoch,
        "solved_epoch": outcome.solved_epoch,
        "final": _metrics(training.final_scores, k),
        "best": {
            "epoch": outcome.best_epoch,
            **_metrics({} if outcome.best_epoch is None else training.best_scores, k),
        },
        "dead": [
            {
                "units": int((since >= 0).sum()),
                "of": len(since),
                "since": int(since[since >= 0].min()) if (since >= 0).any() else None,
            }
            for since in outcome.dead_since
        ],
    }


def _metrics(scores: dict[str, Array], k: int) -> dict[str, float | None]:
    found = {name: float(scores[name][k]) if name in scores else np.nan for name in METRICS}
    return {
        name: float(f"{value:.9g}") if np.isfinite(value) else None for name, value in found.items()
    }


def _estimate(metric: str, values: list[float | None], experiment: Experiment) -> dict[str, Any]:
    """Return the estimate of a metric over the replicates that did not diverge."""
    finite = [value for value in values if value is not None]
    if not finite:
        return {"centre": None, "low": None, "high": None, "n": 0, "how": None}
    part = metric.partition("_")[0]
    found = estimate(metric, finite, len(experiment.first_split.part(part)[1]))
    ends = {key: float(f"{value:.9g}") for key, value in found._asdict().items()}
    return {
        **{key: value if np.isfinite(value) else None for key, value in ends.items()},
        "n": len(finite),
        "how": estimate_description(metric),
    }
