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
import re
import sys
import types
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.config_store import ConfigStore

from activations.base import Activation, forget, get, get_class, names
from activations.user_code import error_line
from runner.config import behaviour
from runner.config.quoting import as_text
from runner.system.terminal import ConfigError


def load_extensions(paths: Sequence[str]) -> None:
    """Import each file or module and check the gradients of what it registers.

    What was edited since it was last imported, be it the file, the module or another of the
    user's that it imports, takes the place of its former self.
    Raises ConfigError, one line, if a file is missing or cannot be imported, or if an
    activation's gradient disagrees with its value.
    """
    for path in paths:
        module = path
        if path.endswith(".py"):
            module = _module_name(Path(path))
            _take_back_former(Path(path), module)
        _take_back_edited(module)
        before, loaded = set(names()), set(sys.modules)
        if path.endswith(".py"):
            _import_file(Path(path), module)
        else:
            _import_module(module)
        added = sorted(set(names()) - before)
        try:
            _check(path, added)
        except ConfigError:  # asked for again, it must be checked again
            _take_back(module)
            raise
        if module not in _SOURCES or module not in loaded:
            _SOURCES[module] = _sources(module, set(sys.modules) - loaded)
        _offer(added)


_SOURCES: dict[str, dict[str, str]] = {}
"""For each extension the user's modules that it led to, with a digest of their files' text."""


def _sources(name: str, others: Iterable[str]) -> dict[str, str]:
    """Return digests of the user's modules that a module's names lead to, itself included, and
    of ``others`` of the user's."""
    found: dict[str, str] = {}
    waiting = [name, *others]
    while waiting:
        module = sys.modules.get(waiting.pop())
        if module is None or module.__name__ in found or not is_users(module.__name__):
            continue
        if module.__name__ == "__main__":  # cannot be imported again
            continue
        file = Path(getattr(module, "__file__", None) or "")
        text = file.read_bytes() if file.is_file() else b""
        found[module.__name__] = hashlib.sha256(text).hexdigest()
        for value in list(vars(module).values()):
            home = value.__name__ if isinstance(value, ModuleType) else None
            home = home or getattr(value, "__module__", None)
            waiting += [home] if isinstance(home, str) else []
    return found


def _take_back_edited(name: str) -> None:
    """Let an extension and what it led to be imported again if any of their files changed."""
    known = _SOURCES.get(name, {})
    if name in sys.modules and _sources(name, known) != known:
        importlib.invalidate_caches()
        for module in known:
            _take_back(module)


def _import_module(name: str) -> None:
    if not all(part.isidentifier() for part in name.split(".")):
        raise ConfigError(
            f"extensions: {name} is neither a Python file (my_activations.py) nor a module's name"
        )
    try:
        importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = error_line(error, name)
        raise ConfigError(f"extensions: module {name} cannot be imported: {reason}") from None


def _module_name(path: Path) -> str:
    """Return a name that stands for the file's content. Raises ConfigError if there is none."""
    if not path.is_file():
        raise ConfigError(f"extensions: there is no file {path}")
    return f"runner_extension_{path.stem}_{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"


def _import_file(path: Path, name: str) -> None:
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path.absolute())
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        _take_back(name)
        reason = error_line(error, str(path))
        raise ConfigError(f"extensions: {path} cannot be imported: {reason}") from None


def _take_back_former(path: Path, name: str) -> None:
    for known, module in list(sys.modules.items()):
        if known.startswith("runner_extension_") and known != name:
            if getattr(module, "__file__", None) == str(path.absolute()):
                _take_back(known)


def _take_back(module: str) -> None:
    forget(module)
    sys.modules.pop(module, None)


def _check(path: str, added: list[str]) -> None:
    from activations.check.__main__ import check_gradient  # costs a plain run nothing

    for name in added:
        try:
            check_gradient(get(name))
        except ValueError as error:
            raise ConfigError(f"extensions: {path}: activation {name}: {error}") from None
        except (Exception, SystemExit) as error:
            reason = error_line(error, path)
            raise ConfigError(f"extensions: {path}: activation {name}: {reason}") from None


def offer_instance(activation: Activation) -> list[str]:
    """Return the overrides that choose this instance's class and hyper-parameters.

    Raises ConfigError if it is no instance, has no name, does not keep its constructor's
    arguments as attributes, or holds more than they say: training builds it anew from them.
    """
    if not isinstance(activation, Activation):
        is_class = isinstance(activation, type) and issubclass(activation, Activation)
        example = f"{activation.__name__}()" if is_class else "Sigmoid()"
        raise ConfigError(
            f"activation must be an instance of an Activation class, e.g. {example}; "
            f"got {activation!r:.50}"
        )
    cls = type(activation)
    from activations.check.__main__ import check_gradient

    try:
        given = activation.hyperparameters
        if not cls.name or get_class(cls.name) is not cls:
            raise ConfigError(
                f"{cls.__name__} needs a class attribute name, e.g. name = {cls.__name__.lower()!r}"
            )
        check_gradient(activation)
        if is_users(cls.__module__) and behaviour.digest(
            behaviour.of_activation(activation)
        ) != behaviour.digest(behaviour.of_activation(get(cls.name, **given))):
            raise ConfigError(
                f"{cls.__name__} must be the same when it is built anew from its constructor's "
                f"arguments, as training does: {activation!r} is not"
            )
    except ConfigError:
        raise
    except AttributeError as error:
        raise ConfigError(
            f"{cls.__name__} must keep its constructor's arguments as attributes: {error}"
        ) from None
    except ValueError as error:
        raise ConfigError(f"{cls.__name__}: {error}") from None
    except (Exception, SystemExit) as error:
        reason = error_line(error, getattr(sys.modules.get(cls.__module__), "__file__", None) or "")
        raise ConfigError(f"{cls.__name__}: {reason}") from None
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
    """Make ``activation=<name>`` compose without a YAML file, which the library's own have."""
    for name in added:
        if get_class(name).__module__.startswith("activations."):
            continue
        parameters = inspect.signature(get_class(name)).parameters
        defaults = {key: value.default for key, value in parameters.items()}
        store = ConfigStore.instance()
        # from Hydra 1.4 on, a name that is taken is replaced only when asked for
        store.repo.get("activation", {}).pop(f"{name}.yaml", None)
        store.store(group="activation", name=name, node={"name": name, **defaults})


def is_users(module: str) -> bool:
    """Return whether a module is neither ours, Python's nor an installed package's."""
    top = module.partition(".")[0]
    if top in ("runner", "activations") or top in sys.stdlib_module_names:
        return False
    place = getattr(sys.modules.get(module), "__file__", None) or ""
    return not re.search(r"[\\/](site|dist)-packages[\\/]", place)


def _is_a_users(value: object) -> bool:
    return isinstance(value, (type, types.FunctionType)) and is_users(value.__module__ or "")
