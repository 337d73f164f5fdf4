"""The comparison's arithmetic: grouping, scores, tuning, verdicts, tables, and its
promises."""

import csv
import itertools
import json

import numpy as np
import pytest
from pytest import approx

from runner import run
from runner.compare import Problem, build, compare, wording
from runner.compare.__main__ import main
from runner.compare.outputs import csv_text, latex, markdown, terminal
from runner.compare.pairs import OVERALL, sharing
from runner.compare.pictures.against import against_settings, budget
from runner.compare.pictures.health import health
from runner.compare.pictures.heat_map import heat_map
from runner.compare.report import html
from runner.compare.table import records, score_records, table
from runner.compare.verdict import sentences
from runner.plots import curves
from runner.plots.style import style
from runner.results.run import parse_history
from runner.training.fingerprint import laboratory_code
from tests.benchmarks.fresh import false_differences
from tests.run_folders import resign, write_run, write_summary, write_sweep


def family_of(comparison, task):
    return next(family for family in comparison.families if family.task == task)


def verdict(*folders, **how):
    return " ".join(sentences(build(folders, **how)))


# ---- reading and grouping


def test_collects_from_several_folders_and_lists_what_it_cannot_use(tmp_path):
    write_run(tmp_path / "a" / "deep" / "one", "tanh")
    write_run(tmp_path / "b" / "two", "relu")
    unfinished = write_run(tmp_path / "b" / "three", "gelu")
    (unfinished / "summary.json").unlink()
    damaged = write_run(tmp_path / "b" / "four", "silu")
    (damaged / "summary.json").write_text('{"format_version": 1, "repl')
    other = write_run(tmp_path / "b" / "five", "elu")
    (other / "summary.json").write_text('{"format_version": 99}')
    broken = write_run(tmp_path / "b" / "six", "selu")
    (broken / "config.yaml").write_text("a: [1")
    comparison = build([tmp_path / "a", tmp_path / "b"])
    assert [s.activation for s in comparison.settings] == ["relu", "tanh"]
    reasons = {p.path.rpartition("/")[2]: p.reason for p in comparison.problems}
    assert set(reasons) == {"three", "four", "five", "six"}
    assert "no summary.json" in reasons["three"]
    assert "summary.json cannot be read" in reasons["four"]
    assert "format_version 99" in reasons["five"]
    assert "config.yaml is damaged" in reasons["six"]
    assert all("\n" not in reason for reason in reasons.values())


def test_a_run_reached_by_two_folders_counts_once(tmp_path):
    write_run(tmp_path / "a" / "one", "tanh")
    write_run(tmp_path / "a" / "two", "relu")
    comparison = build([tmp_path, tmp_path / "a"])
    assert len(comparison.runs) == 2 and not comparison.problems


def test_seeds_of_one_setting_merge_and_a_repeated_seed_counts_once(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9, 0.8, 0.7], seed=0)
    write_run(tmp_path / "2", "tanh", scores=[0.1, 0.6], seed=2)
    write_run(tmp_path / "3", "relu", scores=[0.5] * 4, seed=0)
    comparison = build([tmp_path])
    tanh = comparison.settings[1]
    assert tanh.seeds == [0, 1, 2, 3]
    assert tanh.measured("test_accuracy").tolist() == [0.9, 0.8, 0.7, 0.6]
    assert "1 of 2 seeds" in comparison.problems[0].reason


def test_history_reads_as_it_was_written(tmp_path):
    run = write_run(tmp_path / "1", scores=[0.9, 0.8], epochs=4, diverged=[1])
    history = parse_history((run / "history.csv").read_bytes(), 2)
    with (run / "history.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert history["epoch"].shape == (2, 5)
    assert np.isnan(history["epoch"][1, 3:]).all()
    assert np.isnan(history["learning_rate"][0, 0])
    for line in lines:
        at = int(line["replicate"]), int(line["epoch"])
        expected = float(line["train_loss"] or "nan")
        assert history["train_loss"][at] == approx(expected, nan_ok=True)


def test_a_damaged_history_costs_its_curves_only_and_is_listed(tmp_path):
    write_run(tmp_path / "runs" / "1", "tanh")
    run = write_run(tmp_path / "runs" / "2", "relu")
    (run / "history.csv").write_text("replicate,seed,epoch\n0,0,zero\n")
    comparison = compare([tmp_path / "runs"], tmp_path / "out")
    assert len(comparison.arms) == 2
    (problem,) = comparison.problems
    assert problem.path == str(run) and "history.csv is damaged" in problem.reason
    for name in ("index.html", "leaderboard.md"):
        assert "history.csv is damaged" in (tmp_path / "out" / name).read_text()


@pytest.mark.parametrize("epoch", ["inf", "nan"])
def test_an_epoch_that_is_no_number_costs_its_curves_only(tmp_path, epoch):
    write_run(tmp_path / "runs" / "1", "tanh")
    folder = write_run(tmp_path / "runs" / "2", "relu")
    path = folder / "history.csv"
    path.write_text(path.read_text().replace("0,0,3,", f"0,0,{epoch},"))
    resign(folder)
    comparison = compare([tmp_path / "runs"], tmp_path / "out")
    assert len(comparison.arms) == 2
    assert ["epoch" in problem.reason for problem in comparison.problems] == [True]


def test_damaged_history_is_one_clear_line():
    with pytest.raises(ValueError, match="not a table of numbers"):
        parse_history(b"replicate,seed,epoch\n0,0,zero\n", 1)


# ---- scores


def test_failures_count_and_are_never_dropped(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9] * 10)
    write_run(tmp_path / "2", "relu", scores=[0.95] * 10, diverged=[1, 4])
    comparison = build([tmp_path])
    relu = next(row for row in records(comparison) if row["name"] == "relu")
    assert relu["score"] == approx(0.76) and relu["n"] == 10
    assert (relu["diverged"], relu["solved"]) == (2, 8)
    assert "2 of 20 replicates diverged (relu on moons: 2)" in verdict(tmp_path)


