"""Parts of the user: Python files or modules named on the command line.

    python -m runner 'extensions=[my_activations.py]' activation=wiggle

Importing a file registers the activations, data sets, optimizers, initializers, schedules and
losses that it defines. Apart from Hydra's callbacks and plugins, a run executes no other code of
the user.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from hydra.core.config_store import ConfigStore

from activations.base import ACTIVATIONS, Activation
from activations.registry import Named, Registry
from activations.user_code import error_line, file_of, import_file, is_users
from runner.config import behaviour
from runner.config.build import REGISTRIES, SECTIONS, complete
from runner.config.overrides import as_text
from runner.config.trial import try_out
from runner.data.shapes import DATASETS
from runner.system.terminal import ConfigError

_IMPORTED: dict[str, dict[str, str]] = {}
"""For each extension, the modules of the user that it imports, with digests of their files."""


def load_extensions(paths: Sequence[str]) -> None:
    """Import each file or module, test the parts that it registers, and let configs name them.

    A file or module is imported again if it was edited, or a module of the user that it imports.
    Configs may also name parts that are registered in a notebook.
    Raises ConfigError with one line if a file is missing, cannot be imported or defines nothing,
    or if a part is wrong, for example an activation whose gradient disagrees with its value.
    """
    for path in paths:
        place = str(Path(path).absolute()) if path.endswith(".py") else path
        known = _IMPORTED.get(place)
        if known and known == _digests(known):
            continue
        _take_back(_IMPORTED.pop(place, {}))
        registered, loaded = set(_own_parts()), set(sys.modules)
        try:
            module = _imported(path)
            new = [part for part in _own_parts() if part not in registered]
            for registry, name in new:
                _check(path, registry, name)
            _refuse_without_parts(path, module, new)
        except ConfigError:  # must be checked again next time
            added = {registry[name].__module__ for registry, name in _own_parts()}
            _take_back({*added, *sys.modules} - loaded)
            raise
        _IMPORTED[place] = _digests(_led_to(module, set(sys.modules) - loaded))
    for registry, name in _own_parts():
        _offer(registry, name)


def refuse_what_other_processes_lack(names: Iterable[tuple[Registry[Any], str]]) -> None:
    """Raise ConfigError if one of these is defined by the user outside an extension."""
    loaded = {module for led_to in _IMPORTED.values() for module in led_to}
    for registry, name in names:
        if not registry.is_ours(name) and registry[name].__module__ not in loaded:
            raise ConfigError(
                f"{registry.kind} {name} is defined in this process only, but a sweep's jobs run "
                "in others; move it to a file: 'extensions=[FILE.py]'"
            )


def _own_parts() -> list[tuple[Registry[Any], str]]:
    """Return all registered parts that are not built in."""
    return [(one, name) for one in REGISTRIES for name in one if not one.is_ours(name)]


def _imported(path: str) -> ModuleType:
    if path.endswith(".py"):
        try:
            return import_file(path)
        except ValueError as error:
            raise ConfigError(f"extensions: {error}") from None
    if not all(part.isidentifier() for part in path.split(".")):
        raise ConfigError(
            f"extensions: {path} is neither a Python file (my_activations.py) nor a module's name"
        )
    importlib.invalidate_caches()
    try:
        return importlib.import_module(path)
    except (Exception, SystemExit) as error:
        reason = error_line(error, path)
        raise ConfigError(f"extensions: module {path} cannot be imported: {reason}") from None


def _refuse_without_parts(
    path: str, module: ModuleType, new: Sequence[tuple[Registry[Any], str]]
) -> None:
    """Raise ConfigError if a module defines no part, or defines a class without a name."""
    if hasattr(module, "__path__") and module.__file__ is None:
        raise ConfigError(f"extensions: {path} is a folder; name a Python file in it")
    classes = [one for one in vars(module).values() if isinstance(one, type)]
    for cls in classes:
        own = cls.__module__ == module.__name__ and issubclass(cls, Named)
        if own and not cls.__dict__.get("name") and not cls.__subclasses__():
            raise ConfigError(
                f"extensions: {path}: class {cls.__name__} has no name; write "
                f"name = {cls.__name__.lower()!r} in it"
            )
    places = _led_to(module, [])
    if not new and not any(registry[name].__module__ in places for registry, name in _own_parts()):
        raise ConfigError(
            f"extensions: {path} defines nothing to choose; it needs a class with a name, or a "
            "function with @register"
        )


def _led_to(module: ModuleType, others: Iterable[str]) -> set[str]:
    """Return the modules of the user that a module uses, with itself, and ``others``."""
    found: set[str] = set()
    waiting = [module.__name__, *others]
    while waiting:
        name = waiting.pop()
        if name in found or name not in sys.modules or not is_users(name):
            continue
        if name == "__main__":  # cannot be imported again
            continue
        found.add(name)
        for value in list(vars(sys.modules[name]).values()):
            home = value.__name__ if isinstance(value, ModuleType) else None
            home = home or getattr(value, "__module__", None)
            waiting += [home] if isinstance(home, str) else []
    return found


def _digests(modules: Iterable[str]) -> dict[str, str]:
    """Return a digest of the current file of each module."""
    files = {name: getattr(sys.modules.get(name), "__file__", None) or "" for name in modules}
    texts = {name: Path(file).read_bytes() if Path(file).is_file() else b""
             for name, file in files.items()}  # fmt: skip
    return {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}


def _take_back(modules: Iterable[str]) -> None:
    """Forget the modules of the user among these, so that they are imported again."""
    for name in modules:
        if is_users(name):
            for registry in REGISTRIES:
                registry.forget(name)
            sys.modules.pop(name, None)


def _check(path: str, registry: Registry[Any], name: str) -> None:
    if registry is DATASETS:  # checked when data are drawn
        return
    what = f"{registry.kind} {name}: "
    try:
        try_out(registry.build(name, {}))
    except ValueError as error:
        reason = str(error).removeprefix(what)
        raise ConfigError(f"extensions: {path}: {what}{reason}") from None
    except (Exception, SystemExit) as error:
        raise ConfigError(f"extensions: {path}: {what}{error_line(error, path)}") from None


def offer_instance(activation: Activation) -> list[str]:
    """Return the overrides that choose the class and the hyper-parameters of this instance.

    Training builds the activation again from its constructor's arguments. Raises ConfigError if it
    is not an instance, has no name, does not keep these arguments as attributes, or keeps other
    state.
    """
    if not isinstance(activation, Activation):
        is_class = isinstance(activation, type) and issubclass(activation, Activation)
        example = f"{activation.__name__}()" if is_class else "Sigmoid()"
        raise ConfigError(
            f"activation must be an instance of an Activation class, e.g. {example}; "
            f"got {activation!r:.50}"
        )
    cls = type(activation)
    try:
        given = activation.hyperparameters
    except AttributeError as error:
        raise ConfigError(
            f"{cls.__name__} must keep its constructor's arguments as attributes: {error}"
        ) from None
    if cls.name not in ACTIVATIONS or ACTIVATIONS[cls.name] is not cls:
        raise ConfigError(
            f"{cls.__name__} needs a class attribute name, e.g. name = {cls.__name__.lower()!r}"
        )
    try:
        try_out(activation)
        both = (activation, ACTIVATIONS.build(cls.name, given)) if is_users(cls.__module__) else ()
        digests = {behaviour.digest(behaviour.of(one)) for one in both}
    except ValueError as error:
        raise ConfigError(f"{cls.__name__}: {error}") from None
    except (Exception, SystemExit) as error:
        raise ConfigError(f"{cls.__name__}: {error_line(error, file_of(cls))}") from None
    if len(digests) > 1:
        raise ConfigError(
            f"{cls.__name__} must be the same when training builds it again from its "
            f"constructor's arguments: {activation!r} is not"
        )
    _offer(ACTIVATIONS, cls.name)
    return [f"activation={cls.name}", *(f"activation.{k}={word(v)}" for k, v in given.items())]


def word(value: Any) -> str:
    """Return a hyper-parameter's value in Hydra's grammar."""
    if isinstance(value, str):
        return as_text(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {word(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(word, value)) + "]"
    return "null" if value is None else str(value)


def _offer(registry: Registry[Any], name: str) -> None:
    """Make ``activation=<name>`` compose without a YAML file."""
    if registry.kind not in SECTIONS or registry.is_ours(name):
        return
    store = ConfigStore.instance()
    # Hydra 1.4 does not replace an existing name by default
    store.repo.get(registry.kind, {}).pop(f"{name}.yaml", None)
    store.store(group=registry.kind, name=name, node=complete(registry, {"name": name}))
