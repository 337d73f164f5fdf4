"""Print pyproject.toml's core dependencies pinned to the lowest versions that it allows."""

import re
import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:  # only Python 3.10 lacks it, and pip carries a copy
    from pip._vendor import tomli as tomllib

project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
for requirement in project["dependencies"]:
    name, bound = re.match(r"([\w-]+)>=([\w.]+)", requirement).groups()
    marker = requirement.partition(";")[2]
    print(f"{name}=={bound}" + (f" ;{marker}" if marker else ""))
