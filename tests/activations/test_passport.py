"""Passports: every activation gets one, with the known extremes and moments.

Extremes of GELU, SiLU and Mish and the moments are published results. Roots are computed here again
with mpmath.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

import activations
from activations import Elementwise, Formula, Softmax
from activations.base import get
from activations.passport.__main__ import main
from activations.passport.description import describe
from activations.passport.facts import Passport, passport
from activations.passport.page import as_html, index_page
from activations.passport.picture import as_png
from activations.passport.shape import Shape, shape_of
from activations.passport.text import as_text
from activations.passport.wording import extreme

NAMES = activations.names()


def test_every_activation_gets_a_passport_that_holds() -> None:
    """One test for all checks, because making the passports takes most of the time."""
    for name in NAMES:
        made = passport(get(name), measured=False)
        _check_texts(name, made)
        if made.shape is not None:
            _check_docstring(name, made.shape)
            _check_bounds(name, made.shape)


def _check_texts(name: str, made: Passport) -> None:
    assert made.title == name
    assert made.family != "others"
    rows = dict(made.sections["What it is"])
    assert "no docstring" not in rows["formula"]
    assert made.shape is None or rows["derivative"], name
    text = as_text(made)
    assert "WRONG" not in text
    assert not re.search(r"\bnan\b", text.replace("masked_rows = nan", "")), name
    assert all(len(line) <= 100 or "https://" in line for line in text.splitlines()), name


def _check_docstring(name: str, shape: Shape) -> None:
    """The range in the docstring equals the computed range; an attained extreme has a [ or ]."""
    written = re.match(r"([\[(])([^,]+), ([^,\])]+)([\])])", describe(get(name)).range)
    for text, found, bracket in (
        [(written[2], shape.lowest, written[1]), (written[3], shape.highest, written[4])]
        if written
        else []
    ):
        attained = math.isfinite(found.value) and found.kind != "limit"
        assert (bracket in "[]") == attained, name
        try:
            value = float(Fraction(text)) if "inf" not in text else float(text)
        except ValueError:
            continue  # a parameter's name
        assert found.value == pytest.approx(value, abs=6e-5), name


def _check_bounds(name: str, shape: Shape) -> None:
    """Values at random points are in the range; slopes between them obey the Lipschitz constant."""
    rng = np.random.default_rng(7)
    x = np.sort(np.concatenate([rng.uniform(-r, r, 4000) for r in (1e-3, 1, 10, 100)]))
    with np.errstate(all="ignore"):
        y = get(name)(x)
    rounding = 1e-13 * max(1.0, float(np.abs(y[np.isfinite(y)]).max()))
    assert np.nanmin(y) >= shape.lowest.value - rounding, name
    assert np.nanmax(y) <= shape.highest.value + rounding, name
    if np.isfinite(shape.lipschitz):
        most = shape.lipschitz * np.diff(x) * (1 + 1e-9) + 1e-12
        assert (np.abs(np.diff(y)) <= most).all(), name


# ---- extremes


@pytest.mark.parametrize(
    ("name", "lowest", "flattest", "steepest"),
    [  # x and value; published to these digits
        ("gelu", (None, -0.16997120747990), (-(2**0.5), -0.1289041452), (2**0.5, 1.1289041452)),
        (
            "silu",
            (-1.2784645428, -0.2784645427610738),
            (-2.39935728, -0.0998393201),
            (2.39935728, 1.0998393201),
        ),
        (
            "mish",
            (-1.1924312145, -0.3088434130173),
            (-2.2563763964, -0.1125261224),
            (1.4905711795, 1.0884981613),
        ),
    ],
)
def test_extremes_of_the_smooth_rectifiers(
    name: str, lowest: Any, flattest: Any, steepest: Any
) -> None:
    shape = shape_of(get(name))
    for found, (x, value) in zip(
        (shape.lowest, shape.flattest, shape.steepest), (lowest, flattest, steepest), strict=True
    ):
        assert found.kind == "point" and not found.others
        assert found.value == pytest.approx(value, abs=1e-10)
        assert x is None or found.low == pytest.approx(x, abs=2e-9)
    assert shape.highest.value == math.inf
    assert shape.lipschitz == shape.steepest.value


FORMS: dict[str, Callable[[Any], Any]] = {
    "gelu": lambda x: x * mpmath.ncdf(x),
    "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "mish": lambda x: x * mpmath.tanh(mpmath.log1p(mpmath.exp(x))),
    "telu": lambda x: x * mpmath.tanh(mpmath.exp(x)),
    "logish": lambda x: x * mpmath.log1p(1 / (1 + mpmath.exp(-x))),
    "smish": lambda x: x * mpmath.tanh(mpmath.log1p(1 / (1 + mpmath.exp(-x)))),
    "elish": lambda x: (x if x >= 0 else mpmath.expm1(x)) / (1 + mpmath.exp(-x)),
    "lisht": lambda x: x * mpmath.tanh(x),
    "gaussian": lambda x: mpmath.exp(-x * x),
}


@pytest.mark.parametrize("name", FORMS)
def test_extremes_are_where_a_derivative_of_arbitrary_precision_is_zero(name: str) -> None:
    shape = shape_of(get(name))
    ones = [(shape.lowest, 0), (shape.highest, 0), (shape.flattest, 1), (shape.steepest, 1)]
    tried = 0
    with mpmath.workdps(40):
        for found, order in ones:
            if found.kind != "point" or found.low == 0:
                continue
            root = mpmath.findroot(lambda x, n=order + 1: mpmath.diff(FORMS[name], x, n), found.low)
            assert abs(found.low - root) < 1e-9
            assert abs(found.value - mpmath.diff(FORMS[name], root, order)) < 1e-13
            tried += 1
    assert tried >= 2


@pytest.mark.parametrize(
    ("name", "constant"),
    [
        *(("tanh", 1), ("sigmoid", 1 / 4), ("softsign", 1), ("relu", 1), ("leaky_relu", 1)),
        *(("selu", 1.0507009873554805 * 1.6732632423543772), ("sin", 1), ("identity", 1)),
        *(("gaussian", math.sqrt(2 / math.e)), ("erf", 2 / math.sqrt(math.pi)), ("hardswish", 1.5)),
        *(("elu", 1), ("softplus", 1), ("arctan", 1), ("hardsigmoid", 1 / 6), ("hardtanh", 1)),
        *(("snake", 2), ("bent_identity", 1.5), ("square", math.inf), ("exponential", math.inf)),
        *(("gcu", math.inf), ("finer", math.inf), ("step", math.inf), ("hardshrink", math.inf)),
    ],
)
def test_lipschitz_constants_in_closed_form(name: str, constant: float) -> None:
    assert shape_of(get(name)).lipschitz == pytest.approx(constant, rel=1e-14)


def test_what_is_attained_is_told_from_limits() -> None:
    kinds = {
        name: (shape.lowest.kind, shape.highest.kind)
        for name in ("sigmoid", "hardsigmoid", "relu", "gaussian", "softplus", "sin", "cloglog")
        for shape in [shape_of(get(name))]
    }
    assert kinds == {
        "sigmoid": ("limit", "limit"),
        "hardsigmoid": ("interval", "interval"),
        "relu": ("interval", "unbounded"),
        "gaussian": ("limit", "point"),
        "softplus": ("limit", "unbounded"),
        "sin": ("point", "point"),
        "cloglog": ("limit", "limit"),
    }


def test_kinks_jumps_and_poles_of_a_formula_are_found() -> None:
    shape = shape_of(Formula("maximum(x - 0.3, 0) + where(x > 1.7, 2, 0)"))
    assert [kink.x for kink in shape.kinks] == pytest.approx([0.3, 1.7], abs=1e-12)
    assert [kink.jumps for kink in shape.kinks] == [False, True]
    assert shape.lipschitz == math.inf
    assert shape_of(Formula("sigmoid(1e6 * (x - 1.23456))")).kinks == ()
    assert shape_of(Formula("sigmoid(1e6 * (x - 1.23456))")).lipschitz == pytest.approx(2.5e5)
    pole = shape_of(Formula("1 / (x - 1.5)"))
    assert (pole.lowest.value, pole.highest.value) == (-math.inf, math.inf)
    clip = shape_of(Formula("max(0, min(1, x))"))  # with the slope 1/2 at both kinks
    assert extreme(clip.flattest, clip.kinks) == "0 for x < 0"
    assert extreme(clip.steepest, clip.kinks) == "1 for 0 < x < 1"
    turns = shape_of(Formula("sin(1/x)"))  # ever faster towards 0
    assert turns.kinks == () and turns.lipschitz == math.inf
    root = shape_of(Formula("sqrt(abs(x))"))
    assert root.lipschitz == math.inf and root.lowest.value == 0


@pytest.mark.parametrize(
    ("name", "symmetry"),
    [
        *(("tanh", "odd"), ("gaussian", "even"), ("gelu", ""), ("relu", ""), ("abs", "even")),
        *(("sigmoid", "odd about (0, 0.5)"), ("square", "even"), ("gcu", "odd"), ("cloglog", "")),
    ],
)
def test_symmetry(name: str, symmetry: str) -> None:
    assert shape_of(get(name)).symmetry == symmetry


# ---- moments


MOMENTS = {  # E f, E f^2, E f'^2, chi_1 and slope of the variance map with the gain 1/sqrt(E f^2)
    "relu": (0.398942280, 0.5, 0.5, 1, 1),
    "elu": (0.160520572, 0.644945417, 0.668102001, 1.03590, 0.89097),
    "selu": (0, 1, 1.071574992, 1.07157, 0.78265),
    "sigmoid": (0.5, 0.293379036, 0.044836241, 0.15283, 0.10634),
    "tanh": (0, 0.394294490, 0.464402902, 1.17781, 0.46107),
    "softsign": (0, 0.183014021, 0.227671340, 1.24401, 0.47671),
    "softplus": (0.806059183, 0.921245909, 0.293379036, 0.31846, 0.49205),
    "gelu": (0.282094792, 0.425221483, 0.455850866, 1.07203, 1.14406),
    "silu": (0.206620964, 0.355775520, 0.379482352, 1.06663, 1.17259),
    "mish": (0.240403888, 0.452342192, 0.479083758, 1.05912, 1.07634),
    "sin": (0, 0.432332358, 0.567667642, 1.31304, 0.31304),
    "arctan": (0, 0.449700916, 0.5, 1.11185, 0.56082),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_moments_and_stability_are_the_published_ones(name: str) -> None:
    made = passport(get(name), measured=False)
    mean, second, slope, chi, stability = MOMENTS[name]
    assert made.numbers["mean"] == pytest.approx(mean, abs=1e-9)
    assert made.numbers["second_moment"] == pytest.approx(second, abs=1e-9)
    assert made.numbers["slope_second_moment"] == pytest.approx(slope, abs=1e-9)
    assert made.numbers["stability"] == pytest.approx(stability, abs=1e-5)
    rows = dict(made.sections["Under x ~ N(0, 1)"])
    assert float(rows["chi_1"].split()[0]) == pytest.approx(chi, abs=1e-5)
    word = "neutral" if stability == 1 else "stable" if stability < 1 else "unstable"
    assert f": {word}" in rows["variance map"]


def test_gradients_of_a_gated_unit_come_back_from_both_inputs() -> None:
    """For y = a b each input feeds both factors, so squared gradients double in a wide layer."""
    rows = dict(passport(get("bilinear_glu"), measured=False).sections["Under x ~ N(0, 1)"])
    assert float(rows["chi_1"].split()[0]) == pytest.approx(2)


# ---- functions of a row


def test_a_row_gets_what_has_a_meaning_for_it() -> None:
    text = as_text(passport(get("softmax"), measured=False))
    for words in (
        "adding one number to all inputs changes nothing",
        "the outputs of a row add up to 1",
        "at least 0.4",  # the norm of diag(p) - p p^T is at most 1/2
        "a Jacobian instead of a slope",
        "E f              0.125\n",
    ):
        assert words in text
    assert "odd: f(-x) = -f(x)" in as_text(passport(get("l2_normalize"), measured=False))
    assert "the outputs jump" in as_text(passport(get("hardmax"), measured=False))
    assert "the norm still grows" in as_text(passport(get("swiglu"), measured=False))


# ---- measured


def test_what_is_measured_is_said() -> None:
    made = passport(get("tanh"))
    rows = made.sections["Measured now"]
    assert [label for label, _ in rows] == [
        *("float32", "float32", "float64", "float64", "gradient", "time of f", "backward"),
    ]
    assert 0 < made.numbers["ulp"] < 4
    assert made.numbers["time"] > 0


class Wrong(Elementwise):
    """x^2. f' = 3 x."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        return x * x

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 3 * x


