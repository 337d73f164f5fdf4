"""The activation functions, one file per family."""
