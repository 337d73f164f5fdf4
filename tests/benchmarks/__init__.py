"""Benchmarks against other libraries; install them with ``pip install -e .[bench]``.

    python -m tests.benchmarks.training      one training step, against every peer
    python -m tests.benchmarks.activations   forward + backward on a million elements
    python -m tests.benchmarks.accuracy      right digits beside the peers', agreement, coverage
    python -m tests.benchmarks.every_float   our float32 digits at each of the 2^32 inputs
    python -m tests.benchmarks.question      a whole question, beside programs written by hand
    python -m tests.benchmarks.default_run   training and recording an epoch of a default run
    python -m tests.benchmarks.jobs          what a job of a sweep takes beside training
    python -m tests.benchmarks.command       the whole command against ``import torch``
    python -m tests.benchmarks.memory        peak memory of whole commands
    python -m tests.benchmarks.kills         kills and Ctrl-Cs in all stages: same bytes, no orphan
    python -m tests.benchmarks.identity      same bytes with any BLAS threads, groups, processes
    python -m tests.benchmarks.scaling       time against parameters, replicates, samples, epochs
    python -m tests.benchmarks.endurance     a run of a million steps, a sweep of 2,000 jobs

What is concluded from scores has no peer; made-up scores judge it:

    python -m tests.benchmarks.intervals     how often intervals cover
    python -m tests.benchmarks.best          error, coverage and power of the settings named best
    python -m tests.benchmarks.fresh         false differences of tuned settings, by who judges

    python -m tests.benchmarks.questions          the gallery's page of questions
    python -m tests.benchmarks.deep_initializers  its page of initializers for 30 layers

``python -m tests.tables --measure`` runs most of these as the tables of ``tests/README.md`` need
them, and keeps the numbers.

Where time is measured, each measured system has a process of its own; processes take turns and
nothing else runs meanwhile. Reported are medians over the rounds with the smallest and largest,
and ratios of times from the same round.
"""
