"""The activations that a command-line argument names."""

from __future__ import annotations

import argparse
from typing import NoReturn

import activations
from activations.arguments import close_names
from activations.base import Activation
from activations.user_code import import_file


class Parser(argparse.ArgumentParser):
    """A parser that raises ValueError, one line, where argparse prints its usage and exits."""

    def error(self, message: str) -> NoReturn:
        option = message.removeprefix("unrecognized arguments: ").partition(" ")[0]
        close = close_names(option, self._option_string_actions)
        hint = f"did you mean {close[0]}?" if close else f"see {self.prog} --help"
        raise ValueError(f"{message}; {hint}")


def classes_named(what: str) -> list[type[Activation]]:
    """Return the class of a name, all classes for "all", or the classes that FILE.py defines.

    Raises ValueError with a one-line message if there are none.
    """
    if what == "all":
        return [activations.get_class(name) for name in activations.names()]
    if not what.endswith(".py"):
        try:
            return [activations.get_class(what)]
        except ValueError as error:
            raise ValueError(f"{error} (for your own name its file, FILE.py)") from None
    module = import_file(what)
    classes = [c for c in vars(module).values() if isinstance(c, type)]
    known = [c for c in classes if issubclass(c, Activation) and c.__module__ == module.__name__]
    if not known:
        raise ValueError(f"{what} defines no subclass of Activation")
    return known
