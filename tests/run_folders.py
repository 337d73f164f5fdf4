"""Writes small run folders with made-up results, in the format of real ones."""

import hashlib
import json

import numpy as np
import yaml

from runner.results.run import checksum
from runner.results.summary import FORMAT_VERSION, METRICS

COLUMNS = [
    "learning_rate",
    *(f"{p}_{q}" for p in ("train", "validation", "test") for q in ("loss", "accuracy")),
    *("layer1_dead", "layer1_saturated", "layer1_activation_rms"),
    *("layer1_gradient_rms", "layer1_update_ratio"),
    *("layer2_dead", "layer2_saturated", "layer2_activation_rms"),
    *("layer2_gradient_rms", "layer2_update_ratio"),
    *("layer3_gradient_rms", "layer3_update_ratio"),
]


def write_run(
    path,
    activation="tanh",
    dataset="moons",
    scores=(0.9, 0.91, 0.92, 0.93, 0.94),
    *,
    seed=0,
    learning_rate=0.01,
    epochs=10,
    diverged=(),
    solved_at=0.9,
    validation=None,
    samples=1000,
    **changes,
):
    """Write a run whose replicates end at ``scores``; ``diverged`` names rows."""
    path.mkdir(parents=True)
    replicates = len(scores)
    config = {
        "activation": {"name": activation},
        "dataset": {
            "name": dataset,
            "samples": samples,
            "noise": 0.2,
            "features": 3,
            "test_fraction": 0.2,
            "validation_fraction": 0.2,
        },
        "model": {"hidden": [16, 16]},
        "optimizer": {"name": "adam", "learning_rate": learning_rate},
        "schedule": {"name": "constant"},
        "initializer": {"name": "auto"},
        "training": {"epochs": epochs, "batch_size": 32, "loss": "cross_entropy"},
        "seed": seed,
        "replicates": replicates,
        "dtype": "float32",
        "plots": "none",
        "extensions": [],
    }
    for key, value in changes.items():
        section, name = key.split("__") if "__" in key else (key, None)
        if name is None:
            config[section] = value
        else:
            config[section][name] = value
    lines = [",".join(["replicate", "seed", "epoch", *COLUMNS])]
    entries = []
    for k, score in enumerate(scores):
        lost = k in diverged
        last = epochs // 2 if lost else epochs
        valid = score if validation is None else validation
        for epoch in range(last + 1):
            share = 0.5 + (score - 0.5) * epoch / epochs
            row = {name: 0.1 + 0.01 * k + 0.001 * epoch for name in COLUMNS}
            row.update(learning_rate=learning_rate if epoch else "")
            for part in ("train", "validation", "test"):
                row[f"{part}_accuracy"] = share
                row[f"{part}_loss"] = 0.7 * 0.8**epoch + (1 - score) + 0.002 * k
            if lost and epoch == last:
                row = dict.fromkeys(COLUMNS, "")
            cells = [f"{v:.9g}" if v != "" else "" for v in row.values()]
            lines.append(",".join([str(k), str(seed + k), str(epoch), *cells]))
        final = {f"{p}_accuracy": score for p in ("train", "test")}
        final |= {f"{p}_loss": 1 - score + 0.1 for p in ("train", "validation", "test")}
        final["validation_accuracy"] = valid
        if lost:
            final = dict.fromkeys(final)
        solved = None if lost or score < solved_at else 3 + k
        entries.append(
            {
                "seed": seed + k,
                "status": "diverged" if lost else "finished",
                "epochs": last,
                "diverged_epoch": last if lost else None,
                "solved_epoch": solved,
                "final": final,
                "best": {"epoch": last, **final},
                "dead": [{"units": k % 3, "of": 16, "since": 1}] * 2,
            }
        )
    nothing = {"centre": None, "low": None, "high": None, "n": 0, "how": None}
    summary = {
        "format_version": FORMAT_VERSION,
        "digest": "0" * 8,
        "status": "diverged" if diverged else "complete",
        "command": f"python -m runner activation={activation} dataset={dataset}",
        "activation": activation,
        "dataset": dataset,
        "parameters": 337,
        "initializer": {"name": "auto", "gains": [1.0], "text": "auto"},
        "replicates": entries,
        "together": {which: dict.fromkeys(METRICS, nothing) for which in ("final", "best")},
        "diagnosis": [],
        "seconds": {"total": 1.5, "training": 1.0},
        "versions": {"runner": "1.0", "python": "3.11", "numpy": "2.0"},
        "fingerprint": {},
    }
    files = {
        "config.yaml": yaml.safe_dump(config, sort_keys=False).encode(),
        "history.csv": ("\n".join(lines) + "\n").encode(),
        "weights.npz": b"",  # not read: a run with three features has no boundaries
    }
    for name, content in files.items():
        (path / name).write_bytes(content)
    summary["files"] = {n: hashlib.sha256(content).hexdigest() for n, content in files.items()}
    write_summary(path, summary)
    return path


def write_summary(folder, summary):
    """Write a summary whose checksum fits."""
    text = json.dumps({**summary, "checksum": checksum(summary)}, indent=2)
    (folder / "summary.json").write_text(text)


def resign(folder):
    """Make the checksums fit what a stranger has changed, as a stranger would."""
    summary = json.loads((folder / "summary.json").read_text())
    for name in summary["files"]:
        summary["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    write_summary(folder, summary)


def write_sweep(folder, gaps, datasets=("moons",), rates=(0.01,), n=10, noise=0.01):
    """Write activation x dataset x rate; scores share each seed's luck and add a
    gap."""
    generator = np.random.default_rng(0)
    for dataset in datasets:
        luck = generator.normal(0, 0.02, n)
        for activation, gap in gaps.items():
            for place, rate in enumerate(rates):
                own = generator.normal(0, noise, n)
                lost = 0.05 * abs(place - len(rates) // 2)
                scores = np.clip(0.9 + luck + own + gap - lost, 0, 1).tolist()
                write_run(
                    folder / f"{activation}_{dataset}_{rate}".replace("/", "-"),
                    activation,
                    dataset,
                    scores,
                    learning_rate=rate,
                )
    return folder
