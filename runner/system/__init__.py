"""The interface to the machine: files, terminal, processes, signals, memory, BLAS."""
