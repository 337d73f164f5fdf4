"""The tables of ``tests/README.md``: what they measure, their data, and the Markdown made of them.

    python -m tests.tables                       write the Markdown from the data
    python -m tests.tables --check               check that tables match data, and data match code
    python -m tests.tables --measure             measure every stale table, then write
    python -m tests.tables --measure endurance   measure this one

``data/NAME.json`` holds the numbers of a table, where and when they were measured, and the
fingerprint of the code that they measure. A table is stale when that code is another one now.
"""
