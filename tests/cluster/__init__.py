"""Programs that start real clusters on this machine, break them, and run sweeps on them.

    python -m tests.cluster.ray         two nodes, one of them killed in mid-sweep
    python -m tests.cluster.slurm       slurmctld, slurmd and munge; a task cancelled, one requeued
    python -m tests.cluster.overhead    what a job costs on the pool, joblib, Ray and Slurm

The exit status is 0 if all holds, 1 if something does not, and 77 if a program is not installed.
They run in a network namespace of their own where that is allowed: nothing else sees their ports.
"""
