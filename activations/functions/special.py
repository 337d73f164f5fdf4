"""Building blocks of the formulas: accurate sums, products and exponentials, and erf.

NumPy has no error function, and three of its operations lose digits that matter here:

* b x is rounded with an absolute error of eps |b x|. In e^(b x) this becomes a *relative* error of
  up to 745 eps. ``two_product`` returns the rounding error of b x too.
* e^(-x^2) has the same problem with x^2. ``exp_of_square`` splits x at a multiple of 2^-20, whose
  square is exact.
* x e^x for x < -708 has few correct bits, because e^x is subnormal. ``where_below`` computes such
  tails separately, and only in blocks that contain such x. The tail is a ``tail_product``, or a
  product in which e^(x / 2) is a factor twice.

Functions marked "both dtypes" take float32 and float64 arrays, with the limits in ``ENDS``. All
others are for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from activations.base import Array
from activations.tracing import Traced

INVERSE_SQRT_2_PI = 0.3989422804014327  # 1 / sqrt(2 pi)
TWO_OVER_SQRT_PI = 1.1283791670955126
SQRT_2 = 1.4142135623730951
_SQRT_2_REST = -9.667293313452913e-17
INVERSE_SQRT_PI = 0.5641895835477563  # 1 / sqrt(pi)
NO_OVERFLOW = 40.0  # 1 + e^-40 = 1: S-shaped functions of x > 40 equal their limit
FAR = 300.0  # 1 + x e^-300 = 1, and e^300 is finite
NO_UNDERFLOW = -800.0  # e^-800 = 0
LARGEST_EXPONENT = 709.0  # e^709 is still finite
SUBNORMAL = -700.0  # e^x has all its bits above this
LARGEST_ARGUMENT = 1600.0  # e^-1600 times any float is 0
GAUSSIAN_END = 40.0  # e^(-40^2 / 2) = 0
_SPLIT = 134217729.0  # 2^27 + 1: Veltkamp's splitting into two halves of 26 bits
_TO_2_TO_MINUS_20 = 1.5 * 2.0**32  # adding and subtracting it rounds to a multiple of 2^-20
SHIFT = 69.31471805599449  # a multiple of 2^-40; SHIFT + SHIFT_REST = 100 ln 2
SHIFT_REST = 4.0954808070801747e-14
_TO_2_TO_MINUS_26 = 1.5 * 2.0**26
_SIXTH = 1 / 6


class Ends(NamedTuple):
    """The limits of exponentials in a dtype.

    Attributes:
        full: for x <= full, e^-x is not subnormal.
        cut: slightly larger than full; 1 + 2 e^cut is finite.
        zero: for x >= zero, e^-x times any float is 0.
        shift, shift_rest: their sum is ln(1 / scale^2). For x > full, shift - x is exact.
        scale: a power of 2.
        exp_low: the relative correction of e^x. The relative error of NumPy's float32 exp is from
            -3.6 to 2.5 times 2^-24; with the correction, positive and negative errors of
            x / (1 + e^-u) are about equally large.
    """

    full: float
    cut: float
    zero: float
    shift: float
    shift_rest: float
    scale: float
    exp_low: float = 0.0


ENDS = {
    np.dtype(np.float64): Ends(
        700.0, 701.0, LARGEST_ARGUMENT, 693.1471805599449, 4.095480807080175e-13, 2.0**-500
    ),
    np.dtype(np.float32): Ends(
        87.0, 88.0, 200.0, 99.81319427490234, -2.742702191939186e-07, 2.0**-72, 1e-8
    ),
}


def polynomial(coefficients: Sequence[Array], x: Array) -> Array:
    """Return sum_k c_k x^(n-k) by Horner's rule, highest power first."""
    total = x * coefficients[0]
    total += coefficients[1]
    for coefficient in coefficients[2:]:
        total *= x
        total += coefficient
    return total


def constants(*values: float) -> tuple[Array, ...]:
    """Return 0-d arrays; with a Python float, each NumPy call takes 0.4 us more."""
    return tuple(np.array(value) for value in values)


