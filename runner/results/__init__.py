"""A run's folder: written, read, summarised and diagnosed."""
