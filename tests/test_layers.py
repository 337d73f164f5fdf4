"""The architecture: which package may import which, as [tool.importlinter] has it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_imports_point_down_and_form_no_circle():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    plugins = {**os.environ, "PYTHONPATH": str(ROOT / "runner" / "plugins")}
    done = subprocess.run(command, cwd=ROOT, env=plugins, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


MORE_IN = {
    "check": {"mpmath"},
    "passport/picture.py": {"matplotlib"},
    "passport/__main__.py": {"tqdm"},
}
"""What parts of activations import besides NumPy."""


def test_activations_import_numpy_only_and_few_parts_more():
    """What trains and what checks a user's own function must work from a bare wheel."""
    for path in (ROOT / "activations").rglob("*.py"):
        allowed = {"activations", "numpy", *sys.stdlib_module_names}
        inside = path.relative_to(ROOT / "activations")
        for part, more in MORE_IN.items():
            allowed |= more if inside.is_relative_to(part) else set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            assert {name.partition(".")[0] for name in names} <= allowed, path
