"""Programs that start real clusters on this machine, run sweeps on them, and cause failures.

    python -m tests.cluster.ray         two nodes; one is killed during a sweep
    python -m tests.cluster.slurm       slurmctld, slurmd and munge; a task is cancelled or requeued
    python -m tests.cluster.overhead    the cost of a job on the pool, joblib, Ray and Slurm

The exit status is 0 if all checks pass, 1 if one fails, and 77 if a program is not installed. If
the system allows it, they run in their own network namespace, so their ports are not visible.
"""
