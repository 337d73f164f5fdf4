"""What the formulas are made of: products and exponentials that keep their digits, and erf.

NumPy has no error function, and three of its operations lose digits that matter here:

* b x is rounded to eps |b x| absolute, and e^(b x) turns that into a *relative* error of up
  to 745 eps: ``two_product`` returns what the rounding left out as well.
* e^(-x^2) suffers the same from x^2. ``exp_of_square`` splits x at a multiple of 2^-20, whose
  square is exact.
* y = x e^x for x < -708 inherits the few bits that a subnormal e^x has: ``where_below``
  computes such tails separately, by ``tail_product`` or as products with e^(x / 2) twice, and
  only in blocks that reach there.

What says so is for arrays of both dtypes, with the limits in ``ENDS``; the rest is for float64.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from activations.base import Array
from activations.tracing import Traced

FRACTION_OF_SQUARE_ROOT_2_PI = 0.3989422804014327  # 1 / sqrt(2 pi)
TWO_OVER_SQUARE_ROOT_PI = 1.1283791670955126
SQUARE_ROOT_2 = 1.4142135623730951
_SQUARE_ROOT_2_REST = -9.667293313452913e-17
FRACTION_OF_SQUARE_ROOT_PI = 0.5641895835477563  # 1 / sqrt(pi)
NO_OVERFLOW = 40.0  # 1 + e^-40 = 1: an S-shaped function has ended where e^x still fits
FAR = 300.0  # 1 + x e^-300 = 1, and e^300 fits into float64
NO_UNDERFLOW = -800.0  # e^-800 = 0
LARGEST_EXPONENT = 709.0  # e^709 is still finite
SUBNORMAL = -700.0  # e^x has all its bits above this
LARGEST_ARGUMENT = 1600.0  # e^(-1600 / 2) = 0, whatever it is multiplied by
GAUSSIAN_END = 40.0  # e^(-40^2 / 2) = 0
_SPLIT = 134217729.0  # 2^27 + 1: Veltkamp's splitting into two halves of 26 bits
_TO_2_TO_MINUS_20 = 1.5 * 2.0**32  # adding and subtracting it rounds to a multiple of it
SHIFT = 69.31471805599449  # 100 ln 2 but for SHIFT_REST; a multiple of 2^-40
SHIFT_REST = 4.0954808070801747e-14
_TO_2_TO_MINUS_26 = 1.5 * 2.0**26
_SIXTH = 1 / 6


class Ends(NamedTuple):
    """Where the exponentials of a dtype end.

    full: e^-x has all its bits up to here.
    cut: a little more; 1 + 2 e^x is still finite.
    zero: from here on e^-x is 0, whatever float it is multiplied by.
    shift, shift_rest: their sum is ln(1 / scale^2); adding shift to what is beyond full is exact.
    scale: a power of 2.
    exp_low: what share of e^x to add, since NumPy's float32 exp is off by -3.6 to 2.5 times 2^-24:
        so much that x / (1 + e^-u), which rounds after it, errs alike to both sides.
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
    """Return 0-d arrays: a Python float costs NumPy 0.4 us more each time it is used."""
    return tuple(np.array(value) for value in values)


def two_sum(a: Any, b: Array) -> tuple[Array, Array]:
    """Return s = a + b rounded, and the rest r: s + r is a + b exactly. Knuth 1969."""
    s = a + b
    part = s - a
    return s, (a - (s - part)) + (b - part)


def two_product(a: Any, b: Array) -> tuple[Array, Array]:
    """Return p = a b rounded, and the rest r: p + r is a b exactly.

    |a| and |b| must stay below 1e290. Dekker 1971, https://doi.org/10.1007/BF01397083
    """
    p = a * b
    a_high = _SPLIT * a
    a_high = a_high - (a_high - a)
    b_high = _SPLIT * b
    b_high = b_high - (b_high - b)
    a_low, b_low = a - a_high, b - b_high
    return p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low


def cut(x: Array, end: Any) -> Array:
    """Return x, but -end below that and end above it; for both dtypes."""
    return np.minimum(np.maximum(x, -end), end)


def finite(x: Array) -> Array:
    """Return x with infinities replaced by the largest floats: 0 times them is 0."""
    return cut(x, np.finfo(x.dtype).max)


def bounded_product(factor: Any, x: Array, end: float = LARGEST_ARGUMENT) -> tuple[Array, Array]:
    """Return factor x as two_product does, cut somewhere beyond +-end; 0 times infinity is 0.

    The factor's power of 2 goes to x first, so that neither may be too large to be split.
    """
    mantissa, exponent = np.frexp(np.asarray(factor, np.float64))
    with np.errstate(over="ignore"):
        moved = x * np.ldexp(1.0, exponent)
    return two_product(mantissa, np.minimum(np.maximum(moved, -2 * end), 2 * end))


