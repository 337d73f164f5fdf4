"""PyTorch: a module in eager mode; with a fused optimizer; compiled; a stack with baddbmm."""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.benchmarks.problem import BETA1, BETA2, EPSILON, LEARNING_RATE, Array, Problem

LAYERS: dict[str, Callable[[], nn.Module]] = {
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softmax": lambda: nn.Softmax(dim=-1),
}
FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}


def adam(parameters: list[Tensor], fused: bool) -> torch.optim.Adam:
    return torch.optim.Adam(
        parameters, lr=LEARNING_RATE, betas=(BETA1, BETA2), eps=EPSILON, fused=fused
    )


class Eager:
    """nn.Sequential, its loss from logits and Adam: the loop of every tutorial."""

    compile_seconds: float | None = None
    fused = False

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        self.x = torch.from_numpy(problem.x[0])
        labels = torch.from_numpy(problem.labels[0])
        self.binary = case.classes == 2
        self.labels = labels[:, None].to(self.x.dtype) if self.binary else labels
        modules: list[nn.Module] = []
        for index, (w, _) in enumerate(problem.weights):
            modules.append(nn.Linear(*w.shape[1:], dtype=self.x.dtype))
            if index < len(problem.weights) - 1:
                modules.append(LAYERS[case.activation]())
        self.model = nn.Sequential(*modules)
        self.loss = nn.BCEWithLogitsLoss() if self.binary else nn.CrossEntropyLoss()
        self.step: Callable[[Tensor, Tensor], None] = self.one_step
        self.reset()

    def linears(self) -> list[nn.Linear]:
        return [module for module in self.model if isinstance(module, nn.Linear)]

    def reset(self) -> None:
        with torch.no_grad():
            for linear, (w, b) in zip(self.linears(), self.problem.weights, strict=True):
                linear.weight.copy_(torch.from_numpy(w[0].T.copy()))
                linear.bias.copy_(torch.from_numpy(b[0]))
        self.optimizer = adam(list(self.model.parameters()), self.fused)

    def one_step(self, x: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        self.loss(self.model(x), labels).backward()
        self.optimizer.step()

    def train(self) -> None:
        case, step = self.problem.case, self.step
        for order in self.problem.orders():
            index = torch.from_numpy(order[0])
            x, labels = self.x[index], self.labels[index]
            for start in range(0, case.samples, case.batch):
                step(x[start : start + case.batch], labels[start : start + case.batch])

    def weights(self) -> list[tuple[Array, Array]]:
        return [
            (linear.weight.detach().numpy().T[None], linear.bias.detach().numpy()[None])
            for linear in self.linears()
        ]


class Fused(Eager):
    """``Eager`` with Adam(fused=True), one kernel for all parameters."""

    fused = True


class Compiled(Fused):
    """``Fused`` with the loss and its gradient compiled by torch.compile."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        model, loss = self.model, self.loss
        self.compiled = torch.compile(lambda x, labels: loss(model(x), labels))
        self.step = self.compiled_step
        case, started = problem.case, time.perf_counter()
        for _ in range(2):
            self.step(self.x[: case.batch].clone(), self.labels[: case.batch].clone())
        self.compile_seconds = time.perf_counter() - started

    def compiled_step(self, x: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        self.compiled(x, labels).backward()
        self.optimizer.step()


class Stacked:
    """All replicates at once: one baddbmm per layer, autograd, Adam(fused=True)."""

    compile_seconds = None

    def __init__(self, problem: Problem) -> None:
        self.problem, case = problem, problem.case
        self.x = torch.from_numpy(problem.x)
        labels = torch.from_numpy(problem.labels)
        self.binary = case.classes == 2
        # log(1 + e^(s z)) with s = +1 for class 0 and -1 for class 1 is the cross-entropy
        self.labels = (1 - 2 * labels).to(self.x.dtype)[..., None] if self.binary else labels
        self.function = FUNCTIONS[case.activation]
        self.reset()

    def reset(self) -> None:
        self.layers = [
            (
                torch.from_numpy(w.copy()).requires_grad_(),
                torch.from_numpy(b[:, None].copy()).requires_grad_(),
            )
            for w, b in self.problem.weights
        ]
        self.optimizer = adam([t for layer in self.layers for t in layer], fused=True)

    def train(self) -> None:
        case, optimizer = self.problem.case, self.optimizer
        rows = torch.arange(case.replicates)[:, None]
        for order in self.problem.orders():
            index = torch.from_numpy(order)
            xs, labels = self.x[rows, index], self.labels[rows, index]
            for start in range(0, case.samples, case.batch):
                x = xs[:, start : start + case.batch]
                target = labels[:, start : start + case.batch]
                for w, b in self.layers[:-1]:
                    x = self.function(torch.baddbmm(b, x, w))
                w, b = self.layers[-1]
                logits = torch.baddbmm(b, x, w)
                if self.binary:
                    loss = F.softplus(target * logits).sum() / case.batch
                else:
                    loss = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="sum")
                    loss = loss / case.batch
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    def weights(self) -> list[tuple[Array, Array]]:
        return [(w.detach().numpy(), b.detach().numpy()[:, 0]) for w, b in self.layers]
