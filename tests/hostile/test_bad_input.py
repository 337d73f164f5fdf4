"""Generated wrong input: every answer is a line that helps, and nothing is left behind.

Hypothesis draws the cases, the same ones every time; ``--bad-inputs=N`` asks for more. Each
must end with exit status 2, at most three lines on stderr of which the first says what is
wrong and what would be right, no traceback and no new file.
"""

from __future__ import annotations

import io
import os
import string
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from runner.__main__ import main as run
from runner.compare.__main__ import main as compare
from runner.config.catalogue import CONFIG_DIR, GROUPS, choices
from runner.plots.__main__ import main as plots

FAMILIES = 13
QUICK = ["training.epochs=1", "dataset.samples=60", "replicates=1", "plots=none"]
NULL_IS_RIGHT = ("batch_size", "patience", "clip_norm", "max_value", "pieces", "low", "high")
NULL_IS_RIGHT += ("tune", "placebo", "experiment", "parameters")


def schema() -> dict[str, tuple[str, Any]]:
    """Return every key that an override may name, with the words that choose it and its
    default value."""
    found: dict[str, tuple[str, Any]] = {}
    for path in sorted(CONFIG_DIR.glob("*/*.yaml")):
        group, name = path.parent.name, path.stem
        if group == "experiment":
            continue
        for key, value in OmegaConf.to_container(OmegaConf.load(path)).items():  # type: ignore[union-attr]
            chosen = "" if group == "model" else f"{group}={name}"
            found[f"{chosen} {group}.{key}"] = (chosen, value)
    for key, value in OmegaConf.to_container(OmegaConf.load(CONFIG_DIR / "config.yaml")).items():  # type: ignore[union-attr]
        if key in ("defaults", "hydra"):
            continue
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for name, default in inner:
            found[f" {key}.{name}".rstrip(".")] = ("", default)
    return found


SCHEMA = schema()
WORDS = ["often", "''", "ÿ", "数", "1e", "0x", "--", "1_", "1,5", "None", "🙂", "5%", "a b"]
NESTED = ["[1,[2]]", "{a:1}", "[{b:[c]}]", "{}", "[null]"]
NUMBERS = ["nan", "inf", "-inf", "1e999", "-1e999", "9" * 400, "-" + "9" * 5000]
SIGNED = ["-1", "-0.5", "-1e-300", "-99999999999999999999"]
WHOLE = ["0.5", "1e3", "1.0", "1e-9", "99999999999999999999999"]


def wrong_values(key: str, default: Any) -> list[str]:
    """Return values that are wrong for a key, whatever its range."""
    name = key.rsplit(".", 1)[-1]
    null = [] if name in NULL_IS_RIGHT else ["null"]
    if name == "name":
        return [*NESTED[:3], "nosuchthing", "''", "12", "数"]
    if isinstance(default, bool):
        return ["maybe", "2", "nan", "[true]", "''", *null]
    if isinstance(default, list):
        return ["often", "3", "{a:1}", "[a]", "[1,b]", "[nan]", "[-1]", "[1.5]", "[[1]]", *null]
    if isinstance(default, dict):
        return ["3", "often", "[1]", *null]
    if name in ("expression", "masked_rows", "tune", "placebo", "loss", "dtype", "plots"):
        return ["nosuchthing(", "[1]", "{a:1}", "12", "''", "数"]
    if name in ("experiment", "seed") or isinstance(default, int):
        return [*WORDS, *NESTED, *NUMBERS, *WHOLE, "-1", "true", *null]
    positive = key.split(".")[0] in ("optimizer", "training", "dataset")
    positive &= name != "turns"  # spirals may turn the other way
    return [*WORDS, *NESTED, *NUMBERS, "true", *(SIGNED if positive else []), *null]


