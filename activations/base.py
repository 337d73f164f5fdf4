"""What every activation is: the contract, the look-up by name, block-wise evaluation.

Names used throughout: ``x`` the input (pre-activation), ``y = f(x)`` the output,
``grad = dL/dy`` the gradient that arrives from above, ``backward`` its product with the
transposed Jacobian (the vector-Jacobian product). Features are on the last axis; any
number of axes may stand before it.

Digits: values within 4 units in the last place (ULP) of the exact ones and derivatives within
8, over the whole range of floats; activations/check/accuracy.py defines them beside roots. The rule
for float32: a formula is computed in float32 where it keeps these bounds on every CPU, although
NumPy's float32 exp is up to 2.5 ULP off (rectifiers, sigmoid, tanh, SiLU, Swish, Mish, softplus,
ELU, softsign and the like), or where a table gives the costly part (GELU and erf,
functions/tables.py); tests/benchmarks/every_float.py tries every float. Every other formula is
computed in float64, block by block, and rounded once (``float64=True``).
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from activations.arguments import Parameter
from activations.registry import Named, Registry
from activations.user_code import is_ours

Array = npt.NDArray[Any]

BLOCK_ELEMENTS = 12288
"""Large arrays are evaluated this many elements at a time, so that a formula's temporaries
stay in the cache of one core: at 1M float64 elements this halves the time of a sigmoid. Below
128 KiB, as these are, the allocator also reuses their memory instead of asking for new pages."""

LARGE_BLOCK_ELEMENTS = 65536
"""The same for arrays of eight such blocks, which do not fit into the cache anyway."""

ACTIVATIONS: Registry[Activation] = Registry("activation")


def as_floating(x: npt.ArrayLike) -> Array:
    """Return ``x`` as a float32 or float64 array; integers, booleans and lists become float64.

    It is in C order, because last bits depend on the order in memory: those of a sum, and on
    AVX-512 those of NumPy's exp backwards. Floats of the other byte order are converted. Raises
    TypeError for masked arrays, whose mask would be lost, and for anything else (float16,
    complex, text, objects).
    """
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "expected an array without a mask, got a masked array; give x.filled(value) or x.data"
        )
    array = np.asarray(x, order="C")
    if array.dtype in (np.float32, np.float64):
        return array
    native = array.dtype.newbyteorder("=")
    if native in (np.float32, np.float64):
        return array.astype(native)
    if native.kind in "iub":
        return array.astype(np.float64)
    raise TypeError(f"expected float32, float64 or integer input, got dtype {array.dtype}")


def _takes_array_likes(method: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method of (x, y, grad) take whatever ``Activation.arranged`` does."""

    @functools.wraps(method)
    def arranged(self: Any, x: npt.ArrayLike, y: npt.ArrayLike, grad: npt.ArrayLike) -> Any:
        return method(self, *self.arranged(x, y, grad))

    return arranged


def _gets_read_only(method: Callable[..., Any]) -> Callable[..., Any]:
    """Give a method views that it cannot write to: the network still needs the arrays."""

    @functools.wraps(method)
    def guarded(self: Any, *arguments: Any) -> Any:
        try:
            return method(self, *map(_read_only, arguments))
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{method.__name__} writes into an array that it is given; "
                "let it work on a copy, as in y = y.copy()"
            ).with_traceback(error.__traceback__) from None

    return guarded


