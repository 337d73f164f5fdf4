"""The README: its examples print what it says, and its tables are whole."""

import doctest
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_examples_print_what_the_readme_says():
    sessions = [
        block for block in re.findall(r"```python\n(.*?)```", README, re.S) if ">>>" in block
    ]
    assert sessions
    for session in sessions:
        test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
        told: list[str] = []
        result = doctest.DocTestRunner().run(test, out=told.append)
        assert result.attempted and not result.failed, "".join(told)


def test_every_row_has_the_cells_of_its_heading():
    cells = 0
    for line in README.splitlines():
        found = len(re.split(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not (cells and found) or found == cells, line
        cells = found


def test_the_questions_name_pictures_and_experiments_that_are_there():
    gallery = ROOT / "outputs" / "gallery"
    page = (gallery / "questions.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", page)
    experiments = re.findall(r"^python -m runner experiment=(\w+)", page, re.M)
    assert len(pictures) == page.count("\n## ") > 4 and len(experiments) >= len(pictures)
    assert all(0 < (gallery / picture).stat().st_size < 150_000 for picture in pictures)
    assert all((ROOT / "conf" / "experiment" / f"{name}.yaml").exists() for name in experiments)
