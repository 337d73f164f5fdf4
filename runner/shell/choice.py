"""``--help NAME``: one choice of a group, its parameters, its source and commands to try; or one
setting, its default, its allowed values and its meaning."""

from __future__ import annotations

import inspect
import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from activations.arguments import LARGEST_PARAMETER, close_names
from activations.base import ACTIVATIONS
from activations.passport.description import describe
from activations.user_code import source
from runner.config.build import SECTIONS, build
from runner.config.catalogue import AROUND, CONFIG_DIR, GROUPS, choices, known_values
from runner.config.compose import Composition, checked, compose
from runner.system.terminal import ConfigError, printable

LABEL = 12
_UNBOUNDED = r"^from -1e\+30 to 1e\+30$| and <= 1e\+30$| to \d{10,}"
"""Limits of a number that nobody meets; an error names them, help does not."""


def named(word: str, groups: Iterable[str]) -> list[tuple[str, str]]:
    """Return each group and choice that a word may mean: "swish", "activation.swish".

    Raises ConfigError with the close names if there are none.
    """
    known = {group: {*choices(group), *SECTIONS.get(group, ())} for group in groups}
    group, _, name = re.sub("[/=]", ".", word).partition(".")
    if name in known.get(group, ()):
        return [(group, name)]
    found = [(group, word) for group in known if word in known[group]]
    if found or keys_named(word):
        return found
    close = close_names(name or word, [*known, *sorted(set().union(*known.values()))])
    close = close or close_names(word, known_values())
    hint = f"did you mean {' or '.join(close)}?" if close else "e.g. --help swish"
    raise ConfigError(
        f"--help {word}: describes a group ({', '.join(known)}), one of its choices or a setting; "
        f"{hint}"
    )


def keys_named(word: str) -> list[str]:
    """Return each setting that a word may mean: "training.epochs", "epochs"."""
    known = (key for key in known_values() if key not in (*GROUPS, "experiment"))
    keys = [key for key in known if word in (key, key.rpartition(".")[2])]
    return [key for key in keys if not key.endswith(".name")]


def described_key(key: str, width: int) -> str:
    """Return a setting's defaults, with what it may be and what it means."""
    group, _, name = key.rpartition(".")
    owners = [one for one in choices(group) if name in _comments(group, one)] if group else []
    rows: dict[tuple[str, str], list[str]] = {}
    for owner in owners or [""]:
        composition = compose([f"{group}={owner}"] if owner else [])
        section = composition.sections[group] if group else composition.sections
        comment = _comments(group, owner)[name] if owner else _common_comments()[name]
        allowed = "" if key in (*AROUND, "extensions") else _allowed(composition, group, name)
        notes = ["null or " * (section[name] is None and allowed != "") + allowed, comment]
        row = f"{key}={_text(section[name])}", "; ".join(filter(None, notes))
        rows.setdefault(row, []).append(owner)
    lines = []
    for (setting, text), those in rows.items():
        lines += [setting, *_row("", text, width, 4)]
        if those != [""]:
            lines += _row("", f"with {group}={', '.join(those)}", width, 4)
    return printable("\n".join(lines))


