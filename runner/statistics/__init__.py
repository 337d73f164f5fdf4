"""Estimates with intervals, paired tests, distributions."""
