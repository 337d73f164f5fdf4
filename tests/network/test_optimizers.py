"""Optimizers against their papers' recurrences, written out for one number at a time."""

import math

import numpy as np
import pytest
from mpmath import mp, mpf

from runner.network.optimizers import OPTIMIZERS, SGD, Adam, AdamW, RMSProp
from runner.network.schedules import Constant, Cosine, StepDecay

RATE, STEPS = 0.05, 60
CURVATURE = np.array([[1.0, 3.0, 0.2], [0.5, 2.0, 10.0]])
START = np.array([[1.0, -2.0, 0.5], [0.3, 4.0, -1.0]])
DECAYED = np.array([True, True, False])


def trajectory(optimizer):
    """Positions of the optimizer on f = sum c x^2 / 2, started at START."""
    theta = START.copy()
    optimizer.bind(theta, DECAYED)
    for _ in range(STEPS):
        optimizer.step(CURVATURE * theta)
    return theta


def each_number(recurrence):
    """Apply a scalar recurrence (x, gradient function, decays) -> x to every number."""
    result = np.empty_like(START)
    for (row, column), x in np.ndenumerate(START):
        c = CURVATURE[row, column]
        result[row, column] = recurrence(x, lambda x, c=c: c * x, DECAYED[column])
    return result


def test_sgd():
    def recurrence(x, gradient, decays):
        for _ in range(STEPS):
            x = x - RATE * gradient(x)
        return x

    np.testing.assert_allclose(trajectory(SGD(RATE)), each_number(recurrence), rtol=1e-10)


def test_sgd_with_momentum():
    def recurrence(x, gradient, decays):
        v = 0.0
        for _ in range(STEPS):
            v = 0.9 * v + gradient(x)
            x = x - RATE * v
        return x

    found = trajectory(SGD(RATE, momentum=0.9))
    np.testing.assert_allclose(found, each_number(recurrence), rtol=1e-10)


def test_nesterov_is_a_gradient_step_from_the_point_looked_ahead_to():
    """Nesterov's own two-sequence form: y = x + m (x - x_before), x <- y - lr g(y).

    The optimizer's parameters are y; both start at the same point.
    """

    def recurrence(x, gradient, decays):
        y, before = x, x
        for _ in range(STEPS):
            x = y - RATE / 10 * gradient(y)
            y, before = x + 0.9 * (x - before), x
        return y

    found = trajectory(SGD(RATE / 10, momentum=0.9, nesterov=True))
    np.testing.assert_allclose(found, each_number(recurrence), rtol=1e-9)


def test_rmsprop():
    def recurrence(x, gradient, decays):
        v = 0.0
        for _ in range(STEPS):
            g = gradient(x)
            v = 0.9 * v + 0.1 * g * g
            x -= RATE * g / (math.sqrt(v) + 1e-8)
        return x

    np.testing.assert_allclose(trajectory(RMSProp(RATE)), each_number(recurrence), rtol=1e-9)


@pytest.mark.parametrize("epsilon", [1e-8, 0.3])
def test_adam_is_algorithm_1_of_the_paper(epsilon):
    """A large epsilon tells where it stands: outside the root, after the correction."""

    def recurrence(x, gradient, decays):
        m = v = 0.0
        for t in range(1, STEPS + 1):
            g = gradient(x)
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            x -= RATE * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + epsilon)
        return x

    found = trajectory(Adam(RATE, epsilon=epsilon))
    np.testing.assert_allclose(found, each_number(recurrence), rtol=1e-9)


def test_adamw_decays_the_weights_apart_from_the_gradient():
    def recurrence(x, gradient, decays):
        m = v = 0.0
        for t in range(1, STEPS + 1):
            g = gradient(x)
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            x -= RATE * 0.1 * x if decays else 0
            x -= RATE * (m / (1 - 0.9**t)) / (math.sqrt(v / (1 - 0.999**t)) + 1e-8)
        return x

    found = trajectory(AdamW(RATE, weight_decay=0.1))
    np.testing.assert_allclose(found, each_number(recurrence), rtol=1e-9)


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_finds_the_bottom_of_a_bowl(name):
    optimizer = OPTIMIZERS[name](learning_rate=0.02)
    theta = START.copy()
    optimizer.bind(theta, DECAYED)
    for step in range(2000):
        optimizer.step(CURVATURE * theta, 1 - step / 2000)
    assert np.abs(theta).max() < 1e-2