class Nowhere(Elementwise):
    def forward(self, x: np.ndarray) -> np.ndarray:
        return x * np.nan

    def derivative(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y


def test_a_wrong_derivative_and_nan_are_said() -> None:
    assert "WRONG: derivative disagrees with forward" in as_text(passport(Wrong(), measured=False))
    half = as_text(passport(Formula("log(x)"), measured=False))
    assert "f is NaN from x = -40 to" in half
    assert "none: it has no mean over N(0, 1)" in half
    assert "(-inf, inf)" in half
    nowhere = as_text(passport(Nowhere()))
    assert "range            NaN everywhere" in nowhere
    assert "unknown: f' is NaN everywhere" in nowhere


# ---- pages


def test_picture_and_page_are_the_same_every_time() -> None:
    made = [passport(get("selu"), measured=False) for _ in range(2)]
    assert as_png(made[0]) == as_png(made[1])
    assert as_html(made[0]) == as_html(made[1])


class Hostile(Softmax):
    """</script><img src=x onerror=alert(1)>."""

    name = ""


def test_what_a_user_wrote_is_escaped() -> None:
    made = passport(Hostile(), measured=False)
    for page in (as_html(made), index_page([(made, "a.html")])):
        assert "<img" not in page
        assert "default-src 'none'" in page
    assert "onerror" in as_html(made)


# ---- the command


def test_command_writes_pages_and_prints_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], forgetting: None
) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "from activations import Elementwise\n"
        "class Ramp(Elementwise):\n"
        "    '''max(x, 0) / 2. f' = 1/2 for x > 0, else 0.'''\n"
        "    kinks = (0.0,)\n"
        "    def forward(self, x): return (x > 0) * x / 2\n"
        "    def derivative(self, x, y): return (x > 0) / 2\n"
    )
    folder = tmp_path / "out"
    assert main(["x*sigmoid(1.7*x)", str(own), "--output", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert "sigmoid(1.7 * x) + 1.7 * x * sigmoid'(1.7 * x)" in printed
    assert "max(x, 0) / 2" in printed and "1/2 for x > 0, else 0" in printed
    names = sorted(path.name for path in folder.iterdir())
    assert [name.partition(".")[2] for name in names if name.startswith("Ramp")] == ["html", "png"]
    assert len(names) == 4


def test_a_wrong_derivative_is_an_error_but_has_its_passport(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], forgetting: None
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from activations import Elementwise\n"
        "class Wrong(Elementwise):\n"
        "    def forward(self, x): return x * x\n"
        "    def derivative(self, x, y): return 3 * x\n"
    )
    pages = tmp_path / "pages"
    assert main(["gelu", str(wrong), "--output", str(pages)]) == 1
    assert "error: Wrong: derivative disagrees with forward" in capsys.readouterr().err
    assert len(list(pages.iterdir())) == 4


def test_without_mpmath_it_says_which_errors_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    text = " ".join(as_text(passport(get("gelu"))).split())
    assert re.search(r"mpmath is not installed: .* without \d+ points near roots", text)
    assert all(float(ulp) <= 8 for ulp in re.findall(r"within ([\d.e+]+) ULP", text))


def test_bad_input_is_one_line_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], forgetting: None
) -> None:
    broken, raises = tmp_path / "broken.py", tmp_path / "raises.py"
    broken.write_text("import nosuchmodule\n")
    raises.write_text(
        "from activations import Elementwise\n"
        "class Bad(Elementwise):\n"
        "    def forward(self, x): raise RuntimeError('no')\n"
    )
    shape = tmp_path / "shape.py"
    shape.write_text(raises.read_text().replace("raise RuntimeError('no')", "return x[:1]"))
    folder = tmp_path / "out"
    for argument, status, words in (
        ("geluu", 2, "did you mean gelu"),
        ("nosuch", 2, "'nosuch' is unknown"),
        (str(broken), 2, "cannot be imported"),
        (str(tmp_path / "none.py"), 2, "does not exist"),
        ("foo(x) + 1", 2, "foo is not a known function"),
        (str(raises), 1, "Bad: RuntimeError: no (raises.py:3)"),
        (str(shape), 1, "forward returns shape (1, 8) for an input of shape (2, 8)"),
        ("--nosuch", 2, "see python -m activations.passport --help"),
    ):
        assert main([argument, "--output", str(folder)]) == status
        error = capsys.readouterr().err
        assert words in error and "Traceback" not in error
        assert sum(line.startswith("error:") for line in error.splitlines()) == 1
        assert not folder.exists() or not list(folder.iterdir())


def test_an_ellipsis_does_not_end_a_formula():
    class Polynomial(Elementwise):
        """c_0 + c_1 x + ... + c_k x^k, a polynomial. Range (-inf, inf)."""

    found = describe(Polynomial())
    assert found.formula.startswith("c_0 + c_1 x + ... + c_k x^k")
    assert found.range == "(-inf, inf)"
