"""The interface of an activation, lookup by name, and evaluation block by block.

Names: ``x`` is the input (pre-activation), ``y = f(x)`` the output, ``grad = dL/dy`` the gradient
of the loss with respect to y, and ``backward`` computes dL/dx, the product of grad with the
transposed Jacobian (the vector-Jacobian product). Features are on the last axis; any number of
axes may precede it.

Accuracy: over all floats, values are within 4 units in the last place (ULP) of the exact values
and derivatives within 8. activations/check/accuracy.py defines the error near roots.

float32: a formula is computed in float32 if it meets these bounds on every CPU, although the error
of NumPy's float32 exp is up to 2.5 ULP. That holds for the rectifiers, sigmoid, tanh, SiLU, Swish,
Mish, softplus, ELU, softsign and similar functions, and for GELU and erf, whose costly part comes
from a lookup table (functions/tables.py). tests/benchmarks/every_float.py tries every float. Every
other formula is computed in float64, and the result is rounded once (``float64=True``).
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
"""Large arrays are evaluated in blocks of this many elements. A formula's temporaries then stay in
the cache of one core; for 1M float64 elements this halves the time of a sigmoid. Temporaries below
128 KiB, as these are, also let the allocator reuse memory instead of requesting new pages."""

LARGE_BLOCK_ELEMENTS = 65536
"""The block size for arrays of at least eight such blocks, which exceed the cache anyway."""

ACTIVATIONS: Registry[Activation] = Registry("activation")


def as_floating(x: npt.ArrayLike) -> Array:
    """Return ``x`` as a float32 or float64 array; integers, booleans and lists become float64.

    Floats of the other byte order are converted. The array is in C order, because the last bits of
    a result depend on the memory order: in a sum, and with AVX-512 in NumPy's exp of a reversed
    array. Raises TypeError for masked arrays, whose mask would be lost, and for other dtypes
    (float16, complex, text, objects).
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
    """Convert the arguments (x, y, grad) of a method by ``Activation.arranged``."""

    @functools.wraps(method)
    def arranged(self: Any, x: npt.ArrayLike, y: npt.ArrayLike, grad: npt.ArrayLike) -> Any:
        return method(self, *self.arranged(x, y, grad))

    return arranged


def _gets_read_only(method: Callable[..., Any]) -> Callable[..., Any]:
    """Pass read-only views to a method, because the network uses the arrays again."""

    @functools.wraps(method)
    def guarded(self: Any, *arguments: Any) -> Any:
        try:
            return method(self, *map(_read_only, arguments))
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{method.__name__} must not write into its arguments; "
                "use a copy, as in y = y.copy()"
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
    """Evaluate an elementwise formula on ``arrays`` block by block; write the results to ``into``.

    All arrays have the same shape; an array of ``into`` may also be one of ``arrays``. Blocks are
    cut along ``axis``, or anywhere if it is None. There are no threads: the calls are so short that
    passing the interpreter's lock costs more time than a second core saves.
    """
    parts = [*arrays, *into]
    first = parts[0]
    large = first.size >= 8 * LARGE_BLOCK_ELEMENTS
    length = LARGE_BLOCK_ELEMENTS if large else BLOCK_ELEMENTS
    if axis is None and all(part.flags.c_contiguous for part in parts):
        parts, axis = [part.reshape(-1) for part in parts], 0
    else:  # reshaping would copy an array
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
    """Return the first axis of ``shape`` along which arrays of shapes ``others`` are constant.

    The arrays broadcast to ``shape``. For x of shape (replicates, batch, units) and parameters per
    replicate and unit, it is the batch axis. Returns None if there is no such axis.
    """
    for axis, size in enumerate(shape):
        back = len(shape) - axis
        if size > 1 and all(len(other) < back or other[-back] == 1 for other in others):
            return axis
    return None


