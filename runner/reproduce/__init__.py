"""Reproduce published results: ``python -m runner.reproduce``."""
