"""The table of a propagation, as text."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

import numpy as np

from runner.propagate.prediction import Maps
from runner.propagate.propagation import Propagation
from runner.theory.mean_field import EdgePoint, FixedPoint

WIDTH = 100
DEEPEST = 10_000
SIGMA_W, SIGMA_B = "\u03c3_w", "\u03c3_b"


def report(found: Propagation) -> str:
    """Return the answer, the table (predicted and measured), and the conclusions of theory."""
    answer = textwrap.wrap(found.conclusion.text, WIDTH, break_on_hyphens=False)
    lines = [*answer, title(found), *_table(found)]
    maps = found.predicted.maps
    if found.predicted.silent:
        scope = "layer by layer only" if found.predicted.layers else "none"
        lines += _wrapped("theory", f"{scope}: {found.predicted.silent}")
    if maps:
        for name, text in _conclusions(found, maps):
            lines += _wrapped(name, text)
    return "\n".join(lines)


def title(found: Propagation) -> str:
    """Return the settings and the number of networks, in a line or two."""
    one, maps = found.settings, found.predicted.maps
    scale = f" ({scales(maps)})" if maps else ""
    features = f" of {counted(one.features, 'feature')}" if one.features else ""
    return (
        f"{named(found)}: {one.depth} layers of {one.width}, initializer "
        f"{one.initializer['name']}{scale}; "
        f"{counted(one.nets, 'network')} drawn, {counted(one.inputs, 'input')}{features} each"
    )


def named(found: Propagation) -> str:
    """Return the activation's name, or its formula."""
    chosen = found.settings.activation
    if chosen["name"] == "formula":
        return str(chosen["expression"])
    return str(chosen["name"])


def scales(maps: Maps) -> str:
    """Return sigma_w and sigma_b of the hidden layers."""
    mean = f", f minus {maps.input_mean:.4g}" if maps.input_mean else ""
    return f"{SIGMA_W} = {maps.weight_std:.5g}, {SIGMA_B} = {maps.bias_std:.5g}{mean}"