def in_float64(formula: Callable[..., Array]) -> Callable[..., Array]:
    """Make a method of x, or of x and y, compute in float64 and round the result to x's dtype.

    A result beyond the largest float32 becomes inf without a warning. y is not converted: it has
    been rounded to float32, so a derivative computed from it would lose digits.
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

    ``get(name)``, and ``activation=name`` in the shell, find a subclass by its ``name``. The
    constructor's arguments are the hyper-parameters; the constructor raises ValueError for a value
    out of range. Methods keep no state between calls and do not write to their arguments: the
    methods of a user's class get read-only arrays.

    ``forward`` and ``derivative`` are the formulas; they get float32 or float64 arrays. All other
    methods take anything that NumPy converts to an array. They compute in the dtype of x, or in
    float64 if x does not hold floats. Size, memory order and byte order do not change any bit of a
    result.

    Attributes:
        inputs_per_output: number of inputs for each output: 2 for a gated unit.
        parameters_per_unit: True if each unit learns its own parameters, False if a layer learns
            one set.
        surrogate_derivative: True if ``derivative`` is a surrogate that trains a function whose
            true derivative is 0 (straight-through). No check compares it with the value.
        declared: the constructor's arguments that are declared as ``parameter(...)``.
        learnable: whether the parameters declared as ``learned`` are trained.
        params: learnable parameters by name. They are Python floats (the initial values) until a
            network binds them to arrays of shape (replicates, 1, units) or (replicates, 1, 1),
            which broadcast against x of shape (replicates, batch, units).
        float64: True if formulas get float32 input as float64 and their results are rounded.
            ``class GELU(Elementwise, float64=True)`` sets it for a class and its subclasses.
        stochastic: whether the function draws from ``generators`` during training.
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
        """Return f(x) for a float32 or float64 array; it must not write to ``x``."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward")

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return dy/dx elementwise; for a function of a row, the diagonal of its Jacobian."""
        raise NotImplementedError(f"{type(self).__name__} does not define gradient")

    def backward(self, x: Array, y: Array, grad: Array) -> Array:
        """Return dL/dx from grad = dL/dy and y = f(x): the vector-Jacobian product."""
        raise NotImplementedError(f"{type(self).__name__} does not define backward")

    def parameter_gradients(self, x: Array, y: Array, grad: Array) -> dict[str, Array]:
        """Return dL/dp for each learnable parameter, in the parameter's shape."""
        return {}

    unchecked_backward = backward
    unchecked_parameter_gradients = parameter_gradients
    """The same without ``arranged``. In training, dtypes and shapes fit, and a copy costs time."""

    def arranged(self, x: Any, y: Any, grad: Any) -> tuple[Array, Array, Array]:
        """Return the arguments of ``backward`` as arrays of x's dtype, broadcast to one shape.

        grad broadcasts against y; it may be a single number. If grad has more axes in front than
        y, it holds several gradients, and ``backward`` returns as many products. Raises TypeError
        as ``as_floating`` does, ValueError for shapes that do not fit.
        """
        x = as_floating(x)
        with np.errstate(over="ignore"):
            y, grad = (as_floating(a).astype(x.dtype, copy=False) for a in (y, grad))
        if y.shape[:-1] != x.shape[:-1] or (self.inputs_per_output == 1 and y.shape != x.shape):
            raise ValueError(f"y must have the shape of f(x), got {y.shape} for x {x.shape}")
        if grad.shape == y.shape:
            return x, y, grad
        shape = _broadcast(y.shape, grad.shape)
        shapes = (*shape[:-1], *x.shape[-1:]), shape, shape
        x, y, grad = map(np.broadcast_to, (x, y, grad), shapes)
        return x.copy(), y.copy(), grad.copy()

    @property
    def kinks(self) -> tuple[float, ...]:
        """The x where f or a derivative jumps; for a function of a row, values of an entry.

        A subclass sets it, or defines a property if the kinks depend on parameters. For float32 x
        the kink at a parameter 0.1 is at the float32 number 0.1.
        """
        return ()

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The constructor's arguments with the values of this instance."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.hyperparameters.items())
        return f"{type(self).__name__}({arguments})"


class Elementwise(Activation):
    """y_i = f(x_i). A subclass defines ``forward`` and ``derivative``."""

    def derivative(self, x: Array, y: Array) -> Array:
        """Return f'(x) in the dtype of x; y = f(x) is given, because some f' are cheaper from y."""
        raise NotImplementedError(f"{type(self).__name__} does not define derivative")

    def value_and_derivative(self, x: Array) -> tuple[Array, Array]:
        """Return f(x) and f'(x), bit for bit the results of ``forward`` and ``derivative``."""
        y = self.forward(x)
        return y, self.derivative(x, y)

    def __call__(self, x: npt.ArrayLike) -> Array:
        """Return f(x) in the dtype of x. Raises TypeError for inputs that are not real numbers."""
        return self._blocks(lambda x: (self.forward(x),), as_floating(x))[0][()]

    def gradient(self, x: npt.ArrayLike) -> Array:
        """Return f'(x) in the dtype of x. Raises TypeError for inputs that are not real numbers."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: npt.ArrayLike) -> tuple[Array, Array]:
        """Return f(x) and f'(x); terms that both share are computed once.

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
        """Return whether to evaluate x block by block, and the axis to cut along (None: any).

        Learnable parameters must be constant along that axis. Stochastic functions are not cut,
        because they draw for the whole array.
        """
        if x.size <= BLOCK_ELEMENTS or self.generators:
            return False, None
        shapes = [np.shape(value) for value in self.params.values() if np.ndim(value)]
        axis = free_axis(x.shape, shapes)
        return axis is not None, axis if shapes else None


class SharedParts(Elementwise):
    """A function whose value and derivative share a costly part, such as e^x.

    A subclass defines ``parts``, ``value`` and ``slope``.
    """

    def parts(self, x: Array, exact: bool) -> Any:
        """Return the shared part; ``exact`` is True if the result is float64 (53 bits)."""
        raise NotImplementedError(f"{type(self).__name__} does not define parts")

    def value(self, x: Array, parts: Any) -> Array:
        """Return f(x), given the parts."""
        raise NotImplementedError(f"{type(self).__name__} does not define value")

    def slope(self, x: Array, parts: Any) -> Array:
        """Return f'(x), given the parts."""
        raise NotImplementedError(f"{type(self).__name__} does not define slope")

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
        with np.errstate(over="ignore"):  # results beyond the largest float32 are inf
            return [formula(wide, parts).astype(x.dtype, copy=False) for formula in formulas]


def names() -> list[str]:
    """Return the names of all known activations, sorted."""
    return list(ACTIVATIONS)


def get_class(name: str) -> type[Activation]:
    """Return the activation class of that name.

    Raises ValueError for an unknown name; the message has the closest or the best-known names.
    """
    cls: type[Activation] = ACTIVATIONS[name]
    return cls


def get(name: str, **parameters: Any) -> Activation:
    """Return the activation of that name, e.g. ``get("leaky_relu", alpha=0.1)``.

    Raises ValueError for an unknown name or parameter, with a list of the known ones, and for a
    parameter out of range.
    """
    return ACTIVATIONS.build(name, parameters)
