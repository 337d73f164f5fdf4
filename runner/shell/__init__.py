"""The command line: arguments, help and the printed report."""
