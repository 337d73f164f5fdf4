"""One BLAS thread for everything that decides a result.

A BLAS that splits a product among threads also splits its sums, and so changes the last
bits. Replicates and jobs are what runs in parallel instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Limit NumPy's BLAS to one thread, as a context or a decorator.

    Works for every BLAS that threadpoolctl controls: OpenBLAS, MKL, BLIS and FlexiBLAS.
    """
    with controller().limit(limits=1, user_api="blas"):
        yield


@cache
def controller() -> ThreadpoolController:
    """Return threadpoolctl's view of the libraries that were loaded at the first call."""
    return ThreadpoolController()  # takes 1 ms