def _read_only(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.flags.writeable:
        value = value.view()
        value.flags.writeable = False
    return value


def _broadcast(y: tuple[int, ...], grad: tuple[int, ...]) -> tuple[int, ...]:
    try:
        shape = np.broadcast_shapes(y, grad)
    except ValueError:
        shape = ()
    if not shape or shape[-1:] != y[-1:]:
        raise ValueError(f"grad of shape {grad} does not fit y of shape {y}")
    return shape


_PRODUCTS = {
    "backward": "unchecked_backward",
    "parameter_gradients": "unchecked_parameter_gradients",
}
_FORMULAS = ("forward", "derivative", "value_and_derivative", "parts", "value", "slope", "slopes")


def blockwise(
    formula: Callable[..., tuple[Array, ...]],
    arrays: Sequence[Array],
    into: Sequence[Array],
    axis: int | None = None,
) -> None:
    """Write what an elementwise formula makes of equally shaped arrays, block by block.

    An array of ``into`` may be one of ``arrays``. They are cut along ``axis``, or anywhere.
    Blocks are not given to threads: calls so short spend more on handing the interpreter's lock
    over than a second core gains.
    """
    parts = [*arrays, *into]
    first = parts[0]
    large = first.size >= 8 * LARGE_BLOCK_ELEMENTS
    length = LARGE_BLOCK_ELEMENTS if large else BLOCK_ELEMENTS
    if axis is None and all(part.flags.c_contiguous for part in parts):
        parts, axis = [part.reshape(-1) for part in parts], 0
    else:  # no array is copied
        axis = axis or 0
        length = max(1, length * first.shape[axis] // first.size)
    before = (slice(None),) * axis
    for start in range(0, parts[0].shape[axis], length):
        here = (*before, slice(start, start + length))
        block = [part[here] for part in parts]
        results = formula(*block[: len(arrays)])
        for result, out in zip(results, block[len(arrays) :], strict=True):
            out[...] = result


def free_axis(shape: tuple[int, ...], others: Sequence[tuple[int, ...]]) -> int | None:
    """Return the first axis along which no array broadcast to ``shape`` changes, if any.

    Of (replicates, batch, units) with parameters for each replicate and unit it is the batch's.
    """
    for axis, size in enumerate(shape):
        back = len(shape) - axis
        if size > 1 and all(len(other) < back or other[-back] == 1 for other in others):
            return axis
    return None


def in_float64(formula: Callable[..., Array]) -> Callable[..., Array]:
    """Let a method of x, and maybe y, compute float32 x in float64 and round the result.

    What is beyond the largest float32 becomes inf without a warning. y is passed on as it is:
    rounded to float32, it has no digits to compute a derivative from.
    """

    @functools.wraps(formula)
    def wide(self: Any, x: Array, *y: Array) -> Array:
        if x.dtype != np.float32:
            return formula(self, x, *y)
        result = formula(self, x.astype(np.float64), *y)
        with np.errstate(over="ignore"):
            return result.astype(np.float32)

    return wide


def _signature(declared: dict[str, Parameter]) -> inspect.Signature:
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    arguments = [inspect.Parameter(k, kind, default=v.default) for k, v in declared.items()]
    return inspect.Signature(arguments)


class Activation(Named):
    """A function of the last axis, with its vector-Jacobian product.

    A subclass that sets ``name`` can be had by ``get(name)`` and from the shell by
    ``activation=name``. Its constructor's arguments are its hyper-parameters; it checks
    them itself and raises ValueError. Nothing is remembered between calls, and no argument is
    written to: the methods of a class outside of this library get read-only arrays.

    ``forward`` and ``derivative`` are the formulas, for float32 and float64 arrays. All other
    methods take what NumPy takes for an array and compute in the dtype of x, or in float64 where
    that is no float; neither size nor memory order nor byte order changes a bit.

    Attributes:
        inputs_per_output: how many inputs each output needs: 2 for a gated unit.
        parameters_per_unit: whether each unit learns its own parameters, or a layer one set.
        surrogate_derivative: whether ``derivative`` is a stand-in that trains a function whose
            own derivative is 0 (straight-through), so that no check may compare the two.
        declared: the constructor's arguments that are declared as ``parameter(...)``.
        learnable: whether those that can be learned are.
        params: learnable parameters by name. Python floats (the initial values) until a
            network binds them to arrays of shape (replicates, 1, units) or (replicates, 1, 1)
            that broadcast against x of shape (replicates, batch, units).
        float64: whether formulas get float32 input as float64, and their results are rounded; a
            class and its subclasses are so by ``class GELU(Elementwise, float64=True)``.
        stochastic: whether it draws from ``generators`` while a network trains.
        generators: one random generator per replicate while a network trains a stochastic
            activation, None otherwise.
    """

    registry = ACTIVATIONS
    inputs_per_output: float = 1
    parameters_per_unit: bool = True
    surrogate_derivative: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    float64: ClassVar[bool] = False

    learnable: Any = True
    declared: ClassVar[dict[str, Parameter]] = {}
    __signature__: ClassVar[inspect.Signature] = inspect.Signature()

    def __init__(self, *values: Any, **named: Any) -> None:
        self.params: dict[str, Any] = {}
        self.generators: list[np.random.Generator] | None = None
        given = _signature(self.declared).bind(*values, **named)
        given.apply_defaults()
        for name, value in given.arguments.items():
            setattr(self, name, self.declared[name].checked(name, value, self))
        if self.learnable:
            learned = [name for name, declared in self.declared.items() if declared.learned]
            self.params = {name: getattr(self, name) for name in learned}

    def __init_subclass__(cls, float64: bool = False, **kwargs: Any) -> None:
        before = cls.declared
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
        cls.declared = own | {name: p for name, p in before.items() if name not in vars(cls)}
        if "__init__" in vars(cls):
            signature = inspect.signature(cls.__init__)
            cls.__signature__ = signature.replace(parameters=[*signature.parameters.values()][1:])
        elif cls.declared != before:
            cls.__signature__ = _signature(cls.declared)
        super().__init_subclass__(**kwargs)
        cls.float64 = float64 or cls.float64
        foreign = not is_ours(cls.__module__)
        for method in (*_FORMULAS, *_PRODUCTS):
            formula = cls.__dict__.get(method)
            if not inspect.isfunction(formula):
                continue
            if cls.float64 and method in ("forward", "derivative"):
                formula = in_float64(formula)
            if foreign:
                formula = _gets_read_only(formula)
            if method in _PRODUCTS:
                setattr(cls, _PRODUCTS[method], formula)
                formula = _takes_array_likes(formula)
            setattr(cls, method, formula)

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return f(x) in the dtype of x. Raises TypeError for inputs that are not real numbers."""
        x = as_floating(x)
        return np.asarray(self.forward(x), x.dtype)[()]

    def forward(self, x: Array) -> Array:
        """Return f(x); ``x`` is a float32 or float64 array, which is never written to."""
        raise TypeError(f"{type(self).__name__} does not define forward")

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return dy/dx elementwise; for a function along an axis, its Jacobian's diagonal."""
        raise TypeError(f"{type(self).__name__} does not define gradient")

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx from grad = dL/dy and y = f(x): the vector-Jacobian product."""
        raise TypeError(f"{type(self).__name__} does not define backward")

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp for each learnable parameter, in the parameter's shape."""
        return {}

    unchecked_backward = backward
    unchecked_parameter_gradients = parameter_gradients
    """The same without ``arranged``: in training all arrays fit, and copies cost."""

    def arranged(self, x: Any, y: Any, grad: Any) -> tuple[Array, Array, Array]:
        """Return the arguments of ``backward`` as arrays of x's dtype and of shapes that fit.

        grad broadcasts against y, a number against all of it; with more axes in front it is
        several gradients, and so is the product. Raises TypeError as ``as_floating``,
        ValueError for shapes that do not fit.
        """
        x = as_floating(x)
        with np.errstate(over="ignore"):
            y, grad = (as_floating(a).astype(x.dtype, copy=False) for a in (y, grad))
        if y.shape[:-1] != x.shape[:-1] or (self.inputs_per_output == 1 and y.shape != x.shape):
            raise ValueError(f"y has shape {y.shape}, which f(x) has not for x of shape {x.shape}")
        if grad.shape == y.shape:
            return x, y, grad
        shape = _broadcast(y.shape, grad.shape)
        shapes = (*shape[:-1], *x.shape[-1:]), shape, shape
        x, y, grad = map(np.broadcast_to, (x, y, grad), shapes)
        return x.copy(), y.copy(), grad.copy()

    @property
    def kinks(self) -> tuple[float, ...]:
        """The x where f or one of its derivatives jumps; of a row, where an entry's does.

        A subclass sets it, or defines it as a property where parameters move the kinks.
        Parameters act in the dtype of x: a kink at 0.1 is at float32's 0.1 for float32.
        """
        return ()

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The constructor's arguments, as this instance holds them."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.hyperparameters.items())
        return f"{type(self).__name__}({arguments})"


class Elementwise(Activation):
    """y_i = f(x_i): two formulas, ``forward`` and ``derivative``, are all it takes."""

    def derivative(self, x: Array, y: Array) -> Array:
        """Return f'(x) in the dtype of x, given y = f(x) too: use the cheaper or safer one."""
        raise TypeError(f"{type(self).__name__} does not define derivative")

    def value_and_derivative(self, x: Array) -> tuple[Array, Array]:
        """Return f(x) and f'(x): what ``forward`` and ``derivative`` give, to the last bit."""
        y = self.forward(x)
        return y, self.derivative(x, y)

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return f(x) in the dtype of x. Raises TypeError for inputs that are not real numbers."""
        return self._blocks(lambda x: (self.forward(x),), as_floating(x))[0][()]

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return f'(x) in the dtype of x. Raises TypeError for inputs that are not real numbers."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Return f(x) and f'(x), at less than the cost of both where they share a part.

        Raises TypeError for inputs that are not real numbers.
        """
        y, slope = self._blocks(self.value_and_derivative, as_floating(x), outputs=2)
        return y[()], slope[()]

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx = grad * f'(x), with y = f(x)."""
        blocks = self._blocks(lambda x, y, grad: (grad * self.derivative(x, y),), x, y, grad)
        return blocks[0][()]

    def _blocks(
        self, formula: Callable[..., tuple[Array, ...]], *arrays: Array, outputs: int = 1
    ) -> tuple[Array, ...]:
        x = arrays[0]
        blocks, axis = self.blocks_of(x)
        if not blocks:
            return tuple(np.asarray(part, x.dtype) for part in formula(*arrays))
        into = tuple(np.empty_like(x) for _ in range(outputs))  # in x's memory order
        blockwise(formula, arrays, into, axis)
        return into

    def blocks_of(self, x: Array) -> tuple[bool, int | None]:
        """Return whether x is evaluated block by block, and the axis to cut it along, if not any.

        Learnable parameters must be the same on both sides of a cut; what is drawn has the shape
        of whole arrays.
        """
        if x.size <= BLOCK_ELEMENTS or self.generators:
            return False, None
        shapes = [np.shape(value) for value in self.params.values() if np.ndim(value)]
        axis = free_axis(x.shape, shapes)
        return axis is not None, axis if shapes else None


class SharedParts(Elementwise):
    """A function whose value and slope are made of the same costly parts, such as e^x.

    A subclass defines ``parts``, ``value`` and ``slope``.
    """

    def parts(self, x: Array, exact: bool) -> Any:
        """Return what value and slope share; ``exact`` for float64, whose results need 53 bits."""
        raise TypeError(f"{type(self).__name__} does not define parts")

    def value(self, x: Array, parts: Any) -> Array:
        """Return f(x), given the parts."""
        raise TypeError(f"{type(self).__name__} does not define value")

    def slope(self, x: Array, parts: Any) -> Array:
        """Return f'(x), given the parts."""
        raise TypeError(f"{type(self).__name__} does not define slope")

    def forward(self, x: Array) -> Array:
        return self._evaluate(x, self.value)[0]

    def derivative(self, x: Array, y: Array) -> Array:
        return self._evaluate(x, self.slope)[0]

    def value_and_derivative(self, x: Array) -> tuple[Array, Array]:
        y, slope = self._evaluate(x, self.value, self.slope)
        return y, slope

    def _evaluate(self, x: Array, *formulas: Callable[..., Array]) -> list[Array]:
        wide = x.astype(np.float64, copy=False) if self.float64 else x
        parts = self.parts(wide, x.dtype == np.float64)
        with np.errstate(over="ignore"):  # beyond the largest float32
            return [formula(wide, parts).astype(x.dtype, copy=False) for formula in formulas]


def names() -> list[str]:
    """Return the names of all known activations, sorted."""
    return list(ACTIVATIONS)


def get_class(name: str) -> type[Activation]:
    """Return the activation class of that name.

    Raises ValueError with the closest names, or the well-known ones, if there is none.
    """
    cls: type[Activation] = ACTIVATIONS[name]
    return cls


def get(name: str, **parameters: Any) -> Activation:
    """Return the activation of that name, e.g. ``get("leaky_relu", alpha=0.1)``.

    Raises ValueError for an unknown name or parameter (listing the right ones) and for a
    parameter out of its range.
    """
    return ACTIVATIONS.build(name, parameters)