def two_quotient(a: Array, b: Any) -> tuple[Array, Array]:
    """Return q = a / b rounded, and the rest r: q + r is a / b to twice the digits."""
    q = a / b
    p, rest = two_product(b, q)
    return q, ((a - p) - rest) / b


def exp_of_sum(p: Array, r: Array | float) -> Array:
    """Return e^(p + r) for a tiny r, as two_product returns it; for both dtypes."""
    e = np.exp(p)
    return e + e * r


def in_two(exactly: Array) -> tuple[Array, Array]:
    """Return float64 numbers as two float32 each: rounded, and the rest."""
    p = exactly.astype(np.float32)
    return p, (exactly - p.astype(np.float64)).astype(np.float32)


def times_exp(factor: Array, p: Array, rest: Array | float = 0.0) -> Array:
    """Return factor e^(p + rest) for a tiny rest, where e^p itself may be subnormal."""
    half = exp_of_sum(p / 2, rest / 2)
    return (factor * half) * half


def tail_product(factor: Array, p: Array, rest: Array | float = 0.0) -> Array:
    """Return factor e^(p + rest) for p between -zero and -full, where e^p may be subnormal.

    For both dtypes; rest is tiny. The exponential is taken 1 / scale^2 times as large.
    """
    ends = ENDS[p.dtype]
    e = exp_of_sum(p + ends.shift, rest + ends.shift_rest)
    return (factor * ends.scale) * e * ends.scale


def where_below(
    x: Array, limit: float, formula: Callable[[Array], Array], otherwise: Array
) -> Array:
    """Return formula(x) where x < limit and ``otherwise`` elsewhere.

    The formula is evaluated only if there is such an x at all.
    """
    if isinstance(x, Traced):
        return x.where_below(limit, formula, otherwise)
    if not np.fmin.reduce(x, axis=None, initial=0.0) < limit:
        return otherwise
    return np.where(x < limit, formula(np.minimum(x, limit)), otherwise)


def step(x: Array) -> Array:
    """Return 0 where x has a minus sign (-0 included) and 1 elsewhere, as booleans.

    With an even g, ``step(x) - copysign(g(|x|), x)`` is g for x < 0 and 1 - g for x > 0: the
    S-shaped functions without a branch and without cancellation.
    """
    return ~np.signbit(x)


def exp_of_square(a: Array, factor: float, more: Array | float = 0.0, shift: float = 0.0) -> Array:
    """Return e^(shift + more - factor a^2) for 0 <= a <= 40; factor is a power of 2.

    ``more`` is tiny, ``shift`` a multiple of 2^-40.

    With h the multiple of 2^-20 next to a: h^2 is exact, and the rest of the exponent,
    r = more - factor (a - h)(a + h), is below 1e-4, where e^r - 1 is its series' first terms.
    """
    h = (a + _TO_2_TO_MINUS_20) - _TO_2_TO_MINUS_20
    e = np.exp(h * h * -factor + shift)
    r = (a - h) * (a + h) * -factor + more
    return e + e * (r + r * r * (0.5 + r * _SIXTH))


def log1p_to_1(z: Array) -> Array:
    """Return ln(1 + z) for 0 <= z <= 1; for both dtypes.

    NumPy's float32 log1p takes one element at a time on CPUs without AVX-512. With s = z / (2 + z)
    it is 2 artanh(s), which is z - s z + s^3 (2/3 + 2/5 s^2 + ...), so that only z rounds for
    small z.
    """
    if z.dtype != np.float32:
        return np.log1p(z)
    s = z / (2 + z)
    t = s * s
    return z - s * (z - t * polynomial(ARTANH_REST_FLOAT32, t))


# (2 artanh(s) - 2 s) / s^3 in powers of s^2, highest first, for 0 <= s <= 1/3
ARTANH_REST_FLOAT32 = tuple(
    np.array(c, np.float32)
    for c in (0.26867547631263733, 0.28233957290649414, 0.4000767171382904, 0.6666663885116577)
)


def expm1_below_0(x: Array) -> Array:
    """Return e^x - 1 for x <= 0; for both dtypes.

    NumPy's float32 expm1 takes one element at a time on CPUs without AVX-512, tanh does not:
    it is 2 t / (1 - t) with t = tanh(x / 2) <= 0, where nothing cancels. A subnormal x may be off
    by the smallest one.
    """
    if x.dtype != np.float32:
        return np.expm1(x)
    t = np.tanh(0.5 * x)
    return (t + t) / (1 - t)


