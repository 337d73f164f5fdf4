"""A trained network that takes data in the data set's own units."""

from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt

from activations.base import Array
from runner.data.split import standardised
from runner.network.losses import Loss, probabilities
from runner.network.network import Network

ROWS_AT_ONCE = 1024
"""Larger batches are split, because an activation may need thirty times its input's memory."""


class TrainedNetwork(Network):
    """The network of a stored run. It takes x in the data's own units.

    If it was trained on standardised data, it standardises x. x may be (batch, features), the same
    for all replicates, or (replicates, batch, features).
    """

    def __init__(self, network: Network, mean: Array, scale: Array, loss: Loss) -> None:
        """Share the parameters of ``network``; mean and scale, (replicates, features), are those
        of its training data."""
        vars(self).update(vars(network))
        self.mean, self.scale, self.loss = mean, scale, loss

    def chosen(self, replicates: list[int]) -> TrainedNetwork:
        """Return a network of the given replicates only."""
        few = copy.copy(self)
        few.replicates = len(replicates)
        few.activations = copy.deepcopy(self.activations)
        few.bind(self.theta[replicates], self.gradient[replicates])
        few.mean, few.scale = self.mean[replicates], self.scale[replicates]
        return few

    def standardised(self, x: npt.ArrayLike) -> Array:
        """Return (x - mean) / scale, (replicates, batch, features), in the network's dtype.

        Raises ValueError if the number of features differs from the network's.
        """
        x = np.asarray(x, np.float64)
        if x.ndim < 2 or x.shape[-1] != self.features:
            raise ValueError(
                f"x must be (batch, {self.features}) or (replicates, batch, {self.features}), "
                f"got shape {x.shape}"
            )
        return standardised(x, self.mean[:, None], self.scale[:, None], self.dtype)

    def forward(self, x: npt.ArrayLike) -> list[Array]:
        """Return the tape: the standardised x, then each layer's output."""
        return super().forward(self.standardised(x))

    def logits(self, x: npt.ArrayLike) -> Array:
        """Return the logits of the class probabilities, (replicates, batch, 1 or classes)."""
        x, logits = self.standardised(x), super().logits
        blocks = np.split(x, range(ROWS_AT_ONCE, x.shape[1], ROWS_AT_ONCE), axis=1)
        return self.loss.class_logits(np.concatenate([logits(block) for block in blocks], axis=1))

    def probabilities(self, x: npt.ArrayLike) -> Array:
        """Return p of each class, or of class 1 if there are two, in the shape of the logits."""
        return probabilities(self.logits(x))
