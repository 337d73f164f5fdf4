"""Numbers too small to matter are set to 0, because subnormal numbers are slow.

An operation on subnormal numbers (below 1.2e-38 in float32) takes an Intel processor more than
a hundred additional cycles. In training they come from three places:

* dL/dz of the output layer, once the network is certain of its training data;
* dL/dz of the first layers of a deep network whose gradients vanish;
* the moments of an optimizer where the gradient is 0, as in a dead unit: each step multiplies
  them by less than 1, until they stay at the smallest subnormal number.

So a gradient counts as 0 if its square is subnormal: below 1.1e-19 in float32. It would change a
parameter by at most 1.1e-19 lr with SGD, and by 1.1e-19 lr / epsilon with RMSprop and Adam, whose
epsilon is 1e-8 by default. Only a far smaller epsilon makes a difference.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt

from activations.base import Array
from activations.tracing import Call

FLUSH_LAYERS = 8
"""dL/dz is flushed at every eighth hidden layer. This costs almost nothing, and within eight layers
a vanishing gradient does not shrink from 1e-19 to a subnormal number."""

FLUSH_STEPS = 64
"""The moments are flushed at every 64th step."""


def smallest_gradient(dtype: npt.DTypeLike) -> Array:
    """Return the square root of the smallest normal number: 1.1e-19 in float32."""
    return np.sqrt(np.finfo(dtype).tiny)


def flushed(gradient: Array) -> Array:
    """Return the gradient, with 0 for entries below ``smallest_gradient``."""
    return np.where(np.abs(gradient) < smallest_gradient(gradient.dtype), 0, gradient)


def flush_kernel(gradient: Array) -> list[Call]:
    """Return calls that do the same to this buffer, without allocating."""
    size, small = np.empty_like(gradient), np.empty(gradient.shape, bool)
    return [
        partial(np.absolute, gradient, size),
        partial(np.less, size, smallest_gradient(gradient.dtype), small),
        partial(np.copyto, gradient, np.zeros((), gradient.dtype), where=small),
    ]


def flushes(hidden_layer: int) -> bool:
    """Whether dL/dz of this hidden layer, counted from 0 at the input, is flushed."""
    return hidden_layer % FLUSH_LAYERS == FLUSH_LAYERS - 1


def flush_subnormals(moment: Array) -> None:
    """Set an optimizer's subnormal moments to 0, in place."""
    moment[np.abs(moment) < np.finfo(moment.dtype).tiny] = 0
