"""Check that words are ``key=value``, before Hydra is imported, which is slow."""

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