def shell(draw_from: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(draw_from)


@st.composite
def wrong_value(draw: st.DrawFn) -> tuple[list[str], str]:
    where = draw(shell(sorted(SCHEMA)))
    chosen, default = SCHEMA[where]
    key = where.split()[-1]
    value = draw(shell(wrong_values(key, default)))
    return [*([chosen] if chosen else []), f"{key}={value}"], key.rsplit(".", 1)[-1]


@st.composite
def misspelt(draw: st.DrawFn, words: list[str]) -> str:
    """A word with one letter left out, doubled, changed or added."""
    word = draw(shell(words))
    place = draw(st.integers(0, len(word) - 1))
    letter = draw(shell(list(string.ascii_lowercase)))
    kind = draw(st.sampled_from(["left out", "doubled", "changed", "added"]))
    new = {
        "left out": word[:place] + word[place + 1 :],
        "doubled": word[:place] + word[place] + word[place:],
        "changed": word[:place] + letter + word[place + 1 :],
        "added": word[: place + 1] + letter + word[place + 1 :],
    }[kind]
    assume(new and new not in words and new[0].isalpha() and not new.endswith("."))
    return new


KEYS = sorted({where.split()[-1] for where in SCHEMA if not where.split()[0].endswith("formula")})
TOP = [key for key in KEYS if not key.startswith(("activation.", "dataset.", "initializer."))]
INNER = sorted({key.split(".")[0] for key in TOP if "." in key})


@st.composite
def unknown_key(draw: st.DrawFn) -> tuple[list[str], str]:
    section = draw(st.sampled_from(["training", "optimizer", "dataset", "activation", "model"]))
    names = sorted({key.split(".")[1] for key in KEYS if key.startswith(f"{section}.")})
    name = draw(misspelt(names))
    plus = draw(st.sampled_from(["", "+", "++"]))
    return [f"{plus}{section}.{name}={draw(st.integers(0, 9))}"], name


@st.composite
def unknown_option(draw: st.DrawFn) -> tuple[list[str], str]:
    group = draw(st.sampled_from(["activation", "dataset", "optimizer", "schedule", "initializer"]))
    name = draw(misspelt(sorted(choices(group))))
    return [f"{group}={name}"], name


@st.composite
def unknown_group(draw: st.DrawFn) -> tuple[list[str], str]:
    group = draw(misspelt([*GROUPS, "training", "seed", "replicates", "dtype", "plots"]))
    prefix = draw(st.sampled_from(["", "", "+nosuch/", "hydra/no/"]))
    return [f"{prefix}{group}={draw(shell(['relu', 'moons', '3', 'null']))}"], group


@st.composite
def malformed(draw: st.DrawFn) -> tuple[list[str], str]:
    """Text that Hydra's own grammar refuses."""
    start = draw(
        shell(["seed", "training.epochs", "activation", "", "model.hidden", "a b", "+", "@"])
    )
    value = draw(st.text("[]{}()=:,'\"$~+@! ab1.\\\t/", min_size=1, max_size=8))
    word = f"{start}={value}"
    assume(_is_malformed(word))
    return [word], ""


def _is_malformed(word: str) -> bool:
    try:
        OverridesParser.create().parse_override(word)
    except (HydraException, RecursionError):
        return True
    return False


@st.composite
def no_override(draw: st.DrawFn) -> tuple[list[str], str]:
    """Words without an equals sign, and options that there are not."""
    kind = draw(st.sampled_from(["word", "option", "short"]))
    text = draw(st.text(string.ascii_letters + "äß数🙂.-_/", min_size=2, max_size=12))
    assume(not text.startswith("-"))
    return [{"word": text, "option": f"--{text}=1", "short": f"-{text}"}[kind]], ""


@st.composite
def nonsense(draw: st.DrawFn) -> tuple[list[str], str]:
    """Settings that are right alone and wrong together."""
    n = draw(st.integers(20, 400))
    big = draw(st.integers(2**27, 2**31))
    width = draw(st.integers(1, 40))
    row = draw(st.sampled_from(["softmax", "log_softmax", "softmin", "sparsemax", "standardize"]))
    classes = draw(st.integers(n + 1, 1000))
    hidden = [*[16] * draw(st.integers(0, 3)), 1, *[8] * draw(st.integers(0, 2))]
    epochs = draw(st.integers(1, 50))
    return draw(
        st.sampled_from(
            [
                ([f"dataset.samples={n}", f"training.batch_size={n + width}"], "batch_size"),
                ([f"dataset.samples={n}", f"dataset.test_fraction={1 - 0.1 / n}"], "test_fraction"),
                (
                    [
                        f"dataset.samples={n}",
                        f"dataset.test_fraction={0.5 + width / 100}",
                        "dataset.validation_fraction=0.5",
                    ],
                    "fraction",
                ),
                (
                    ["dataset=blobs", f"dataset.samples={n}", f"dataset.classes={classes}"],
                    "classes",
                ),
                (
                    ["dataset=rings", f"dataset.samples={n}", f"dataset.classes={classes}"],
                    "classes",
                ),
                (["dataset=spirals", f"dataset.samples={n}", f"dataset.arms={1 - width}"], "arms"),
                (["dataset=spirals", "dataset.arms=1", f"seed={n}"], "arms"),
                ([f"activation={row}", f"model.hidden={hidden}".replace(" ", "")], "hidden"),
                (
                    ["activation=maxout", "activation.pieces=null", f"model.hidden=[{width}]"],
                    "pieces",
                ),
                (["activation=crelu", f"model.hidden=[{2 * width + 1}]"], "hidden"),
                ([f"model.hidden=[{2**20},{2**20 - n}]"], "memory"),
                ([f"training.epochs={big}", "replicates=1000"], "memory"),
                (
                    ["dataset=blobs", "dataset.features=100000", f"dataset.samples={big // 4}"],
                    "mem",
                ),
                (
                    [f"training.epochs={epochs}", f"schedule.warmup_epochs={epochs + width - 1}"],
                    "warmup",
                ),
                (["dataset.validation_fraction=0", f"training.patience={n}"], "validation"),
                ([f"replicates={n}", f"seed={2**31 - 1 + n}"], "seed"),
                (["activation=relu,tanh", f"seed={n}"], "activation"),
                ([f"seed={n},{n + 1}"], "seed"),
                (
                    ["activation=hardtanh", f"activation.low={n + 40}", f"activation.high={n}"],
                    "high",
                ),
                (
                    ["activation=rrelu", "activation.lower=0.5", f"activation.upper=0.{n % 5}"],
                    "upper",
                ),
                ([f"activation=elu,selu,{row}"], "activation"),
                (["activation=prelu", f"activation.nosuch={n}"], "nosuch"),
                ([f"extensions=[nosuch{n}.py]"], f"nosuch{n}.py"),
                ([f"extensions=nosuch{n}.py"], "extensions"),
                ([f"+extra={n}"], "extra"),
                ([f"experiment=fair{n}"], "fair"),
                ([f"hydra.nosuch={n}"], "nosuch"),
            ]
        )
    )


@st.composite
def no_effect(draw: st.DrawFn) -> tuple[list[str], str]:
    """Words of Hydra's grammar that have no meaning here, or contradict each other."""
    key = draw(shell([*KEYS, *GROUPS]))
    value = draw(shell(["1", "relu", "[1,2]"]))
    place = draw(shell(["hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir", "hydra.job.name",
                        "hydra.output_subdir", "hydra.run", "hydra.sweeper.nosuch", "hydra.mode",
                        "hydra/sweeper", "hydra.launcher.n_jobs", "hydra"]))  # fmt: skip
    once = draw(shell(["extensions", "tune", "placebo", "plots", "experiment", "objective"]))
    return draw(
        st.sampled_from(
            [
                ([f"~{key}"], key),
                ([f"~{key}={value}"], key),
                ([f"{key}@nosuch={value}"], key),
                ([f"+{key}@_global_={value}"], key),
                ([f"{key}=interval(1,2)"], key),
                (["-m", f"{key}=interval(1,2)"], key),
                ([f"{key}=1,2"], key),
                (["-m", f"{key}=1,2", f"++{key}={value}"], key),
                (["-m", f"{key}=1,2", f"{key}=3,4"], key),
                (["-m", f"{place}=1,2", "seed=1,2"], place),
                (["-m", "seed=1,2", f"{place}={{a: 1}}"], place),
                ([f"{place}=[a]"], place),
                (["-m", f"{once}=[a],[b]", "seed=1,2"], once),
                (["-m", "seed=1,2", f"placebo={draw(shell(['relu', 'elu', 'silu']))}"], "placebo"),
                (["-m", "seed=1,2", f"tune={key}"], "tune"),
                ([f"tune={key}"], "tune"),
                (["-c", draw(shell(["job", "hydra", "all"])), "-m", f"{key}=1"], "--cfg"),
                (["--cfg", "job", "-i"], "--cfg"),
                (["-sc", f"{key}={value}"], "--shell-completion"),
                ([f"{key}={value}", "--experimental-rerun", "x.pickle"], "--experimental-rerun"),
                ([f"{key}=a\udcff"], key),
            ]
        )
    )


LETTERS = "x+-*/^(),. 12abtanhexplogsqrt_'[]{}\"=<>|&!~@$\\"


@st.composite
def wrong_formula(draw: st.DrawFn) -> tuple[list[str], str]:
    text = draw(
        st.one_of(
            st.text(LETTERS, min_size=1, max_size=20).filter(_is_no_formula),
            st.sampled_from(
                [
                    "x.real", "x[0]", "lambda: x", "__import__('os')", "x if x else 1", "tanh(x",
                    "tanh(x, x)", "nosuch(x)", "x **", "(x", "x)", "y", "[x]", "{x}", "x := 1",
                    "9**9**9**9", "x" * 20_000, "(" * 500 + "x" + ")" * 500, "1e999 * x",
                    "-" * 3000 + "x", "tanh(" * 300 + "x" + ")" * 300, "open('a')", "x; x", "x\ny",
                    "await x", "x and x", "not x", "*x", "x == x == x", "tanh(x=x)", "tanh(*x)",
                ]
            ),
        )
    )  # fmt: skip
    return ["activation=formula", f"activation.expression={text}"], ""


def _is_no_formula(text: str) -> bool:
    from activations.formulas.formula import Formula

    try:
        Formula(text)
    except ValueError:
        return True
    return False


@st.composite
def wrong_sweep(draw: st.DrawFn) -> tuple[list[str], str]:
    """An axis with a wrong value among right ones: found before the first job starts."""
    kind = draw(st.sampled_from(["option", "key", "value", "syntax"]))
    if kind == "option":
        words, message = draw(unknown_option())
        group, name = words[0].split("=")
        right = draw(shell(sorted(set(choices(group)) - {"formula"})))
        return ["-m", f"{group}={right},{name}"], message
    if kind == "key":
        words, message = draw(unknown_key())
        key = words[0].split("=")[0]
        return ["-m", f"{key}=1,2"], message
    if kind == "value":
        key = draw(st.sampled_from(["training.epochs", "optimizer.learning_rate", "seed"]))
        value = draw(shell([*NUMBERS, "often", "-1"]))
        return ["-m", f"{key}=1,{value}"], key.rsplit(".", 1)[-1]
    text = draw(
        shell(
            [
                "range(1,2,0)",
                "range(",
                "choice()",
                "glob(",
                "interval(1,2)",
                "choice(1",
                "range(5,2)",
                "range(0,1e9,1)",
                "range(9000000000)",
            ]
        )
    )
    return ["-m", f"seed={text}", f"replicates={draw(st.integers(1, 9))}"], ""


YAML_ENDS = [
    "alpha: [1, 2",
    "alpha: {a: 1",
    "alpha: 'x",
    "\talpha: 1",
    "alpha: 1\n beta: 2",
    "alpha: 1\nalpha: 2\nalpha: {",
    "- alpha\nbeta: 1",
    "alpha: &a [*a]\nbeta: *b",
    "alpha: !!python/object/apply:os.system ['true']",
    "alpha: ${nosuch.key}",
    "alpha: ${oc.env:NO_SUCH_VARIABLE_HERE}",
    "alpha: ${alpha}",
    "alpha: ???",
    "alpha: \x00",
    "alpha: \x07bell",
    "? [a, b]\n: c",
    "defaults: [mine]",
    "defaults:\n  - /activation: nosuch\n  - _self_",
    "defaults: 3",
    "defaults:\n  - a: b: c",
    "nosuch: 1",
    "alpha: often",
    "alpha: {b: {c: {d: 1}}}",
    "_target_: builtins.print",
    "%YAML 9.9",
    "--- 1\n--- 2",
    "alpha: 2020-01-01",
]
BYTES = [b"\xff\xfe", b"name: caf\xe9", b"\xc3\x28: 1", b"\x80", b"\xed\xa0\x80: 1"]


@st.composite
def wrong_yaml(draw: st.DrawFn) -> tuple[bytes, str]:
    """The text of a file activation/mine.yaml in --config-dir, and how it is chosen."""
    first = draw(shell(["# mine\n", "", "name: elu\n", "name: nosuchthing\n", "# é\n"]))
    raw = draw(st.one_of(shell(YAML_ENDS), st.sampled_from(BYTES)))
    body = raw if isinstance(raw, bytes) else raw.encode()
    end = draw(shell(["", "\n", "\n# end\n", "\nbeta: 1\n"]))
    return first.encode() + body + end.encode(), "activation=mine"


@st.composite
def wrong_folders(draw: st.DrawFn) -> tuple[str, list[str]]:
    """What python -m runner.compare and runner.plots cannot read."""
    tool = draw(st.sampled_from(["compare", "plots"]))
    name = draw(st.text(string.ascii_letters + "äß数🙂 ._", min_size=1, max_size=12))
    assume(name.strip(". "))
    return tool, draw(
        st.sampled_from([[name], [f"{name}/"], [f"{name}/a/b"], [f"no such {name}", name], []])
    )


class Checker:
    """Runs a command in an empty folder and holds its answer against what must hold."""

    def refuses(self, command: Any, words: list[str], message: str = "") -> None:
        before = sorted(os.listdir())
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = command(words)
        shown = err.getvalue()
        lines = shown.splitlines()
        case = f"{words!r}\n{out.getvalue()[:300]}{shown}"
        assert status == 2, f"exit status {status}: {case}"
        assert 1 <= len(lines) <= 3, case
        assert lines[0].startswith("error: ") and len(lines[0]) > 15, case
        assert "Traceback" not in shown, case
        assert message in lines[0], f"{message!r} is not named: {case}"
        assert sorted(os.listdir()) == before, case


@pytest.fixture
def checker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checker:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["runner"])
    return Checker()


