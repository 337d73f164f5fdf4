"""A formula as a list of NumPy calls with preallocated buffers: same bits, no allocation.

A formula such as ``x / (1 + np.exp(-x))`` allocates an array in each operation. ``trace`` runs the
formula once on a placeholder for x that records the operations. ``Trace.bind`` then assigns each
operation its operands and a buffer for its result. A training step makes only these calls. The
formula is written only once, in the activation's class.

Recorded are ufuncs, operators, ``np.where``, ``astype``, ``where_below`` and ``look_up``. A formula
that does anything else with its input, such as reading its values, raises ``Untraceable``.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Call = Callable[[], object]
Shape = tuple[int, ...]

BLOCK_ELEMENTS = 16384
"""A bound formula works on blocks of this many elements, so that its buffers stay in the cache."""

SLOW_WITH_NUMBERS = (np.maximum, np.minimum, np.fmax, np.fmin)
"""Functions that take five times as long with a scalar as with an array filled with it."""


class Untraceable(TypeError):
    """The formula does something that a list of calls cannot repeat."""


class Value:
    """An input or the result of an operation; compared by identity."""

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype


Operand = Value | Array  # an array is a constant


class Operation(NamedTuple):
    """output = function(*inputs): a ufunc, np.where, np.copyto (a cast) or take (a lookup)."""

    function: Any
    inputs: tuple[Operand, ...]
    output: Value


class Branch(NamedTuple):
    """output = where(x < limit, result, otherwise).

    ``operations`` compute the result; they run only if some x is below the limit.
    """

    x: Value
    limit: float
    operations: list[Operation | Branch]
    result: Operand
    otherwise: Operand
    output: Value


class Trace(NamedTuple):
    """A formula as operations in execution order, from the inputs to the outputs."""

    inputs: list[Value]
    operations: list[Operation | Branch]
    outputs: list[Operand]

    def first(self, count: int) -> Trace:
        """Return the trace of the first ``count`` outputs, without the operations of the rest."""
        outputs = self.outputs[:count]
        operations, _ = _needed(self.operations, {id(output) for output in outputs})
        return Trace(self.inputs, operations, outputs)

    def bind(
        self, inputs: Sequence[Array], outputs: Sequence[Array], scratch: Scratch | None = None
    ) -> list[Call]:
        """Return the calls that compute the output arrays from the input arrays.

        The arrays have the dtypes of the trace. The length of an axis may differ from the trace's
        if it is the same for all arrays. An output may be the same array as an input. Formulas
        whose calls never interleave may share one ``scratch``.
        """
        whole = outputs[0].shape
        traced = np.broadcast_shapes(*(value.shape for value in self.inputs))
        scratch = scratch or Scratch()
        overwritten = {
            id(output): value
            for output, target in zip(self.outputs, outputs, strict=True)
            for value, array in zip(self.inputs, inputs, strict=True)
            if array is target
        }
        calls: list[Call] = []
        for place in _blocks(whole):
            before, after = ([_part(a, place, whole) for a in b] for b in (inputs, outputs))
            calls += _Binding(self, traced, before, after, overwritten, scratch).calls
        return calls


def trace(formula: Callable[..., Sequence[Any]], *inputs: Array) -> Trace:
    """Record what ``formula`` does with arrays of these shapes and dtypes.

    The formula returns a sequence of results. Raises Untraceable if it cannot be recorded.
    """
    recorder = _Recorder()
    values = [Value(array.shape, array.dtype) for array in inputs]
    results = formula(*(Traced(recorder, value) for value in values))
    outputs = [recorder.operand(result) for result in results]
    operations, _ = _needed(recorder.operations, {id(output) for output in outputs})
    return Trace(values, operations, outputs)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """The placeholder for an array while a formula is traced."""

    def __init__(self, recorder: _Recorder, value: Operand) -> None:
        self.recorder, self.value = recorder, value

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.value.dtype

    @property
    def shape(self) -> Shape:
        return self.value.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **named: Any
    ) -> Any:
        if method != "__call__" or named or ufunc.nout != 1:
            raise Untraceable(f"{ufunc.__name__} with {method} or {list(named)}")
        result = self.recorder.ufunc(ufunc, inputs)
        if out is None:
            return Traced(self.recorder, result)
        (target,) = out
        if not isinstance(target, Traced):
            raise Untraceable("a result is written into an array")
        target.value = self.recorder.cast(result, target.dtype)
        return target

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.where and len(args) == 3 and not kwargs:
            return Traced(self.recorder, self.recorder.where(*args))
        if function is np.zeros_like and len(args) == 1 and not kwargs:
            return np.zeros((), args[0].dtype)
        raise Untraceable(f"np.{function.__name__} is not traced")

    def __pow__(self, exponent: Any) -> Any:  # the same special cases as an array's
        special = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}
        if type(exponent) in (int, float) and exponent in special:
            return special[exponent](self)
        return np.power(self, exponent)

    def astype(self, dtype: npt.DTypeLike, copy: bool = True) -> Traced:
        return Traced(self.recorder, self.recorder.cast(self.value, np.dtype(dtype)))

    def any(self) -> bool:
        """Return False for the result of np.isnan; raise Untraceable for any other array.

        Training may skip the case of NaN, because it uses no result that is computed from NaN.
        """
        if not self.recorder.made_by(np.isnan, self.value):
            raise Untraceable("the formula asks for the values of an array")
        return False

    def where_below(self, limit: float, formula: Callable[[Any], Any], otherwise: Any) -> Traced:
        """Record ``special.where_below`` with this x."""
        return Traced(self.recorder, self.recorder.branch(self, limit, formula, otherwise))

    def look_up(self, values: Array) -> Traced:
        """Record ``tables.look_up`` with this entry."""
        take = partial(values.take, mode="wrap")
        return Traced(self.recorder, self.recorder.note(take, [self.value], values.dtype))

    def __array__(self, *args: Any, **named: Any) -> Array:
        raise Untraceable("the formula asks for the values of an array")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # NumPy tests which protocols the object has
            raise AttributeError(name)
        raise Untraceable(f"the formula asks for .{name} of an array")

    def __getitem__(self, place: Any) -> Any:
        raise Untraceable("the formula asks for a part of an array")

    def __bool__(self) -> bool:
        raise Untraceable("the formula asks for the values of an array")


class _Recorder:
    """The operations recorded so far; an operation on the same operands is recorded once."""

    def __init__(self) -> None:
        self.operations: list[Operation | Branch] = []
        self.known: dict[Any, Value] = {}

    def operand(self, argument: Any, dtype: npt.DTypeLike | None = None) -> Operand:
        if isinstance(argument, Traced):
            return argument.value
        array = np.asarray(argument, dtype)
        if array.dtype.kind not in "biuf" or array.ndim:
            raise Untraceable("an operand is neither a number nor made of the inputs")
        return array

    def made_by(self, function: Any, value: Operand) -> bool:
        return any(made is value and key[0] is function for key, made in self.known.items())

    def ufunc(self, ufunc: np.ufunc, arguments: Sequence[Any]) -> Value:
        weak = [type(a) in (int, float) for a in arguments]  # NEP 50: no effect on the dtype
        pairs = list(zip(arguments, weak, strict=True))
        given = [type(a) if number else self.operand(a).dtype for a, number in pairs]
        *dtypes, dtype = ufunc.resolve_dtypes((*given, None))
        inputs = [
            self.operand(argument, wanted if number else None)
            for (argument, number), wanted in zip(pairs, dtypes, strict=True)
        ]
        return self.note(ufunc, inputs, dtype)

    def cast(self, operand: Operand, dtype: np.dtype[Any]) -> Operand:
        if operand.dtype == dtype:
            return operand
        if isinstance(operand, np.ndarray):
            return operand.astype(dtype)
        return self.note(np.copyto, [operand], dtype)

    def where(self, condition: Any, first: Any, second: Any) -> Value:
        inputs = [self.operand(condition), *self.common(first, second)]
        if inputs[0].dtype != bool:
            raise Untraceable("np.where of something else than a condition")
        return self.note(np.where, inputs, inputs[1].dtype)

    def common(self, *arguments: Any) -> list[Operand]:
        """Return the arguments cast to their common dtype, as np.where casts them."""
        kinds = [np.empty(0, a.dtype) if isinstance(a, Traced) else a for a in arguments]
        dtype = np.result_type(*kinds)
        return [self.cast(self.operand(a), dtype) for a in arguments]

    def note(self, function: Any, inputs: Sequence[Operand], dtype: np.dtype[Any]) -> Value:
        key = function, dtype, *map(_identity, inputs)
        if key not in self.known:
            shape = np.broadcast_shapes(*(operand.shape for operand in inputs))
            self.known[key] = Value(shape, dtype)
            self.operations.append(Operation(function, tuple(inputs), self.known[key]))
        return self.known[key]

    def branch(
        self, x: Traced, limit: float, formula: Callable[[Any], Any], otherwise: Any
    ) -> Value:
        outer, known = self.operations, self.known
        self.operations, self.known = [], dict(known)
        try:
            result = formula(np.minimum(x, limit))
            result, second = self.common(result, otherwise)
            inner = self.operations
        finally:
            self.operations, self.known = outer, known
        if second.dtype != self.operand(otherwise).dtype:
            raise Untraceable("where_below widens its result")
        shape = np.broadcast_shapes(x.shape, result.shape, second.shape)
        output = Value(shape, second.dtype)
        assert isinstance(x.value, Value)
        outer.append(Branch(x.value, limit, inner, result, second, output))
        return output


def _identity(operand: Operand) -> Any:
    if isinstance(operand, np.ndarray) and operand.ndim == 0:
        return operand.dtype, operand.tobytes()
    return id(operand)


def _needed(
    operations: list[Operation | Branch], wanted: set[int]
) -> tuple[list[Operation | Branch], set[int]]:
    """Return the operations that the wanted results need, and the ids of all values they read."""
    kept: list[Operation | Branch] = []
    for operation in reversed(operations):
        if id(operation.output) not in wanted:
            continue
        if isinstance(operation, Branch):
            inner, wanted = _needed(operation.operations, wanted | {id(operation.result)})
            operation = operation._replace(operations=inner)
            wanted |= {id(operation.x), id(operation.otherwise)}
        else:
            wanted = wanted | {id(operand) for operand in operation.inputs}
        kept.insert(0, operation)
    return kept, wanted


class Scratch:
    """Buffers that all blocks share, and arrays filled with one number."""

    def __init__(self) -> None:
        self.buffers: dict[Any, Array] = {}

    def buffer(self, dtype: np.dtype[Any], number: int, shape: Shape) -> Array:
        return self._shaped((dtype, number), lambda size: np.empty(size, dtype), shape)

    def filled(self, constant: Array, shape: Shape) -> Array:
        def full(size: int) -> Array:
            return np.full(size, constant, constant.dtype)

        return self._shaped(_identity(constant), full, shape)

    def _shaped(self, key: Any, make: Callable[[int], Array], shape: Shape) -> Array:
        size = math.prod(shape)
        if key not in self.buffers or self.buffers[key].size < size:
            self.buffers[key] = make(size)
        return self.buffers[key][:size].reshape(shape)


class _Binding:
    """The calls for one block.

    A result is written to its output array, else to the buffer of an operand that is not read
    again, else to a free buffer.
    """

    def __init__(
        self,
        formula: Trace,
        traced: Shape,
        inputs: Sequence[Array],
        outputs: Sequence[Array],
        overwritten: dict[int, Value],
        scratch: Scratch,
    ) -> None:
        self.traced, self.block = traced, outputs[0].shape
        self.scratch, self.overwritten = scratch, overwritten
        self.now = 0
        self.last_read: dict[int, float] = {}
        self._read(formula.operations, 0)
        self.last_read |= {id(output): math.inf for output in formula.outputs}
        self.targets = {id(v): a for v, a in zip(formula.outputs, outputs, strict=True)}
        self.places = {id(v): a for v, a in zip(formula.inputs, inputs, strict=True)}
        self.numbers: dict[int, int] = {}
        self.free: defaultdict[np.dtype[Any], list[int]] = defaultdict(list)
        self.taken: defaultdict[np.dtype[Any], int] = defaultdict(int)
        self.calls = self._calls(formula.operations)
        self.calls += self._copies(formula.outputs, outputs, inputs)

    def _copies(
        self, values: Sequence[Operand], targets: Sequence[Array], inputs: Sequence[Array]
    ) -> list[Call]:
        """Return the calls that copy outputs to their targets.

        An output that is an input is copied to a buffer first, because the input may be a target.
        """
        before: list[Call] = []
        after: list[Call] = []
        for value, target in zip(values, targets, strict=True):
            place = self._place(value)
            if place is target:
                continue
            if any(place is array for array in inputs):
                kept = np.empty_like(place)
                before.append(partial(np.copyto, kept, place))
                place = kept
            after.append(partial(np.copyto, target, place))
        return before + after

    def _read(self, operations: Sequence[Operation | Branch], now: int) -> int:
        """Record when each value is read last.

        A branch reads ``otherwise`` at its start, its result at its end, and x at both.
        """
        for operation in operations:
            now += 1
            if isinstance(operation, Branch):
                self.last_read |= {id(operation.x): now, id(operation.otherwise): now}
                now = self._read(operation.operations, now) + 1
                self.last_read |= {id(operation.x): now, id(operation.result): now}
            else:
                self.last_read |= {id(operand): now for operand in operation.inputs}
        return now

    def _calls(self, operations: Sequence[Operation | Branch]) -> list[Call]:
        calls: list[Call] = []
        for operation in operations:
            self.now += 1
            if isinstance(operation, Branch):
                calls += self._branch(operation)
            elif operation.function is np.where:
                calls += self._where(operation)
            else:
                inputs = [self._place(operand, operation) for operand in operation.inputs]
                out = self._result(operation.output, operation.inputs)
                ufunc = isinstance(operation.function, np.ufunc)
                if operation.function is np.copyto:
                    calls.append(partial(np.copyto, out, *inputs, casting="unsafe"))
                # np.maximum and np.minimum: a positional out is deprecated since NumPy 2.4
                elif operation.function in SLOW_WITH_NUMBERS or not ufunc:
                    calls.append(partial(operation.function, *inputs, out=out))
                else:
                    calls.append(partial(operation.function, *inputs, out))
                self._release(operation.inputs)
        return calls

    def _where(self, operation: Operation) -> list[Call]:
        _, first, second = operation.inputs
        places = [self._place(operand) for operand in operation.inputs]
        spare = [second] if second is not first else []
        out = self._result(operation.output, spare, at_once=False)
        calls: list[Call] = [] if out is places[2] else [partial(np.copyto, out, places[2])]
        self._release(operation.inputs)
        return [*calls, partial(np.copyto, out, places[1], where=places[0])]

    def _branch(self, branch: Branch) -> list[Call]:
        x, otherwise = self._place(branch.x), self._place(branch.otherwise)
        out = self._result(branch.output, [branch.otherwise], at_once=False)
        calls: list[Call] = [] if out is otherwise else [partial(np.copyto, out, otherwise)]
        self._release([branch.otherwise])
        inner = self._calls(branch.operations)
        self.now += 1
        result = self._place(branch.result)
        below, number = self._buffer(np.dtype(bool), branch.x.shape)
        self.free[below.dtype].append(number)
        limit = np.array(branch.limit, x.dtype)

        def where_below() -> None:
            if np.fmin.reduce(x, axis=None, initial=0.0) < limit:
                for call in inner:
                    call()
                np.less(x, limit, below)
                np.copyto(out, result, where=below)

        self._release([branch.x, branch.result])
        return [*calls, where_below]

    def _place(self, operand: Operand, reader: Operation | None = None) -> Array:
        if isinstance(operand, Value):
            return self.places[id(operand)]
        if reader and reader.function in SLOW_WITH_NUMBERS and operand.ndim == 0:
            return self.scratch.filled(operand, self._shape(reader.output.shape))
        return operand

    def _result(self, value: Value, operands: Iterable[Operand], at_once: bool = True) -> Array:
        """Return the array for a result; it may be an operand's buffer that is not read again.

        ``at_once`` is False if the result is written in several calls.
        """
        target, lost = self.targets.get(id(value)), self.overwritten.get(id(value))
        form = value.dtype, self._shape(value.shape)
        if target is not None and (target.dtype, target.shape) == form:
            if lost is None or self.last_read.get(id(lost), 0) < self.now + at_once:
                self.places[id(value)] = target
                return target
        for operand in operands:
            if self._ends(operand) and (operand.dtype, operand.shape) == (value.dtype, value.shape):
                self.numbers[id(value)] = self.numbers.pop(id(operand))
                self.places[id(value)] = self.places[id(operand)]
                return self.places[id(value)]
        place, self.numbers[id(value)] = self._buffer(value.dtype, value.shape)
        self.places[id(value)] = place
        return place

    def _buffer(self, dtype: np.dtype[Any], shape: Shape) -> tuple[Array, int]:
        if not self.free[dtype]:
            self.free[dtype].append(self.taken[dtype])
            self.taken[dtype] += 1
        number = self.free[dtype].pop()
        return self.scratch.buffer(dtype, number, self._shape(shape)), number

    def _ends(self, operand: Operand) -> bool:
        """Return whether the value is in a buffer and is not read again."""
        return id(operand) in self.numbers and self.last_read[id(operand)] <= self.now

    def _release(self, operands: Iterable[Operand]) -> None:
        for operand in operands:
            if self._ends(operand):
                self.free[operand.dtype].append(self.numbers.pop(id(operand)))

    def _shape(self, shape: Shape) -> Shape:
        """Return the shape of a value's part in this block."""
        back = len(self.traced) - len(shape)
        sizes = zip(shape, self.traced[back:], self.block[back:], strict=True)
        return tuple(here if size == traced else size for size, traced, here in sizes)


def _blocks(shape: Shape) -> Iterator[tuple[slice, ...]]:
    """Cut an array into blocks of at most BLOCK_ELEMENTS, along its first axes."""
    elements = math.prod(shape)
    if elements <= BLOCK_ELEMENTS:
        yield tuple(slice(None) for _ in shape)
        return
    one = elements // shape[0]
    if one > BLOCK_ELEMENTS:
        for k in range(shape[0]):
            for place in _blocks(shape[1:]):
                yield slice(k, k + 1), *place
        return
    step = math.ceil(shape[0] / math.ceil(elements / BLOCK_ELEMENTS))
    step = min(step, BLOCK_ELEMENTS // one)
    for start in range(0, shape[0], step):
        yield slice(start, start + step), *(slice(None) for _ in shape[1:])


def _part(array: Array, place: tuple[slice, ...], whole: Shape) -> Array:
    """Return an array's part in a block; an axis of length 1 is in every block."""
    back = len(whole) - array.ndim
    axes = zip(place[back:], array.shape, whole[back:], strict=True)
    return array[tuple(part if size == full else slice(None) for part, size, full in axes)]
