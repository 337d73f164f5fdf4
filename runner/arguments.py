"""The command line: ``key=value`` overrides and a few options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from runner.choices import ConfigError
from runner.formulas import for_hydra_main, quoted

HYDRA_OPTIONS = ("--hydra-help", "--cfg", "-c", "--info", "-i", "--shell-completion", "-sc")


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        words: the arguments as given, for the line that repeats the command.
        overrides: the ``key=value`` words, formulas quoted for Hydra.
        config_dir: a folder of the user's own YAML files, or None.
        help: whether help was asked for.
        version: whether the version was asked for.
        multirun: whether the overrides span a sweep.
        for_hydra: whether an option of Hydra's own was given (--cfg, --info, ...).
    """

    words: tuple[str, ...]
    overrides: tuple[str, ...]
    config_dir: str | None
    help: bool
    version: bool
    multirun: bool
    for_hydra: bool

    @property
    def draws_one_run(self) -> bool:
        """Whether, as far as the words tell, one run with pictures was asked for."""
        return not self.multirun and not any(
            word.startswith(("plots=none", "experiment=")) for word in self.overrides
        )


class OneLineParser(argparse.ArgumentParser):
    """A parser that raises ConfigError, one line, where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; see {self.prog} --help")


def parse(arguments: Sequence[str]) -> Options:
    """Return the parsed command line. Raises ConfigError for an option that there is not."""
    parser = OneLineParser(prog="python -m runner", add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-m", "--multirun", action="store_true")
    parser.add_argument("-cd", "--config-dir")
    if any(word.split("=")[0] in HYDRA_OPTIONS for word in arguments):
        words = tuple(map(for_hydra_main, arguments))
        return Options(words, (), None, False, False, False, for_hydra=True)
    found = parser.parse_intermixed_args(list(arguments))
    for word in found.overrides:
        if "=" not in word and not word.startswith("~"):
            raise ConfigError(f"{word!r} is no override; write key=value, e.g. activation=relu")
    return Options(
        words=tuple(arguments),
        overrides=tuple(map(quoted, found.overrides)),
        config_dir=found.config_dir,
        help=found.help,
        version=found.version,
        multirun=found.multirun,
        for_hydra=False,
    )
