"""A run's folder: the interface between training and everything that looks at it.

    config.yaml    resolved, enough to repeat the run
    history.csv    one row per replicate and recorded epoch
    weights.npz    final and best parameters by name; loads without pickle
    summary.json   written last; a folder with it is complete, one without it is not

Only this module knows these names and formats. A folder is written beside its final place
and renamed, so it is there whole or not at all. A run that must be trained anew is moved into
``.old`` beside its place. Nothing is deleted but files of our own names in folders that we made.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from activations.base import Array
from runner.config.experiment import Experiment
from runner.data import split
from runner.network.architecture import parameter_shapes
from runner.results.summary import FORMAT_VERSION, METRICS
from runner.results.summary_shape import check_shape
from runner.results.trained_network import TrainedNetwork
from runner.system.files import read_whole
from runner.system.yaml_text import read_yaml
from runner.training.fingerprint import own_results
from runner.training.stack import build_network, load_data

CONTROL = re.compile(r"\\u00(?:0[0-8bcef]|1.|7f|[89].)|[\x7f-\x9f]", re.IGNORECASE)
CONFIG, HISTORY, WEIGHTS, SUMMARY = (
    "config.yaml",
    "history.csv",
    "weights.npz",
    "summary.json",
)
REACHED = (CONFIG, HISTORY, WEIGHTS)
"""What there is of an interrupted run, too."""
FILES = (*REACHED, SUMMARY)
LEADERBOARD = "leaderboard.csv"
"""In a folder of a comparison; one that is named among folders of runs is no mistake."""
LAST_PICTURE = "loss"
"""Drawn after all others, so that a folder with it has all."""
INDEX_COLUMNS = ("replicate", "seed", "epoch")


@dataclass(frozen=True)
class Run:
    """A finished run as read from its folder.

    Attributes:
        path: the folder.
        config: the experiment.
        summary: what summary.json holds.
        history: by column name, (replicates, records) float64, NaN where there is no record;
            ``history["epoch"]`` counts from 0, which is before training.
    """

    path: Path
    config: Experiment
    summary: dict[str, Any]
    history: dict[str, Array]

    @cached_property
    def weights(self) -> dict[str, Array]:
        """The saved parameters by name, (replicates, ...), those of the best epoch under
        best.<name>. Raises ValueError if the file cannot be read."""
        path = self.path / WEIGHTS
        try:
            content = read_whole(path)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > len(content):
                    raise ValueError("it would grow when unpacked, which no weights of ours do")
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return {name: stored[name] for name in stored.files}
        except MemoryError:
            raise ValueError(f"{path} cannot be read: it needs more memory than there is") from None
        except Exception as error:  # zipfile and NumPy raise a dozen types for damaged archives
            raise ValueError(f"{path} cannot be read: {error}") from None

    def network(self, which: str = "final") -> TrainedNetwork:
        """Return the trained network of all replicates, at the ``final`` or ``best`` epoch.

        It takes x in the data's own units, as ``data()`` has them. Raises ValueError if your own
        code gives something else than when it was trained.
        """
        self._refuse_other_results()
        config, prefix = self.config, "best." if which == "best" else ""
        hidden, activation = config.model.hidden, config.activation_object()
        # Before the network is made: a config may name one of any size, a file holds what it has.
        for name, shape in parameter_shapes(config.features, hidden, config.classes, activation):
            stored, stacked = self.weights.get(prefix + name), (config.replicates, *shape)
            if stored is None or stored.shape != stacked:
                raise ValueError(
                    f"{self.path / WEIGHTS} does not fit its config: {name} should have "
                    f"shape {stacked}"
                )
        network = self.initial_network()
        for name, parameter in network.parameters.items():
            parameter[...] = self.weights[prefix + name]
        return network

    def initial_network(self) -> TrainedNetwork:
        """Return the network of all replicates as it was before training."""
        self._refuse_other_results()
        network, _ = build_network(self.config, self.config.seeds)
        return TrainedNetwork(network, *self._moments)

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        data = self.data()
        return data.mean, data.scale

    def data(self) -> split.StackedSplit:
        """Return the data of all replicates in their own units, not standardised, generated
        again from their seeds. Raises ValueError as ``network`` does."""
        self._refuse_other_results()
        return load_data(self.config, self.config.seeds, standardised=False)

    def _refuse_other_results(self) -> None:
        if own_results(self.config) != self.summary.get("fingerprint", {}).get("own_results", ""):
            raise ValueError(
                f"{self.path} was trained with another version of your own code, or of what it "
                "reads; run it again"
            )


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run folder.

    Raises ValueError, one line that says which file is wrong and why, if the folder is not a
    finished run or a file in it is missing, damaged or of another format.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder")
    summary = read_summary(folder)
    for name, reason in damages(folder, summary).items():
        raise ValueError(f"{folder / name} {reason}; run it again")
    try:
        config = read_yaml(read_whole(folder / CONFIG))
        experiment = Experiment.from_dict(config, check=False)
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{folder / CONFIG} cannot be read: {reason}") from None
    history = read_history(folder / HISTORY, experiment.replicates)
    for name in METRICS:
        if name not in history:
            raise ValueError(f"{folder / HISTORY} has no column {name}")
    _refuse_gaps(summary, experiment, folder / SUMMARY)
    return Run(folder, experiment, summary, history)


def _refuse_gaps(summary: dict[str, Any], experiment: Experiment, path: Path) -> None:
    """Raise ValueError if the summary tells less of the replicates than pictures need."""
    entries = summary.get("replicates", [])
    if [entry.get("seed") for entry in entries] != experiment.seeds:
        raise ValueError(f"{path} does not fit {CONFIG}: it has other seeds")
    for entry in entries:
        final = entry.get("final", {})
        told = "status" in entry and "test_accuracy" in final  # which is None without test data
        if not told or (entry["status"] != "diverged" and final.get("train_accuracy") is None):
            raise ValueError(f"{path} does not tell how seed {entry['seed']} ended")


def read_summary(folder: Path) -> dict[str, Any]:
    """Return what summary.json holds.

    Raises ValueError, one line, if it is missing, damaged or of another format.
    """
    path = folder / SUMMARY
    try:
        text = read_whole(path).decode()
        if CONTROL.search(text):  # a terminal would obey them
            raise ValueError("it holds control characters")
        summary = json.loads(text)
        json.dumps(summary, ensure_ascii=False).encode()  # half a surrogate cannot be shown
    except FileNotFoundError:
        raise ValueError(f"{folder} holds no finished run: it has no {SUMMARY}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    if not isinstance(summary, dict):
        raise ValueError(f"{path} is not the summary of a run")
    found = summary.get("format_version")
    if found != FORMAT_VERSION:
        raise ValueError(
            f"{path} has format_version {found!r}, this version reads {FORMAT_VERSION}; "
            "run it again"
        )
    if summary.get("checksum") != checksum(summary):
        raise ValueError(f"{path} is not what was written: its checksum differs")
    try:
        check_shape(summary)
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    return summary


def checksum(summary: dict[str, Any]) -> str:
    """Return what summary.json says of its own content, that key aside."""
    own = {key: value for key, value in summary.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def damages(folder: Path, summary: dict[str, Any]) -> dict[str, str]:
    """Return which of a run's other files are missing or not what was written, and how."""
    checksums = summary.get("files")
    if not isinstance(checksums, dict):
        return {SUMMARY: "lists no checksums"}
    found = {}
    for name in REACHED:
        try:
            content = read_whole(folder / name)
        except OSError as error:
            found[name] = f"cannot be read: {error.strerror}"
            continue
        if hashlib.sha256(content).hexdigest() != checksums.get(name):
            found[name] = "is damaged: it does not match its checksum"
    return found


