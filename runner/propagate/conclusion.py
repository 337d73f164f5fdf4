"""Do signals and gradients pass through the layers? Yes or no, and why.

Three changes are judged. Each is a factor between root mean squares:

    gradients                   dL/dz of layer 1 over that of the last layer
    signals                     z of the last layer over z of layer 1
    differences between inputs  sqrt(1 - c) of the last layer over that of layer 1,
                                where c is the correlation of two inputs' z

A network passes if none of them shrinks, and neither of the first two grows, by more than FLOW. The
answer is yes if at least half of the drawn networks pass. What theory predicts is judged by the
same limits. It is for infinitely wide networks, so the two answers may differ.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from activations.base import Array
from runner.propagate.prediction import Prediction
from runner.propagate.simulation import Measured
from runner.theory.layers import FLOW

NAMES = ("gradients", "signals", "differences between inputs")
GRADIENTS, SIGNALS, DIFFERENCES = range(3)
SAME_INPUTS = 1e-9
"""If 1 - c is smaller than this in layer 1 already, differences are not judged."""


class Conclusion(NamedTuple):
    """The answer.

    Attributes:
        passes: whether at least half of the drawn networks pass.
        share: the share of the drawn networks that pass.
        predicted: whether theory says that networks pass; None where it says nothing.
        text: a sentence that begins with yes or no.
    """

    passes: bool
    share: float
    predicted: bool | None
    text: str


def conclude(predicted: Prediction, measured: Measured) -> Conclusion:
    """Return the answer of the drawn networks, and whether theory agrees."""
    nets, depth = measured.variance.shape
    drawn = _changes(measured.log_gradient()[:, 0], measured.variance.T, measured.correlation.T)
    drawn[GRADIENTS, np.isnan(drawn[GRADIENTS]) & (drawn[SIGNALS] < math.inf)] = math.inf
    fails = _fails(drawn)
    share = float(1 - fails.any(axis=0).mean())
    passes = share >= 0.5
    sure = round(nets * (share if passes else 1 - share))
    whole = "" if sure == nets else f", for {sure:,} of {nets:,} networks"
    middle = np.array([_median(row) for row in drawn])
    # of reasons that no majority of the networks shares, the most frequent
    frequent = fails.mean(axis=1) >= min(0.5, fails.mean(axis=1).max())
    what = _sizes(middle) if passes else _reasons(middle, frequent)
    layers = f"{depth:,} layer{'' if depth == 1 else 's'}"
    theory, remark = _theory(predicted, passes, np.isnan(drawn[DIFFERENCES]).all())
    text = f"{'yes' if passes else 'no'}{whole}: over {layers} {what}; {remark}"
    return Conclusion(passes, share, theory, text)


def _changes(log_gradients: Array, variances: Array, correlations: Array) -> Array:
    """Return ln of the three changes of each network, (3, nets), from ln of the gradients' change,
    and the other two layer by layer, (depth, nets). NaN is unknown."""
    with np.errstate(all="ignore"):
        first, last = variances[0], variances[-1]
        signals = 0.5 * (np.log(last) - np.log(first))
        signals = np.where(last == 0, -math.inf, np.where(last == math.inf, math.inf, signals))
        before, after = np.maximum(1 - correlations[[0, -1]], 0)
        differences = 0.5 * (np.log(after) - np.log(before))
    differences = np.where(before > SAME_INPUTS, differences, math.nan)
    return np.stack([log_gradients, signals, differences])


def _median(row: Array) -> float:
    """Return the median of the known numbers, one of them, as they may be infinite."""
    known = row[~np.isnan(row)]
    return float(np.quantile(known, 0.5, method="nearest")) if known.size else math.nan


def _fails(changes: Array) -> Array:
    """Return which changes are too large, of the changes' shape."""
    limit = math.log(FLOW)
    grows = changes > limit
    grows[DIFFERENCES] = False
    return grows | (changes < -limit)


def _theory(predicted: Prediction, passes: bool, alone: bool) -> tuple[bool | None, str]:
    """Return whether theory says that networks pass, and its remark; ``alone`` leaves out what two
    inputs do."""
    if not predicted.layers:
        return None, "there is no theory for it"
    with np.errstate(divide="ignore"):
        gradients = np.log([predicted.gradients[0]])
    variances = np.array([[one.variance] for one in predicted.predicted])
    changes = _changes(gradients, variances, np.array(predicted.correlations)[:, None])
    if alone:
        changes[DIFFERENCES] = math.nan
    fails = _fails(changes)[:, 0]
    if not fails.any() and np.isnan(changes[GRADIENTS]).any():
        return None, "there is no theory for it"
    if passes != fails.any():
        return not fails.any(), "theory agrees"
    reason = f"no: {_reasons(changes[:, 0], fails)}" if fails.any() else "yes"
    return not fails.any(), f"theory, for infinitely wide networks, says {reason}"


def _sizes(changes: Array) -> str:
    known = ~np.isnan(changes)
    names = [name for name, is_known in zip(NAMES, known, strict=True) if is_known]
    listed = " and ".join([", ".join(names[:-1]), names[-1]])
    factor = _factor(float(np.abs(changes[known]).max()))
    return f"{listed} keep their size to within a factor of {factor}"


def _reasons(changes: Array, fails: Array) -> str:
    """Return the changes that are too large, in words."""
    return " and ".join(
        _change(name, float(change))
        for name, change, fail in zip(NAMES, changes, fails, strict=True)
        if fail
    )


def _change(name: str, change: float) -> str:
    if change == -math.inf:
        return f"{name} become 0"
    if change == math.inf:
        return f"{name} become infinite"
    return f"{name} {'shrink' if change < 0 else 'grow'} by a factor of {_factor(abs(change))}"


def _factor(log: float) -> str:
    """Return e^log with two digits, from 10,000 on as a power of ten."""
    if log < math.log(1e4):
        return f"{math.exp(log):.2g}" if log < math.log(100) else f"{math.exp(log):,.0f}"
    return f"10^{round(log / math.log(10))}"