def test_a_diverged_replicate_has_the_greatest_loss_of_its_task(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9, 0.5])
    write_run(tmp_path / "2", "relu", scores=[0.95, 0.95], diverged=[0])
    comparison = build([tmp_path], metric="test_loss")
    relu = next(arm for arm in comparison.arms if arm.name == "relu")
    assert relu.scores == approx([0.6, 0.15])


def test_metric_and_tuned_key_that_no_run_has_are_refused(tmp_path):
    write_run(tmp_path / "1")
    with pytest.raises(ValueError, match="no run has the metric 'test_acuracy'"):
        build([tmp_path], metric="test_acuracy")
    with pytest.raises(ValueError, match="no run has a setting 'optimiser' to tune"):
        build([tmp_path], tune="optimiser")


def test_a_finished_run_without_the_metric_is_left_out_and_scores_nothing(tmp_path):
    write_run(tmp_path / "1", "tanh")
    folder = write_run(tmp_path / "2", "relu", dataset__test_fraction=0)
    comparison = build([tmp_path])
    assert [arm.activation for arm in comparison.arms] == ["tanh"]
    (problem,) = comparison.problems
    assert problem.path == str(folder) and problem.reason.startswith("has no test_accuracy; it has")
    assert len(build([tmp_path], metric="train_accuracy").arms) == 2


def test_a_folder_without_a_finished_run_is_refused(tmp_path):
    run = write_run(tmp_path / "1")
    (run / "summary.json").unlink()
    with pytest.raises(ValueError, match=r"no finished run in .*unfinished"):
        build([tmp_path])


def test_the_learning_rate_is_chosen_by_validation_not_by_test(tmp_path):
    rates = {0.01: (0.90, 0.95), 0.1: (0.99, 0.80), 1.0: (0.80, 0.70)}
    for rate, (test, validation) in rates.items():
        for name in ("tanh", "relu"):
            write_run(
                tmp_path / f"{name}{rate}", name, scores=[test] * 6, learning_rate=rate,
                validation=validation,
            )  # fmt: skip
    comparison = build([tmp_path])
    assert comparison.tuned == ("optimizer.learning_rate",)
    assert len(comparison.arms) == 2
    for arm in comparison.arms:
        assert arm.chosen == {"optimizer.learning_rate": 0.01}
        assert arm.scores == approx([0.9] * 6)
        assert arm.on_edge == ["optimizer.learning_rate"]
    text = verdict(tmp_path)
    assert "edge of the grid" in text and "out of 3 trials" in text
    assert len(build([tmp_path], tune="none").arms) == 6


def test_seeds_that_only_the_chosen_have_judge_them(tmp_path):
    """Once every setting has some: whoever is judged on other seeds is in no pair."""
    for name in ("tanh", "relu"):
        for rate, validation in ((0.01, 0.95), (0.1, 0.80), (1.0, 0.5)):
            write_run(
                tmp_path / f"{name}{rate}", name, scores=[0.9] * 6, learning_rate=rate,
                validation=validation,
            )  # fmt: skip
    text = " ".join(sentences(build([tmp_path])))
    assert "the same networks are judged, which exaggerates differences" in text
    # A trial that was not chosen has them too, as where a sweep has grown.
    for k, (name, rate) in enumerate((("tanh", 0.01), ("tanh", 0.1), ("relu", 0.01))):
        comparison = build([tmp_path])
        assert not any(arm.is_fresh for arm in comparison.arms)
        assert all(arm.setting.seeds == [*range(6)] for arm in comparison.arms)
        write_run(
            tmp_path / f"fresh {k}", name, scores=[0.8] * 6, learning_rate=rate, seed=6,
            validation=0.7,
        )  # fmt: skip
    comparison = build([tmp_path])
    for arm in comparison.arms:
        assert arm.is_fresh and arm.chosen == {"optimizer.learning_rate": 0.01}
        assert arm.setting.seeds == [*range(6, 12)] and arm.scores == approx([0.8] * 6)
        assert [trial.scores.mean() for trial in arm.trials] == approx([0.9] * 3)
    assert "again with fresh seeds" in " ".join(sentences(comparison))
    with style():
        (axes,) = heat_map(comparison)["heat_map"].axes
    (image,) = axes.images
    # What the choice was made from, and a frame around each choice.
    assert np.allclose(image.get_array(), 0.9) and len(axes.patches) == 2


@pytest.mark.slow
@pytest.mark.parametrize(("fresh", "least", "most"), [(False, 0.12, 0.4), (True, 0, 0.1)])
def test_fresh_seeds_keep_the_promise_that_tuning_breaks(fresh, least, most):
    """One activation's networks vary 15 times as much as the other's, 30 rates, no difference."""
    assert least <= false_differences(30, (0.002, 0.03), fresh, repeats=100) <= most


def test_a_sweep_over_rates_alone_compares_the_rates(tmp_path):
    for rate in (0.01, 0.1):
        write_run(tmp_path / str(rate), learning_rate=rate)
    assert len(build([tmp_path]).arms) == 2


