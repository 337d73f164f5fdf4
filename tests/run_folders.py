"""Writes small run folders with made-up results, in the format of real ones."""

import hashlib
import io
import json

import numpy as np
import yaml

from runner.config.experiment import Experiment
from runner.results.run import checksum
from runner.results.summary import FORMAT_VERSION, METRICS
from runner.training.stack import build_network

PARTS = ("train", "validation", "test")
OF_UNITS = ("dead", "saturated", "activation_rms")
OF_WEIGHTS = ("gradient_rms", "update_ratio")


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
    stopped=None,
    solved_at=0.9,
    validation=None,
    samples=1000,
    weights=False,
    **changes,
):
    """Write a run whose replicates end at ``scores`` and return its folder.

    ``diverged`` names replicates; the first replicate stops early after ``stopped`` epochs, each
    other one an epoch later. With ``weights`` the run has random networks for its data and can be
    drawn; without, it can be compared, whatever the names. ``changes`` are of the config: of a
    section, or of a value as section__key.
    """
    path.mkdir(parents=True)
    config = {
        "activation": {"name": activation},
        "dataset": {
            "name": dataset,
            "samples": samples,
            "noise": 0.2,
            **({} if weights else {"features": 3}),  # which have no boundaries in a plane
            "test_fraction": 0.2,
            "validation_fraction": 0.2,
        },
        "model": {"hidden": [16, 16]},
        "optimizer": {"name": "adam", "learning_rate": learning_rate},
        "schedule": {"name": "constant"},
        "initializer": {"name": "auto"},
        "training": {"epochs": epochs, "batch_size": 32, "loss": "cross_entropy"},
        "seed": seed,
        "replicates": len(scores),
        "dtype": "float32",
        "plots": "none",
        "extensions": [],
    }
    for key, value in changes.items():
        section, _, name = key.partition("__")
        if name:
            config[section][name] = value
        else:
            config[section] = value
    parts = [part for part in PARTS if config["dataset"].get(f"{part}_fraction", 1)]
    every = config["training"].get("record_every", 1)
    hidden = config["model"]["hidden"]
    columns = history_columns(len(hidden))
    lines = [",".join(["replicate", "seed", "epoch", *columns])]
    entries = []
    for k, score in enumerate(scores):
        lost = k in diverged
        last = epochs // 2 if lost else stopped + k if stopped else epochs
        for epoch in (e for e in range(last + 1) if e % every == 0 or e == last):
            row = {name: 0.1 + 0.01 * k + 0.001 * epoch for name in columns}
            row.update(learning_rate=learning_rate if epoch else "")
            for part in PARTS:
                held = part in parts
                share = 0.5 + (score - 0.5) * epoch / epochs
                row[f"{part}_accuracy"] = share if held else ""
                loss = 0.7 * 0.8**epoch + (1 - score) + 0.002 * k
                row[f"{part}_loss"] = loss if held else ""
            if lost and epoch == last:
                row = dict.fromkeys(columns, "")
            cells = [f"{v:.9g}" if v != "" else "" for v in row.values()]
            lines.append(",".join([str(k), str(seed + k), str(epoch), *cells]))
        final = dict.fromkeys(METRICS)
        for part in () if lost else parts:
            final[f"{part}_loss"] = 1 - score + 0.1
            final[f"{part}_accuracy"] = score
        if validation is not None and not lost:
            final["validation_accuracy"] = validation
        entries.append(
            {
                "seed": seed + k,
                "status": "diverged" if lost else "stopped_early" if stopped else "finished",
                "epochs": last,
                "diverged_epoch": last if lost else None,
                "solved_epoch": None if lost or score < solved_at else 3 + k,
                "final": final,
                "best": {"epoch": last, **final},
                "dead": [{"units": k % 3, "of": width, "since": 1} for width in hidden],
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
        "classes": 2,
        "parameters": 337,
        "initializer": {"name": "auto", "gains": [1.0], "text": "auto"},
        "replicates": entries,
        "together": {which: dict.fromkeys(METRICS, nothing) for which in ("final", "best")},
        "diagnosis": [],
        "seconds": {"total": 1.5, "training": 1.0},
        "versions": {"runner": "1.0", "python": "3.11", "numpy": "2.0"},
        "fingerprint": {"own_results": ""},
    }
    files = {
        "config.yaml": yaml.safe_dump(config, sort_keys=False).encode(),
        "history.csv": ("\n".join(lines) + "\n").encode(),
        "weights.npz": random_weights(config, diverged) if weights else b"",
    }
    for name, content in files.items():
        (path / name).write_bytes(content)
    summary["files"] = {n: hashlib.sha256(content).hexdigest() for n, content in files.items()}
    write_summary(path, summary)
    return path


def history_columns(hidden_layers):
    """The columns of a history.csv but for the first three."""
    columns = ["learning_rate", *METRICS]
    for layer in range(1, hidden_layers + 1):
        columns += [f"layer{layer}_{what}" for what in (*OF_UNITS, *OF_WEIGHTS)]
    return [*columns, *(f"layer{hidden_layers + 1}_{what}" for what in OF_WEIGHTS)]


def random_weights(config, diverged):
    """The content of a weights.npz for this config; NaN where a replicate diverged."""
    experiment = Experiment.from_dict(config, check=False)
    network, _ = build_network(experiment, experiment.seeds)
    network.theta[...] = np.random.default_rng(0).standard_normal(network.theta.shape)
    network.theta[list(diverged)] = np.nan
    content = io.BytesIO()
    best = {f"best.{name}": array for name, array in network.parameters.items()}
    np.savez(content, **network.parameters, **best)
    return content.getvalue()


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
    """Write activation x dataset x rate; scores share each seed's luck and add a gap."""
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