def two_sum(a: Any, b: Array) -> tuple[Array, Array]:
    """Return s, the rounded a + b, and its rounding error r: s + r = a + b exactly. Knuth 1969."""
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def two_product(a: Any, b: Array) -> tuple[Array, Array]:
    """Return p, the rounded a b, and its rounding error r: p + r = a b exactly.

    |a| and |b| must be below 1e290. Dekker 1971, https://doi.org/10.1007/BF01397083
    """
    p = a * b
    a_high = _SPLIT * a
    a_high = a_high - (a_high - a)
    b_high = _SPLIT * b
    b_high = b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def cut(x: Array, end: Any) -> Array:
    """Return x clipped to [-end, end]; both dtypes."""
    return np.minimum(np.maximum(x, -end), end)


def finite(x: Array) -> Array:
    """Return x with infinities replaced by the largest floats, which give 0 if multiplied by 0."""
    return cut(x, np.finfo(x.dtype).max)


def bounded_product(factor: Any, x: Array, end: float = LARGEST_ARGUMENT) -> tuple[Array, Array]:
    """Return factor x and its rounding error, as ``two_product``; 0 times infinity is 0.

    A product beyond +-end may be clipped. x is multiplied by the power of 2 of the factor first, so
    that neither factor is too large for ``two_product``.
    """
    mantissa, exponent = np.frexp(np.asarray(factor, np.float64))
    with np.errstate(over="ignore"):
        moved = x * np.ldexp(1.0, exponent)
    return two_product(mantissa, np.minimum(np.maximum(moved, -2 * end), 2 * end))


def two_quotient(a: Array, b: Any) -> tuple[Array, Array]:
    """Return q, the rounded a / b, and r: q + r is a / b with twice as many digits."""
    q = a / b
    p, rest = two_product(b, q)
    return q, ((a - p) - rest) / b


def exp_of_sum(p: Array, r: Array | float) -> Array:
    """Return e^(p + r) for a rounding error r, as from ``two_product``; both dtypes."""
    e = np.exp(p)
    return e + e * r


def in_two(exactly: Array) -> tuple[Array, Array]:
    """Return float64 numbers as sums of two float32: the rounded numbers and rounding errors."""
    p = exactly.astype(np.float32)
    return p, (exactly - p.astype(np.float64)).astype(np.float32)


def times_exp(factor: Array, p: Array, rest: Array | float = 0.0) -> Array:
    """Return factor e^(p + rest) for a rounding error rest; e^p itself may be subnormal."""
    half = exp_of_sum(p / 2, rest / 2)
    return (factor * half) * half


def tail_product(factor: Array, p: Array, rest: Array | float = 0.0) -> Array:
    """Return factor e^(p + rest) for -zero <= p <= -full, where e^p may be subnormal.

    Both dtypes; rest is a rounding error. The exponential is computed 1 / scale^2 times as large,
    then multiplied by scale twice.
    """
    ends = ENDS[p.dtype]
    e = exp_of_sum(p + ends.shift, rest + ends.shift_rest)
    return (factor * ends.scale) * e * ends.scale


def where_below(
    x: Array, limit: float, formula: Callable[[Array], Array], otherwise: Array
) -> Array:
    """Return formula(x) where x < limit, ``otherwise`` elsewhere.

    The formula is evaluated only if some x is below the limit.
    """
    if isinstance(x, Traced):
        return x.where_below(limit, formula, otherwise)
    if not np.fmin.reduce(x, axis=None, initial=0.0) < limit:
        return otherwise
    return np.where(x < limit, formula(np.minimum(x, limit)), otherwise)


def step(x: Array) -> Array:
    """Return False where x is negative or -0, True elsewhere.

    With g = g(|x|), ``step(x) - copysign(g, x)`` is g for x < 0 and 1 - g for x > 0. This evaluates
    an S-shaped function without branches and without cancellation.
    """
    return ~np.signbit(x)


def exp_of_square(a: Array, factor: float, more: Array | float = 0.0, shift: float = 0.0) -> Array:
    """Return e^(shift + more - factor a^2) for 0 <= a <= 40.

    ``factor`` is a power of 2, ``more`` a rounding error, ``shift`` a multiple of 2^-40. Let h be
    the multiple of 2^-20 nearest to a. Then h^2 is exact. The rest of the exponent is
    r = more - factor (a - h)(a + h), |r| < 1e-4, and three terms of the series of e^r - 1 suffice.
    """
    h = (a + _TO_2_TO_MINUS_20) - _TO_2_TO_MINUS_20
    e = np.exp(h * h * -factor + shift)
    r = (a - h) * (a + h) * -factor + more
    return e + e * (r + r * r * (0.5 + r * _SIXTH))


