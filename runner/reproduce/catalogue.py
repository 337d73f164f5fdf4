"""All reproductions, in the order of the page."""

from __future__ import annotations

from runner.reproduce.born_dead import BORN_DEAD
from runner.reproduce.correlations import RELU_CORRELATIONS, SMOOTH_CORRELATIONS
from runner.reproduce.cs231n import CS231N_SPIRAL
from runner.reproduce.depth_scales import DEPTH_SCALES
from runner.reproduce.edge_of_chaos import EDGE_OF_CHAOS
from runner.reproduce.extremes import EXTREMES
from runner.reproduce.glorot import GLOROT_SATURATION
from runner.reproduce.gradient_factors import GRADIENT_FACTORS
from runner.reproduce.initial_loss import INITIAL_LOSS
from runner.reproduce.learning_slowdown import LEARNING_SLOWDOWN
from runner.reproduce.moments import GAUSSIAN_MOMENTS
from runner.reproduce.playground import PLAYGROUND
from runner.reproduce.reproduction import Reproduction
from runner.reproduce.rounding import ROUNDED_DERIVATIVES
from runner.reproduce.saturation import SATURATION
from runner.reproduce.scikit_learn import SCIKIT_LEARN
from runner.reproduce.statistics import PAIRED_STATISTICS
from runner.reproduce.vanishing_gradient import VANISHING_GRADIENT
from runner.reproduce.variances import SELU_FIXED_POINT, SINE_NETWORK

REPRODUCTIONS: dict[str, Reproduction] = {
    one.name: one
    for one in (
        INITIAL_LOSS,
        LEARNING_SLOWDOWN,
        VANISHING_GRADIENT,
        GLOROT_SATURATION,
        CS231N_SPIRAL,
        PLAYGROUND,
        BORN_DEAD,
        SATURATION,
        GAUSSIAN_MOMENTS,
        GRADIENT_FACTORS,
        EDGE_OF_CHAOS,
        DEPTH_SCALES,
        RELU_CORRELATIONS,
        SMOOTH_CORRELATIONS,
        SELU_FIXED_POINT,
        SINE_NETWORK,
        EXTREMES,
        ROUNDED_DERIVATIVES,
        SCIKIT_LEARN,
        PAIRED_STATISTICS,
    )
}
