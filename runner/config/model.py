"""The config section ``model``: widths, given or derived from a number of parameters."""

from __future__ import annotations

from dataclasses import dataclass

from activations.arguments import shown, whole_number
from activations.base import Activation
from runner.network.architecture import LARGEST_WIDTH, widths_for
from runner.system.terminal import ConfigError


@dataclass(frozen=True)
class Model:
    """Fully connected layers.

    Attributes:
        hidden: outputs of each hidden layer; empty for plain logistic/softmax regression.
        parameters: scale the widths to about this number of parameters. None keeps them. In a
            checked experiment ``hidden`` is already scaled.
    """

    hidden: tuple[int, ...] = (16, 16)
    parameters: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, (list, tuple)):
            raise ValueError(
                f"hidden must be a list of widths, e.g. [16,16]; got {shown(self.hidden)}"
            )
        for width in self.hidden:
            whole_number("hidden: each width", width, minimum=1, maximum=LARGEST_WIDTH)
        object.__setattr__(self, "hidden", tuple(self.hidden))
        if self.parameters is not None:
            whole_number("parameters", self.parameters, minimum=1, maximum=2**40)

    def scaled(self, features: int, classes: int, activation: Activation) -> Model:
        """Return the model with widths for about ``parameters`` parameters.

        Raises ConfigError if no widths come close to this number.
        """
        if self.parameters is None:
            return self
        try:
            return Model(widths_for(self.parameters, features, self.hidden, classes, activation))
        except ValueError as error:
            raise ConfigError(f"model.parameters={self.parameters}: {error}") from None
