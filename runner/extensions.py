"""A user's own activations: Python files or modules named on the command line.

    python -m runner extensions=[my_activations.py] activation=wiggle

Importing a file registers every Activation subclass with a ``name`` in it. This is the one,
explicit, door through which a run executes code that is not the library's.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore

from activations.base import Activation, get, get_class, names
from runner.choices import ConfigError
from runner.formulas import as_text


def load_extensions(paths: Sequence[str]) -> None:
    """Import each file or module and check the gradients of what it registers.

    Raises ConfigError, one line, if a file is missing or cannot be imported, or if an
    activation's gradient disagrees with its value.
    """
    for path in paths:
        before = set(names())
        if path.endswith(".py"):
            _import_file(Path(path))
        else:
            try:
                importlib.import_module(path)
            except Exception as error:
                raise ConfigError(
                    f"extensions: module {path} cannot be imported: {type(error).__name__}: {error}"
                ) from None
        added = sorted(set(names()) - before)
        _check(path, added)
        _offer(added)


def _import_file(path: Path) -> None:
    if not path.is_file():
        raise ConfigError(f"extensions: there is no file {path}")
    content = path.read_bytes()
    name = f"runner_extension_{path.stem}_{hashlib.sha256(content).hexdigest()[:8]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ConfigError(
            f"extensions: {path} cannot be imported: {type(error).__name__}: {error}"
        ) from None


def _check(path: str, added: list[str]) -> None:
    from activations.check import check_gradient  # costs a plain run nothing

    for name in added:
        try:
            check_gradient(get(name))
        except (ValueError, TypeError, ArithmeticError) as error:
            raise ConfigError(f"extensions: {path}: activation {name}: {error}") from None


def offer_instance(activation: Activation) -> list[str]:
    """Return the overrides that choose this instance's class and hyper-parameters.

    Raises ConfigError if the class has no name or does not keep its constructor's arguments
    as attributes.
    """
    cls = type(activation)
    from activations.check import check_gradient

    try:
        given = activation.hyperparameters
        if not cls.name or get_class(cls.name) is not cls:
            raise ConfigError(
                f"{cls.__name__} needs a class attribute name, e.g. name = {cls.__name__.lower()!r}"
            )
        check_gradient(activation)
    except AttributeError as error:
        raise ConfigError(
            f"{cls.__name__} must keep its constructor's arguments as attributes: {error}"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{cls.__name__}: {error}") from None
    _offer([cls.name])
    return [f"activation={cls.name}", *(f"activation.{k}={_word(v)}" for k, v in given.items())]


def _word(value: Any) -> str:
    """Write a hyper-parameter's value as Hydra reads it."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_word(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_word, value)) + "]"
    return "null" if value is None else str(value)


def _offer(added: list[str]) -> None:
    """Make ``activation=<name>`` compose without a YAML file of its own."""
    for name in added:
        parameters = inspect.signature(get_class(name)).parameters
        defaults = {key: value.default for key, value in parameters.items()}
        ConfigStore.instance().store(group="activation", name=name, node={"name": name, **defaults})
