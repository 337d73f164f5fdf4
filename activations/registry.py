"""Lookup by name of activations, data sets, optimizers, initializers, schedules and losses.

Each kind has one ``Registry``. A class registers itself by its attribute ``name``, a function by
the decorator ``register``; both work the same way in the library and in a user's file.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar

from activations.arguments import close_names, closest
from activations.user_code import error_line, file_of, is_ours, source

Built = TypeVar("Built")
Thing = TypeVar("Thing", bound=Callable[..., object])
REQUIRED = inspect.Parameter.empty
"""Marks a parameter without a default."""


class Registry(Generic[Built]):
    """Classes and functions of one kind by name; iteration yields the sorted names.

    Attributes:
        kind: the name of the kind and of its config section, for example ``optimizer``.
        injected: arguments that the runner passes; a user cannot set them.
        extra: further parameters of the config section, with their defaults.
    """

    def __init__(
        self, kind: str, *, injected: Sequence[str] = (), extra: Mapping[str, Any] | None = None
    ) -> None:
        self.kind, self.injected, self.extra = kind, tuple(injected), dict(extra or {})
        self._things: dict[str, Any] = {}

    def register(self, thing: Thing) -> Thing:
        """Register a class under its ``name`` or a function under its own name, and return it.

        A second definition at the same place replaces the first, for example when a notebook cell
        runs again. Raises ValueError for an invalid name, a name that is taken, and parameters
        that cannot be given by name.
        """
        name = getattr(thing, "name", None) or getattr(thing, "__name__", None)
        if not callable(thing) or name is None:
            raise ValueError(
                f"{thing!r:.50} is not a valid {self.kind}: it must be a class or a function"
            )
        if not isinstance(name, str) or not re.fullmatch(r"[^\W\d][\w.-]*", name):
            raise ValueError(
                f"{self.kind} name {name!r} must be text that begins with a letter, then letters, "
                "digits, _, . or -"
            )
        if not is_ours(thing.__module__):
            self._refuse_arguments(name, _arguments(thing))
        known = self._things.get(name)
        if known and _place(known) != _place(thing):
            raise ValueError(
                f"{self.kind} name {name!r} is taken by {known.__qualname__} in {source(known)}; "
                "choose another name"
            )
        self._things[name] = thing
        return thing

    def _refuse_arguments(self, name: str, arguments: Mapping[str, inspect.Parameter]) -> None:
        for argument in arguments.values():
            if argument.kind not in (argument.POSITIONAL_OR_KEYWORD, argument.KEYWORD_ONLY):
                raise ValueError(
                    f"{self.kind} {name} takes {argument}; it must take every parameter by name"
                )
        for needed in self.injected:
            if needed not in arguments:
                raise ValueError(f"{self.kind} {name} must take {needed}")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __getitem__(self, name: object) -> Any:
        """Return the class or function; ValueError for an unknown name, with a hint."""
        if not isinstance(name, str) or name not in self._things:
            raise ValueError(f"{self.kind} {name!r} is unknown; {closest(name, self)}")
        return self._things[name]

    def is_ours(self, name: str) -> bool:
        """Return whether the library itself defines this name."""
        return is_ours(self[name].__module__)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return the parameters and their defaults. Raises ValueError for an unknown name."""
        arguments = _arguments(self[name])
        own = {key: one.default for key, one in arguments.items() if key not in self.injected}
        return {**own, **self.extra}

    def build(self, name: str, parameters: Mapping[str, Any], **injected: Any) -> Built:
        """Call the class or function of that name with these parameters; return the result.

        Raises ValueError with a one-line message. It begins with the parameter's name if a
        parameter is unknown, missing or out of range; it begins with the kind and ``name`` if the
        name is unknown or a user's own code raises any error.
        """
        known = self.parameters(name)
        for key in parameters:
            if key not in known:
                takes = f"{self.kind} {name} takes {', '.join(known) or 'no parameters'}"
                hint = closest(key, known) if close_names(key, known) else self._owners(key)
                raise ValueError(f"{key} is unknown: {takes}{hint and '; '}{hint}")
        for key, default in known.items():
            if default is REQUIRED and key not in parameters:
                raise ValueError(f"{key} is missing: {self.kind} {name} has no default for it")
        own = {key: value for key, value in parameters.items() if key not in self.extra}
        try:
            built: Built = self[name](**own, **injected)
        except (Exception, SystemExit) as error:
            if self.is_ours(name):
                raise
            text = str(error) if isinstance(error, ValueError) else ""
            if text.partition(" ")[0] in known:
                raise
            text = text or error_line(error, file_of(self[name]))
            raise ValueError(f"{self.kind} {name}: {text}") from None
        return built

    def _owners(self, key: str) -> str:
        """Return which others take a parameter: "swish takes beta", or nothing."""
        owners = [name for name in self if key in self.parameters(name)]
        return f"{', '.join(owners)} take{'' if owners[1:] else 's'} {key}" if owners else ""

    def forget(self, module: str) -> None:
        """Remove all entries that a module has defined."""
        kept = {name: one for name, one in self._things.items() if one.__module__ != module}
        self._things = kept


@functools.cache  # a run asks about twenty times, and inspecting a signature takes 0.1 ms
def _arguments(thing: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(thing).parameters


def _place(thing: Any) -> tuple[str, str]:
    return thing.__module__, thing.__qualname__


class Named:
    """Base of a class that is registered if it defines its own ``name``."""

    name: ClassVar[str] = ""
    registry: ClassVar[Registry[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("name"):
            cls.registry.register(cls)