def test_seeds_that_only_one_setting_has_are_its_placebo(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=np.linspace(0.9, 0.99, 10).tolist())
    write_run(tmp_path / "2", "relu", scores=np.linspace(0.8, 0.89, 10).tolist())
    write_run(tmp_path / "3", "tanh", scores=np.linspace(0.89, 0.98, 10).tolist(), seed=100)
    comparison = build([tmp_path])
    tanh = comparison.arms[0]
    assert tanh.scores.size == 10 and tanh.placebo.size == 10
    assert "Placebo: tanh on moons differs from itself with 10 other seeds" in verdict(tmp_path)


# ---- pairs and verdict


def test_settings_of_different_data_are_never_compared(tmp_path):
    write_run(tmp_path / "1", "tanh", dataset="moons")
    write_run(tmp_path / "2", "relu", dataset="spirals")
    comparison = build([tmp_path])
    assert comparison.tasks == ["moons", "spirals"]
    assert not any(family.pairs for family in comparison.families)
    assert "Each data set has only one setting" in verdict(tmp_path)
    assert verdict(tmp_path / "1").startswith("There is only one setting")


def test_the_settings_that_could_be_the_best_are_named_and_what_the_others_lack(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "relu": 0.0, "gelu": 0.06, "silu": 0.059})
    comparison = build([tmp_path])
    (family,) = comparison.families
    assert [one.could_be_best for one in family.standings] == [True, True, False, False]
    use, short, lost = sentences(comparison)
    gelu, silu, *others = family.names
    assert (
        use == f"On moons, use {gelu} or {silu}; {' and '.join(others)} are worse on all 10 seeds."
    )
    assert f"{others[0]} falls short of the best by " in short and short.endswith("(10 seeds).")
    assert lost.startswith(f"On moons, whichever of {gelu} and {silu} you take, you lose at most ")
    assert all(low > 0.03 for low, _ in (one.short for one in family.judged(False)))


def test_settings_that_all_could_be_the_best_say_what_is_lost_at_most(tmp_path):
    write_sweep(tmp_path, {"silu": 0, "gelu": 0.002})
    comparison = build([tmp_path])
    most = max(one.short[1] for one in comparison.families[0].standings)
    (text,) = sentences(comparison)
    assert text == (
        f"On moons, use {' or '.join(comparison.families[0].names)}: 10 seeds do not show that "
        f"one is worse; whichever of them you take, you lose at most {100 * most:.2f} points."
    )


def test_settings_no_better_than_chance_are_not_recommended_and_no_finding_is_shown(tmp_path):
    near = {"tanh": [0.5, 0.55, 0.45] * 4, "relu": [0.52, 0.48, 0.51] * 4, "sin": [0.4] * 12}
    for activation, scores in near.items():
        folder = write_run(tmp_path / activation, activation, "two_spirals", scores)
        summary = json.loads((folder / "summary.json").read_text())
        finding = {"code": "dead", "reason": "r", "text": "t", "shown": True}
        write_summary(folder, {**summary, "diagnosis": [finding] * (activation == "sin")})
    (text,) = sentences(build([tmp_path]))
    assert text.startswith(
        "On two_spirals, no setting is clearly better than chance (50%): the highest mean is that "
        "of relu, 50.3% ("
    )
    assert text.endswith(" test accuracy (12 seeds).")
    assert "chance" not in verdict(tmp_path, metric="test_loss")
    write_run(tmp_path / "gelu", "gelu", "two_spirals", [0.9, 0.91, 0.92] * 4)
    assert "On two_spirals, use gelu, 91.0%" in verdict(tmp_path)


@pytest.mark.parametrize("classes", [10, None, "2", True, 0])
def test_chance_is_that_of_the_number_of_classes_and_unknown_without_it(tmp_path, classes):
    for activation, score in (("tanh", 0.12), ("relu", 0.3)):
        folder = write_run(tmp_path / activation, activation, "rings", [score, score + 0.01] * 5)
        summary = json.loads((folder / "summary.json").read_text())
        write_summary(folder, {**summary, "classes": classes})
    assert verdict(tmp_path).startswith("On rings, use relu, 30.5%")
    (family,) = build([tmp_path]).families
    chance = family.standings[0].settings[0].chance
    assert chance == approx(0.1 if classes == 10 else np.nan, nan_ok=True)


def test_many_that_could_be_the_best_are_not_recommended_where_much_can_be_lost(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.95, 0.6] * 5)
    write_run(tmp_path / "2", "relu", scores=[0.6, 0.94] * 5)
    (text,) = sentences(build([tmp_path]))
    assert text.startswith("On moons, 10 seeds do not decide between tanh and relu; the highest ")
    assert "mean is that of tanh, 77.5% (" in text and "use" not in text
    assert "whichever of them you take, you lose at most " in text


def test_equal_means_are_never_said_not_to_differ(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9, 0.8] * 5)
    write_run(tmp_path / "2", "relu", scores=[0.8, 0.9] * 5)
    assert "at most" in verdict(tmp_path)


@pytest.mark.parametrize("n", [1, 3, 5])
def test_fewer_than_six_replicates_decide_nothing(tmp_path, n):
    write_sweep(tmp_path, {"silu": -0.3, "gelu": 0.05}, n=n)
    comparison = build([tmp_path])
    assert len(comparison.families[0].judged(None)) == 2
    seeds = f"{n} seed" + "s" * (n > 1)
    assert (
        f"6 common seeds, better 10, but no two share more than {seeds}" in sentences(comparison)[0]
    )
    assert "best" not in table(comparison, comparison.families[0])[0]
    assert np.isnan(records(comparison)[0]["low"]) == (n == 1)


