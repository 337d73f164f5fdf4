"""Train replicates as a stack, keep checkpoints, and return the result."""