def log1p_to_1(z: Array) -> Array:
    """Return ln(1 + z) for 0 <= z <= 1; both dtypes.

    Without AVX-512, NumPy's float32 log1p is not vectorised. With s = z / (2 + z), ln(1 + z) =
    2 artanh(s) = z - s z + s^3 (2/3 + 2/5 s^2 + ...). For small z the first term dominates; it is
    exact.
    """
    if z.dtype != np.float32:
        return np.log1p(z)
    s = z / (2 + z)
    t = s * s
    return z - s * (z - t * polynomial(ARTANH_REST_FLOAT32, t))


# (2 artanh(s) - 2 s) / s^3 for 0 <= s <= 1/3: coefficients in powers of s^2, highest power first
ARTANH_REST_FLOAT32 = tuple(
    np.array(c, np.float32)
    for c in (0.26867547631263733, 0.28233957290649414, 0.4000767171382904, 0.6666663885116577)
)


def expm1_below_0(x: Array) -> Array:
    """Return e^x - 1 for x <= 0; both dtypes.

    Without AVX-512, NumPy's float32 expm1 is not vectorised, but tanh is. With t = tanh(x / 2),
    e^x - 1 = 2 t / (1 - t), which does not cancel, because t <= 0. For subnormal x, the error may
    be the smallest subnormal number.
    """
    if x.dtype != np.float32:
        return np.expm1(x)
    t = np.tanh(0.5 * x)
    return (t + t) / (1 - t)


def tanh_slope(x: Array) -> Array:
    """Return 1 / cosh(x)^2 = 4 w / (1 + w)^2 with w = e^-2|x|.

    1 - tanh(x)^2 would round to 0 beyond |x| = 9 in float32, 19 in float64.
    """
    with np.errstate(over="ignore"):  # -2 |x| may overflow
        w = np.exp(-2 * np.abs(x))
    d = 1 + w
    return 4 * w / (d * d)


def tanh_slope_from(x: Array, tanh: Array) -> Array:
    """Return 1 / cosh(x)^2, given tanh(x); for |x| < 1/2, where it does not cancel, 1 - tanh^2."""
    return np.where(np.abs(x) < 0.5, 1 - tanh * tanh, tanh_slope(x))


# (t + 3) Q(t) in powers of u = (t - 3) / (t + 3), highest power first: our Chebyshev fit of degree
# 28, with an error of 1e-17. Horner's rule is stable, because the absolute values of the
# coefficients add up to only 1.54.
SCALED_TAIL = constants(
    -2.9494562452296944e-10,
    -3.9540983177755375e-10,
    2.3227277514322206e-09,
    4.37201304768715e-09,
    -6.141129483338104e-09,
    -2.1068570813965794e-08,
    -5.943600037627257e-09,
    4.8557389389676565e-08,
    9.246153889926135e-08,
    1.7987901172520968e-08,
    -2.769076697674906e-07,
    -5.760871850690041e-07,
    1.3827805513222183e-08,
    2.2483296188305554e-06,
    3.636158954808032e-06,
    -3.5148994491232793e-06,
    -2.0687649062091905e-05,
    -1.3246718127780379e-05,
    7.881232294076101e-05,
    0.0001543945758143964,
    -0.0002565752967458939,
    -0.0010458286338890027,
    0.0010275922550723382,
    0.0069726212410880905,
    -0.010462867023144902,
    -0.04726302514298762,
    0.23001771997460108,
    -0.5093319819174894,
    0.729083690133373,
)

# The rounding errors of the coefficients, as a linear function of u fitted to their effect
_SCALED_TAIL_REST = constants(6.158e-17, -4.152e-17)

# erf(x) / x for |x| <= 1, in powers of x^2, highest power first; relative error 7e-18
ERF_OVER_X = constants(
    -7.795898827002142e-10,
    1.3720064546777686e-08,
    -1.6208483801871705e-07,
    1.6447424703317362e-06,
    -1.492473690741966e-05,
    0.00012055294904839707,
    -0.0008548325975389692,
    0.0052239776071164225,
    -0.02686617064323777,
    0.11283791670945006,
    -0.37612638903183543,
    1.1283791670955126,
)


