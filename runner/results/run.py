"""Read a run's folder.

    config.yaml    the resolved config; repeats the run
    history.csv    one row per replicate and recorded epoch
    weights.npz    the parameters at the final and at the best epoch, by name; no pickle
    snapshots.npz  the first replicate's parameters at several epochs (training.snapshots)
    summary.json   written last; a folder is complete if and only if it has this file

Only this module knows these names and formats. A folder is written atomically: under a temporary
name beside its final place, then renamed. A run that must be trained again is moved into ``.old``
beside its place. The program deletes only files with these names, in folders that it made.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from activations.arguments import close_names
from activations.base import Array
from runner.config.experiment import Experiment
from runner.data.split import Split
from runner.network.architecture import parameter_shapes
from runner.results.lookup import Lookup
from runner.results.summary import FORMAT_VERSION, METRICS
from runner.results.summary_shape import check_shape
from runner.results.trained_network import TrainedNetwork
from runner.system.files import read_whole
from runner.system.terminal import first_line
from runner.system.yaml_text import read_yaml
from runner.training.checkpoint import INTERRUPTED_SUFFIX
from runner.training.fingerprint import own_results
from runner.training.stack import build_network, load_data

CONTROL = re.compile(r"\\u00(?:0[0-8bcef]|1.|7f|[89].)|[\x7f-\x9f]", re.IGNORECASE)
CONFIG, HISTORY, WEIGHTS, SUMMARY = "config.yaml", "history.csv", "weights.npz", "summary.json"
SNAPSHOTS = "snapshots.npz"
PARTIAL_FILES = (CONFIG, HISTORY, WEIGHTS)
"""Files of every run, including an interrupted one."""
FILES = (*PARTIAL_FILES, SUMMARY)
"""Files of every finished run."""
LEADERBOARD = "leaderboard.csv"
"""A comparison's folder has this file; a pattern like ``sweep/*`` also matches that folder."""
LAST_PICTURE = "loss"
"""This picture is drawn last, so a folder with it has all pictures."""
INDEX_COLUMNS = ("replicate", "seed", "epoch")
MOST_SETTINGS = 1000
"""Twenty times as many as a run has. A comparison shows a column and a picture for each key that
differs, so a config with more is refused."""


@dataclass(frozen=True)
class Run:
    """A finished run as read from its folder.

    Attributes:
        path: the folder.
        config: the experiment.
        summary: the content of summary.json; ``summary_shape.py`` lists the keys that it has.
        history: arrays (replicates, records) float64 by column name, NaN where there is no record.
            Epoch 0 of ``history["epoch"]`` is before training. A damaged file gives epoch 0 only.
        damage: what is wrong with the history or weights, by file name; empty after ``load_run``.
    """

    path: Path
    config: Experiment
    summary: dict[str, Any]
    history: Mapping[str, Array]
    damage: dict[str, str] = field(default_factory=dict)

    @property
    def replicates(self) -> list[dict[str, Any]]:
        """How each replicate ended, in the order of their seeds."""
        return list(self.summary["replicates"])

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The config by dotted keys: {"model": {"hidden": [8]}} becomes {"model.hidden": [8]}."""
        return Lookup("settings", flatten(self.config.to_dict()))

    @property
    def pictures(self) -> list[str]:
        """Names of the folder's pictures that a browser can show, sorted."""
        with os.scandir(self.path) as entries:
            # a link may point to a private file, which a report would embed and publish
            files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        shown = (name for name in files if name.endswith((".png", ".svg")))
        return sorted(name for name in shown if not name.startswith("."))

    @cached_property
    def weights(self) -> dict[str, Array]:
        """The final parameters by name, (replicates, ...), and those of the best epoch as
        best.<name>. Raises ValueError if the file cannot be read."""
        return self._arrays(WEIGHTS)

    def _arrays(self, name: str) -> dict[str, Array]:
        path = self.path / name
        try:
            content = read_whole(path)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > len(content):
                    raise ValueError("it is compressed; weights are stored uncompressed")
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return Lookup(name, {array: stored[array] for array in stored.files})
        except MemoryError:
            raise ValueError(
                f"{path} cannot be read: it needs more memory than is available"
            ) from None
        except Exception as error:  # zipfile and NumPy raise a dozen types for damaged archives
            raise ValueError(f"{path} cannot be read: {error}") from None

    def network(self, which: str = "final") -> TrainedNetwork:
        """Return the trained network of all replicates, at the ``final`` or ``best`` epoch.

        It takes x in the data's own units, as ``data()`` returns them. Raises ValueError if your
        own code has changed its results since the training.
        """
        self._refuse_other_results()
        prefix = "best." if which == "best" else ""
        rows = list(range(self.config.replicates))
        return self._network_of(WEIGHTS, self.weights, prefix, rows)

    def snapshots(self) -> tuple[Array, TrainedNetwork]:
        """Return the snapshots' epochs, and the first replicate's networks at these epochs as one
        stack. Raises ValueError if there are none, and as ``network`` does."""
        if not self.config.training.snapshots:
            raise ValueError(f"{self.path} keeps no snapshots: training.snapshots=60 keeps them")
        self._refuse_other_results()
        stored = self._arrays(SNAPSHOTS)
        epochs = stored.get("epoch", np.empty(0))
        if epochs.ndim != 1 or epochs.dtype.kind != "i" or not epochs.size:
            raise ValueError(f"{self.path / SNAPSHOTS} does not list the epochs of its weights")
        return epochs, self._network_of(SNAPSHOTS, stored, "", [0] * len(epochs))

    def _network_of(
        self, file: str, stored: dict[str, Array], prefix: str, replicates: list[int]
    ) -> TrainedNetwork:
        """Return a network of these replicates with the parameters stored in a file."""
        config = self.config
        hidden, activation = config.model.hidden, config.activation_object()
        # Check before making the network: the config may ask for more than memory, the file cannot.
        for name, shape in parameter_shapes(config.features, hidden, config.classes, activation):
            found, stacked = stored.get(prefix + name), (len(replicates), *shape)
            if found is None or found.shape != stacked:
                raise ValueError(
                    f"{self.path / file} does not fit its config: {name} should have "
                    f"shape {stacked}"
                )
        network = self.initial_network().chosen(replicates)
        for name, parameter in network.parameters.items():
            parameter[...] = stored[prefix + name]
        return network

    def initial_network(self) -> TrainedNetwork:
        """Return the network of all replicates before training."""
        data = self.data()
        network, _ = build_network(self.config, self.config.seeds)
        return TrainedNetwork(network, data.mean, data.scale, self.config.parts().loss)

    def data(self) -> Split:
        """Return the data of all replicates, drawn again from their seeds, in their own units (not
        standardised). Raises ValueError as ``network`` does."""
        self._refuse_other_results()
        return load_data(self.config, self.config.seeds, standardised=False)

    def _refuse_other_results(self) -> None:
        if own_results(self.config) != self.summary["fingerprint"].get("own_results"):
            raise ValueError(
                f"{self.path} was trained with another version of your own code, or of files it "
                "reads; run it again"
            )


