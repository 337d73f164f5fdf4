"""The network, its gradient, and the parts that train it."""

from runner.network.initializers import Initializer
from runner.network.losses import Loss
from runner.network.optimizers import Optimizer
from runner.network.schedules import Schedule

__all__ = ["Initializer", "Loss", "Optimizer", "Schedule"]
