"""The command line's words, each parsed once by Hydra's own grammar.

Everything that looks at a word (checks, sweeps, launchers, extensions) looks at its key and
value here; nobody cuts its text.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override
from hydra.errors import HydraException

from runner.config.quoting import as_text, quoted
from runner.system.terminal import ConfigError, first_line

_SHOWN = 200


@dataclass(frozen=True)
class Word:
    """One override.

    Attributes:
        key: what it sets, without Hydra's + and ++: ``seed``, ``activation``, ``hydra.run.dir``.
        text: the value in Hydra's grammar, as typed; a formula is quoted.
        typed: the whole word in Hydra's grammar, with its + if it has one.
    """

    key: str
    text: str
    typed: str
    override: Override = field(repr=False, compare=False)

    def __str__(self) -> str:
        return f"{self.key}={self.text}"

    @property
    def is_hydras(self) -> bool:
        """Whether it sets something of Hydra's own."""
        return self.override.is_hydra_override() or self.key == "hydra"

    @property
    def is_axis(self) -> bool:
        """Whether it names several values, as in ``seed=1,2`` or ``seed=range(3)``."""
        return self.override.is_sweep_override()

    @property
    def value(self) -> Any:
        """The value as Python has it; of an axis, Hydra's description of the values."""
        return self.override.value()

    @property
    def pattern(self) -> Glob | None:
        """The pattern of ``activation=glob(relu*)``, else None."""
        return self.value if isinstance(self.value, Glob) else None

    def values(self, most: int) -> list[str]:
        """Return the values of an axis in Hydra's grammar, at most ``most`` of them.

        Raises ConfigError if they cannot be listed.
        """
        if not self.is_axis:
            return [self.text]
        try:
            found = list(itertools.islice(self.override.sweep_string_iterator(), most))
        except (HydraException, ValueError, OverflowError) as error:  # such as a step of 0
            raise ConfigError(f"cannot list the values of {self}: {error}") from None
        if not found:
            raise ConfigError(f"{self} has no values")
        return found


def read(words: Sequence[str]) -> tuple[Word, ...]:
    """Return the words parsed. Raises ConfigError for one that is no override."""
    return tuple(map(_parse, words))


@cache
def _parse(text: str) -> Word:
    override = _override(quoted(text))
    if override.package is not None:
        raise ConfigError(f"{text}: a key has no @; write {override.key_or_group}=VALUE")
    if override.is_delete():
        raise ConfigError(
            f"{text}: nothing can be removed from a config; write {override.key_or_group}=VALUE "
            "for another value, or leave the word out for the default"
        )
    if not override.key_or_group:
        raise _unreadable(text, "there is no key before the =")
    if override.is_interval_sweep():
        raise ConfigError(
            f"{text}: an interval has no list of values; write -m "
            f"{override.key_or_group}=0.001,0.01,0.1 or range(START,STOP,STEP)"
        )
    if override.key_or_group == "tune" and override.is_choice_sweep():
        # Its commas separate keys of one value, not the values of an axis.
        override = _override(f"tune={as_text(override.get_value_string())}")
    return Word(
        override.key_or_group, override.get_value_string(), override.input_line or "", override
    )


def _override(text: str) -> Override:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"the word {text!r} is not valid UTF-8") from None
    try:
        return OverridesParser.create().parse_override(text)
    except HydraException as error:
        of_function = isinstance(error.__cause__, (HydraException, TypeError, ValueError))
        reason = error.__cause__ if of_function and error.__cause__ else error
        raise _unreadable(text, first_line(reason)) from None
    except RecursionError:
        raise _unreadable(text, "it is nested too deeply") from None
    except ValueError:  # Python reads no whole number of more than 4,300 digits
        raise _unreadable(text, "a number in it has too many digits") from None


def _unreadable(text: str, reason: str) -> ConfigError:
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    right = "write key=value, quoted for the shell where it has spaces or brackets"
    if not text.isascii():
        right = "letters beyond ASCII need quotes that the shell leaves, as in key=\"'é'\""
    return ConfigError(f"cannot read the override {shown!r}: {reason}; {right}")