def test_over_all_tasks_a_block_is_a_seed_and_its_score_the_mean_over_the_tasks(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0.05}, ("moons", "spirals"))
    comparison = build([tmp_path])
    assert [f.task for f in comparison.families] == [OVERALL, "moons", "spirals"]
    overall, *tasks = comparison.families
    best = overall.standings[0]
    expected = np.mean([family.standings[0].scores for family in tasks], axis=0)
    assert best.name == "gelu" and best.scores == approx(expected)
    assert records(comparison)[0]["n"] == overall.pairs[0].n == len(overall.seeds) == 10
    assert sentences(comparison)[0].startswith("Over these 2 tasks, use gelu, 9")


def test_losses_are_compared_by_ratio_and_none_of_0_or_infinity_breaks_it(tmp_path):
    for name, factor in {"tanh": 1.0, "gelu": 0.5, "relu": 1.01}.items():
        folder = write_run(tmp_path / name, name, scores=[0.5] * 8)
        summary = json.loads((folder / "summary.json").read_text())
        for k, entry in enumerate(summary["replicates"]):
            entry["final"]["test_loss"] = factor * (1 + k) * (1 + 0.01 * (k % 3) * len(name))
        write_summary(folder, summary)
    comparison = build([tmp_path], metric="test_loss")
    gelu, *others = comparison.families[0].standings
    assert gelu.name == "gelu" and not any(one.could_be_best for one in others)
    assert others[0].short == approx(np.log([2, 2]), abs=0.03)
    assert "tanh falls short of the best by a factor of 2 " in verdict(tmp_path, metric="test_loss")
    for entry, loss in zip(summary["replicates"], (0.0, 1e308), strict=False):
        entry["final"]["test_loss"] = loss
    write_summary(folder, summary)
    broken = build([tmp_path], metric="test_loss")
    assert [one.name for one in broken.families[0].standings if one.could_be_best]
    assert csv_text(records(broken)) and terminal(broken)


def test_a_worse_setting_is_listed_with_a_finding_that_the_best_do_not_have(tmp_path):
    write_sweep(tmp_path, {"tanh": -0.2, "gelu": 0.05, "relu": 0.05})
    findings = {"tanh": ["dead", "flat", "vanishing"], "gelu": ["dead", "flat"], "relu": []}
    for name, codes in findings.items():
        folder = tmp_path / f"{name}_moons_0.01"
        summary = json.loads((folder / "summary.json").read_text())
        summary["diagnosis"] = [
            {"code": code, "reason": f"it is {code}", "text": "", "shown": True} for code in codes
        ]
        write_summary(folder, summary)
    comparison = build([tmp_path])
    assert "; tanh is worse on all 10 seeds (finding: it is vanishing)." in sentences(comparison)[0]
    assert [row["finding"] for row in records(comparison)] == ["", "", "it is vanishing"]
    assert "| it is vanishing |" in markdown(comparison)
    with_reason = html(comparison, tmp_path, {})
    for folder in tmp_path.iterdir():
        summary = json.loads((folder / "summary.json").read_text())
        write_summary(folder, {**summary, "diagnosis": []})
    without = html(build([tmp_path]), tmp_path, {})
    assert ">finding</th>" in with_reason and "may not be the cause" in with_reason
    assert ">finding</th>" not in without and "may not be the cause" not in without


def test_no_finding_is_shown_where_more_than_the_activation_differs(tmp_path):
    finding = {"code": "dead", "reason": "units are dead", "text": "", "shown": True}
    low, high = ((np.linspace(0, 0.02, 10) + start).tolist() for start in (0.7, 0.9))
    for folder, name, scores, epochs in (
        ("best", "relu", high, 50), ("short", "tanh", low, 5), ("fair", "elu", low, 50),
    ):  # fmt: skip
        path = write_run(tmp_path / folder, name, scores=scores, epochs=epochs)
        if name != "relu":
            summary = json.loads((path / "summary.json").read_text())
            write_summary(path, {**summary, "diagnosis": [finding]})
    reasons = {row["name"]: row["finding"] for row in records(build([tmp_path]))}
    assert reasons == {
        "relu epochs=50": "", "tanh epochs=5": "", "elu epochs=50": "units are dead",
    }  # fmt: skip
    (sentence,) = (text for text in sentences(build([tmp_path])) if "finding: " in text)
    assert sentence.endswith(
        "elu epochs=50 is worse on all 10 seeds (finding: units are dead); "
        "tanh epochs=5 is worse on all 10 seeds."
    )


def test_a_tuned_rate_may_be_the_cause_too(tmp_path):
    finding = {"code": "dead", "reason": "units are dead", "text": "", "shown": True}
    for name, rate in itertools.product(("relu", "tanh"), (0.01, 0.1)):
        best = rate == (0.01 if name == "relu" else 0.1)
        scores = ((0.9 if name == "relu" else 0.7) + np.linspace(0, 0.02, 10)).tolist()
        path = write_run(
            tmp_path / f"{name}{rate}", name, scores=scores, learning_rate=rate,
            validation=0.95 if best else 0.9,
        )  # fmt: skip
        if name == "tanh":
            summary = json.loads((path / "summary.json").read_text())
            write_summary(path, {**summary, "diagnosis": [finding]})
    assert {row["finding"] for row in records(build([tmp_path]))} == {""}
    same_rate = [tmp_path / "relu0.1", tmp_path / "tanh0.1"]
    assert "units are dead" in {row["finding"] for row in records(build(same_rate))}


def trained_by(folder, code):
    summary = json.loads((folder / "summary.json").read_text())
    write_summary(folder, {**summary, "fingerprint": {**summary["fingerprint"], "code": code}})