def scaled_normal_tail(t: Array) -> Array:
    """Return Q(t) = e^(t^2 / 2) Phi(-t) for t >= 0, within 1.5 ULP.

    Q falls from 1/2 at t = 0 and tends to 1 / (t sqrt(2 pi)). Three rounding errors are corrected:
    that of t + 3 (by Q' = t Q - 1 / sqrt(2 pi)), those of the last two steps of Horner's rule, and
    those of the coefficients.
    """
    q, rest = scaled_normal_tail_in_two(t)
    return q + rest


def scaled_normal_tail_in_two(t: Array) -> tuple[Array, Array]:
    """Return the rounded Q(t) and its rounding error; their sum is within 1 ULP."""
    above = t + 3
    u = (above - 6) / above
    inner, slope, last = polynomial(SCALED_TAIL[:-2], u) * u, *SCALED_TAIL[-2:]
    s = slope + inner
    s_high, u_high = _to_26_bits(s), _to_26_bits(u)
    first = s_high * u_high  # exact
    total = last + first
    rest = ((slope - s) + inner) + ((s - s_high) + _SCALED_TAIL_REST[0])
    rest = ((last - total) + first) + (s_high * (u - u_high) + (rest * u + _SCALED_TAIL_REST[1]))
    q = total / above
    moved = t - (above - 3)
    return q, moved * (t * q - INVERSE_SQRT_2_PI) + rest / above


def _to_26_bits(x: Array) -> Array:
    """Return |x| < 1 rounded to a multiple of 2^-26."""
    return (x + _TO_2_TO_MINUS_26) - _TO_2_TO_MINUS_26


def normal_tail(a: Array) -> Array:
    """Return Phi(-a) for a >= 0, the tail of the normal distribution."""
    a = np.minimum(a, GAUSSIAN_END)
    return scaled_normal_tail(a) * exp_of_square(a, 0.5)


def normal_cdf(x: Array) -> Array:
    """Return Phi(x) = (1 + erf(x / sqrt 2)) / 2, without cancellation in either tail."""
    return step(x) - np.copysign(normal_tail(np.abs(x)), x)


def normal_pdf(x: Array) -> Array:
    """Return Phi'(x) = e^(-x^2 / 2) / sqrt(2 pi)."""
    a = np.minimum(np.abs(x), GAUSSIAN_END)
    return INVERSE_SQRT_2_PI * exp_of_square(a, 0.5)


def erfc_positive(a: Array) -> Array:
    """Return erfc(a) = 1 - erf(a) for a >= 0."""
    a = np.minimum(a, GAUSSIAN_END)
    return 2 * scaled_normal_tail(SQRT_2 * a) * exp_of_square(a, 1.0)


def erfc_parts(a: Array, rest: Array) -> tuple[Array, Array, Array]:
    """Return a, Q and h for c = a + rest >= 0, with erfc(c) / 2 = Q h^2 and e^(-c^2) = h^2.

    a is clipped at 40. e^(-c^2) itself may be subnormal.
    """
    a, rest = np.minimum(a, GAUSSIAN_END), np.where(a < GAUSSIAN_END, rest, 0.0)
    t, t_rest = two_product(SQRT_2, a)
    t_rest = t_rest + (SQRT_2 * rest + _SQRT_2_REST * a)
    q = scaled_normal_tail(t)
    q = q + t_rest * (t * q - INVERSE_SQRT_2_PI)  # Q' = t Q - 1 / sqrt(2 pi)
    return a, q, exp_of_square(a, 0.5, -a * rest)


def erf(x: Array) -> Array:
    """Return erf(x), 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    a = np.abs(x)
    small = np.minimum(a, 1.0)
    near = small * polynomial(ERF_OVER_X, small * small)
    return np.copysign(np.where(a < 1, near, 1 - erfc_positive(a)), x)


def erf_derivative(x: Array) -> Array:
    """Return erf'(x) = 2 / sqrt(pi) e^(-x^2)."""
    a = np.minimum(np.abs(x), GAUSSIAN_END)
    return TWO_OVER_SQRT_PI * exp_of_square(a, 1.0)
