"""Comparison of runs: a verdict, a leaderboard, pictures and a report in one file."""

from runner.compare.comparison import Comparison, build
from runner.compare.outputs import compare
from runner.compare.runs import Problem

__all__ = ["Comparison", "Problem", "build", "compare"]
