"""Confidence intervals, the settings that could be the best, Kaplan-Meier curves, profiles."""
