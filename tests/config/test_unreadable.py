"""A word that Hydra's grammar cannot read is refused in plain words, not in those of a parser."""

from __future__ import annotations

import itertools

import pytest

from runner.config.overrides import read
from runner.system.terminal import ConfigError


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ('activation="tanh', 'a quote " is not closed'),
        ("activation='tanh", "a quote ' is not closed"),
        ("activation=\u201ctanh\u201d", "\u201c is a curly quote; use straight quotes"),
        ("activation=\u2018tanh\u2019", "\u2018 is a curly quote; use straight quotes"),
        ("model.hidden=[16,16", "[ is not closed"),
        ("model.hidden=16]", "] closes nothing"),
        ("model.hidden=[16,16}", "[ is closed by }"),
        ("seed=range(3", "( is not closed"),
        ("model.hidden=[16,,16]", "a value is missing before or after a comma"),
        ("seed=1,", "a value is missing before or after a comma"),
        ("seed=,1", "a value is missing before or after a comma"),
        ("model.hidden=[16]*-2", "a list is repeated a whole number of times"),
        ("model.hidden=[16]*x", "a list is repeated a whole number of times"),
        ("seed==1", "there is a second ="),
        ("seed=a;b", "; has no meaning in a value"),
        ("seed=a'b'", "quotes must enclose a whole value"),
        ("a b=1", "a key has letters, digits, _ and dots"),
        ("seed=\u00e9", "non-ASCII letters need quotes"),
        ("seed=rangee(3)", "Unknown function 'rangee'"),
        ("seed=(1)", "brackets, braces, parentheses and colons have a meaning of their own"),
    ],
)
def test_a_mistake_is_named(word: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read([word])
    assert str(refused.value).startswith(f"cannot read the override {word!r}: {says}")


def test_no_message_has_words_of_the_parser() -> None:
    for letters in itertools.product("a1,=[]({}'\"", repeat=3):
        word = f"seed={''.join(letters)}"
        try:
            read([word])
        except ConfigError as error:
            text = str(error).removeprefix(f"cannot read the override {word!r}: ")
            for term in ("token", "viable", "input", "expecting", "EOF"):
                assert term not in text
