"""The engine of this repository: what ``runner.training`` does between two records."""

from __future__ import annotations

import numpy as np

import activations
from runner.losses import CrossEntropy, encode
from runner.model import Network
from runner.optimizers import Adam
from tests.benchmarks.problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Array, Problem


class Engine:
    compile_seconds = None

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        self.network = Network(
            case.features,
            case.hidden,
            case.classes,
            activations.get(case.activation),
            case.replicates,
            case.dtype,
        )
        self.loss = CrossEntropy()
        self.targets = encode(problem.labels, case.classes, case.dtype)
        self.reset()

    def reset(self) -> None:
        for linear, (w, b) in zip(self.network.linears, self.problem.weights, strict=True):
            linear.weight[...] = w
            linear.bias[...] = b[:, None]
        self.optimizer = Adam(LEARNING_RATE, BETA1, BETA2, EPSILON)
        self.optimizer.bind(self.network.theta, self.network.is_weight())

    def train(self) -> None:
        case, network, optimizer = self.problem.case, self.network, self.optimizer
        with np.errstate(all="ignore"):
            for order in self.problem.orders():
                x = np.stack([r[o] for r, o in zip(self.problem.x, order, strict=True)])
                t = np.stack([r[o] for r, o in zip(self.targets, order, strict=True)])
                for start in range(0, case.samples, case.batch):
                    batch = slice(start, start + case.batch)
                    network.loss_gradient(x[:, batch], t[:, batch], self.loss)
                    optimizer.step(network.gradient)

    def weights(self) -> list[tuple[Array, Array]]:
        return [(layer.weight, layer.bias[:, 0]) for layer in self.network.linears]
