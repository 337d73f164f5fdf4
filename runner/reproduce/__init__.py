"""Published results, reproduced: ``python -m runner.reproduce``."""