def test_runs_of_another_version_of_the_code_are_left_out_with_the_command_that_renews_them(
    tmp_path, capsys
):
    old = write_run(tmp_path / "runs" / "the old", "tanh", scores=[0.99] * 6)
    for name in ("relu", "gelu"):
        trained_by(write_run(tmp_path / "runs" / name, name, scores=[0.9] * 6), laboratory_code())
    trained_by(old, "another")
    comparison = build([tmp_path / "runs"])
    assert {arm.name for arm in comparison.arms} == {"relu", "gelu"}
    command = f"python -m runner activation=tanh dataset=moons 'hydra.run.dir={old}'"
    assert sentences(comparison)[1:] == [
        "1 run is left out because another version of this laboratory's code trained it; this "
        f"command trains it again: {command}"
    ]
    assert main([str(tmp_path / "runs"), "--no-pictures"]) == 0
    assert command in capsys.readouterr().out
    page = (tmp_path / "runs" / "comparison" / "index.html").read_text()
    assert '<h2 id="left-out">' in page and page.count("&#x27;hydra.run.dir=") >= 2
    # Old runs are comparable with each other.
    for name in ("relu", "gelu"):
        trained_by(tmp_path / "runs" / name, "another")
    assert len(build([tmp_path / "runs"]).arms) == 3
    trained_by(old, "a third")
    assert {arm.name for arm in build([tmp_path / "runs"]).arms} == {"relu", "gelu"}


def test_a_setting_with_too_few_seeds_has_no_verdict_and_takes_none_from_the_others(tmp_path):
    write_sweep(tmp_path, {"f0": -0.3, "f1": -0.3, "gelu": 0}, n=6)
    write_run(tmp_path / "few", "relu", scores=np.linspace(0.98, 0.99, 5).tolist())
    write_sweep(tmp_path / "b", {"elu": -0.3, "selu": 0}, ("spirals",), n=3)
    comparison = build([tmp_path])
    family = family_of(comparison, "moons")
    assert [one.name for one in family.judged(True)] == ["gelu"]
    assert [one.name for one in family.judged(None)] == ["relu"] == family.names[:1]
    assert "On moons, there is no verdict on relu (5 seeds)" in verdict(tmp_path)
    assert "On spirals, there is no verdict: it needs settings with 6 common seeds" in verdict(
        tmp_path
    )
    row = next(row for row in records(comparison) if row["name"] == "relu")
    assert row["best"] == "" and np.isnan(row["short_high"])
    assert all(np.isnan(pair.p) == (pair.first == 0) for pair in family.pairs)


@pytest.mark.parametrize(
    ("arms", "judged", "seeds"),
    [
        ("aaaaaaaaaa ...aaaaaaa aaaaaaaaaa", [0, 1, 2], range(3, 10)),
        ("......aaaaaa aaaaaa...... ......aaaaaa", [0, 2], range(6, 12)),
        ("aaaaaa...... ......aaaaaa", [], []),
        ("aaaaa aaaaa aaaaa", [], []),
    ],
)
def test_the_seeds_that_all_have_decide_who_is_judged(arms, judged, seeds):
    has = np.array([[sign == "a" for sign in arm] for arm in arms.split()])
    kept, common = sharing(has)
    assert np.flatnonzero(kept).tolist() == judged
    assert np.flatnonzero(common).tolist() == list(seeds)


@pytest.mark.parametrize("tune", [None, "none"])
def test_a_ranking_that_reverses_between_learning_rates_is_told(tmp_path, tune):
    luck = np.random.default_rng(0).normal(0, 0.02, (2, 3, 10))
    gaps = {"tanh": (0, 0, 0.1), "gelu": (0.1, 0, 0), "relu": (0.1, 0, 0.01)}
    for (name, of_rates), own in zip(gaps.items(), (luck[0], luck[1], -luck[1]), strict=True):
        for rate, gap, noise in zip((0.01, 0.1, 1.0), of_rates, own, strict=True):
            scores = (0.8 + gap + 0.1 * noise).tolist()
            write_run(tmp_path / f"{name}{rate}", name, scores=scores, learning_rate=rate)
    (text,) = (text for text in sentences(build([tmp_path], tune=tune)) if "reverses" in text)
    assert "On moons, the ranking reverses with the learning rate: at " in text
    assert "at 1 tanh is ahead of gelu by " in text or "at 1 tanh is ahead by " in text


@pytest.mark.slow
def test_at_most_5_percent_of_null_sweeps_shut_out_the_setting_unlike_the_others(tmp_path):
    """Each task is a sweep of its own: one setting varies five times as much as the others."""
    generator, sweeps = np.random.default_rng(11), 120
    for task in range(sweeps):
        for name, spread in {"tanh": 0.05, "relu": 0.01, "gelu": 0.01}.items():
            scores = generator.normal(0.5, spread, 7).tolist()
            folder = tmp_path / f"{name}{task}"
            write_run(folder, name, scores=scores, epochs=1, dataset__noise=task / 1000)
    families = build([tmp_path]).families[1:]
    assert len(families) == sweeps
    for name in ("tanh", "relu"):
        out = sum(name in [one.name for one in family.judged(False)] for family in families)
        # Two standard errors above 5%.
        assert out / sweeps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / sweeps)


# ---- files


def test_the_report_has_the_rows_over_all_tasks(tmp_path):
    for number, (name, task) in enumerate(
        itertools.product(("relu", "tanh"), ("moons", "spirals"))
    ):
        write_run(tmp_path / str(number), name, task, [0.9 + 0.01 * number] * 7)
    comparison = build([tmp_path])
    page = html(comparison, tmp_path, {})
    heading = page.index("<h3>all tasks</h3>")
    first = page[heading : page.index("</table>", heading)]
    for row in records(comparison)[:2]:
        assert row["task"] == "all tasks"
        assert f"<td>{row['name']}</td><td>{100 * row['score']:.1f}%" in first


