"""The progress bar of commands."""

from tqdm import tqdm


class Bar(tqdm):  # type: ignore[type-arg]
    """tqdm without its monitoring thread.

    A process with a second thread cannot fork safely, and a comparison forks to draw in parallel.
    """

    monitor_interval = 0
