"""The functions, one file a family."""