def tanh_slope(x: Array) -> Array:
    """Return 1 / cosh(x)^2 = 4 w / (1 + w)^2 with w = e^-2|x|.

    1 - tanh(x)^2 is 0 by rounding beyond |x| = 9 in float32, 19 in float64.
    """
    with np.errstate(over="ignore"):  # of -2 |x|
        w = np.exp(-2 * np.abs(x))
    d = 1 + w
    return 4 * w / (d * d)


def tanh_slope_from(x: Array, tanh: Array) -> Array:
    """Return 1 / cosh(x)^2, given tanh(x) too: 1 - tanh^2 where that does not cancel."""
    return np.where(np.abs(x) < 0.5, 1 - tanh * tanh, tanh_slope(x))


# (t + 3) Q(t) in powers of u = (t - 3) / (t + 3), highest first: our Chebyshev fit of degree
# 28, whose error is 1e-17, written in powers of u; the sum of their sizes is 1.54, so Horner's
# rule is stable.
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

# What the coefficients have lost in rounding, as the line that is closest to it
_SCALED_TAIL_REST = constants(6.158e-17, -4.152e-17)

# erf(x) / x in powers of x^2, highest first, for |x| <= 1: relative error 7e-18
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
    """Return Q(t) = e^(t^2 / 2) Phi(-t) for t >= 0: from 1/2 down to 1 / (t sqrt(2 pi)).

    The roundings that matter are made good, those of t + 3 with Q' = t Q - 1 / sqrt(2 pi), of
    the last two steps of Horner's rule, and of the coefficients. Within 1.5 ULP.
    """
    q, rest = scaled_normal_tail_in_two(t)
    return q + rest


def scaled_normal_tail_in_two(t: Array) -> tuple[Array, Array]:
    """Return Q(t) rounded, and the rest of it: together within 1 ULP."""
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
    return q, moved * (t * q - FRACTION_OF_SQUARE_ROOT_2_PI) + rest / above


def _to_26_bits(x: Array) -> Array:
    """Return |x| < 1 rounded to a multiple of 2^-26."""
    return (x + _TO_2_TO_MINUS_26) - _TO_2_TO_MINUS_26


def normal_tail(a: Array) -> Array:
    """Return Phi(-a), the normal distribution's tail, for a >= 0."""
    a = np.minimum(a, GAUSSIAN_END)
    return scaled_normal_tail(a) * exp_of_square(a, 0.5)


def normal_cdf(x: Array) -> Array:
    """Return Phi(x) = (1 + erf(x / sqrt 2)) / 2, both tails with all their digits."""
    return step(x) - np.copysign(normal_tail(np.abs(x)), x)


def normal_pdf(x: Array) -> Array:
    """Return Phi'(x) = e^(-x^2 / 2) / sqrt(2 pi)."""
    a = np.minimum(np.abs(x), GAUSSIAN_END)
    return FRACTION_OF_SQUARE_ROOT_2_PI * exp_of_square(a, 0.5)


def erfc_positive(a: Array) -> Array:
    """Return erfc(a) = 1 - erf(a) for a >= 0."""
    a = np.minimum(a, GAUSSIAN_END)
    return 2 * scaled_normal_tail(SQUARE_ROOT_2 * a) * exp_of_square(a, 1.0)


def erfc_parts(a: Array, rest: Array) -> tuple[Array, Array, Array]:
    """Return c, Q and h with erfc(c) / 2 = Q h^2 and e^(-c^2) = h^2 for a + rest = c >= 0.

    a is cut at 40. e^(-c^2) itself may be subnormal.
    """
    a, rest = np.minimum(a, GAUSSIAN_END), np.where(a < GAUSSIAN_END, rest, 0.0)
    t, t_rest = two_product(SQUARE_ROOT_2, a)
    t_rest = t_rest + (SQUARE_ROOT_2 * rest + _SQUARE_ROOT_2_REST * a)
    q = scaled_normal_tail(t)
    q = q + t_rest * (t * q - FRACTION_OF_SQUARE_ROOT_2_PI)  # Q' = t Q - 1 / sqrt(2 pi)
    return a, q, exp_of_square(a, 0.5, -a * rest)


def erf(x: Array) -> Array:
    """Return 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    a = np.abs(x)
    small = np.minimum(a, 1.0)
    near = small * polynomial(ERF_OVER_X, small * small)
    return np.copysign(np.where(a < 1, near, 1 - erfc_positive(a)), x)


def erf_derivative(x: Array) -> Array:
    """Return 2 / sqrt(pi) e^(-x^2)."""
    a = np.minimum(np.abs(x), GAUSSIAN_END)
    return TWO_OVER_SQUARE_ROOT_PI * exp_of_square(a, 1.0)
