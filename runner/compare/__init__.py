"""Comparison of runs: a verdict, a leaderboard, pictures and a report in one file.

One module a step: ``runs`` are read, merged over seeds into ``settings``, given ``scores``, of
which validation data choose an arm's; ``pairs`` finds the arms of a task that could be the best
and how far the others fall short; ``verdict`` says so in sentences, ``table`` in columns;
``outputs`` writes both, the ``pictures`` and the ``report``. A ``comparison`` is all that is
known before the last step.
"""

from runner.compare.comparison import Comparison, build
from runner.compare.outputs import compare
from runner.compare.runs import Problem

__all__ = ["Comparison", "Problem", "build", "compare"]
