"""One BLAS thread for everything that determines a result.

A BLAS that divides a matrix product among threads also divides its sums, which changes the last
bits. Jobs run in parallel instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's BLAS to one thread; use it as a context manager or a decorator.

    It works for every BLAS that threadpoolctl controls: OpenBLAS, MKL, BLIS and FlexiBLAS.
    """
    with controller().limit(limits=1, user_api="blas"):
        yield


@cache
def controller() -> ThreadpoolController:
    """Return the controller of the libraries that were loaded at the first call."""
    return ThreadpoolController()  # cached because it takes 1 ms
