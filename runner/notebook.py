"""The results of ``run``, ``load_run``, ``sweep`` and ``compare``; a notebook displays them."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import fields
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from activations.arguments import one_of, whole_number
from activations.base import Array
from runner import plots
from runner.compare.comparison import Comparison
from runner.compare.outputs import print_undrawn, terminal
from runner.compare.table import records, table
from runner.compare.verdict import sentences
from runner.results.lookup import Lookup
from runner.results.run import Run
from runner.shell.report import result_lines, scores, title

if TYPE_CHECKING:  # this import loads Matplotlib
    from runner.plots.style import Picture


class Result(Run):
    """A finished run that predicts, draws figures, and shows itself in a notebook."""

    @classmethod
    def of(cls, run: Run) -> Result:
        """Return the run with the methods of this class."""
        return cls(**{field.name: getattr(run, field.name) for field in fields(run)})

    def predict(
        self, x: npt.ArrayLike, *, which: str = "final", replicate: int | None = None
    ) -> Array:
        """Return the most probable class of each sample, (n,). Arguments as ``predict_proba``."""
        return self.predict_proba(x, which=which, replicate=replicate).argmax(axis=1)

    @np.errstate(all="ignore")
    def predict_proba(
        self, x: npt.ArrayLike, *, which: str = "final", replicate: int | None = None
    ) -> Array:
        """Return the probability of each class, (n, classes) float64.

        x, (n, features), is in the data set's own units. A network that was trained on
        standardised data standardises x with the mean and scale of its own training data.
        ``which`` is "final" (the last epoch) or "best" (the epoch with the lowest validation
        loss). ``replicate`` counts from 0; None averages over all replicates that did not diverge.

        Raises ValueError if x has another shape or is not finite, if all chosen replicates
        diverged, or if your own code has changed its results since the training.
        """
        one_of("which", which, ("final", "best"))
        x = np.asarray(x, np.float64)
        if x.ndim != 2 or x.shape[1] != self.config.features:
            raise ValueError(f"x must be (samples, {self.config.features}), got shape {x.shape}")
        if not np.isfinite(x).all():
            raise ValueError("x must be finite")
        network = self.network(which).chosen(self._usable(replicate))
        p = network.probabilities(x).mean(axis=0, dtype=np.float64)
        return p if p.shape[1] > 1 else np.concatenate([1 - p, p], axis=1)

    def _usable(self, replicate: int | None) -> list[int]:
        every = self.replicates
        chosen = range(len(every))
        if replicate is not None:
            whole_number("replicate", replicate, minimum=0, maximum=len(every) - 1)
            chosen = range(replicate, replicate + 1)
        usable = [k for k in chosen if every[k]["status"] != "diverged"]
        if not usable:
            which = "every replicate" if replicate is None else f"replicate {replicate}"
            raise ValueError(f"{which} diverged, so no network can predict")
        return usable

    def figures(self) -> dict[str, Picture]:
        """Return the run's pictures by name: Matplotlib figures that a notebook shows."""
        return plots.figures(self)

    def __repr__(self) -> str:
        notes = [f"  note     {finding['text']}" for finding in self.summary["diagnosis"]]
        return "\n".join([*result_lines(self), f"  folder   {self.path}", *notes])

    def _repr_html_(self) -> str:
        """Return the table of scores, the findings, and the picture of the decision boundary."""
        notes = [finding["text"] for finding in self.summary["diagnosis"]]
        try:
            drawn = plots.figures(self, ["boundary"])
        except ValueError as error:  # the user's own code has changed since the training
            drawn = {}
            notes.append(str(error))
        pictures = [
            f'<img src="data:image/png;base64,{base64.b64encode(one.encode("png")).decode()}" '
            'alt="decision boundary" style="max-width: 100%">'
            for one in drawn.values()
        ]
        return "\n".join([
            f"<p><b>{escape(title(self))}</b></p>",
            _html_table(scores(self)),
            *(f"<p>{escape(note)}</p>" for note in notes),
            *pictures,
            f"<p><code>{escape(str(self.path))}</code></p>",
        ])  # fmt: skip


class ComparisonResult(Comparison):
    """A comparison of runs with its verdict, leaderboard and figures."""

    @classmethod
    def of(cls, comparison: Comparison) -> ComparisonResult:
        """Return the comparison with the methods of this class."""
        return cls(**{field.name: getattr(comparison, field.name) for field in fields(comparison)})

    @property
    def verdict(self) -> list[str]:
        """The conclusions as sentences, the most important first."""
        return sentences(self)

    @property
    def table(self) -> list[dict[str, Any]]:
        """The rows of leaderboard.csv as dictionaries; ``pandas.DataFrame`` accepts the list."""
        return [Lookup("the table", line) for line in records(self)]

    def figures(self) -> dict[str, Picture]:
        """Return the comparison's pictures by name: Matplotlib figures that a notebook shows.

        A line on stderr names each picture that cannot be drawn.
        """
        from runner.compare.pictures import figures

        found, self.undrawn = figures(self)
        print_undrawn(self)
        return Lookup("figures()", found)

    def __repr__(self) -> str:
        return terminal(self)

    def _repr_html_(self) -> str:
        """Return the verdict and a leaderboard for each task."""
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.verdict)
        boards = [
            f"<p><b>{escape(family.task)}</b></p>{_html_table(table(self, family))}"
            for family in self.families
        ]
        lost = [*self.failures, *self.problems]
        left_out = "".join(f"<li>{escape(f'{one.path}: {one.reason}')}</li>" for one in lost)
        lists = [f"<ul>{items}</ul>", *boards, *([f"<ul>{left_out}</ul>"] if lost else [])]
        return "\n".join(lists)


def _html_table(rows: Iterable[Iterable[str]]) -> str:
    head, *body = rows
    lines = [("th", head), *(("td", row) for row in body)]
    cells = ("".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in lines)
    return f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
