"""The README: it is short, its examples print what it says, its commands and links exist."""

import doctest
import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from tests.commands import ROOT, python

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [
    page
    for pattern in ("*.md", "*/*.md", "runner/*/*.md", ".github/*.md", "outputs/gallery/*.md")
    for page in sorted(ROOT.glob(pattern))
]


def sessions(language: str, prompt: str) -> list[str]:
    """Return the blocks of a language that begin with a prompt."""
    blocks = re.findall(rf"```{language}\n(.*?)```", README, re.S)
    return [block for block in blocks if block.startswith(prompt)]


def test_it_fits_150_lines():
    assert len(README.splitlines()) <= 150


def test_examples_print_what_the_readme_says():
    found = sessions("python", ">>>")
    assert found
    for session in found:
        test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
        failures: list[str] = []
        result = doctest.DocTestRunner().run(test, out=failures.append)
        assert result.attempted and not result.failed, "".join(failures)


@pytest.mark.slow
def test_the_shell_prints_what_the_readme_says(tmp_path):
    """Word by word; numbers may round differently on another processor, times always do."""
    shown = sessions("text", "$ ")
    assert len(shown) == 2
    for session in shown:
        command, _, expected = session.removeprefix("$ ").partition("\n")
        done = python(*shlex.split(command)[1:], cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        numbers = [[], []]
        for k, text in enumerate((expected, done.stdout)):
            text = re.sub(r"\[\d+/\d+\] .*\n", "", text)  # in the order in which jobs finish
            for line in text.splitlines():
                numbers[k] += [float(n) for n in re.findall(r"0\.\d{3}(?!\d)", line)]
        assert _words(done.stdout) == _words(expected)
        assert numbers[1] == pytest.approx(numbers[0], abs=0.02)


def _words(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if not line.startswith("[")]
    return [re.sub(r"_[0-9a-f]{8,12}\b|\d+(\.\d+)?", "#", line).split() for line in lines]


def test_its_commands_name_what_is_there():
    commands = re.findall(r"python -m [^`\n]+", README)
    assert len(commands) >= 15
    for command in commands:
        assert importlib.util.find_spec(command.split()[2]), command
        for name in re.findall(r"experiment=(\w+)", command):
            assert (ROOT / "conf" / "experiment" / f"{name}.yaml").is_file(), command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_and_rows_have_the_cells_of_their_heading(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.S)
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        assert "://" in link or (page.parent / link).exists(), link
    cells = 0
    for line in text.splitlines():
        found = len(re.split(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (cells and found) or found == cells, line
        cells = found


def headings(page: Path) -> set[str]:
    """Return a page's headings as GitHub writes them in links."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_links_to_a_heading_find_it():
    links = [
        (page, place, heading)
        for page in PAGES
        for place, heading in re.findall(
            r"\]\((?!https?:)([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")
        )
    ]
    assert links
    for page, place, heading in links:
        assert heading in headings(page.parent / place if place else page), (page, heading)


def test_the_questions_name_pictures_and_experiments_that_are_there():
    gallery = ROOT / "outputs" / "gallery"
    page = (gallery / "questions.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    experiments = re.findall(r"^python -m runner experiment=(\w+)", page, re.M)
    assert len(pictures) == page.count("\n## ") > 6 and len(experiments) >= len(pictures)
    assert all(0 < (gallery / picture).stat().st_size < 150_000 for picture in pictures)
    assert all((ROOT / "conf" / "experiment" / f"{name}.yaml").exists() for name in experiments)
