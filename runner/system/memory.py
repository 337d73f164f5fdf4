"""Available memory."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path


def available() -> float:
    """Return the number of bytes that this process can still use, or infinity if unknown.

    It is the smallest of the machine's available memory and what remains under a container's limit
    (cgroup) and under the process's own limit (ulimit -v).
    """
    return min(_limits(), default=math.inf)


def _limits() -> Iterator[float]:
    lines = _words("/proc/meminfo")
    if "MemAvailable:" in lines:
        yield 1024.0 * int(lines[lines.index("MemAvailable:") + 1])
    elif hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        yield float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    group = "/sys/fs/cgroup/memory"  # the limit of a container; cgroup version 2, then 1
    for limit, used in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        (f"{group}/memory.limit_in_bytes", f"{group}/memory.usage_in_bytes"),
    ):
        most, now = _words(limit), _words(used)
        if most and now and most[0].isdecimal():
            yield float(most[0]) - float(now[0])
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    pages = _words("/proc/self/statm")
    if soft != resource.RLIM_INFINITY and pages:
        yield float(soft) - int(pages[0]) * resource.getpagesize()


def _words(path: str) -> list[str]:
    try:
        return Path(path).read_text().split()
    except OSError:
        return []