def test_tables_agree_and_hostile_names_stay_text(tmp_path):
    hostile = "=cmd|<b>`</script>`"
    write_run(tmp_path / "runs" / "1", hostile, scores=[0.9] * 6)
    write_run(tmp_path / "runs" / "2", "tanh", scores=np.linspace(0.7, 0.8, 6).tolist())
    comparison = compare([tmp_path / "runs"], tmp_path / "out", plots="none")
    with (tmp_path / "out" / "leaderboard.csv").open() as stream:
        table = list(csv.DictReader(stream))
    assert [row["activation"] for row in table] == [f"'{hostile}", "tanh"]  # no formula
    assert float(table[1]["score"]) == approx(0.75)
    text = markdown(comparison)
    header = next(line for line in text.splitlines() if line.startswith("| activation"))
    for line in text.splitlines():
        if line.startswith("| "):
            assert line.replace("\\|", "").count("|") == header.count("|")
    assert "<b>" not in text
    assert hostile in terminal(comparison)


def test_scores_are_there_by_setting_task_and_seed_for_ones_own_statistics(tmp_path):
    write_sweep(tmp_path / "runs", {"tanh": 0, "gelu": 0.01}, ("moons", "xor"), (0.01, 0.1), n=4)
    for rate, scores in {0.01: [0.8, 0.7], 0.1: [0.97, 0.96]}.items():
        path = tmp_path / "runs" / f"placebo{rate}"
        write_run(path, "tanh", scores=scores, seed=50, learning_rate=rate)
    comparison = compare([tmp_path / "runs"], tmp_path / "out", plots="none")
    with (tmp_path / "out" / "scores.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == 2 * 2 * 2 * 4 + 2 * 2
    assert {line["metric"] for line in lines} == {"test_accuracy"}
    judged: dict[tuple[str, str], list[float]] = {}
    for line in lines:
        if line["judged"] == "true":
            own = judged.setdefault((line["task"], line["activation"]), [])
            own.append(float(line["score"]))
    expected = {(arm.task, arm.activation): approx(arm.scores.tolist()) for arm in comparison.arms}
    assert judged == expected
    placebo = [(line["seed"], line["score"]) for line in lines if line["placebo"] == "true"]
    assert placebo == [("50", "0.97"), ("51", "0.96")]
    assert {line["learning_rate"] for line in lines if line["chosen"] == "true"} == {"0.1"}


def test_scores_tell_the_networks_that_judge_from_those_that_chose(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0.01}, rates=(0.01, 0.1), n=4)
    for name in ("tanh", "gelu"):
        write_run(tmp_path / name, name, scores=[0.9] * 4, seed=40, learning_rate=0.1)
    lines = score_records(build([tmp_path]))
    assert {(line["seed"] // 40, line["judged"]) for line in lines if line["chosen"]} == {
        (0, False), (1, True),
    }  # fmt: skip
    assert len(lines) == 2 * 3 * 4 and not any(line["placebo"] for line in lines)


def test_a_latex_table_is_plain_and_its_names_are_escaped(tmp_path):
    for name in ("a_b & c%", "[16\\16]"):
        write_run(tmp_path / name.replace("\\", ""), name, scores=[0.9] * 6)
    text = latex(build([tmp_path]))
    assert r"a\_b \& c\% & 90.0\%" in text and r"{[}16\textbackslash{}16] & " in text
    head, *rows = (line for line in text.splitlines() if line.endswith(r" \\"))
    assert {line.replace(r"\&", "").count("&") for line in rows} == {head.count("&")}
    assert text.count(r"\hline") == 3 and "toprule" not in text


def test_the_report_says_what_ten_seeds_cannot_see(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0})
    page = html(build([tmp_path]), tmp_path, {})
    assert "10 seeds can miss a failure that happens in fewer than 1 in 4 seeds." in page


def test_a_column_without_any_text_is_left_out_of_its_table(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0.05}, ("moons", "xor"), rates=(0.01, 0.1), n=3)
    comparison = build([tmp_path])
    headings = [table(comparison, family)[0] for family in comparison.families]
    assert ["chosen" in line for line in headings] == [False, True, True]
    assert all({"activation", "test accuracy", "seconds"} <= set(line) for line in headings)


def test_pictures_and_tables_score_a_diverged_replicate_alike(tmp_path):
    """The greatest loss is of its own task, not of another one's."""
    write_run(tmp_path / "1", "tanh", "moons", scores=[0.9, 0.9], diverged=[1])
    write_run(tmp_path / "2", "tanh", "spirals", scores=[0.5, 0.5])
    comparison = build([tmp_path], metric="test_loss")
    moons = next(s for s in comparison.settings if s.config["dataset.name"] == "moons")
    assert moons.scores == approx([0.2, 0.2])
    assert moons.score.centre == approx(records(comparison)[0]["score"])


def test_the_same_runs_give_the_same_bytes(tmp_path):
    write_sweep(tmp_path / "runs", {"tanh": 0, "gelu": 0.05}, rates=(0.01, 0.1), n=6)
    outputs = []
    for name in ("one", "two"):
        compare([tmp_path / "runs"], tmp_path / name)
        outputs.append({p.name: p.read_bytes() for p in sorted((tmp_path / name).iterdir())})
    assert outputs[0] == outputs[1]
    tables = {"leaderboard.csv", "leaderboard.md", "leaderboard.tex", "pairs.csv", "scores.csv"}
    assert {"index.html", *tables} <= set(outputs[0])
    assert {"learning_rate.png", "leaderboard.png", "curves.png"} <= set(outputs[0])


