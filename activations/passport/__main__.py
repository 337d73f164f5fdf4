"""Passports of activations: ``python -m activations.passport gelu``.

Arguments are names, ``FILE.py`` (the classes it defines), formulas such as
``"x*sigmoid(1.7*x)"``, or ``all``. Prints each passport, and writes it as PNG
and as a web page; ``all`` prints only the name of the index that it writes.
Exit status 1 if a user's own function raises an error or has a wrong
derivative, 2 for an invalid argument.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from activations.base import Activation
from activations.chosen import Parser, classes_named
from activations.families import FAMILIES
from activations.formulas.formula import Formula
from activations.passport.facts import Passport, passport
from activations.passport.page import as_html, index_page
from activations.passport.text import as_text
from activations.passport.wording import plain
from activations.user_code import error_line

INDEX = "index.html"


def main(arguments: list[str] | None = None) -> int:
    """Make the passports that the command line names, and return the exit status."""
    parser = Parser(prog="python -m activations.passport", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("what", nargs="+", metavar="NAME|FILE.py|FORMULA|all")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("outputs/passports"),
        metavar="FOLDER",
        help="folder for pictures and pages (default: outputs/passports)",
    )
    try:
        options = parser.parse_args(arguments)
        chosen = [(what, make) for what in options.what for make in _chosen(what)]
        options.output.mkdir(parents=True, exist_ok=True)
        return _write(chosen, options.output, "all" in options.what)
    except ValueError as error:
        return _failed(2, str(error), *getattr(error, "caret", "").splitlines())
    except OSError as error:
        return _failed(1, f"{error.filename}: {error.strerror}")


def _chosen(what: str) -> Sequence[Callable[[], Activation]]:
    """Return constructors of the activations that an argument names; ValueError if invalid."""
    if what.endswith(".py") or (re.fullmatch(r"[^\W\d][\w.-]*", what) and what != "x"):
        return classes_named(what)
    formula = Formula(what)
    return [lambda: formula]


def _write(
    chosen: Sequence[tuple[str, Callable[[], Activation]]], folder: Path, indexed: bool
) -> int:
    """Write the passports; print each, or with an index only its path; return the exit status."""
    from tqdm import tqdm

    from activations.passport.picture import as_png

    status, made, taken = 0, list[tuple[Passport, str]](), {"index"}
    with tqdm(chosen, desc="passports", delay=2, leave=False, disable=None) as bar:
        for what, make in bar:
            try:
                found = passport(make())
                picture = as_png(found)
            except (Exception, SystemExit) as error:
                owner = f"{make.__name__}: " if isinstance(make, type) else ""
                status = _failed(1, f"{what}: {owner}{error_line(error, what)}")
                continue
            if found.wrong:
                status = _failed(1, f"{found.title}: {found.wrong}")
            name = _file_name(found.title, taken)
            taken.add(name.lower())
            made.append((found, name))
            write_whole(folder / f"{name}.png", picture)
            if not indexed:
                bar.write(as_text(found) + "\n", file=sys.stdout)
    made.sort(key=lambda entry: list(FAMILIES).index(entry[0].family))
    pages = [f"{name}.html" for _, name in made]
    around = ["", *pages, ""] if indexed else [""] * (len(pages) + 2)
    for k, (found, _) in enumerate(made):
        html = as_html(found, around[k], around[k + 2], INDEX if indexed else "")
        write_whole(folder / pages[k], html)
    if indexed:
        entries = [(one, page) for (one, _), page in zip(made, pages, strict=True)]
        write_whole(folder / INDEX, index_page(entries))
    for page in [INDEX] if indexed else pages:
        print(plain(str(folder / page)))
    return status


def _file_name(title: str, taken: set[str]) -> str:
    """Return a file name: the title with _ for unsafe characters.

    A checksum follows if the name differs from the title or is taken.
    """
    name = re.sub(r"[^\w.+-]+", "_", title).strip("_.")[:60]
    if name != title or name.lower() in taken:
        name = f"{name}_{zlib.crc32(title.encode()):08x}"
    return name


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file atomically: under a temporary name, then renamed."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _failed(status: int, message: str, *below: str) -> int:
    print(f"error: {plain(message)}", *(f"  {plain(line)}" for line in below), sep="\n",
          file=sys.stderr)  # fmt: skip
    return status


if __name__ == "__main__":
    for name in {"SIGPIPE", "SIGINT"} & set(dir(signal)):
        signal.signal(getattr(signal, name), signal.SIG_DFL)  # end without a traceback
    sys.exit(main())
