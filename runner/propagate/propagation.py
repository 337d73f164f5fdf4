"""Prediction and measurement side by side, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from activations.base import Array
from runner.propagate.conclusion import Conclusion, conclude
from runner.propagate.prediction import Prediction
from runner.propagate.settings import Settings
from runner.propagate.simulation import Measured

SHARES = (0.05, 0.5, 0.95)
"""Quantiles over networks."""
SINGULAR_SHARES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


@dataclass(repr=False)
class Propagation:
    """Settings, the prediction for them, and the measurement in drawn networks."""

    settings: Settings
    predicted: Prediction
    measured: Measured

    @cached_property
    def conclusion(self) -> Conclusion:
        """Whether signals and gradients pass through the layers."""
        return conclude(self.predicted, self.measured)

    def quantiles(self) -> dict[str, Array]:
        """Return the 5, 50 and 95% quantiles over networks of each measured quantity, (3, depth).

        ``log_gradient`` is ln of the gradient relative to the last layer's.
        """
        measured = self.measured
        found = {
            "variance": measured.variance,
            "output_mean": measured.output_mean,
            "output_second_moment": measured.output_second_moment,
            "correlation": measured.correlation,
            "gradient_factor": measured.gradient_factor,
            "log_gradient": measured.log_gradient(),
            "saturated": measured.saturated,
            "dead": measured.dead,
        }
        return {name: _quantiles(values) for name, values in found.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as JSON values; undefined and infinite ones are None."""
        predicted, maps = self.predicted, self.predicted.maps
        layers = zip(
            predicted.layers,
            predicted.predicted,
            predicted.gradients,
            predicted.correlations,
            predicted.saturated,
            predicted.dead,
            strict=True,
        ) if predicted.layers else ()  # fmt: skip
        theory: dict[str, Any] = {
            "silent": predicted.silent,
            "born_dead": predicted.born_dead,
            "layers": [
                {
                    **layer._asdict(),
                    **one._asdict(),
                    "gradient": gradient,
                    "correlation": correlation,
                    "saturated": saturated,
                    "dead": dead,
                }
                for layer, one, gradient, correlation, saturated, dead in layers
            ],
        }
        if maps:
            c = np.linspace(0, 1, 41)
            q = np.array([one.variance for one in maps.known])
            at_1 = maps.at_1
            theory["maps"] = {
                "weight_std": maps.weight_std,
                "bias_std": maps.bias_std,
                "input_mean": maps.input_mean,
                "moments_at_1": {
                    "mean": at_1.mean,
                    "second_moment": at_1.second_moment,
                    "slope_second_moment": at_1.slope_second_moment,
                    "gain": at_1.gain,
                },
                "variance_map": {"q": q, "next_q": maps.variance_curve(q)},
                "fixed_points": [
                    {**one._asdict(), "stability": one.stability} for one in maps.fixed_points
                ],
                "settled": maps.settled,
                "q": maps.q,
                "slope": maps.slope,
                "chi": maps.chi,
                "gradient_factor": math.sqrt(maps.chi),
                "correlation_map": {"c": c, "next_c": maps.correlation(c)},
                "correlation_fixed_point": maps.c,
                "xi_q": maps.xi_q,
                "xi_c": maps.xi_c,
                "xi_gradient": maps.xi_gradient,
                "trainable_depth": maps.trainable_depth,
                "edge_of_chaos": [one._asdict() for one in maps.edge],
                "edge_at_bias_std": [one._asdict() for one in maps.edge_here],
                "recommended": maps.recommended._asdict() if maps.recommended else None,
            }
        measured = self.measured
        spectra = {
            str(layer): {
                "root_mean_square": size,
                "quantiles": np.quantile(values, SINGULAR_SHARES, method="nearest"),
            }
            for layer, size, values in zip(
                measured.decomposed,
                measured.singular_rms(),
                measured.singular_values,
                strict=True,
            )
        }
        return _plain({
            "settings": self.settings.to_dict(),
            "conclusion": self.conclusion._asdict(),
            "predicted": theory,
            "measured": {
                "quantile_shares": SHARES,
                "layers": self.quantiles(),
                "dead_nets": measured.dead_nets.mean(),
                "singular_value_shares": SINGULAR_SHARES,
                "singular_values": spectra,
            },
        })  # fmt: skip


def _quantiles(values: Array) -> Array:
    """Return quantiles over networks, layer by layer; NaN if most networks have no value."""
    found = np.full((len(SHARES), values.shape[1]), np.nan)
    for k, column in enumerate(values.T):
        known = column[~np.isnan(column)]
        if 2 * known.size >= column.size:
            # no interpolation, because values may be infinite
            found[:, k] = np.quantile(known, SHARES, method="nearest")
    return found


def _plain(value: Any) -> Any:
    """Return dictionaries, lists and numbers; a number that is not finite becomes None."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    return value
