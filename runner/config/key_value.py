"""Check that words are ``key=value``, each key once, before Hydra is imported, which is slow."""

from __future__ import annotations

from collections.abc import Sequence

from runner.system.terminal import ConfigError


def refuse_without_key(words: Sequence[str]) -> None:
    """Raise ConfigError for a word without =, or with spaces around its =.

    ``~key`` passes; ``overrides.read`` refuses it with the reason.
    """
    for place, word in enumerate(words):
        if "=" in word or word.startswith("~"):
            continue
        before = words[place - 1] if place else ""
        after, value = [*words[place + 1 :], "", ""][:2]
        if before.endswith("="):
            right = before + word
        elif after.startswith("="):
            right = word + (after if after != "=" else f"={value or 'VALUE'}")
        else:
            raise ConfigError(
                f"{word!r} is not key=value, e.g. activation=relu; quote a value that has spaces"
            )
        raise ConfigError(f"there must be no spaces around =; write {right}")


def refuse_repeated(words: Sequence[str]) -> None:
    """Raise ConfigError for two words that set the same key: Hydra ignores the first one.

    ``hydra.searchpath`` may be repeated: its folders add up, as those of --config-dir do.
    """
    first: dict[str, str] = {}
    for word in words:
        key = word.partition("=")[0].strip().lstrip("+~")
        if key in first and key != "hydra.searchpath":
            raise ConfigError(
                f"{key} is set twice, by {first[key]} and {word}; leave one of them out"
            )
        first[key] = word
