"""Estimates with intervals, the settings that could be the best, Kaplan-Meier, profiles."""
