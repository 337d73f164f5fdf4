"""The network, its gradient, and what trains it."""
