"""Files, terminal, processes, signals, memory: what the rest asks of the machine."""
