"""What is chosen by name: activations, and the runner's data sets, optimizers, initializers,
schedules and losses.

Each kind has one ``Registry``. A class enters it by having a ``name``, a function by the
decorator ``register``; the library's own and those in a user's file do it in the same way.
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
"""Stands for the default of a parameter that has none."""


class Registry(Generic[Built]):
    """The things of one kind by name; iterating gives the names, sorted.

    Attributes:
        kind: what one of them is called, and a config's section for it: ``optimizer``.
        given: the arguments that the laboratory gives, which are no parameters.
        beside: parameters, with defaults, that a config's section has beside the thing's own.
    """

    def __init__(
        self, kind: str, *, given: Sequence[str] = (), beside: Mapping[str, Any] | None = None
    ) -> None:
        self.kind, self.given, self.beside = kind, tuple(given), dict(beside or {})
        self._things: dict[str, Any] = {}

    def register(self, thing: Thing) -> Thing:
        """Make a class known by its ``name``, a function by its own, and return it.

        What is defined again, as by a notebook's cell, takes its former self's place. Raises
        ValueError for a name that cannot be typed or is taken, and for arguments without names.
        """
        name = getattr(thing, "name", None) or getattr(thing, "__name__", None)
        if not callable(thing) or name is None:
            raise ValueError(f"{thing!r:.50} is no {self.kind}: only a class or a function can be")
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
                raise ValueError(f"{self.kind} {name} takes {argument}, but parameters need names")
        for needed in self.given:
            if needed not in arguments:
                raise ValueError(f"{self.kind} {name} must take {needed}")

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __getitem__(self, name: object) -> Any:
        """Return the class or function. Raises ValueError with the closest names or all."""
        if not isinstance(name, str) or name not in self._things:
            raise ValueError(f"{self.kind} {name!r} is unknown; {closest(name, self)}")
        return self._things[name]

    def is_ours(self, name: str) -> bool:
        """Return whether the library itself defines what has this name."""
        return is_ours(self[name].__module__)

    def parameters(self, name: str) -> dict[str, Any]:
        """Return what may be set, with the defaults. Raises ValueError for an unknown name."""
        arguments = _arguments(self[name])
        own = {key: one.default for key, one in arguments.items() if key not in self.given}
        return {**own, **self.beside}

    def build(self, name: str, parameters: Mapping[str, Any], **given: Any) -> Built:
        """Return the thing of that name, made with these parameters.

        Raises ValueError, a line that begins with a parameter's name, for one that is unknown
        (listing the right ones), missing or out of its range; or with the kind and ``name`` for
        an unknown name, and for whatever else a user's own code raises.
        """
        known = self.parameters(name)
        for key in parameters:
            if key not in known:
                takes = f"{self.kind} {name} takes {', '.join(known) or 'no parameters'}"
                close = f"; {closest(key, known)}" if close_names(key, known) else ""
                raise ValueError(f"{key} is unknown: {takes}{close}")
        for key, default in known.items():
            if default is REQUIRED and key not in parameters:
                raise ValueError(f"{key} is missing: {self.kind} {name} has no default for it")
        own = {key: value for key, value in parameters.items() if key not in self.beside}
        try:
            built: Built = self[name](**own, **given)
        except (Exception, SystemExit) as error:
            if self.is_ours(name):
                raise
            text = str(error) if isinstance(error, ValueError) else ""
            if text.partition(" ")[0] in known:
                raise
            text = text or error_line(error, file_of(self[name]))
            raise ValueError(f"{self.kind} {name}: {text}") from None
        return built

    def forget(self, module: str) -> None:
        """Take out what a module has defined."""
        kept = {name: one for name, one in self._things.items() if one.__module__ != module}
        self._things = kept


@functools.cache  # a run asks some twenty times, and a signature takes 0.1 ms
def _arguments(thing: Callable[..., object]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(thing).parameters


def _place(thing: Any) -> tuple[str, str]:
    return thing.__module__, thing.__qualname__


class Named:
    """A class that can be chosen by its ``name``, if it has one of its own."""

    name: ClassVar[str] = ""
    registry: ClassVar[Registry[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__dict__.get("name"):
            cls.registry.register(cls)
