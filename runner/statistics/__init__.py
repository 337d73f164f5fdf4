"""Estimates with intervals, paired tests, multiple comparisons, Kaplan-Meier, profiles."""
