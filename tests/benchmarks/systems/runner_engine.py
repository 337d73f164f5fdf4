"""The training steps of this repository, as ``runner.training.train`` runs them."""

from __future__ import annotations

import numpy as np

import activations
from runner.config.compose import compose
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.losses import CrossEntropy, encode
from runner.network.network import Network
from runner.network.optimizers import Adam
from runner.training.train import group_size
from tests.benchmarks.problem import (
    BETA1,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    PARAMETERS,
    Array,
    Case,
    Problem,
)


def replicates_together(case: Case) -> int:
    """Return the group size that an experiment of this kind would use."""
    if case.replicates == 1:
        return 1
    overrides = [
        f"activation={case.activation}",
        f"model.hidden=[{','.join(map(str, case.hidden))}]",
        f"training.batch_size={case.batch}",
        f"dtype={case.dtype}",
        f"dataset.samples={2 * case.samples}",
        f"replicates={case.replicates}",
        *(f"activation.{k}={v}" for k, v in PARAMETERS.get(case.activation, {}).items()),
    ]
    return min(case.replicates, group_size(compose(overrides).experiment))


class Group:
    """Replicates that train together; ``which`` selects them from the problem."""

    def __init__(self, problem: Problem, which: slice) -> None:
        case, x = problem.case, problem.x[which]
        self.initial = [(w[which], b[which]) for w, b in problem.weights]
        self.which, self.samples, self.batch = which, case.samples, case.batch
        self.network = Network(
            case.features,
            case.hidden,
            case.classes,
            activations.get(case.activation, **PARAMETERS.get(case.activation, {})),
            len(x),
            np.dtype(case.dtype),
        )
        self.x = with_ones(x)
        targets = encode(problem.labels[which], case.classes, np.dtype(case.dtype))
        self.targets = feature_major(targets)
        self.shuffled_x, self.shuffled_targets = self.x.copy(), self.targets.copy()
        self.batch_gradient = BatchGradient(self.network, CrossEntropy(), case.batch)
        self.reset()

    def reset(self) -> None:
        for linear, (w, b) in zip(self.network.linears, self.initial, strict=True):
            linear.weight[...] = w
            linear.bias[...] = b[:, None]
        self.optimizer = Adam(LEARNING_RATE, beta1=BETA1, beta2=BETA2, epsilon=EPSILON)
        self.optimizer.bind(self.network.theta, self.network.is_weight())

    def run_epoch(self, orders: list[Array]) -> None:
        for k, order in enumerate(orders):
            np.take(self.x[k], order, axis=1, out=self.shuffled_x[k], mode="clip")
            np.take(self.targets[k], order, axis=1, out=self.shuffled_targets[k], mode="clip")
        for start in range(0, self.samples, self.batch):
            batch = slice(start, start + self.batch)
            self.batch_gradient(self.shuffled_x[..., batch], self.shuffled_targets[..., batch])
            self.optimizer.step(self.network.gradient)


class Engine:
    compile_seconds = None

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        size = replicates_together(case)
        self.groups = [
            Group(problem, slice(start, start + size)) for start in range(0, case.replicates, size)
        ]

    def reset(self) -> None:
        for group in self.groups:
            group.reset()

    def train(self) -> None:
        with np.errstate(all="ignore"):
            for group in self.groups:
                generators = self.problem.order_generators()[group.which]
                for _ in range(self.problem.case.epochs):
                    group.run_epoch([rng.permutation(group.samples) for rng in generators])

    def weights(self) -> list[tuple[Array, Array]]:
        layers = zip(*(group.network.linears for group in self.groups), strict=True)
        return [
            (
                np.concatenate([linear.weight for linear in same]),
                np.concatenate([linear.bias[:, 0] for linear in same]),
            )
            for same in layers
        ]
