"""A web page in one file that opens from disk, without a network.

A user's texts are data: they are escaped in the page. For the script they are JSON in which ``<``
is written as \\u003c, and the script inserts them as text only. The content security policy lists
the hashes of the page's one style and one script, so nothing else can run or load.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_COMMON_STYLE = Path(__file__).with_suffix(".css")


def fill(template: Path, scripts: Sequence[str], places: Mapping[str, str]) -> str:
    """Return a template with its placeholders {{name}} replaced.

    Besides ``places`` there are ``policy``, ``style`` (the .css of all pages and the one beside the
    template) and ``script`` (the files ``scripts`` beside the template).
    """
    style = "".join(map(_text, (_COMMON_STYLE, template.with_suffix(".css"))))
    script = "".join(_text(template.with_name(name)) for name in scripts)
    places = {**places, "policy": _policy(style, script), "style": style, "script": script}
    # In one pass, so that inserted texts are not searched for placeholders.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: places[found[1]], _text(template))


def as_json(value: Any) -> str:
    """Return a value as JSON that is safe inside a page's <script>."""
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    def digest(text: str) -> str:
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    return (
        "default-src 'none'; img-src data: file: 'self'; "
        f"style-src 'sha256-{digest(style)}'; script-src 'sha256-{digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