def load_run(path: str | os.PathLike[str]) -> Run:
    """Read a run's folder.

    Raises ValueError if the folder holds no finished run, or if a file is missing, damaged or of
    another format. The message is one line that names the file and the reason.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise ValueError(no_folder(folder))
    if not (folder / SUMMARY).exists() and any(one.is_dir() for one in folder.glob("[!.]*")):
        raise ValueError(f"{folder} is not a run's folder; name one of the folders in it")
    try:
        run = read_run(folder)
        for reason in run.damage.values():
            raise ValueError(f"{reason}; run it again")
    except ValueError as error:
        raise ValueError(f"{folder}: {error}") from None
    return run


def no_folder(folder: Path) -> str:
    """Return the line for a folder that does not exist, with at most three similar ones beside it.

    A run's folder ends with digits that nobody remembers: the beginning of its name finds it.
    """
    try:
        beside = sorted(one.name for one in folder.parent.glob("[!.]*") if one.is_dir())
    except OSError:
        beside = []
    longer = [name for name in beside if folder.name and name.startswith(folder.name)]
    close = [str(folder.with_name(name)) for name in longer or close_names(folder.name, beside)]
    hint = f"; did you mean {' or '.join(close[:3])}?" if close else ""
    return f"{folder} is not a folder{hint}"


def read_run(folder: Path) -> Run:
    """Read a run's folder; ``Run.damage`` lists what is wrong with its history and weights.

    Raises ValueError, one line that begins with a file's name, if there is no finished run.
    """
    summary = read_summary(folder)
    contents, damage = read_files(folder, summary)
    if CONFIG in damage:
        raise ValueError(damage[CONFIG])
    config = parse_config(contents[CONFIG])
    _refuse_others_summary(summary, config)
    history = Lookup("history", {"epoch": np.zeros((config.replicates, 1))})
    if HISTORY not in damage:
        try:
            history = parse_history(contents[HISTORY], config.replicates)
        except ValueError as error:
            damage[HISTORY] = f"{HISTORY} {error}"
        except MemoryError:
            damage[HISTORY] = f"{HISTORY} needs more memory than is available"
    run = Run(folder, config, summary, history, damage)
    if len(run.settings) > MOST_SETTINGS:
        raise ValueError(f"{CONFIG} has more than {MOST_SETTINGS} settings")
    return run


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the content of summary.json, which has the shape that ``check_shape`` requires.

    Raises ValueError, one line that begins with the file's name, if it is missing, damaged or has
    another format_version.
    """
    try:
        text = read_whole(folder / SUMMARY).decode()
        if CONTROL.search(text):  # they could change what a terminal shows
            raise ValueError("it holds control characters")
        summary = json.loads(text, object_pairs_hook=_with_shared_keys)
        json.dumps(summary, ensure_ascii=False).encode()  # half a surrogate pair raises here
    except FileNotFoundError:
        if folder.name.endswith(INTERRUPTED_SUFFIX):
            why = "interrupted; the command that started it resumes it"
            raise ValueError(why) from None
        raise ValueError(f"unfinished, it has no {SUMMARY}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{SUMMARY} cannot be read: {_reason(error)}") from None
    if not isinstance(summary, dict):
        raise ValueError(f"{SUMMARY} is not the summary of a run")
    found = summary.get("format_version")
    if found != FORMAT_VERSION:
        raise ValueError(
            f"{SUMMARY} has format_version {found!r}, this version reads {FORMAT_VERSION}; "
            "run it again"
        )
    if summary.get("checksum") != checksum(summary):
        raise ValueError(f"{SUMMARY} is damaged: it does not match its checksum")
    try:
        check_shape(summary)
    except ValueError as error:
        raise ValueError(f"{SUMMARY} cannot be read: {error}") from None
    return Lookup("summary", summary)