def read_history(path: Path, replicates: int) -> dict[str, Array]:
    """Read history.csv into (replicates, records) arrays, several times faster than
    csv.

    Raises ValueError if it is missing or not a table of numbers with that many
    replicates.
    """
    try:
        header, _, body = read_whole(path).decode().strip().partition("\n")
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None
    names = header.split(",")
    lines = body.count("\n") + 1
    for empty, filled in ((",,", ",nan,"), (",,", ",nan,"), (",\n", ",nan\n")):
        body = body.replace(empty, filled)
    if body.endswith(","):
        body += "nan"
    try:
        cells = np.array(body.replace("\n", ",").split(","), dtype=np.float64)
        table = cells.reshape(lines, len(names))
    except ValueError:
        raise ValueError(f"{path} is not a table of numbers") from None
    if names[:3] != ["replicate", "seed", "epoch"]:
        raise ValueError(f"{path} does not begin with replicate, seed, epoch")
    if not np.isfinite(table[:, 2]).all():
        raise ValueError(f"{path} has an epoch that is not finite")
    owners, first, counts = np.unique(table[:, 0], return_index=True, return_counts=True)
    if not np.array_equal(owners, np.arange(replicates)) or (np.diff(table[:, 0]) < 0).any():
        raise ValueError(f"{path} does not hold {replicates} replicates, one after the other")
    history = np.full((len(names), replicates, max(counts)), np.nan)
    for k, (start, count) in enumerate(zip(first, counts, strict=True)):
        history[:, k, :count] = table[start : start + count].T
    return dict(zip(names, history, strict=True))
