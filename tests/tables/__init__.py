"""Measure the tables of ``tests/README.md``, and write them as Markdown.

    python -m tests.tables                       write the Markdown from the data
    python -m tests.tables --check               check that tables match data, and data match code
    python -m tests.tables --measure             measure every stale table, then write
    python -m tests.tables --measure endurance   measure this table, then write

``data/NAME.json`` contains the numbers of a table, where and when they were measured, and the
fingerprint of the measured code. A table is stale if this code has changed since.
"""
