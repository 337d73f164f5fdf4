"""Plan, launch and resume many runs."""
