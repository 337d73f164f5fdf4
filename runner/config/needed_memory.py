"""A lower bound of the memory that an experiment needs, checked before data are drawn.

No run that could fit is refused. The bound does not count Python, Matplotlib and temporary arrays,
about a hundred megabytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from runner.network.architecture import parameter_shapes
from runner.system.memory import available
from runner.system.terminal import ConfigError

if TYPE_CHECKING:
    from runner.config.experiment import Experiment

DOUBLE = 8
COLUMNS_PER_LAYER = 5
COLUMNS = 8


def refuse_what_does_not_fit(experiment: Experiment) -> None:
    """Raise ConfigError if the experiment does not fit in memory.

    The message gives needed and available memory and the key to lower.
    """
    needs = needed(experiment)
    total, there = sum(needs.values()), available()
    if total > there:
        too_large = [key for key, size in needs.items() if size > there]
        key = too_large[0] if too_large else max(needs, key=needs.__getitem__)
        remedy = "; a higher training.record_every needs less" if key == "training.epochs" else ""
        raise ConfigError(
            f"{key} is too large: the run needs at least {_readable(total)} of memory and "
            f"{_readable(there)} is available{remedy}"
        )


def needed(experiment: Experiment) -> dict[str, float]:
    """Return the lower bound in bytes, divided by the key that causes each part.

    For R replicates, n samples of d features, P parameters and E records, it counts:

    - the data of one replicate, as drawn (float64) and standardised;
    - the targets, one number per sample for two classes and one per class for more, for all samples
      and again for the training part in the order of its batches;
    - R P numbers three times (final, best, current), and P four times (gradient and optimizer);
    - P for each snapshot;
    - four numbers per unit and sample of a batch;
    - 8 columns and 5 more per layer of R E float64 numbers.
    """
    number = 4 if experiment.dtype == "float32" else 8
    dataset = experiment.dataset
    samples, features = _whole(dataset.get("samples"), 2), _whole(dataset.get("features"), 2)
    held_out = sum(_share(dataset.get(f"{part}_fraction")) for part in ("test", "validation"))
    train = samples * max(0.0, 1 - held_out)
    classes = "arms" if "arms" in dataset else "classes"
    outputs = _whole(dataset.get(classes), 2)
    outputs = 1 if outputs == 2 else outputs
    hidden, activation = experiment.model.hidden, experiment.activation_object()
    shapes = [shape for _, shape in parameter_shapes(features, hidden, outputs, activation)]
    parameters = sum(map(math.prod, shapes))
    units = sum(hidden) + outputs
    settings = experiment.training
    records = math.ceil(settings.epochs / settings.record_every)
    columns = COLUMNS + COLUMNS_PER_LAYER * (len(hidden) + 2)
    batch = min(train, _whole(settings.batch_size, samples))
    data = "dataset.samples" if samples > features else "dataset.features"
    needs = {
        data: samples * (features + 1.0) * (DOUBLE + number),
        "model.hidden": 7.0 * parameters * number + 4.0 * batch * units * number,
        "replicates": 3.0 * (experiment.replicates - 1) * parameters * number,
        "training.snapshots": len(settings.snapshot_epochs) * parameters * number,
        "training.epochs": 2.0 * experiment.replicates * records * columns * DOUBLE,
    }
    key = f"dataset.{classes}" if outputs > features else data
    needs[key] = needs.get(key, 0) + (samples + train) * outputs * number
    return needs


def _whole(value: Any, otherwise: int) -> int:
    """Return an unchecked setting if it is a number, else a default."""
    return value if isinstance(value, int) and value > 0 else otherwise


def _share(value: Any) -> float:
    """Return an unchecked setting if it is a fraction, else a default."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < 1 else 0.0


def _readable(size: float) -> str:
    if size < 2**30:
        return f"{size / 2**20:.0f} MiB"
    return f"{size / 2**30:.1f} GiB" if size < 2**40 else f"{size / 2**40:.3g} TiB"