@pytest.mark.parametrize(
    "cases",
    [
        pytest.param(wrong_value(), id="wrong values"),
        pytest.param(wrong_value(), id="more wrong values"),
        pytest.param(unknown_key(), id="unknown keys"),
        pytest.param(unknown_option(), id="unknown options"),
        pytest.param(unknown_group(), id="unknown groups"),
        pytest.param(malformed(), id="malformed overrides"),
        pytest.param(no_override(), id="no overrides"),
        pytest.param(nonsense(), id="settings that contradict each other"),
        pytest.param(no_effect(), id="words without effect"),
        pytest.param(wrong_formula(), id="formulas"),
        pytest.param(wrong_sweep(), id="sweeps"),
    ],
)
def test_wrong_overrides(
    cases: st.SearchStrategy[tuple[list[str], str]],
    checker: Checker,
    request: pytest.FixtureRequest,
) -> None:
    _try(request, cases, lambda case: checker.refuses(run, [*QUICK[3:], *case[0]], case[1]))


def test_wrong_yaml_files(checker: Checker, request: pytest.FixtureRequest) -> None:
    folder = Path("yaml/activation")
    folder.mkdir(parents=True)

    def attempt(case: tuple[bytes, str]) -> None:
        (folder / "mine.yaml").write_bytes(case[0])
        checker.refuses(run, ["--config-dir", "yaml", case[1], *QUICK])

    _try(request, wrong_yaml(), attempt)