def test_the_order_of_the_folders_changes_nothing(tmp_path):
    """Two rates tie on validation accuracy: their order must not choose between them."""
    for rate in (0.01, 0.1):
        for activation in ("tanh", "gelu", "relu"):
            write_run(tmp_path / f"{activation}_{rate}", activation, learning_rate=rate)
    folders = sorted(tmp_path.iterdir())
    tables = [csv_text(records(build(order))) for order in (folders, folders[::-1])]
    assert tables[0] == tables[1]


def test_among_equal_validation_accuracies_the_lower_loss_is_chosen(tmp_path):
    for rate, loss in ((0.01, 0.3), (0.1, 0.2)):
        path = write_run(tmp_path / f"tanh_{rate}", "tanh", learning_rate=rate)
        write_run(tmp_path / f"relu_{rate}", "relu", learning_rate=rate)
        summary = json.loads((path / "summary.json").read_text())
        for entry in summary["replicates"]:
            entry["final"]["validation_loss"] = loss
        write_summary(path, summary)
    chosen = {arm.activation: arm.chosen for arm in build([tmp_path]).arms}
    assert chosen["tanh"] == {"optimizer.learning_rate": 0.1}


def test_failed_jobs_are_listed_with_reason_and_command(tmp_path):
    write_run(tmp_path / "runs" / "1")
    failure = Problem("job 7", "killed by signal 9", "python -m runner seed=7")
    comparison = compare([tmp_path / "runs"], tmp_path / "out", plots="none", failures=[failure])
    for text in (
        (tmp_path / "out" / "leaderboard.md").read_text(),
        (tmp_path / "out" / "index.html").read_text(),
    ):
        assert "killed by signal 9" in text and "python -m runner seed=7" in text
    assert "1 job failed" in " ".join(sentences(comparison))


@pytest.mark.parametrize(
    "shape", [{"diverged": range(6)}, {"epochs": 1}, {"solved_at": 2}], ids=str
)
def test_every_picture_survives_odd_runs(tmp_path, shape):
    write_run(tmp_path / "runs" / "1", "tanh", scores=[0.9] * 6, **shape)
    write_run(tmp_path / "runs" / "2", "relu", scores=[0.9] * 6, **shape)
    compare([tmp_path / "runs"], tmp_path / "out")
    assert (tmp_path / "out" / "leaderboard.png").stat().st_size > 5_000


def test_two_swept_keys_have_a_heat_map_and_tuning_its_budget(tmp_path):
    for a, depth, rate in itertools.product(("tanh", "relu"), (2, 4, 8), (0.01, 0.1, 1.0)):
        hidden = {"hidden": [16] * depth}
        write_run(tmp_path / f"{a}{depth}{rate}", a, model=hidden, learning_rate=rate)
    comparison = build([tmp_path])
    with style():
        drawn = heat_map(comparison) | budget(comparison)
        for figure in drawn.values():
            figure.draw_without_rendering()
    assert set(drawn) == {"heat_map", "budget"}
    (image,) = drawn["heat_map"].axes[0].images
    assert image.get_array().shape == (3, 3)


@pytest.mark.parametrize("layers", [3, 12])
def test_health_tells_its_numbers_in_the_cells_or_above_them(tmp_path, layers):
    for name in ("tanh", "relu"):
        write_run(tmp_path / name, name, model={"hidden": [4] * layers})
    (dead, *_) = health(build([tmp_path]))["health"].axes
    assert bool(dead.texts) == (layers == 3)
    assert dead.get_title(loc="left").startswith("dead at end, ") == (layers == 12)


def test_single_runs_that_differ_in_all_have_no_picture_of_one_key(tmp_path):
    for epochs, name in ((5, "tanh"), (50, "relu"), (500, "gelu")):
        write_run(tmp_path / name, name, epochs=epochs)
    comparison = build([tmp_path])
    assert "training.epochs" in comparison.keys and not against_settings(comparison)


def test_depth_width_and_noise_have_pictures_of_their_own(tmp_path):
    for a, depth in itertools.product(("tanh", "relu"), (2, 4, 8)):
        write_run(tmp_path / "d" / f"{a}{depth}", a, model={"hidden": [16] * depth})
    for a, noise in itertools.product(("tanh", "relu"), (0.1, 0.2, 0.3)):
        write_run(tmp_path / "n" / f"{a}{noise}", a, dataset__noise=noise)
    compare([tmp_path / "d"], tmp_path / "out_d")
    compare([tmp_path / "n"], tmp_path / "out_n")
    assert (tmp_path / "out_d" / "hidden_layers.png").is_file()
    assert (tmp_path / "out_n" / "noise.png").is_file()


# ---- the shell


def test_the_command_prints_the_leaderboard_and_writes_beside_the_runs(tmp_path, capsys):
    write_sweep(tmp_path / "s", {"tanh": 0, "gelu": 0.05}, n=10)
    assert main([str(tmp_path / "s"), "--no-pictures"]) == 0
    shown = capsys.readouterr().out
    assert "On moons, use gelu" in shown and "comparison/index.html" in shown
    data = (tmp_path / "s" / "comparison" / "index.html").read_text()
    assert json.loads(data.split('id="data">')[1].split("</script>")[0])["rows"]
    # The comparison's own folder is no run and no problem the next time.
    assert not build([tmp_path / "s"]).problems


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "is not a folder" in error