def described(group: str, name: str, extensions: Sequence[str], width: int) -> str:
    """Return what a choice is, its parameters, and commands to try.

    ``extensions`` are the words that name files of the user's.
    """
    title = f"{group}={name}: {choices(group).get(name, 'your own')}"
    lines = [*textwrap.wrap(title, width), ""]
    if group == "experiment":
        return printable("\n".join([*lines, *_comment_at_the_top(name, width)]))
    composition = compose([*extensions, f"{group}={name}"])
    section = dict(composition.sections[group])
    lines += _about(group, section, width)
    parameters = {key: value for key, value in section.items() if key != "name"}
    settings = {key: f"{group}.{key}={_text(value)}" for key, value in parameters.items()}
    column = min(max(map(len, settings.values()), default=0) + 4, width // 2)
    lines += ["parameters and their defaults" if parameters else "It takes no parameters."]
    for key, setting in settings.items():
        notes = ["null or" * (parameters[key] is None), _allowed(composition, group, key)]
        notes = [" ".join(filter(None, notes)), _comments(group, name).get(key, "")]
        lines += _row(setting, "; ".join(filter(None, notes)), width, column)
    numbers = [key for key, value in parameters.items() if type(value) in (int, float)]
    example = [f"{group}={name}", *(settings[key] for key in [*numbers, *parameters][:1])]
    lines += ["", "try", f"  python -m runner {shlex.join([*extensions, *example])}"]
    try:
        _ = composition.experiment
    except ConfigError as error:  # a data set too small for a batch
        lines += _row("", f"refused with the other defaults: {error}", width, 4)
    if group == "activation":
        own = not ACTIVATIONS.is_ours(name)
        what = source(ACTIVATIONS[name]).rpartition(":")[0] if own else name
        lines += [f"  python -m activations.passport {shlex.quote(what)}"]
    return printable("\n".join(lines))


def _about(group: str, section: Mapping[str, Any], width: int) -> Iterator[str]:
    """Yield an activation's formula, derivative, range, sources and file; another's docstring."""
    if group == "activation":
        found = describe(build(ACTIVATIONS, section))
        rows = [("formula", found.formula), ("derivative", found.derivative)]
        rows += [("range", found.range), *(("source", text) for text in found.sources)]
        rows += [("code", source(ACTIVATIONS[section["name"]]))]
        for label, text in rows:
            if text:
                yield from _row(label, text, width, LABEL + 2)
        yield ""
    elif group in SECTIONS:
        text = inspect.cleandoc(SECTIONS[group][section["name"]].__doc__ or "").replace("``", "")
        text = re.sub(r"\s*Raises \w+ (unless|if|for) .*?\.(?=\s|$)", "", text, flags=re.DOTALL)
        for paragraph in text.split("\n\n") if text else ():
            yield from _paragraph(paragraph.splitlines(), width)
            yield ""


def _comment_at_the_top(experiment: str, width: int) -> Iterator[str]:
    """Yield the comment of an experiment's file without its first line; commands stay lines."""
    path = CONFIG_DIR / "experiment" / f"{experiment}.yaml"
    text = path.read_text(encoding="utf-8")
    lines = re.match(r"(# @package.*\n)?#.*\n((?:#.*\n)*)", text)
    comment = [line[2:] for line in lines[2].splitlines()] if lines else []
    commands = [line for line in comment if line.startswith("  ")]
    rest = [line for line in comment if not line.startswith("  ")]
    yield from commands
    if rest:
        yield ""
        yield from _paragraph(rest, width)


def _paragraph(lines: Sequence[str], width: int) -> list[str]:
    """Return lines of prose wrapped, and a block with an indent as it is."""
    if any(line.startswith(" ") for line in lines):
        return list(lines)
    return textwrap.wrap(" ".join(lines), width, break_on_hyphens=False, break_long_words=False)


def _allowed(composition: Composition, group: str, key: str) -> str:
    """Return what a setting may be: what the error for a wrong value says of it."""
    found = ""
    name = f"{group}.{key}" if group else key
    # a number as well, as some say first that it must be a number and then which one
    for wrong in ("?", LARGEST_PARAMETER / 10):
        changed = {group: {**composition.sections[group], key: wrong}} if group else {key: wrong}
        try:
            checked({**composition.sections, **changed}, composition.words)
        except ConfigError as error:
            says = re.match(rf"{re.escape(name)} must be (.+?)[,;] got ", str(error))
            found = says[1] if says else found
    limits = re.sub(_UNBOUNDED, "", found.removeprefix("a number "))
    limits = re.sub(r"^from (\S+) to 1e\+30$", r">= \1", limits)
    return limits if limits or not found else "any number"


def _comments(group: str, name: str) -> dict[str, str]:
    """Return the keys of a choice's file, each with the comment beside it."""
    path = CONFIG_DIR / group / f"{name}.yaml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    pairs = re.findall(r"^(\w+):[^#\n]*(?:# *(.*))?$", text, re.MULTILINE)
    return {key: comment for key, comment in pairs if key != "name"}


def _common_comments() -> dict[str, str]:
    """Return the settings of config.yaml outside the groups, each with its comment."""
    text = (CONFIG_DIR / "config.yaml").read_text(encoding="utf-8")
    pairs = re.findall(r"^ *(\w+):[^#\n]*(?:# *(.*(?:\n +#.*)*))?$", text, re.MULTILINE)
    return {key: re.sub(r"\s*\n *# *", " ", comment) for key, comment in pairs}


def _text(value: Any) -> str:
    """Return a value as one types it."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else str(value).lower()
    return str(value).replace(", ", ",") if isinstance(value, list) else str(value)


def _row(label: str, text: str, width: int, column: int) -> list[str]:
    start = f"  {label}  ".ljust(column)
    if len(start) > column:
        return [start.rstrip(), *_row("", text, width, column)] if text else [start.rstrip()]
    return textwrap.wrap(
        text,
        width,
        initial_indent=start,
        subsequent_indent=" " * column,
        break_on_hyphens=False,
        break_long_words=False,
    ) or [start.rstrip()]
