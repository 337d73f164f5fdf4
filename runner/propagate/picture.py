"""The page of a propagation: maps in the first row, then layers, units and Jacobians."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes

from activations.base import Array, Elementwise
from runner.plots.axes import draw_band, linear_limits, log_limits, log_ticks, percent, round_ticks
from runner.plots.colours import GREY, INK, PALE, colour, counterpart, layer_colours
from runner.plots.style import SMALL, Picture, style
from runner.propagate.prediction import Maps
from runner.propagate.propagation import Propagation
from runner.propagate.report import counted, named, scales
from runner.theory.born_dead import share_of_one_input

COLUMNS = (0.62, 3.3, 5.98)
PANEL_WIDTH, PANEL_HEIGHT, ROW = 1.8, 1.62, 2.42
"""Inches: left edges and sizes of panels; from one row's base to the next one's."""
_DRAWN = (1e-140, 1e140)
DEPTHS = (5, 20, 100)
"""Numbers of layers for which the share born dead is drawn."""
ALIKE = 0.05
"""Two densities look the same if their deviations differ by less than this share."""


def picture(found: Propagation) -> Picture:
    """Draw predictions as lines, measurements as dots and bands."""
    one, maps = found.settings, found.predicted.maps
    name = one.activation["name"]
    heading = f"{named(found)}: {one.depth} layers of {one.width}, {one.initializer['name']}"
    scale = f"{scales(maps)}; " if maps else ""
    subtitle = (
        f"{scale}{counted(one.nets, 'network')}, {counted(one.inputs, 'input')} each. "
        "Lines: theory; dots: median; bands: 5 to 95%"
    )
    notes = [found.predicted.silent] if found.predicted.silent else []
    with style():
        shade, other = colour(name), counterpart(name)
        panels: list[tuple[str, Callable[[Axes], None]]] = []
        if maps:
            panels += [
                ("variance map", lambda axes: _variance_map(axes, found, maps, shade, other)),
                ("correlation map", lambda axes: _correlation_map(axes, found, maps, shade, other)),
                ("edge of chaos", lambda axes: _edge(axes, maps, shade, other)),
            ]
        panels += [
            ("variance of z by layer", lambda axes: _variances(axes, found, shade, other)),
            ("correlation of two inputs", lambda axes: _correlations(axes, found, shade, other)),
            ("gradient, last layer = 1", lambda axes: _gradients(axes, found, shade, other)),
            ("flat and dead units", lambda axes: _units(axes, found, shade, other)),
            ("singular values of Jacobians", lambda axes: _spectra(axes, found)),
        ]
        if not math.isnan(found.predicted.born_dead):
            panels.append(("share born dead, by width", lambda axes: _born_dead(axes, found)))
        elif isinstance(one.activation_object(), Elementwise):
            panels.append(("f and the density of z", lambda axes: _inputs(axes, found, shade)))
        rows = -(-len(panels) // 3)
        figure = Picture(heading, subtitle, notes, one.command, height=rows * ROW + 1.0)
        for index, (heading, draw) in enumerate(panels):
            row, column = divmod(index, 3)
            base = figure.top - 0.2 - PANEL_HEIGHT - row * ROW
            left = COLUMNS[column]
            axes = figure.place(left, base, left + PANEL_WIDTH, base + PANEL_HEIGHT)
            axes.set_title(heading, fontsize=SMALL, loc="left", color=GREY)
            draw(axes)
        return figure


def _variance_map(axes: Axes, found: Propagation, maps: Maps, shade: str, other: str) -> None:
    measured = found.quantiles()["variance"][1]
    near = max(found.predicted.predicted[0].variance, maps.q)
    seen = [near, *(point.q for point in maps.fixed_points), *measured]
    reach = min(1.5 * max(q for q in seen if q <= 4 * near), maps.known[-1].variance)
    q = np.linspace(reach / 400, reach, 200)
    curve = maps.variance_curve(q)
    axes.plot([0, reach], [0, reach], color=GREY, lw=0.8, zorder=1)
    axes.plot(q, curve, color=shade, zorder=2)
    pairs = np.stack([measured[:-1], measured[1:]])
    pairs = pairs[:, (pairs < reach).all(axis=0)]
    axes.plot(*pairs, "o", color=other, ms=2.5, mew=0, zorder=3)
    for point in maps.fixed_points:
        if point.low == point.high and point.q < reach:
            _fixed(axes, point.q, point.stability == "stable", shade)
    axes.set_xlim(0, reach)
    axes.set_ylim(0, max(reach, min(1.05 * float(curve.max()), 1.5 * reach)))
    _named(axes, "q", "next layer's q")


def _correlation_map(axes: Axes, found: Propagation, maps: Maps, shade: str, other: str) -> None:
    c = np.linspace(0, 1, 101)
    axes.plot([0, 1], [0, 1], color=GREY, lw=0.8, zorder=1)
    axes.plot(c, maps.correlation(c), color=shade, zorder=2)
    measured = found.quantiles()["correlation"][1]
    axes.plot(measured[:-1], measured[1:], "o", color=other, ms=2.5, mew=0, zorder=3)
    if maps.holds:
        _fixed(axes, 1.0, maps.c == 1, shade)
        _fixed(axes, maps.c, True, shade)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    slope = float(maps.correlation.slope(1.0))
    words = "f jumps: slope ∞ at 1" if math.isinf(slope) else f"slope at 1: {slope:.3g}"
    axes.annotate(words, (0.96, 0.06), xycoords="axes fraction", ha="right", fontsize=SMALL)
    _named(axes, f"c at q = {maps.q:.3g}", "next layer's c")


def _fixed(axes: Axes, at: float, stable: bool, shade: str) -> None:
    """Mark a fixed point: filled if stable, hollow if not."""
    axes.plot(
        [at], [at], "o", ms=7, mfc=shade if stable else "white", mec=shade, mew=1.4,
        clip_on=False, zorder=4,
    )  # fmt: skip


def _edge(axes: Axes, maps: Maps, shade: str, other: str) -> None:
    best = maps.recommended
    marks = [(maps.weight_std, maps.bias_std)]
    marks += [(best.weight_std, best.bias_std)] if best else []
    w = np.array([point.weight_std for point in maps.edge])
    b = np.array([point.bias_std for point in maps.edge])
    right = 1.6 * max(x for x, _ in marks)
    top = max(0.8, 1.6 * max(y for _, y in marks))
    if len(w) and np.ptp(w) < 1e-6 * w[0]:
        axes.plot(w[:1], b[:1], "o", color=shade, ms=5, clip_on=False, zorder=3)
    elif len(w):
        held = np.array([point.holds for point in maps.edge])
        axes.plot(w, np.where(held, b, np.nan), color=shade, zorder=2)
        axes.plot(w, np.where(held, np.nan, b), color=shade, ls=(0, (2, 1.5)), zorder=2)
    else:
        axes.annotate("no edge", (0.5, 0.5), xycoords="axes fraction", ha="center",
                      fontsize=SMALL, color=GREY)  # fmt: skip
    axes.plot(*marks[0], "x", color=other, ms=7, mew=1.8, clip_on=False, zorder=4)
    if best:
        axes.plot(*marks[1], "*", color=shade, ms=11, mec="white", mew=0.6, clip_on=False, zorder=5)
    axes.set_xlim(0, right)
    axes.set_ylim(0, top)
    across = w[(b > 0.5 * top) & (b < 0.75 * top)] / right
    for text, x, side in (("order", 0.03, "left"), ("chaos", 0.98, "right")):
        if len(w) and not (np.abs(across - x) < 0.28).any():
            axes.annotate(text, (x, 0.6), xycoords="axes fraction", ha=side, fontsize=SMALL,
                          color=GREY)  # fmt: skip
    _named(axes, r"$\sigma_w$   x here  ★ recommended", r"$\sigma_b$")


def _by_layer(
    axes: Axes, predicted: Sequence[float] | Array, bands: Array, shade: str, other: str
) -> None:
    """Draw a line and, in each layer, a dot in a band (3, depth)."""
    layers = np.arange(1, bands.shape[1] + 1)
    draw_band(axes, layers, bands[0], bands[2], other)
    size = 3.0 if len(layers) <= 30 else 1.8
    axes.plot(layers, bands[1], "o", color=other, ms=size, mew=0, zorder=3)
    if len(predicted):
        axes.plot(layers, predicted, color=shade, zorder=2)
    axes.set_xlim(1, max(2, len(layers)))
    round_ticks(axes.xaxis, 5, integer=True)
    _named(axes, "layer", "")


def _logarithmic(axes: Axes, predicted: Array, bands: Array, shade: str, other: str) -> None:
    """Like ``_by_layer`` on a logarithmic scale; omits 0 and what Matplotlib cannot show."""
    ends = np.clip(bands, *_DRAWN)
    predicted, middle = (
        np.where((values > _DRAWN[0]) & (values < _DRAWN[1]), values, np.nan)
        for values in (predicted, bands[1])
    )
    bands = np.stack([ends[0], middle, ends[2]])
    limits = log_limits(np.concatenate([predicted, middle]), ends[[0, 2]].ravel())
    low, high = limits or (0.1, 10)
    if high < 4 * low:
        low, high = low / 2, high * 2
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    _by_layer(axes, predicted, bands, shade, other)
    axes.set_ylim(low, high)
    log_ticks(axes.yaxis, low, high, most=6)


def _variances(axes: Axes, found: Propagation, shade: str, other: str) -> None:
    predicted = np.array([one.variance for one in found.predicted.predicted])
    _logarithmic(axes, predicted, found.quantiles()["variance"], shade, other)


def _gradients(axes: Axes, found: Propagation, shade: str, other: str) -> None:
    with np.errstate(over="ignore"):
        bands = np.exp(found.quantiles()["log_gradient"])
    _logarithmic(axes, np.array(found.predicted.gradients), bands, shade, other)


def _correlations(axes: Axes, found: Propagation, shade: str, other: str) -> None:
    bands = found.quantiles()["correlation"]
    several = found.settings.inputs > 1
    _by_layer(axes, found.predicted.correlations if several else [], bands, shade, other)
    low, _ = linear_limits(np.append(bands[0], found.predicted.correlations), least=-1, most=1)
    axes.set_ylim(min(0.0, low), 1)


def _units(axes: Axes, found: Propagation, shade: str, other: str) -> None:
    quantiles = found.quantiles()
    dead, saturated = quantiles["dead"], quantiles["saturated"]
    drawn = [*dead.ravel(), *saturated.ravel(), *found.predicted.saturated, *found.predicted.dead]
    shown = []
    if np.isfinite(saturated).any():
        _by_layer(axes, found.predicted.saturated, saturated, shade, other)
        shown.append(f"flat: |f'| < {found.settings.saturated:g}")
    if np.nanmax(dead) > 0 or not shown:
        _by_layer(axes, found.predicted.dead, dead, shade, GREY)
        shown.append("dead: grey")
    _, high = linear_limits(np.array(drawn), least=0, most=1)
    axes.set_ylim(0, max(high, 0.02))
    round_ticks(axes.yaxis, 5)
    percent(axes.yaxis)
    _named(axes, f"layer;  {', '.join(shown)}", "")


def _spectra(axes: Axes, found: Propagation) -> None:
    measured = found.measured
    shades = layer_colours(len(measured.decomposed))
    spectra = [values[np.isfinite(values)] for values in measured.singular_values]
    sizes = [float(np.sqrt(np.mean(values**2))) if values.size else math.nan for values in spectra]
    shown = [k for k, size in enumerate(sizes) if size > 0 and 1e-2 < size / sizes[0] < 1e2]
    _named(axes, "dashed: predicted root mean square", "")
    reach = 1.1 * max((float(np.quantile(spectra[k], 0.999)) for k in shown), default=1.0)
    tops, halves = [], np.zeros(2)
    for k in shown:
        heights, edges = np.histogram(spectra[k], 40, (0, reach))
        shares = heights / spectra[k].size
        axes.stairs(shares, edges, color=shades[k], lw=1.3)
        tops.append(float(np.sort(shares)[-2]))
        halves = np.maximum(halves, [shares[:14].max(), shares[-18:].max()])
        rms = found.predicted.singular_rms.get(measured.decomposed[k], math.nan)
        if rms < reach:
            axes.axvline(rms, color=shades[k], lw=0.9, ls=(0, (4, 2)))
    x, side = (0.03, "left") if halves[0] < halves[1] else (0.97, "right")
    for place, (number, shade) in enumerate(zip(measured.decomposed, shades, strict=True)):
        text = f"layer {number}" + ("" if place in shown else f": {sizes[place]:.1g}")
        axes.annotate(text, (x, 0.9 - 0.1 * place), xycoords="axes fraction", ha=side,
                      fontsize=SMALL, color=shade)  # fmt: skip
    if shown:
        axes.set_xlim(0, reach)
        axes.set_ylim(0, 1.25 * max([*tops, 0.01]))
        percent(axes.yaxis)
        round_ticks(axes.yaxis, 4)


def _born_dead(axes: Axes, found: Propagation) -> None:
    one = found.settings
    widths = list(range(1, max(13, min(one.width + 2, 20))))
    depths = sorted({*DEPTHS, one.depth})[:4]
    levels = np.linspace(0.8, 0.3, len(depths))
    for depth, level, shade in zip(depths, levels, layer_colours(len(depths)), strict=True):
        shares = [share_of_one_input([width] * depth) for width in widths]
        axes.plot(widths, shares, color=shade, lw=1.8 if depth == one.depth else 1.1)
        beside = np.interp(-level, [-share for share in shares], widths)
        axes.annotate(f"{depth}", (beside, level), (3, 0), color=shade,
                      textcoords="offset points", fontsize=SMALL)  # fmt: skip
    share = found.measured.dead_nets.mean()
    if one.width <= widths[-1]:
        axes.plot([one.width], [share], "o", color=INK, ms=5, clip_on=False, zorder=3)
    axes.set_xlim(1, widths[-1])
    axes.set_ylim(0, 1)
    percent(axes.yaxis)
    round_ticks(axes.xaxis, 6, integer=True)
    axes.annotate(f"measured {share:.3g}", (0.97, 0.9), xycoords="axes fraction", ha="right",
                  fontsize=SMALL, color=INK)  # fmt: skip
    _named(axes, "width; one line a depth", "")


def _inputs(axes: Axes, found: Propagation, shade: str) -> None:
    """Draw f, and the densities of its inputs in the first and the last layer."""
    activation = found.settings.activation_object()
    predicted = found.predicted.predicted
    sizes = [math.sqrt(predicted[k].variance) for k in (0, -1)] if predicted else [1.0]
    widest = max((size for size in sizes if 0 < size < 1e3), default=1.0)
    z = np.linspace(-3.2, 3.2, 401) * max(widest, 0.5)
    with np.errstate(all="ignore"):
        y = activation(z)
    low, high = linear_limits(y)
    axes.plot(z, y, color=shade, zorder=3)
    fed = f"light: layer 1, dark: {found.settings.depth}" if predicted else "grey: N(0, 1)"
    if alike := bool(predicted) and math.isclose(sizes[0], sizes[-1], rel_tol=ALIKE):
        fed = f"alike in layers 1 and {found.settings.depth}"
    for scale, tone in zip(sizes[-1:] if alike else sizes, (PALE, GREY), strict=False):
        if 0 < scale < math.inf:
            density = np.exp(-((z / scale) ** 2) / 2)
            axes.fill_between(z, low, low + 0.6 * (high - low) * density, color=tone, alpha=0.45,
                              linewidth=0)  # fmt: skip
    axes.set_xlim(z[0], z[-1])
    axes.set_ylim(low, high)
    round_ticks(axes.xaxis, 5)
    _named(axes, f"z;  {fed}", "")


def _named(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x, fontsize=SMALL, labelpad=2)
    axes.set_ylabel(y, fontsize=SMALL, labelpad=2)
