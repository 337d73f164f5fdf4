"""Tables of what is concluded from scores, judged by made-up scores of known truth."""

from __future__ import annotations

from tests.tables.table import Rows, Table, side_by_side

SWEEPS = 1000
SETTINGS = 4
BLOCKS = (6, 10, 20)


def measure_best() -> Rows:
    """Return how often settings that are as good as any are called worse."""
    from tests.benchmarks import best

    rows: Rows = []
    for case in best.CASES:
        row = {"scores": case.name}
        for n in BLOCKS:
            first, other, _ = best.errors(case, n, SETTINGS, SWEEPS)
            row |= {f"n = {n}": [100 * first, 100 * other]}
        rows.append(row)
    return rows


def measure_power() -> Rows:
    """Return how many inferior settings are shown to be worse, and whether intervals hold."""
    from tests.benchmarks import best

    rows: Rows = []
    for step in best.STEPS:
        row = {"step": step}
        for n in BLOCKS:
            shown, _, holds = best.power(step, n, SETTINGS, SWEEPS)
            row |= {f"n = {n}": 100 * shown, f"n = {n}, coverage": 100 * holds}
        rows.append(row)
    return rows


def measure_fresh() -> Rows:
    from tests.benchmarks import fresh

    rows: Rows = []
    for trials in (5, 30):
        for spreads in fresh.SPREADS:
            row = {"rates": trials, "deviations": " and ".join(map(str, spreads))}
            for name, anew in (("the networks that chose", False), ("fresh seeds", True)):
                row[name] = 100 * fresh.false_differences(trials, spreads, anew, SWEEPS)
            rows.append(row)
    return rows


N = [f"n = {n}" for n in BLOCKS]
BEST_SET = ("runner/statistics/best_set.py",)

TABLES = (
    Table(
        "best",
        "How often a setting that is as good as any is called worse",
        f"""{SETTINGS} settings of equal mean, n seeds, {SWEEPS:,} sweeps: how often the first
        setting is called worse, and how often the second. At most 5% is intended. Where a setting
        fails in few seeds, n seeds may not meet one that fails, and others are called worse than
        it too often.""",
        BEST_SET,
        measure_best,
        side_by_side(("scores",), dict.fromkeys(N, "{:.1f}%, {:.1f}%")),
    ),
    Table(
        "power",
        "How many inferior settings are shown to be worse",
        f"""{SETTINGS} settings whose means rise by a step, in standard deviations over seeds: the
        share of the inferior ones that are called worse, and how often the intervals of all
        settings hold at once.""",
        BEST_SET,
        measure_power,
        side_by_side(("step",), {key: "{:.0f}%" for n in N for key in (n, f"{n}, coverage")}),
    ),
    Table(
        "fresh",
        "How often tuning finds a difference between equals",
        """Two activations are equally good at every learning rate; accuracies of their networks
        have these standard deviations. Validation data choose the rate of each. Judged by the
        networks that chose, the activation that varies more wins by luck; `tune=` judges by
        networks of fresh seeds.""",
        ("runner/statistics/best_set.py", "runner/compare/pairs.py", "runner/compare/scores.py"),
        measure_fresh,
        side_by_side(
            ("rates", "deviations"),
            dict.fromkeys(("the networks that chose", "fresh seeds"), "{:.1f}%"),
        ),
    ),
)
