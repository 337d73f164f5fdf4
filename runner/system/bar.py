"""The progress bar of commands."""

from tqdm import tqdm


class Bar(tqdm):  # type: ignore[type-arg]
    """tqdm without the thread that watches slow bars: beside it nothing could be forked, and a
    comparison would draw its pictures one after the other."""

    monitor_interval = 0
