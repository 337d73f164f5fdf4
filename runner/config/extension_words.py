"""``extensions=[FILE.py]`` among the folders of a command that composes no config."""

from __future__ import annotations

from collections.abc import Sequence

from runner.system.terminal import ConfigError


def load_extensions_among(words: Sequence[str]) -> list[str]:
    """Load the extensions that words name, as on the runner's command line; return the folders.

    Files that a run's stored config names are not imported: they may be a stranger's. Raises
    ConfigError, one line, as ``load_extensions``, and if there is no folder.
    """
    folders = [word for word in words if not word.startswith("extensions=")]
    if len(folders) < len(words):
        # They import Hydra, which takes longer than the rest of a small comparison.
        from runner.config.extensions import load_extensions
        from runner.config.overrides import extensions_of, read

        load_extensions(extensions_of(read([word for word in words if word not in folders])))
    if not folders:
        raise ConfigError("the following arguments are required: FOLDER")
    return folders
