"""The numbers and tables in an answer of the gallery's page of questions."""

from __future__ import annotations

import shlex
from functools import cached_property

import numpy as np
from scipy.stats import binomtest, kendalltau

from activations.base import Array
from runner import sweep
from runner.compare.reversal import reversals
from runner.compare.scores import Arm, compared
from runner.compare.wording import MINUS, difference_with_interval, with_interval
from runner.notebook import ComparisonResult
from runner.statistics.estimates import t_interval
from tests.benchmarks.processes import table

RATE = "optimizer.learning_rate"


def share(which: Array) -> str:
    """Return the share of true entries with Wilson's 95% interval: "30% (19 to 44)"."""
    count, total = int(which.sum()), int(which.size)
    ends = binomtest(count, total).proportion_ci(method="wilson")
    return f"{100 * count / total:.0f}% ({100 * ends.low:.0f} to {100 * ends.high:.0f})"


class Answer:
    """The comparison of an experiment; methods return its numbers as text."""

    def __init__(self, words: list[str]) -> None:
        self.command = shlex.join(["python", "-m", "runner", *words])
        self.words = words

    @cached_property
    def result(self) -> ComparisonResult:
        return sweep([*self.words, "plots=none"], show_progress=True)

    @property
    def tasks(self) -> list[str]:
        return self.result.tasks

    @property
    def n(self) -> int:
        """The number of replicates behind each difference."""
        return len(self.result.families[0].seeds)

    def arm(self, task: str, name: str) -> Arm:
        return next(arm for arm in self.result.of_task(task) if arm.name == name)

    def differences(self, task: str, first: str, second: str) -> Array:
        """Return the first setting's test accuracy minus the second's, for each shared seed."""
        one, other = (self.arm(task, name).setting for name in (first, second))
        seeds = sorted(set(one.seeds) & set(other.seeds))
        return compared(one, seeds) - compared(other, seeds)

    def lead(self, task: str, first: str, second: str) -> str:
        """Return the mean of these differences in points, and its t interval."""
        return self._points(self.differences(task, first, second))

    def p(self, task: str, first: str, second: str) -> str:
        """Return the p value of the difference, adjusted for all pairs of the task."""
        family = next(family for family in self.result.families if family.task == task)
        places = {family.names.index(first), family.names.index(second)}
        pair = next(pair for pair in family.pairs if {pair.first, pair.second} == places)
        return f"p = {pair.p:.2g}" if pair.p >= 0.001 else "p < 0.001"

    def score(self, task: str, name: str) -> str:
        arm = self.arm(task, name)
        return with_interval(arm.setting.score, arm.setting.metric)

    def chosen(self, task: str, name: str) -> str:
        return self.arm(task, name).chosen_text.partition("=")[2]

    def dead(self, task: str, name: str) -> str:
        """Return the share of hidden units that are dead at the end."""
        lines = self.result.table
        (line,) = (line for line in lines if (line["task"], line["name"]) == (task, name))
        return f"{line['dead_units']:.0%}"

    def learned(self, task: str, name: str, parameter: str) -> str:
        """Return the final mean over units of a learned parameter, layer by layer."""
        (run,) = self.arm(task, name).setting.runs
        columns = (f"layer{k}_{parameter}" for k in range(1, len(run.config.model.hidden) + 1))
        means = (np.nanmean(run.history[column][:, -1]) for column in columns)
        return " and ".join(f"{mean:.2f}".replace("-", MINUS) for mean in means)

    def reversal(self, task: str) -> str:
        """Return the sentence on settings whose order depends on the learning rate."""
        found = (one for one in reversals(self.result) if one.task == task)
        return "".join(one.sentence(self.result.metric) for one in found)

    def placebo(self, task: str) -> str:
        """Return the difference between a setting and itself with other seeds."""
        arm = next(arm for arm in self.result.of_task(task) if arm.placebo.size)
        return self._points(arm.placebo_differences)

    def _points(self, differences: Array) -> str:
        return difference_with_interval(t_interval(differences), self.result.metric)

    def leads(self, pairs: list[tuple[str, str]]) -> str:
        """Return a table of differences with p: a column per task, the placebo in the last row."""
        rows = [
            [
                f"{first} − {second}",
                *(f"{self.lead(t, first, second)}, {self.p(t, first, second)}" for t in self.tasks),
            ]
            for first, second in pairs
        ]
        entered_twice = next(arm.name for arm in self.result.arms if arm.placebo.size)
        placebo = [f"placebo: {entered_twice} − itself", *map(self.placebo, self.tasks)]
        return table(["difference", *self.tasks], [*rows, placebo])

    def same_weights(self, task: str, first: str, second: str) -> str:
        """Return how many replicates end with byte-identical weights: "19 of 20"."""
        (one,), (other,) = (self.arm(task, name).setting.runs[:1] for name in (first, second))
        shared = range(min(len(one.replicates), len(other.replicates)))
        same = [
            all(np.array_equal(w[k], other.weights[name][k]) for name, w in one.weights.items())
            for k in shared
        ]
        return f"{sum(same)} of {len(same)}"

    def by_rate(self, task: str) -> str:
        """Return a table by rate: the best and the worst setting, and Kendall's tau between the
        ranking at this rate and the ranking at each setting's own rate."""
        arms = self.result.of_task(task)
        own = [arm.scores.mean() for arm in arms]
        rows = []
        for rate in sorted({trial.config[RATE] for arm in arms for trial in arm.trials}):
            there = [
                next(trial.scores.mean() for trial in arm.trials if trial.config[RATE] == rate)
                for arm in arms
            ]
            best, worst = int(np.argmax(there)), int(np.argmin(there))
            rows.append([
                f"{rate:g}",
                f"{arms[best].name}, {100 * there[best]:.1f}%",
                f"{arms[worst].name}, {100 * there[worst]:.1f}%",
                f"{kendalltau(own, there).statistic:.2f}",
            ])  # fmt: skip
        return table(["rate", "best there", "worst there", "Kendall's tau"], rows)

    def dead_networks(self) -> dict[tuple[int, float], tuple[str, str]]:
        """Return the shares of dead networks before and after training, by (hidden layers, rate).

        A network is dead if all units of some layer have the same output for all training data.
        Shares have Wilson's interval.
        """
        found = {}
        for run in self.result.runs:
            layers = len(run.config.model.hidden)
            dead = np.array([run.history[f"layer{k}_dead"] for k in range(1, layers + 1)]) == 1
            networks = dead.any(axis=0)  # (replicates, epochs)
            place = layers, float(run.config.optimizer["learning_rate"])
            found[place] = share(networks[:, 0]), share(networks[:, -1])
        return found
