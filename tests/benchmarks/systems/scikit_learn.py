"""scikit-learn's MLPClassifier, without the features that the other systems do not have.

It draws its own permutations, and its Adam adds epsilon before the bias correction of the second
moment (section 2 of the paper). Its loss therefore agrees only within sampling error.
"""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from tests.benchmarks.problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Array, Problem

warnings.simplefilter("ignore", ConvergenceWarning)  # max_iter is the number of epochs here


class Classifier:
    compile_seconds = None

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        self.x, self.labels = problem.x[0], problem.labels[0]
        self.model = MLPClassifier(
            case.hidden,
            activation=case.activation,
            solver="adam",
            alpha=0,
            batch_size=case.batch,
            learning_rate_init=LEARNING_RATE,
            beta_1=BETA1,
            beta_2=BETA2,
            epsilon=EPSILON,
            max_iter=1,
            tol=0,
            n_iter_no_change=10**9,
            warm_start=True,
            random_state=0,
        )
        self.model.fit(self.x, self.labels)
        self.model.max_iter = case.epochs

    def reset(self) -> None:
        # A warm start continues from these weights with a new optimizer.
        self.model.coefs_ = [w[0].copy() for w, _ in self.problem.weights]
        self.model.intercepts_ = [b[0].copy() for _, b in self.problem.weights]
        self.model.n_iter_ = 0

    def train(self) -> None:
        self.model.fit(self.x, self.labels)

    def weights(self) -> list[tuple[Array, Array]]:
        layers = zip(self.model.coefs_, self.model.intercepts_, strict=True)
        return [(w[None], b[None]) for w, b in layers]
