"""Options and markers of the suite."""

from __future__ import annotations

import pytest

from tests.accuracy.dispatch import PATHS


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--accuracy-points",
        type=int,
        default=1500,
        metavar="N",
        help="points per function and dtype in the accuracy suite (1500: under 3 minutes)",
    )
    parser.addoption(
        "--bad-inputs",
        type=int,
        default=600,
        metavar="N",
        help="generated wrong inputs in tests/test_bad_input.py (600: a minute)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "accuracy: compares with arbitrary-precision references")


def pytest_report_header() -> list[str]:
    return [f"NumPy dispatch paths of the accuracy suite: {', '.join(PATHS)}"]