def test_folders_that_hold_no_run(checker: Checker, request: pytest.FixtureRequest) -> None:
    Path("a file").write_text("no folder")
    Path("empty").mkdir()
    for tool in (compare, plots):
        for words in (["a file"], ["empty"], ["--nosuch"], [""]):
            checker.refuses(tool, words)
    tools = {"compare": compare, "plots": plots}
    _try(request, wrong_folders(), lambda case: checker.refuses(tools[case[0]], case[1]))


def _share(request: pytest.FixtureRequest) -> int:
    return -(-request.config.getoption("--bad-inputs") // FAMILIES)


def _try(request: pytest.FixtureRequest, cases: Any, attempt: Any) -> None:
    """Attempt as many distinct cases as the family's share."""
    count = _share(request)
    seen: set[Any] = set()

    # a seed of its own for every family, and the same one each time
    @seed(sum(request.node.name.encode()))
    @settings(
        max_examples=10 * count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],  # what fails is short already
    )
    @given(cases)
    def all_cases(case: Any) -> None:
        if repr(case) not in seen and len(seen) < count:
            attempt(case)
            seen.add(repr(case))

    all_cases()
    request.node.user_properties.append(("wrong inputs", len(seen)))
    assert len(seen) == count, f"only {len(seen)} distinct cases of {count}"
