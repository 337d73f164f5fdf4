"""The overrides of the command line, parsed once by Hydra's grammar.

Checks, sweeps, launchers and extensions use the keys and values parsed here.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from runner.config.unreadable import why_unreadable
from runner.system.terminal import ConfigError, first_line

SEARCHPATH = "hydra.searchpath"
_SHOWN = 200
_FORMULA = re.compile(r"(?P<key>\s*\+{0,2}activation\.expression\s*=)(?P<value>.*)", re.DOTALL)
_HIDDEN = re.compile(r"\s*\+{0,2}model\.hidden\s*=.*", re.DOTALL)
_REPEATED = re.compile(r"\[\s*(\d+)\s*\]\s*\*\s*(\d{1,4})(?!\d)")
# Quoted text, or one of Hydra's functions for several values.
_QUOTED = re.compile(r"""\s*(['"]|(choice|shuffle|sort)\()""")


@dataclass(frozen=True)
class Word:
    """One override.

    Attributes:
        key: the key that it sets, without + or ++: ``seed``, ``activation``, ``hydra.run.dir``.
        text: the value as typed, in Hydra's grammar; a formula is quoted.
        typed: the whole word as typed, with + or ++; a formula is quoted.
        override: the word as parsed by Hydra.
    """

    key: str
    text: str
    typed: str
    override: Override = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.key}={self.text}"

    @property
    def is_hydras(self) -> bool:
        """Whether it sets a key of Hydra."""
        return self.override.is_hydra_override() or self.key == "hydra"

    @property
    def is_axis(self) -> bool:
        """Whether it has several values, as in ``seed=1,2`` or ``seed=range(3)``."""
        return self.override.is_sweep_override()

    @property
    def value(self) -> Any:
        """The value as a Python object; for an axis, Hydra's object for the values."""
        return self.override.value()

    def values(self, most: int) -> list[Word]:
        """Return one word for each value of an axis; for any other word, the word itself.

        Raises ConfigError if the values cannot be listed or are more than ``most``.
        """
        if not self.is_axis:
            return [self]
        try:
            texts = list(itertools.islice(self.override.sweep_string_iterator(), most + 1))
        except (HydraException, ValueError, OverflowError) as error:  # such as a step of 0
            raise ConfigError(f"cannot list the values of {self}: {error}") from None
        if not texts:
            raise ConfigError(f"{self} has no values")
        if len(texts) > most:  # before parsing, which is slow
            raise ConfigError(f"{self} has too many values; the most is {most:,}")
        return read([f"{self.key}={text}" for text in texts])


def read(texts: Sequence[str]) -> list[Word]:
    """Return the parsed words. Raises ConfigError for one that is not an override."""
    return [_parse(text) for text in texts]


def extensions_of(words: Sequence[Word]) -> list[str]:
    """Return the Python files and modules in extensions=[...].

    Raises ConfigError if the value is not a list of text.
    """
    found: list[str] = []
    for word in words:
        if word.key == "extensions":
            found = word.value
            if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
                raise ConfigError(
                    f"{word} must be a list of Python files or modules, "
                    "e.g. 'extensions=[my_activations.py]'"
                )
    return found


def folders_of(words: Sequence[Word]) -> list[Path]:
    """Return the folders of all --config-dir and hydra.searchpath=[...].

    Raises ConfigError.
    """
    found = []
    for word in words:
        if word.key != SEARCHPATH:
            continue
        if not isinstance(word.value, list):
            raise ConfigError(f"{word} must be a list of folders, e.g. {SEARCHPATH}=[my_conf]")
        found += [Path(str(place).removeprefix("file://")) for place in word.value]
    return found


def as_text(value: str) -> str:
    """Return text in quotes, for Hydra's grammar."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quoted(word: str) -> str:
    """Return an override with its formula in quotes; any other word unchanged.

    In Hydra's grammar parentheses, commas, = and * have other meanings. Formulas separated by
    commas (the values of a sweep) are quoted one by one.

    >>> quoted("activation.expression=x * tanh(x)")
    "activation.expression='x * tanh(x)'"
    >>> quoted("activation.expression=maximum(x, 0),x * tanh(x)")
    "activation.expression='maximum(x, 0)','x * tanh(x)'"
    """
    found = _FORMULA.fullmatch(word)
    if found is None or _QUOTED.match(found["value"]):
        return word
    return found["key"] + ",".join(map(as_text, _formulas(found["value"])))


def _formulas(value: str) -> Iterator[str]:
    """Yield the formulas of a list separated by commas; commas in parentheses do not count."""
    depth = start = 0
    for place, character in enumerate(value):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield value[start:place].strip()
            start = place + 1
    yield value[start:].strip()


def written_out(word: str) -> str:
    """Return an override with repeated lists of widths in it written out, as a comparison prints
    them; any other word as it is.

    >>> written_out("model.hidden=[16]*3,[8]")
    'model.hidden=[16,16,16],[8]'
    """
    if not _HIDDEN.fullmatch(word):
        return word
    return _REPEATED.sub(lambda found: f"[{','.join([found[1]] * int(found[2]))}]", word)


def _parse(text: str) -> Word:
    override = _override(written_out(quoted(text)))
    key = override.key_or_group
    if override.package is not None:
        raise ConfigError(f"{text}: a key has no @; write {key}=VALUE")
    if override.is_delete():
        raise ConfigError(
            f"{text}: a key cannot be removed from a config; write {key}=VALUE for another value, "
            "or omit the word for the default"
        )
    if not key:
        raise _unreadable(text, "there is no key before the =")
    value = override.get_value_string()
    if key == "tune" and override.is_choice_sweep():
        # Its commas separate keys of one value, not the values of an axis.
        return _parse(f"tune={as_text(value)}")
    return Word(key, value, override.input_line or "", override)


def _override(text: str) -> Override:
    try:
        text.encode()
        return OverridesParser.create().parse_override(text)
    except UnicodeEncodeError:
        raise ConfigError(f"the word {text!r} is not valid UTF-8") from None
    except HydraException as error:
        cause = error.__cause__
        of_function = isinstance(cause, (HydraException, TypeError, ValueError))
        reason = first_line(cause) if cause and of_function else why_unreadable(text)
        raise _unreadable(text, reason) from None
    except RecursionError:
        raise _unreadable(text, "it is nested too deeply") from None
    except ValueError:  # Python does not read whole numbers of more than 4,300 digits
        raise _unreadable(text, "a number in it has too many digits") from None


def _unreadable(text: str, reason: str) -> ConfigError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return ConfigError(f"cannot read the override {shown!r}: {reason}")
