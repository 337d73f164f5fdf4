"""Train replicates as a stack, keep what is reached, and what came out."""
