"""All reproductions, in the order in which they are read."""

from __future__ import annotations

from runner.reproduce.born_dead import BORN_DEAD
from runner.reproduce.initial_loss import INITIAL_LOSS
from runner.reproduce.reproduction import Reproduction
from runner.reproduce.scikit_learn import SCIKIT_LEARN
from runner.reproduce.statistics import PAIRED_STATISTICS
from runner.reproduce.vanishing_gradient import VANISHING_GRADIENT

REPRODUCTIONS: dict[str, Reproduction] = {
    one.name: one
    for one in (
        INITIAL_LOSS,
        VANISHING_GRADIENT,
        BORN_DEAD,
        SCIKIT_LEARN,
        PAIRED_STATISTICS,
    )
}