def _with_shared_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object with interned keys, so that thousands of runs share them in memory."""
    return {sys.intern(key): value for key, value in pairs}


def checksum(summary: dict[str, Any]) -> str:
    """Return the SHA-256 of a summary without its key ``checksum``."""
    own = {key: value for key, value in summary.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def read_files(folder: Path, summary: dict[str, Any]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the contents of a run's other files by name, and the damage by name: for each missing
    or damaged file a line that begins with its name."""
    contents: dict[str, bytes] = {}
    damage: dict[str, str] = {}
    for name in (*PARTIAL_FILES, *({SNAPSHOTS} & set(summary["files"]))):
        try:
            contents[name] = read_whole(folder / name)
        except OSError as error:
            damage[name] = f"{name} cannot be read: {error.strerror}"
            continue
        if hashlib.sha256(contents[name]).hexdigest() != summary["files"].get(name):
            damage[name] = f"{name} is damaged: it does not match its checksum"
    return contents, damage


def parse_config(content: bytes) -> Experiment:
    """Return the experiment of a config.yaml. Raises ValueError, naming the file."""
    try:
        config = read_yaml(content)
        if not isinstance(config, dict):
            raise ValueError("it is not a mapping")
        return Experiment.from_dict(config, check=False)
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ValueError(f"{CONFIG} cannot be read: {first_line(error)}") from None


def _refuse_others_summary(summary: dict[str, Any], config: Experiment) -> None:
    """Raise ValueError if a summary does not give the result of each of the config's replicates."""
    if [entry["seed"] for entry in summary["replicates"]] != config.seeds:
        raise ValueError(f"{SUMMARY} does not fit {CONFIG}: it has other seeds")
    for entry in summary["replicates"]:
        if entry["status"] != "diverged" and entry["final"]["train_accuracy"] is None:
            raise ValueError(f"{SUMMARY} does not say how seed {entry['seed']} ended")


def parse_history(content: bytes, replicates: int) -> Lookup[Array]:
    """Return the columns of a history.csv by name, each (replicates, records).

    This is several times as fast as the csv module. Raises ValueError, whose text continues the
    file's name, if the content is not a table of numbers with this many replicates and all metrics.
    """
    try:
        header, _, body = content.decode().strip().partition("\n")
        names = header.split(",")
        lines = body.count("\n") + 1
        for empty, filled in ((",,", ",nan,"), (",,", ",nan,"), (",\n", ",nan\n")):
            body = body.replace(empty, filled)
        if body.endswith(","):
            body += "nan"
        cells = np.array(body.replace("\n", ",").split(","), dtype=np.float64)
        table = cells.reshape(lines, len(names))
    except ValueError:
        raise ValueError("is not a table of numbers") from None
    if tuple(names[:3]) != INDEX_COLUMNS:
        raise ValueError(f"does not begin with {', '.join(INDEX_COLUMNS)}")
    for name in METRICS:
        if name not in names:
            raise ValueError(f"has no column {name}")
    if not np.isfinite(table[:, 2]).all():
        raise ValueError("has an epoch that is not finite")
    owners, first, counts = np.unique(table[:, 0], return_index=True, return_counts=True)
    if not np.array_equal(owners, np.arange(replicates)) or (np.diff(table[:, 0]) < 0).any():
        raise ValueError(f"does not hold {replicates} replicates, one after the other")
    history = np.full((len(names), replicates, max(counts)), np.nan)
    for k, (start, count) in enumerate(zip(first, counts, strict=True)):
        history[:, k, :count] = table[start : start + count].T
    return Lookup("history", zip(map(sys.intern, names), history, strict=True))


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested sections as dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _reason(error: BaseException) -> str:
    return (isinstance(error, OSError) and error.strerror) or first_line(error)
