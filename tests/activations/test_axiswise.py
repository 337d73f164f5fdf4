"""Functions of a row against arbitrary precision and against independent algorithms."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest
from mpmath import mpf

import activations
from activations.check.accuracy import ulp_errors
from activations.check.definitions.elementary import times
from activations.check.definitions.rows import references, truth
from activations.check.definitions.table import Terms

SELU_SCALE = mpf("1.0507009873554804934193349852946")
SELU_ALPHA = mpf("1.6732632423543772848170429916717")
BOTH = pytest.mark.parametrize("dtype", [np.float32, np.float64])
NORMALISING = ["softmax", "softmin", "sparsemax", "entmax15", "entmax", "taylor_softmax"]


@BOTH
@pytest.mark.parametrize("spread", [0.1, 1.0, 10.0, 100.0, 1000.0])
@pytest.mark.parametrize("offset", [0.0, 300.0, -1e5])
def test_softmax_keeps_its_digits_whatever_the_spread(dtype, spread, offset) -> None:
    """The bounds are 5 ULP for values, 8 for derivatives; 0.51 for float32, which uses float64."""
    rng = np.random.default_rng(7)
    for size in (1, 2, 3, 10, 100):
        x = (offset + spread * rng.standard_normal(size)).astype(dtype)
        with mpmath.workprec(250):
            expected = {name: truth(values) for name, values in references(x).items()}
        for name in ("softmax", "log_softmax", "softmax_one"):
            with np.errstate(all="raise", under="ignore"):
                y, slope = activations.get(name)(x), activations.get(name).gradient(x)
            assert y.dtype == slope.dtype == dtype
            bound = 0.51 if dtype is np.float32 else 5
            assert ulp_errors(y, expected[name]).max() <= bound, (name, size)
            bound = 0.51 if dtype is np.float32 else 8
            assert ulp_errors(slope, expected[name + "'"]).max() <= bound, (name, size)


def test_log_softmax_gradient_of_a_dominant_logit_keeps_its_digits() -> None:
    """The textbook forms g - p sum(g) and p (g - sum(g p)) are 0 if the gap is 37 or more."""
    x = np.array([50.0, 0.0, -3.0])
    rest = np.exp(-50.0) + np.exp(-53.0)
    one_hot = np.array([1.0, 0, 0])
    logarithm = activations.get("log_softmax")
    back = logarithm.backward(x, logarithm(x), one_hot)
    assert back[0] == pytest.approx(rest, rel=1e-15)
    assert logarithm.gradient(x)[0] == pytest.approx(rest, rel=1e-15)
    softmax = activations.get("softmax")
    back = softmax.backward(x, softmax(x), one_hot)
    assert back[0] == pytest.approx(rest, rel=1e-15)
    assert back[1] == pytest.approx(-np.exp(-50.0), rel=1e-15)
    taylor = activations.get("taylor_softmax")
    wide = np.array([1e12, 0.0])
    slope = taylor.backward(wide, taylor(wide), np.array([1.0, 0.0]))
    assert slope[0] == pytest.approx(4e-36, rel=1e-11)


@pytest.mark.parametrize("name", NORMALISING)
def test_rows_are_probabilities(name: str) -> None:
    for scale in (0.1, 1, 10, 1000):
        x = scale * np.random.default_rng(0).standard_normal((50, 7))
        p = activations.get(name)(x)
        assert (p >= 0).all()
        np.testing.assert_allclose(p.sum(axis=-1), 1, rtol=1e-15 * 7)


@pytest.mark.parametrize("name", ["log_softmax", *NORMALISING[:-1]])
def test_a_shift_changes_nothing(name: str) -> None:
    x = np.random.default_rng(0).integers(-8, 8, (50, 7)) / 4
    activation = activations.get(name)
    for shift in (-1000.0, 2.0**20, 2.0**40):
        np.testing.assert_array_equal(activation(x + shift), activation(x))


@pytest.mark.parametrize("name", ["softmax", "softmin", "sparsemax", "entmax15", "entmax"])
def test_jacobian_is_symmetric_and_its_rows_sum_to_zero(name: str) -> None:
    for scale in (0.1, 1.0, 50.0):
        x = scale * np.random.default_rng(3).standard_normal((9, 5))
        matrix = activations.get(name).jacobian(x)
        np.testing.assert_allclose(matrix, matrix.swapaxes(-1, -2), rtol=1e-14, atol=1e-16)
        sizes = np.abs(matrix).sum(axis=-1)
        assert (np.abs(matrix.sum(axis=-1)) <= 1e-15 * sizes).all()


@BOTH
@pytest.mark.parametrize("name", ["softmax", "softmin", "softmax2d", "gumbel_softmax", "sparsemax"])
def test_a_row_of_one_is_certain(name: str, dtype: type) -> None:
    x = np.array([[3.0], [-700.0]], dtype)
    activation = activations.get(name)
    np.testing.assert_array_equal(activation(x), 1)
    np.testing.assert_array_equal(activation.gradient(x), 0)
    np.testing.assert_array_equal(activation.backward(x, activation(x), np.ones_like(x)), 0)
    np.testing.assert_array_equal(activations.get("log_softmax")(x), 0)


def simplex_threshold(x: np.ndarray, order: float) -> np.ndarray:
    """Return entmax of one row by bisection for its threshold in 300-bit arithmetic."""
    with mpmath.workprec(300):
        power, z = 1 / (mpf(order) - 1), [(mpf(order) - 1) * mpf(float(v)) for v in x]
        low, high = max(z) - 1, max(z)
        for _ in range(200):
            middle = (low + high) / 2
            total = mpmath.fsum(max(v - middle, 0) ** power for v in z)
            low, high = (middle, high) if total >= 1 else (low, middle)
        return np.array([float(max(v - low, 0) ** power) for v in z])


@pytest.mark.parametrize("order", [1.05, 1.2, 1.5, 1.75, 2.0, 2.5, 4.0])
def test_entmax_is_what_bisection_finds(order: float) -> None:
    rng = np.random.default_rng(5)
    chosen = [activations.get("entmax", alpha=order)]
    bound = 2**-52 * max(4, 2 / (order - 1)) if order <= 2 else 2 ** (-52 / (order - 1))
    if order in (1.5, 2.0):
        chosen.append(activations.get({1.5: "entmax15", 2.0: "sparsemax"}[order]))
    for size in (1, 2, 3, 10, 40):
        for scale in (0.1, 1.0, 5.0):
            x = scale * rng.standard_normal(size) + 100
            expected = simplex_threshold(x, order)
            for activation in chosen:
                error = np.abs(activation(x) - expected).max()
                assert error <= bound, (size, scale, error)


def test_sparsemax_of_huge_logits() -> None:
    """The test 1 + k x > sum x fails in float32 from 1e8 on if the maximum is not subtracted."""
    x = np.array([1e8, 1e8 - 8, 3.0], np.float32)
    np.testing.assert_array_equal(activations.get("sparsemax")(x), [1, 0, 0])
    x = np.array([1e8, 1e8, 3.0], np.float32)
    np.testing.assert_array_equal(activations.get("sparsemax")(x), [0.5, 0.5, 0])


@pytest.mark.parametrize("pieces", [1, 2, 3, None])
def test_logsumexp_and_logmeanexp(pieces: int | None) -> None:
    rng = np.random.default_rng(1)
    for dtype in (np.float32, np.float64):
        for scale in (0.01, 1.0, 50.0, 3000.0):
            x = (scale * rng.standard_normal(12)).astype(dtype)
            groups = x.reshape(-1, pieces or 12)
            sums = activations.get("logsumexp", pieces=pieces)(x)
            means = activations.get("logmeanexp", pieces=pieces)(x)
            with mpmath.workprec(300):
                for group, total, mean in zip(groups, sums, means, strict=True):
                    exact = mpmath.log(mpmath.fsum(mpmath.exp(float(v)) for v in group))
                    eps = float(np.finfo(dtype).eps)
                    assert abs(float(total) - exact) <= eps * max(1, 2 * abs(exact))
                    exact -= mpmath.log(len(group))
                    assert abs(float(mean) - exact) <= eps * max(1, 2 * abs(exact))
    assert activations.get("logmeanexp", pieces=None)([0.3] * 7) == np.array([0.3])


def test_norms_of_the_largest_and_smallest_numbers() -> None:
    for scale in (5e-324, 1e-310, 1e-200, 1.0, 1e200, 1.7e308):
        x = scale * np.array([[1.0, -1.0, 0.0, 0.0]])
        unit = activations.get("l2_normalize", epsilon=5e-324)(x)
        np.testing.assert_allclose(unit, [[0.5**0.5, -(0.5**0.5), 0, 0]], rtol=4e-16)
        length = np.linalg.norm(activations.get("squash")(x))
        square = 2 * min(scale, 1e100) ** 2
        assert length == pytest.approx(square / (1 + square))


def test_standardized_rows_have_mean_0_and_variance_1() -> None:
    for scale in (1.0, 1e150, 1e307):
        x = scale * np.random.default_rng(0).uniform(-1, 1, (4, 9))
        y = activations.get("standardize", epsilon=1e-300)(x)
        np.testing.assert_allclose(y.mean(axis=-1), 0, atol=1e-15)
        np.testing.assert_allclose(y.var(axis=-1), 1, rtol=1e-14)
    np.testing.assert_array_equal(activations.get("standardize")([[7.0, 7.0]]), 0)


def test_which_half_gates() -> None:
    """Each gated unit follows its convention, on numbers computed by hand."""
    x = np.array([1.0, 2.0, 0.0, -1.0])  # a = (1, 2), b = (0, -1)
    sigmoid = activations.get("sigmoid")
    np.testing.assert_allclose(activations.get("glu")(x), [0.5, 2 * sigmoid(-1.0)])
    np.testing.assert_allclose(activations.get("swiglu")(x), [0, -2 * sigmoid(2.0)])
    np.testing.assert_allclose(activations.get("reglu")(-x), [0, 0])
    np.testing.assert_allclose(activations.get("bilinear_glu")(x), [0, -2])
    np.testing.assert_allclose(activations.get("geglu")(x), [0, -activations.get("gelu")(2.0)])
    np.testing.assert_allclose(activations.get("seglu")(x), [0, -activations.get("selu")(2.0)])
    expected = [np.tanh(1) / 2, np.tanh(2) * sigmoid(-1.0)]
    np.testing.assert_allclose(activations.get("gtu")(x), expected)
    expected = [1 * sigmoid(1.702) * (2 + 1), 0 * sigmoid(0.0)]  # pairs (1, 2), (0, -1)
    np.testing.assert_allclose(activations.get("swiglu_clamped")(x), expected)
    with pytest.raises(ValueError, match="glu needs an even number of inputs, got 3"):
        activations.get("glu")(x[:3])


def gated(name: str, a: mpf, b: mpf) -> tuple[Terms, Terms, Terms]:
    """Return y, dy/da and dy/db from the definitions."""

    def sigmoid(u: mpf) -> mpf:
        return 1 / (1 + mpmath.exp(-u))

    def silu(u: mpf, alpha: mpf) -> tuple[mpf, tuple[mpf, ...]]:
        s = sigmoid(alpha * u)
        return u * s, (s, alpha * u * s * sigmoid(-alpha * u))

    one = mpf(1)
    if name == "swiglu_clamped":
        a, b, inner = min(a, mpf(7)), min(max(b, mpf(-7)), mpf(7)), (a < 7, abs(b) < 7)
        value, slope = silu(a, mpf(1.702))
        return value * (b + 1), times(inner[0] * (b + 1), slope), inner[1] * value
    first = {
        "glu": (a, one),
        "swiglu": silu(a, one),
        "geglu": (a * mpmath.ncdf(a), (mpmath.ncdf(a), a * mpmath.npdf(a))),
        "reglu": (max(a, mpf(0)), one * (a > 0)),
        "bilinear_glu": (a, one),
        "gtu": (mpmath.tanh(a), mpmath.sech(a) ** 2),
        "seglu": (SELU_SCALE * a, SELU_SCALE)
        if a > 0
        else (
            SELU_SCALE * SELU_ALPHA * mpmath.expm1(a),
            SELU_SCALE * SELU_ALPHA * mpmath.exp(a),
        ),
    }[name]
    second = (sigmoid(b), sigmoid(b) * sigmoid(-b)) if name in ("glu", "gtu") else (b, one)
    slope = first[1] if isinstance(first[1], tuple) else (first[1],)
    return first[0] * second[0], times(second[0], slope), first[0] * second[1]


@BOTH
@pytest.mark.parametrize(
    "name",
    ["glu", "swiglu", "geglu", "reglu", "bilinear_glu", "gtu", "seglu", "swiglu_clamped"],
)
def test_gated_units_keep_their_digits(name: str, dtype: type) -> None:
    """The bounds are 4 ULP for values and 8 for derivatives."""
    rng = np.random.default_rng(3)
    activation = activations.get(name)
    pairs = [scale * rng.standard_normal((2, 60)) for scale in (1e-5, 0.3, 1.0, 5.0, 40.0, 300.0)]
    # a subnormal factor has lost bits before the product is taken: GELU's below these
    subnormal = -37 if dtype is np.float64 else -13 if name == "geglu" else -90
    tails = rng.uniform(subnormal, 0, 200)
    sizes = 10 ** rng.uniform(-20, 35, 200)
    pairs += [np.stack([tails, sizes]), np.stack([sizes, tails]), np.stack([tails / 6, -sizes])]
    for a, b in (pair.astype(dtype) for pair in pairs):
        x = np.stack([a, b], axis=-1)
        with np.errstate(all="raise", under="ignore"):
            y, slopes = activation(x)[:, 0], activation.gradient(x)
        with mpmath.workprec(300):
            exact = [gated(name, mpf(float(u)), mpf(float(v))) for u, v in x]
            expected = [truth(list(values)) for values in zip(*exact, strict=True)]
        found = (y, slopes[:, 0], slopes[:, 1])
        for part, exactly, bound in zip(found, expected, (4, 8, 8), strict=True):
            judged = np.abs(part) > 1e8 * np.finfo(dtype).tiny
            judged |= dtype is np.float32 and name != "geglu"
            assert np.where(judged, ulp_errors(part, exactly), 0).max() <= bound


@BOTH
@pytest.mark.parametrize("name", ["l2_normalize", "squash", "taylor_softmax", "standardize"])
def test_rescaled_rows_keep_their_digits(name: str, dtype: type) -> None:
    """The bounds are 4 and 8 ULP; for standardize 4 eps absolute, because x - mean cancels."""
    rng = np.random.default_rng(3)
    activation = activations.get(name)
    for scale, width in itertools.product((1e-3, 1.0, 10.0, 1e6, 1e9), (8, 1)):
        x = (scale * rng.standard_normal(width)).astype(dtype)
        with mpmath.workprec(300):
            row = [mpf(float(value)) for value in x]
            square = mpmath.fsum(value**2 for value in row)
            if name == "l2_normalize":
                expected = [value / mpmath.sqrt(square) for value in row]
                slopes = [(square - value**2) / mpmath.sqrt(square) ** 3 for value in row]
            elif name == "squash":
                length = mpmath.sqrt(square)
                factor = length / (1 + square)
                expected = [value * factor for value in row]
                bend = (1 - square) / (length * (1 + square) ** 2)
                slopes = [factor + bend * value**2 for value in row]
            elif name == "taylor_softmax":
                terms = [1 + value + value**2 / 2 for value in row]
                total = mpmath.fsum(terms)
                expected = [term / total for term in terms]
                slopes = [
                    (1 + value) * (total - term) / total**2
                    for value, term in zip(row, terms, strict=True)
                ]
            else:
                mean = mpmath.fsum(row) / len(row)
                variance = mpmath.fsum((value - mean) ** 2 for value in row) / len(row)
                deviation = mpmath.sqrt(variance + mpf(1e-5))
                expected = [(value - mean) / deviation for value in row]
                slopes = [
                    (1 - mpf(1) / len(row) - value**2 / len(row)) / deviation for value in expected
                ]
        if name == "standardize":
            eps = np.finfo(dtype).eps
            np.testing.assert_allclose(activation(x), [float(v) for v in expected], atol=4 * eps)
            continue
        assert ulp_errors(activation(x), truth(expected)).max() <= 4
        assert ulp_errors(activation.gradient(x), truth(slopes)).max() <= 8
        if width == 1:  # the diagonal is all there is
            assert ulp_errors(activation.jacobian(x)[0], truth(slopes)).max() <= 8


@BOTH
@pytest.mark.parametrize("name", ["l2_normalize", "squash", "standardize"])
def test_a_stretch_of_the_row_keeps_its_digits(name: str, dtype: type) -> None:
    """J x = factor x, where the factor is tiny compared with the other eigenvalues of J."""
    activation = activations.get(name)
    for shape in ([1.0], [1.0, -1.0], [3.0, 4.0, 0.0, -7.0], [3.0, -1.0, -1.0, -1.0]):
        if name == "standardize" and len(shape) == 1:
            continue
        for size in (2.0**-7, 1.0, 2.0**8, 2.0**23, 2.0**30):
            x = np.array(shape, dtype) * dtype(size)
            with mpmath.workprec(300):
                square = mpmath.fsum(mpf(float(v)) ** 2 for v in x)
                variance = square / len(x) + mpf(1e-5)
                factor = {
                    "l2_normalize": mpf(0),
                    "squash": 2 * mpmath.sqrt(square) / (1 + square) ** 2,
                    "standardize": mpf(1e-5) * variance ** mpf(-1.5),
                }[name]
                expected = np.array([float(4 * factor * mpf(float(v))) for v in x])
            found = activation.backward(x, activation(x), 4 * x)
            tiny = 1e-24 if name == "l2_normalize" and len(x) > 1 else 0
            np.testing.assert_allclose(found, expected, rtol=8 * np.finfo(dtype).eps, atol=tiny)
            if len(x) == 1 and name == "squash":  # there is no other direction
                np.testing.assert_allclose(activation.gradient(x), expected / (4 * x), rtol=1e-6)
            if shape[1:] == [-1.0] * 3 and size > 1 and name == "standardize":
                share = 0.75 * float(factor)  # of the outlier's square in the square sum
                np.testing.assert_allclose(activation.gradient(x)[0], share, rtol=1e-6)


def test_maxout_takes_neighbours() -> None:
    np.testing.assert_array_equal(activations.get("maxout", pieces=3)(np.arange(6.0)), [2, 5])
    with pytest.raises(ValueError, match="maxout makes one output of 2 inputs; 3 inputs do not"):
        activations.get("maxout")(np.arange(3.0))
    with pytest.raises(ValueError, match=r"pieces must be a whole number from 1 to .*, got 0"):
        activations.get("maxout", pieces=0)


def test_softmax2d_takes_pytorchs_layout_too() -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    first = activations.get("softmax2d", channel_axis=-3)
    last = activations.get("softmax2d")
    np.testing.assert_array_equal(first(x), np.moveaxis(last(np.moveaxis(x, 1, -1)), -1, 1))
    np.testing.assert_allclose(first(x).sum(axis=1), 1)
    assert first.jacobian(x).shape == (2, 4, 5, 3, 3)
    with pytest.raises(ValueError, match="needs at least 3 axes, got shape"):
        first(x[0, 0])


def test_random_ones_draw_each_replicate_from_its_own_generator() -> None:
    x = np.tile(np.linspace(-2, 2, 12).reshape(1, 3, 4) + 0.1, (2, 1, 1))
    for name in ("rrelu", "gumbel_softmax"):
        activation = activations.get(name)
        calm = activation.forward(x)
        np.testing.assert_array_equal(calm[0], calm[1])
        activation.generators = [np.random.default_rng(k) for k in (5, 6)]
        drawn = activation.forward(x)
        assert (drawn[0] != drawn[1]).any()
        alone = activations.get(name)
        alone.generators = [np.random.default_rng(6)]
        np.testing.assert_array_equal(alone.forward(x[1:]), drawn[1:])
        back = activation.backward(x, drawn, np.ones_like(x))
        if name == "rrelu":
            expected = np.where(x > 0, 1, drawn / x)
            np.testing.assert_allclose(back, expected, rtol=1e-15)
            assert ((expected[x < 0] >= 1 / 8) & (expected[x < 0] <= 1 / 3)).all()
        else:
            np.testing.assert_allclose(back, 0, atol=1e-16)
        activation.generators = None
        np.testing.assert_array_equal(activation.forward(x), calm)


def test_gumbel_softmax_samples_the_softmax() -> None:
    """Entry i of a sample is the largest with probability p_i."""
    activation = activations.get("gumbel_softmax", tau=0.5)
    activation.generators = [np.random.default_rng(0)]
    logits = np.array([0.0, 1.0, -1.0])
    y = activation.forward(np.broadcast_to(logits, (1, 40000, 3)))
    shares = np.bincount(y[0].argmax(axis=-1)) / 40000
    p = activations.get("softmax")(logits)
    assert (np.abs(shares - p) < 4 * np.sqrt(p * (1 - p) / 40000)).all()


@pytest.mark.parametrize("name", [*NORMALISING, "log_softmax", "softmax_one", "standardize"])
def test_a_row_does_not_depend_on_its_neighbours(name: str) -> None:
    """The bits are equal, because a replicate must train the same alone and in a stack."""
    x = 3 * np.random.default_rng(0).standard_normal((40, 7))
    activation = activations.get(name)
    together = activation(x)
    for row, y in zip(x, together, strict=True):
        assert activation(row).tobytes() == y.tobytes()
