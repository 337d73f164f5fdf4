"""Benchmarks against other libraries; install them with ``pip install -e .[bench]``.

    python -m tests.benchmarks.training      a training step, compared with every library
    python -m tests.benchmarks.activations   forward and backward pass on a million elements
    python -m tests.benchmarks.accuracy      errors, agreement and coverage, compared with libraries
    python -m tests.benchmarks.every_float   our float32 errors at each of the 2^32 inputs
    python -m tests.benchmarks.question      a whole question, compared with programs by hand
    python -m tests.benchmarks.default_run   training and recording an epoch of a default run
    python -m tests.benchmarks.jobs          the time of a sweep's job in addition to training
    python -m tests.benchmarks.command       a whole command, compared with ``import torch``
    python -m tests.benchmarks.memory        peak memory of whole commands
    python -m tests.benchmarks.kills         kills and Ctrl-Cs in all stages: no fault, no orphan
    python -m tests.benchmarks.identity      same bytes with any BLAS threads, groups, processes
    python -m tests.benchmarks.scaling       time by parameters, replicates, samples, epochs
    python -m tests.benchmarks.endurance     a run of a million steps, a sweep of 2,000 jobs

Simulated scores, for which the truth is known, test our statistics:

    python -m tests.benchmarks.intervals     how often intervals cover
    python -m tests.benchmarks.best          error, coverage and power of the set of best settings
    python -m tests.benchmarks.fresh         false differences between tuned settings

Two programs write pages of the gallery:

    python -m tests.benchmarks.questions          answers to disputed questions
    python -m tests.benchmarks.deep_initializers  initializers for 30 layers

``python -m tests.tables --measure`` runs most of these for the tables of ``tests/README.md`` and
stores the numbers.

When time is measured, each system runs in its own process. The processes take turns, and nothing
else should run meanwhile. The tables show the median over the rounds with the smallest and the
largest value, and ratios of times from the same round.
"""
