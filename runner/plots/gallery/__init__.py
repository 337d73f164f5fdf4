"""Portraits of all activations, a page for each family: ``python -m runner.plots.gallery``."""
