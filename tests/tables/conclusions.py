"""Tables that test our conclusions on simulated scores, where the truth is known."""

from __future__ import annotations

from tests.benchmarks.processes import table as markdown
from tests.tables.table import Rows, Table, side_by_side

REPEATS = 10_000
TRAINED = 500
SWEEPS = 1000
SETTINGS = 4
BLOCKS = (6, 10, 20)


def measure_intervals() -> Rows:
    """Return how often the intervals of each case cover, by the number n of replicates."""
    from tests.benchmarks import intervals

    rows: Rows = []
    made_up = [*intervals.losses(), *intervals.accuracies()]
    for source, cases in (("made up", made_up), ("trained", intervals.trained(TRAINED))):
        for case in cases:
            row = {"scores": source, "metric": case.metric, "case": case.name}
            for n in intervals.SIZES:
                ours, plain, _ = intervals.coverage(case, n, REPEATS)
                row |= {f"n = {n}": ours, f"n = {n}, t": plain}
            rows.append(row)
    return rows


def render_intervals(rows: dict[str, Rows]) -> str:
    """Return the range of coverage for each kind of score: our intervals and t intervals."""
    (found,) = rows.values()
    sizes = [key for key in found[0] if key.startswith("n = ") and not key.endswith("t")]
    lines = []
    for kind in dict.fromkeys((row["metric"], row["scores"]) for row in found):
        cases = [row for row in found if (row["metric"], row["scores"]) == kind]
        name = {"loss": "losses", "accuracy": "accuracies"}[kind[0]]
        for title, end in ((f"{name}, {kind[1]} ({len(cases)})", ""), ("t intervals", ", t")):
            cells = [[100 * row[size + end] for row in cases] for size in sizes]
            lines.append([title, *(f"{min(cell):.1f} to {max(cell):.1f}%" for cell in cells)])
    return markdown(["scores (cases)", *sizes], lines)


def measure_best() -> Rows:
    """Return how often equally good settings are called worse, in percent."""
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
    """Return the share of inferior settings that are called worse, and the intervals' coverage."""
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
        "intervals",
        "How often 95% intervals cover what they estimate",
        """n is the number of replicates. A cell gives the lowest and the highest coverage of
        several cases; the row below gives the same for the usual t interval. "Made up" are losses
        from lognormal and exponential distributions, and accuracies on 200 and 500 samples with
        means from 90 to 99.9%; between networks they vary not at all, a little or much. "Trained"
        are n networks drawn from 500, in four experiments. Low coverage occurs where a few percent
        of networks fail and none of the n seeds did: then our intervals are too narrow.""",
        ("runner/statistics/estimates.py",),
        measure_intervals,
        render_intervals,
    ),
    Table(
        "best",
        "How often a setting that is as good as any is called worse",
        f"""{SWEEPS:,} simulated sweeps of {SETTINGS} settings with equal means and n seeds. The
        first number of a cell is how often the first setting is called worse, the second number
        how often the second setting is. Both should be at most 5%. "Five times as wide": the
        standard deviation is five times as large. If a setting fails rarely, the
        n seeds may contain no failure; then other settings are called worse too often.""",
        BEST_SET,
        measure_best,
        side_by_side(("scores",), dict.fromkeys(N, "{:.1f}%, {:.1f}%")),
    ),
    Table(
        "power",
        "How many inferior settings are shown to be worse",
        f"""{SETTINGS} settings; the mean of each is one step above the one before. The step is in
        standard deviations over seeds. For n seeds, the table gives the share of the inferior
        settings that are called worse, and how often the intervals of all settings contain the
        truth at once (coverage).""",
        BEST_SET,
        measure_power,
        side_by_side(("step",), {key: "{:.0f}%" for n in N for key in (n, f"{n}, coverage")}),
    ),
    Table(
        "fresh",
        "How often tuning finds a difference between equals",
        """Two simulated activations are equally good at every learning rate; the accuracies of
        their networks have the given standard deviations over seeds. The rate of each is chosen on
        validation data. If the networks used for the choice are also compared, the activation with
        more variance wins by chance. `tune=` compares networks with fresh seeds. Both columns
        should be at most 5%.""",
        ("runner/statistics/best_set.py", "runner/compare/pairs.py", "runner/compare/scores.py"),
        measure_fresh,
        side_by_side(
            ("rates", "deviations"),
            dict.fromkeys(("the networks that chose", "fresh seeds"), "{:.1f}%"),
        ),
    ),
)
