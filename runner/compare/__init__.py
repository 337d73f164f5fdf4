"""Comparison of runs: a verdict, a leaderboard, pictures and a report in one file.

One module per step: ``runs`` reads runs, ``settings`` merges them over seeds, ``scores`` scores
them and lets validation data choose each arm's setting; ``pairs`` finds the arms of a task that
could be the best, and how far the others fall short; ``names`` shortens their names; ``verdict``
writes sentences, ``table`` columns; ``outputs`` writes both, the ``pictures`` and the ``report``.
A ``comparison`` holds everything known before the last step.
"""

from runner.compare.comparison import Comparison, build
from runner.compare.outputs import compare
from runner.compare.runs import Problem

__all__ = ["Comparison", "Problem", "build", "compare"]
