"""Train replicates as a stack, write checkpoints, and return the result."""
