"""``python -m runner.propagate``: what theory says of an activation in a deep network before it is
trained, beside what networks that are drawn at random show."""
