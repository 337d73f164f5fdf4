"""Draw all activations, one picture for each family: ``python -m runner.plots.gallery``."""