def test_real_runs_show_their_boundaries_and_the_line_that_repeats_the_worst(tmp_path):
    from runner.__main__ import main as run
    from runner.compare.pictures.boundaries import repeat_line

    for name in ("tanh", "relu"):
        words = [f"activation={name}", "replicates=3", "training.epochs=3", "plots=none"]
        assert run([*words, f"hydra.run.dir={tmp_path / 'runs' / name}"]) == 0
    comparison = compare([tmp_path / "runs"], tmp_path / "out")
    assert (tmp_path / "out" / "boundaries.png").stat().st_size > 20_000
    assert (tmp_path / "out" / "worst_first.png").stat().st_size > 20_000
    arm = comparison.arms[0]
    line = repeat_line(arm, 2)
    assert line.startswith("python -m runner") and f"activation={arm.name}" in line
    assert line.endswith("seed=2 replicates=1")
    again = line.split()[3:]
    assert run([*again, "plots=none", f"hydra.run.dir={tmp_path / 'again'}"]) == 0
    repeated = build([tmp_path / "again"]).settings[0]
    assert repeated.measured("test_loss")[0] == arm.setting.measured("test_loss")[2]


def test_without_test_data_the_choice_and_the_score_are_of_the_same_data_and_it_says_so(tmp_path):
    from runner.__main__ import main as run

    for name, rate in itertools.product(("tanh", "relu"), (0.01, 0.1)):
        words = [f"activation={name}", f"optimizer.learning_rate={rate}", "replicates=2"]
        words += ["dataset.test_fraction=0", "training.epochs=2", "plots=none"]
        assert run([*words, f"hydra.run.dir={tmp_path / 'runs' / f'{name}{rate}'}"]) == 0
    comparison = compare([tmp_path / "runs"], tmp_path / "out")
    assert comparison.metric == "validation_accuracy"
    assert "not test scores" in " ".join(sentences(comparison))
    assert (tmp_path / "out" / "boundaries.png").stat().st_size > 20_000


def test_axes_of_a_heat_map_are_sorted_by_size_not_by_letter():
    from runner.compare.pictures.heat_map import order

    widths = [[32, 32], [2, 2], [16] * 10, [16], [4, 4]]
    assert sorted(widths, key=order) == [[16], [2, 2], [4, 4], [32, 32], [16] * 10]
    assert sorted([10, 0.5, 3], key=order) == [0.5, 3, 10]


# ---- settings with few seeds, several tasks, tuning of names


def test_data_are_not_tuned(tmp_path):
    for noise in (0.1, 0.2):
        write_run(tmp_path / str(noise), dataset__noise=noise)
    for key in ("dataset", "dataset.noise"):
        with pytest.raises(ValueError, match=f"'{key}' cannot be tuned"):
            build([tmp_path], tune=key)


def test_seeds_that_overlap_are_told_apart_from_folders_that_cannot_be_used(tmp_path):
    for k, name in enumerate(("tanh", "tanh", "relu", "relu")):
        write_run(tmp_path / str(k), name)
    text = verdict(tmp_path)
    assert "2 runs repeat seeds of other runs; each seed counts once." in text
    assert "could not be used" not in text


@pytest.mark.parametrize(("solved", "median"), [(1, "nan"), (3, "nan"), (4, 5.5), (5, 5.0)])
def test_the_median_epoch_solved_counts_those_that_never_solved(tmp_path, solved, median):
    n = 6 if solved != 5 else 5
    write_run(tmp_path / "1", scores=[0.95] * solved + [0.5] * (n - solved))
    (row,) = records(build([tmp_path]))
    assert row["solved"] == solved
    assert row["median_solved_epoch"] == approx(float(median), nan_ok=True)


def test_a_difference_has_a_digit_more_than_its_scores():
    assert wording.score(0.9944, "test_accuracy") == wording.score(0.9936, "test_accuracy")
    assert wording.difference(0.9936 - 0.9944, "test_accuracy") == "\N{MINUS SIGN}0.08 points"
    assert wording.difference(0.0, "test_accuracy") == "0 points"


def test_no_accuracy_falls_short_by_more_than_all():
    assert wording.shortfall((0.2, 1.045), "test_accuracy") == "20.00 to 100.00 points"
    assert wording.lost_at_most(1.045, "test_accuracy") == "you lose at most 100.00 points"
    assert wording.shortfall((0, np.log(20)), "test_loss") == "a factor of up to 20"


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_one_interval_in_summary_leaderboard_report_and_pictures(tmp_path, metric):
    words = ["replicates=3", "training.epochs=3", "dataset.samples=200", "plots=none"]
    runs = [
        run([f"activation={name}", *words, f"hydra.run.dir={tmp_path / name}"])
        for name in ("tanh", "relu")
    ]
    comparison = build([result.path for result in runs], metric=metric)
    for result in runs:
        stored = result.summary["together"]["final"][metric]
        expected = approx([stored["centre"], stored["low"], stored["high"]], rel=1e-6)
        (row,) = [r for r in records(comparison) if r["folder"] == str(result.path)]
        assert [row["score"], row["low"], row["high"]] == expected
        (arm,) = [arm for arm in comparison.arms if arm.setting.runs[0].path == result.path]
        band = arm.setting.band(metric, arm.setting.curve(metric)[1])
        assert [end[-1] for end in band[:3]] == expected
        figure = getattr(curves, metric.removeprefix("test_"))(result)
        drawn = np.concatenate(
            [b.get_paths()[0].vertices for b in figure.axes[0].collections if b.get_paths()]
        )
        last = drawn[drawn[:, 0] == 3, 1]
        assert all(
            np.isclose(last, end, rtol=1e-6).any() for end in (stored["low"], stored["high"])
        )