def counted(count: int, what: str) -> str:
    """Return "1 input", "2 inputs"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _table(found: Propagation) -> Iterator[str]:
    depth = found.settings.depth
    predicted, measured = found.predicted, found.measured
    middle = found.quantiles()
    known = bool(predicted.predicted)
    nan = math.nan

    def row(name: str, theory: float, low: float, centre: float, high: float) -> str:
        band = f"{_short(centre):>10}  [{_short(low)}, {_short(high)}]"
        return f"  {name:44}{_short(theory):>12}  {band}"

    def layer(name: str, key: str, theory: float, at: int) -> str:
        return row(name, theory, *middle[key][:, at])

    def of(values: list[float], at: int) -> float:
        return values[at] if values else nan

    yield f"  {'':44}{'predicted':>12}  {'measured':>10}  [5%, 95% of networks]"
    variances = [one.variance for one in predicted.predicted]
    for at in sorted({0, depth - 1}):
        yield layer(f"variance of z, layer {at + 1}", "variance", of(variances, at), at)
    if found.settings.inputs > 1:
        name = f"correlation of two inputs, layer {depth}"
        yield layer(name, "correlation", of(predicted.correlations, -1), -1)
    if depth > 1:
        logs = measured.log_gradient()[:, 0] / (depth - 1)
        factors = np.exp(np.quantile(logs, (0.05, 0.5, 0.95), method="nearest"))
        gradient = of(predicted.gradients, 0)
        mean = gradient ** (1 / (depth - 1)) if known else nan
        yield row("gradient, factor per layer (backwards)", mean, *factors)
        ends = np.exp(middle["log_gradient"][:, 0])
        yield row(f"gradient, layer 1 to layer {depth}", gradient, *ends)
    if not np.isnan(middle["saturated"]).all():
        name = f"saturated, |f'| < {found.settings.saturated:g}, layer {depth}"
        yield layer(name, "saturated", of(predicted.saturated, -1), -1)
    yield layer(f"dead units, layer {depth}", "dead", of(predicted.dead, -1), -1)
    share = measured.dead_nets.mean()
    dead = f"{_short(share):>10}  of {counted(found.settings.nets, 'network')}"
    bound = "" if found.settings.inputs == 1 or math.isnan(predicted.born_dead) else "<= "
    text = "-" if math.isnan(predicted.born_dead) else f"{bound}{_short(predicted.born_dead)}"
    yield f"  {'networks with a dead layer':44}{text:>12}  {dead}"
    number, values = measured.decomposed[-1], measured.singular_values[-1]
    theory = predicted.singular_rms.get(number, nan)
    size = measured.singular_rms()[-1]
    name = f"singular values of layer {number}'s Jacobian, RMS"
    yield f"  {name:44}{_short(theory):>12}  {_short(size):>10}  largest {_short(values.max())}"


def _conclusions(found: Propagation, maps: Maps) -> Iterator[tuple[str, str]]:
    points = "; ".join(map(_fixed_point, maps.fixed_points)) or "none"
    yield "fixed points", f"of the variance map: {points}"
    at_1 = maps.at_1
    slope = at_1.gain**2 * at_1.growth
    kind = FixedPoint(1, slope, 1, 1).stability
    yield (
        "gain",
        (
            f"{at_1.gain:.6g} = 1/sqrt(E f²) keeps a variance of 1, {kind} "
            f"(slope {_slope(slope)}); {_whether_used(maps)}"
        ),
    )
    yield "phase", _phase(maps)
    yield (
        "depth",
        (
            f"{_trainable(maps)}; depth scales in layers: {_short(maps.xi_q)} of variances (ξ_q), "
            f"{_short(maps.xi_c)} of correlations (ξ_c), {_short(maps.xi_gradient)} of gradients"
        ),
    )
    yield (
        "training",
        (
            "these numbers are about the start of training; a deep network often needs a smaller "
            "learning rate, e.g. optimizer.learning_rate=0.001"
        ),
    )
    width, depth = found.settings.width, found.settings.depth
    if depth > width / 4:
        yield (
            "width",
            (
                f"theory predicts the mean over infinitely wide networks; at depth / width = "
                f"{depth / width:.2g}, single networks scatter around it, and most lie below it"
            ),
        )
    here = "; ".join(map(_edge_point, maps.edge_here)) or "nowhere"
    yield "edge of chaos", f"with {SIGMA_B} = {maps.bias_std:.4g}: {here}"
    best = maps.recommended
    if maps.input_mean and best:
        scale = f"{SIGMA_W} = {best.weight_std:.5g}, {SIGMA_B} = {best.bias_std:.5g}"
        yield "recommended", f"{scale} (q = {best.q:.4g}), with the mean of f subtracted, as here"
    elif best is None:
        yield "recommended", "none: the edge of chaos of this activation has no stable point"
    else:
        scale = f"{SIGMA_W} = {best.weight_std:.5g}, {SIGMA_B} = {best.bias_std:.5g}"
        words = (
            f"initializer=lecun_normal initializer.gain={best.weight_std:.5g} "
            f"initializer.bias_std={best.bias_std:.5g}"
        )
        yield "recommended", f"{scale} (q = {best.q:.4g}): {words}"
    if not math.isnan(found.predicted.born_dead):
        share = _short(found.predicted.born_dead)
        most = "" if found.settings.inputs == 1 else " at most"
        yield (
            "born dead",
            (f"{share}{most}: 1 - (1 - 2^-{width})^{depth}, for one input, without biases"),
        )


def _whether_used(maps: Maps) -> str:
    """Return whether the hidden layers have the gain that keeps a variance of 1, and no biases."""
    gain = maps.at_1.gain
    if math.isclose(maps.weight_std, gain, rel_tol=1e-4) and not (maps.bias_std or maps.input_mean):
        return "used here"
    return f"not used here, where {SIGMA_W} = {maps.weight_std:.5g}"


def _phase(maps: Maps) -> str:
    q = f"q = {_short(maps.q)}"
    if maps.settled == 0:
        where = f"the signal dies out; in the last layer, at {q}, "
    elif maps.settled == math.inf:
        where = f"the signal explodes; in the first layer, at {q}, "
    elif math.isnan(maps.settled):
        where = f"the variance does not settle; at {q} "
    elif maps.repels:
        where = (
            f"{q} is an unstable fixed point (slope {_short(maps.slope)}), which networks of "
            "finite width leave; there "
        )
    else:
        where = f"the variance settles at {q}; there "
    chi = f"χ₁ = {_short(maps.chi)}: a layer multiplies gradients by √χ₁ = "
    chi += _short(math.sqrt(maps.chi))
    tends = f"; the correlation of two inputs tends to {_short(maps.c)}" if maps.holds else ""
    if abs(maps.chi - 1) < 1e-4:
        kind = "edge of chaos"
    elif maps.chi < 1:
        kind = "ordered, gradients vanish with depth"
    else:
        kind = "chaotic, gradients explode with depth"
    return f"{kind}; {where}{chi}{tends}"


def _trainable(maps: Maps) -> str:
    deepest = maps.trainable_depth
    if math.isnan(deepest):
        return "theory holds only in the layers in which networks stay at q"
    if deepest > DEEPEST:
        return f"no limit below depth {DEEPEST:,}"
    return f"trainable to about depth {max(1, round(deepest)):,}"


def _fixed_point(point: FixedPoint) -> str:
    if point.low < point.high:
        high = "every q" if point.high == math.inf else f"every q up to {point.high:.3g}"
        return f"{high} (slope 1)"
    return f"q = {_short(point.q)} ({point.stability}, slope {_slope(point.slope)})"


def _edge_point(point: EdgePoint) -> str:
    kind = "" if point.holds else f", unstable, slope {_slope(point.slope)}"
    return f"{SIGMA_W} = {point.weight_std:.6g} (q = {_short(point.q)}{kind})"


def _short(value: float) -> str:
    if math.isnan(value):
        return "-"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.4g}"


def _slope(value: float) -> str:
    """Return a slope; what differs from 0 only by rounding is 0."""
    return _short(value if abs(value) > 1e-12 else 0.0)


def _wrapped(name: str, text: str) -> list[str]:
    indent = " " * 17
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"  {name:15}",
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