@pytest.mark.parametrize("scale", [1e-36, 1e-25, 1, 1e25, 4e29])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_bounds_each_replicates_step_and_leaves_small_gradients_alone(dtype, scale):
    """At every size of gradient, also where its squares are no numbers of the dtype."""
    optimizer = SGD(learning_rate=1.0, clip_norm=2.5 * scale)
    theta = np.zeros((3, 2), dtype)
    optimizer.bind(theta, np.ones(2, bool))
    optimizer.step(scale * np.array([[3, 4], [0.3, 0.4], [0, 0]], dtype))
    np.testing.assert_allclose(theta / scale, [[-1.5, -2], [-0.3, -0.4], [0, 0]], rtol=1e-5)


def test_clipping_a_replicate_does_not_depend_on_those_beside_it():
    gradient = np.random.default_rng(0).standard_normal((3, 20_001)).astype(np.float32)
    together, alone = np.zeros_like(gradient), np.zeros_like(gradient)
    rows = [(together, gradient), *((alone[k : k + 1], gradient[k : k + 1]) for k in range(3))]
    for theta, g in rows:
        optimizer = SGD(learning_rate=1.0, clip_norm=0.01)
        optimizer.bind(theta, np.ones(theta.shape[1], bool))
        optimizer.step(g.copy())
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize("dtype, huge", [(np.float32, 3e38), (np.float64, 1e300)])
@pytest.mark.parametrize("make", [Adam, AdamW, RMSProp])
def test_a_gradient_whose_square_overflows_moves_as_the_paper_says(make, dtype, huge):
    """The recurrences in arbitrary precision: the step is finite, and later ones go on."""
    rate = 0.125
    optimizer = make(rate)
    theta = np.ones((1, 1), dtype)
    optimizer.bind(theta, np.ones(1, bool))
    x, m, v = mpf(1), mpf(0), mpf(0)
    for t in range(1, 41):
        g = huge if t == 5 else 1.0
        optimizer.step(np.full((1, 1), g, dtype))
        if make is RMSProp:
            v = 0.9 * v + 0.1 * mpf(g) ** 2
            x -= rate * g / (mp.sqrt(v) + 1e-8)
        else:
            x -= rate * optimizer.weight_decay * x if make is AdamW else 0
            m = 0.9 * m + 0.1 * mpf(g)
            v = 0.999 * v + 0.001 * mpf(g) ** 2
            x -= rate * (m / (1 - 0.9**t)) / (mp.sqrt(v / (1 - 0.999**t)) + 1e-8)
        assert theta.item() == pytest.approx(float(x), rel=1e-4), t


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Adam(learning_rate=-1), "learning_rate must be"),
        (lambda: Adam(learning_rate=float("nan")), "learning_rate must be"),
        (lambda: Adam(beta1=1.0), "beta1 must be"),
        (lambda: SGD(momentum=1.0), "momentum must be"),
        (lambda: SGD(nesterov=True), "nesterov=true needs momentum"),
        (lambda: RMSProp(rho="x"), "rho must be"),
        (lambda: Adam(clip_norm=0), "clip_norm must be"),
        (lambda: AdamW(weight_decay=-1), "weight_decay must be"),
    ],
)
def test_a_setting_out_of_range_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_schedules():
    np.testing.assert_array_equal(Constant().factors(3, 10, 4), np.ones(4))
    np.testing.assert_allclose(StepDecay(every=2, factor=0.1).factors(4, 10, 2), [0.01, 0.01])
    wave = np.concatenate([Cosine().factors(e, 10, 4) for e in range(10)])
    np.testing.assert_allclose(wave, (1 + np.cos(np.pi * np.arange(40) / 40)) / 2)
    assert Cosine(final=0.2).factors_after_warmup(np.array([10.0]), 10).item() == pytest.approx(0.2)


@pytest.mark.parametrize("schedule", [Constant, StepDecay, Cosine])
def test_warmup_rises_in_equal_steps_to_one(schedule):
    ramp = np.concatenate([schedule(warmup_epochs=2).factors(e, 10, 4) for e in (0, 1)])
    np.testing.assert_allclose(ramp, np.arange(1, 9) / 8)
    assert schedule(warmup_epochs=2).factors(2, 10, 4)[0] == 1


@pytest.mark.parametrize("optimizer", [Adam(), RMSProp(rho=0.5), SGD(momentum=0.5)], ids=repr)
def test_moments_do_not_stay_subnormal(optimizer):
    """Where the gradient is 0, as in a dead unit. Unflushed, they stay at 1e-45 or so."""
    theta = np.ones((1, 3), np.float32)
    optimizer.bind(theta, np.ones(3, bool))
    optimizer.step(np.array([[1.0, -1e-10, 0.0]], np.float32))
    for _ in range(1500):
        optimizer.step(np.zeros_like(theta))
    for moment in optimizer.state():
        assert np.all((moment == 0) | (np.abs(moment) >= np.finfo(np.float32).tiny))
