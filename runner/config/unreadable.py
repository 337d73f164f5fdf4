"""Why Hydra's grammar cannot read an override, in plain words; Hydra gives its parser's words."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
_CURLY = re.compile("[\u2018-\u201f\u00ab\u00bb]")
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def why_unreadable(text: str) -> str:
    """Return what is wrong with an override that Hydra's grammar refuses, and what to write."""
    key, _, typed = text.partition("=")
    if curly := _CURLY.search(_QUOTED.sub("", text)):
        return f"{curly[0]} is a curly quote; use straight quotes, ' or \""
    if not re.fullmatch(r"\s*(\+{0,2}|~)[A-Za-z_$][\w$./@-]*\s*", key, re.ASCII):
        return (
            "a key has letters, digits, _ and dots, and begins with a letter, as in "
            "optimizer.learning_rate=0.03"
        )
    value = _QUOTED.sub('""', typed)
    if quote := re.search("['\"]", value.replace('""', "")):
        return f"a quote {quote[0]} is not closed"
    if wrong := _bracket(value):
        return wrong
    if re.search(r"(^|[,(\[{])\s*,|,\s*($|[)\]}])", value):
        return "a value is missing before or after a comma"
    if not value.isascii():
        return "non-ASCII letters need quotes that the shell keeps, as in key=\"'é'\""
    if re.fullmatch(r"\[.*\]\*.*", value):
        return "a list is repeated a whole number of times, as in [16]*30"
    quotes = "; quote the value, and for the shell once more, as in 'key=\"value\"'"
    if "=" in value:
        return f"there is a second ={quotes}"
    if special := re.search(r"""[^\w\s/\-\\+.$%*@?|,:()\[\]{}="]""", value, re.ASCII):
        return f"{special[0]} has no meaning in a value{quotes}"
    if re.search(r'[\w.]\s*""|""\s*[\w."]', value):
        return f"quotes must enclose a whole value{quotes}"
    return f"brackets, braces, parentheses and colons have a meaning of their own{quotes}"


def _bracket(value: str) -> str:
    """Return which bracket has no partner, or nothing."""
    is_open: list[str] = []
    for character in value:
        if character in _CLOSING:
            is_open.append(character)
        elif character in _CLOSING.values():
            if not is_open:
                return f"{character} closes nothing"
            opening = is_open.pop()
            if character != _CLOSING[opening]:
                return f"{opening} is closed by {character}"
    return f"{is_open[-1]} is not closed" if is_open else ""
