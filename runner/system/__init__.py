"""Files, terminal, processes, signals, memory: everything that concerns the machine."""
