"""The command line: ``key=value`` overrides and a few options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from runner.config.key_value import refuse_repeated, refuse_without_key
from runner.system.terminal import ConfigError, OneLineParser

INFORMATION = ("all", "aliases", "config", "defaults", "defaults-tree", "plugins", "searchpath")
REFUSED = {
    "--config-name": "there is one primary config; choose with GROUP=NAME or experiment=NAME",
    "--config-path": "configs of your own stand beside the built-in ones: --config-dir FOLDER",
    "--experimental-rerun": "it would load a pickle, which can run anything; a run's summary.json "
    "holds the command that repeats it",
}
"""Options of Hydra that are refused, and why."""
COMPLETIONS = [
    [f"{verb}={shell}"]
    for verb in ("install", "uninstall", "query")
    for shell in ("bash", "zsh", "fish")
]


@dataclass(frozen=True)
class Options:
    """The parsed command line.

    Attributes:
        words: the arguments as given, for the line that repeats the command.
        settings: the ``key=value`` words; with ``help`` also the names to describe.
        folders: the folders of --config-dir.
        help: whether --help is given.
        version: whether --version is given.
        multirun: whether --multirun is given.
        run: whether --run is given, which runs one job even if the experiment is a sweep.
        for_hydra: Hydra's own options (--cfg, --info, ...); with one of them Hydra does the rest.
    """

    words: tuple[str, ...]
    settings: tuple[str, ...]
    folders: tuple[str, ...]
    help: bool
    version: bool
    multirun: bool
    run: bool
    for_hydra: tuple[str, ...]

    @property
    def draws_one_run(self) -> bool:
        """Whether the words, not composed yet, look like one run with pictures."""
        return not self.multirun and not any(
            word.startswith(("plots=none", "experiment=")) for word in self.settings
        )

    @property
    def overrides(self) -> list[str]:
        """The overrides for Hydra, with those that --config-dir and --run stand for."""
        from runner.config.overrides import SEARCHPATH, as_text  # imports Hydra, which is slow

        mode = ["hydra.mode=RUN"] if self.run else []
        return [
            *mode,
            *(f"{SEARCHPATH}=[{as_text(path)}]" for path in self.folders),
            *self.settings,
        ]


def parse(arguments: Sequence[str]) -> Options:
    """Return the parsed command line.

    Raises ConfigError for an unknown option, for two options that exclude each other, and for a
    word that is not ``key=value``.
    """
    parser = OneLineParser(prog="python -m runner", add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-cd", "--config-dir", action="append", default=[])
    for option in REFUSED:
        short = {"--config-name": ["-cn"], "--config-path": ["-cp"]}.get(option, [])
        parser.add_argument(option, *short, dest=option)
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("-p", "--package")
    one_of = parser.add_mutually_exclusive_group()
    one_of.add_argument("-m", "--multirun", action="store_true")
    one_of.add_argument("-r", "--run", action="store_true")
    one_of.add_argument("-c", "--cfg", choices=("job", "hydra", "all"))
    one_of.add_argument("-i", "--info", nargs="?", const="all", choices=INFORMATION)
    one_of.add_argument("--hydra-help", action="store_true")
    one_of.add_argument("-sc", "--shell-completion", action="store_true")
    found = parser.parse_intermixed_args(list(arguments))
    for option, reason in REFUSED.items():
        if getattr(found, option) is not None:
            raise ConfigError(f"{option} is refused: {reason}")
    if not found.help:  # whose words may be names
        refuse_without_key(found.overrides)
        refuse_repeated(found.overrides)
    return Options(
        words=tuple(arguments),
        settings=tuple(found.overrides),
        folders=tuple(found.config_dir),
        help=found.help,
        version=found.version,
        multirun=found.multirun,
        run=found.run,
        for_hydra=_for_hydra(found),
    )


def _for_hydra(found: argparse.Namespace) -> tuple[str, ...]:
    """Return Hydra's own options. Raises ConfigError if one needs another word that is missing."""
    if found.shell_completion and found.overrides not in COMPLETIONS:
        raise ConfigError("--shell-completion needs install=bash, install=zsh or install=fish")
    extras = [*(["--resolve"] if found.resolve else [])]
    extras += ["--package", found.package] if found.package is not None else []
    if extras and not found.cfg:
        raise ConfigError(f"{extras[0]} needs --cfg job")
    if found.cfg:
        return ("--cfg", found.cfg, *extras)
    if found.info:
        return ("--info", found.info)
    flags = {"--hydra-help": found.hydra_help, "--shell-completion": found.shell_completion}
    return tuple(flag for flag, given in flags.items() if given)
