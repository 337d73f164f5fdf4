"""PyTorch: all learning rates and seeds of an activation as one stack, with baddbmm.

Autograd computes the gradients. Adam is written here, because torch.optim.Adam has one learning
rate per tensor. All parameters of all networks are views of one tensor, so that Adam needs only six
calls per step.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from tests.benchmarks import answers
from tests.benchmarks.answers import BATCH, BETA1, BETA2, EPSILON, PARTS, RATES, SEEDS, WIDTHS

FUNCTIONS = {"relu": torch.relu, "tanh": torch.tanh, "gelu": F.gelu, "silu": F.silu}
THREADS = 2
NETWORKS = len(RATES) * SEEDS
TRAIN = PARTS["train"]


class Stack:
    """The networks of one activation: for each rate, one network per seed."""

    def __init__(self, name: str) -> None:
        self.function = FUNCTIONS[name]
        theta = np.tile(answers.initial_vectors(name), (len(RATES), 1))
        self.theta = torch.from_numpy(theta).requires_grad_()
        self.rate = torch.tensor(RATES).repeat_interleave(SEEDS)[:, None]
        self.m, self.v = torch.zeros_like(self.theta), torch.zeros_like(self.theta)
        self.steps = 0

    def logits(self, x: Tensor) -> Tensor:
        start, last = 0, len(WIDTHS) - 2
        for k, (fan_in, fan_out) in enumerate(pairwise(WIDTHS)):
            middle, end = start + fan_in * fan_out, start + (fan_in + 1) * fan_out
            w = self.theta[:, start:middle].view(NETWORKS, fan_in, fan_out)
            b = self.theta[:, middle:end].view(NETWORKS, 1, fan_out)
            x = torch.baddbmm(b, x, w)
            x = x if k == last else self.function(x)
            start = end
        return x

    def step(self, x: Tensor, labels: Tensor) -> None:
        logits = self.logits(x)
        loss = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum")
        (gradient,) = torch.autograd.grad(loss / labels.shape[1], self.theta)
        self.steps += 1
        with torch.no_grad():
            self.m.lerp_(gradient, 1 - BETA1)
            self.v.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
            root = (self.v / (1 - BETA2**self.steps)).sqrt_().add_(EPSILON)
            self.theta -= self.rate / (1 - BETA1**self.steps) * self.m / root

    def measure(self, x: Tensor, labels: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            logits = self.logits(x)
            losses = F.cross_entropy(logits.transpose(1, 2), labels, reduction="none")
            right = (logits.argmax(-1) == labels).float()
            found = {}
            sizes = list(PARTS.values())
            parts = zip(PARTS, losses.split(sizes, 1), right.split(sizes, 1), strict=True)
            for part, loss, correct in parts:
                found[f"{part}_loss"] = loss.mean(1)
                found[f"{part}_accuracy"] = correct.mean(1)
            return found


def curves(name: str, x: Tensor, labels: Tensor, orders: Tensor) -> dict[str, np.ndarray]:
    stack, rows = Stack(name), torch.arange(NETWORKS)[:, None]
    found: list[dict[str, Tensor]] = []
    for order in orders:
        xs, ls = x[rows, order], labels[rows, order]
        for start in range(0, TRAIN, BATCH):
            stack.step(xs[:, start : start + BATCH], ls[:, start : start + BATCH])
        found.append(stack.measure(x, labels))
    shape = len(RATES), SEEDS, len(found)
    return {
        key: torch.stack([epoch[key] for epoch in found], -1).view(shape).numpy()
        for key in found[0]
    }


def main() -> None:
    torch.set_num_threads(THREADS)
    orders = torch.from_numpy(answers.batch_orders(answers.epochs_asked())).long()
    x, labels = (
        torch.from_numpy(array).repeat(len(RATES), *[1] * (array.ndim - 1))
        for array in answers.data()
    )
    orders = orders.repeat(1, len(RATES), 1)
    answers.report({name: curves(name, x, labels, orders) for name in FUNCTIONS})


if __name__ == "__main__":
    main()
