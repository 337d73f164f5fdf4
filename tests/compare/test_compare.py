"""The comparison's arithmetic: grouping, scores, tuning, verdicts, tables, and its
promises."""

import csv
import itertools
import json

import numpy as np
import pytest
import yaml
from pytest import approx

from runner import run
from runner.compare import Problem, build, compare, wording
from runner.compare.__main__ import main
from runner.compare.outputs import csv_text, markdown, terminal
from runner.compare.pairs import ALPHA, OVERALL
from runner.compare.pictures.against import budget
from runner.compare.pictures.heat_map import heat_map
from runner.compare.report import html
from runner.compare.scores import Arm
from runner.compare.settings import Setting, differing_keys, show
from runner.compare.table import records, table
from runner.compare.verdict import sentences
from runner.plots import curves
from runner.plots.style import style
from runner.results.run import flatten, parse_history
from tests.run_folders import resign, write_run, write_summary, write_sweep


def family_of(comparison, task):
    return next(family for family in comparison.families if family.task == task)


def made_up_arm(name, scores, seeds):
    """An arm without runs."""
    entries = [{"seed": seed} for seed in seeds]
    return Arm("t", name, Setting({}, replicates=entries, metric="test_accuracy", scores=scores))


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


def test_only_keys_that_differ_get_columns(tmp_path):
    write_run(tmp_path / "1", "tanh", model={"hidden": [16, 16]})
    write_run(tmp_path / "2", "relu", model={"hidden": [8, 4]}, seed=5)
    assert build([tmp_path]).keys == ["activation.name", "model.hidden"]


def test_a_parameter_that_follows_from_its_sections_name_is_no_difference():
    leaky = flatten({"activation": {"name": "leaky_relu", "alpha": 0.2}})
    elu = flatten({"activation": {"name": "elu", "alpha": 1.0}})
    other = flatten({"activation": {"name": "leaky_relu", "alpha": 0.1}})
    assert differing_keys([leaky, elu]) == ["activation.name"]
    assert differing_keys([leaky, elu, other]) == ["activation.name", "activation.alpha"]


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


def test_values_read_well():
    assert [show(v) for v in ([16, 8], [16] * 30, 0.01, None, True)] == [
        "16-8", "30x16", "0.01", "-", "true",
    ]  # fmt: skip


# ---- scores


def test_failures_count_and_are_never_dropped(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9] * 10)
    write_run(tmp_path / "2", "relu", scores=[0.95] * 10, diverged=[1, 4])
    comparison = build([tmp_path])
    relu = next(row for row in records(comparison) if row["name"] == "relu")
    assert relu["score"] == approx(0.76) and relu["n"] == 10
    assert (relu["diverged"], relu["solved"]) == (2, 8)
    assert "2 of 20 replicates diverged (relu on moons 2)" in verdict(tmp_path)


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
    assert "Placebo: tanh on moons against itself with 10 other seeds" in verdict(tmp_path)


# ---- pairs and verdict


def test_settings_of_different_data_are_never_compared(tmp_path):
    write_run(tmp_path / "1", "tanh", dataset="moons")
    write_run(tmp_path / "2", "relu", dataset="spirals")
    comparison = build([tmp_path])
    assert comparison.tasks == ["moons", "spirals"]
    assert not any(family.pairs for family in comparison.families)
    assert "only one setting" in verdict(tmp_path)


def test_a_clear_winner_is_named(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "relu": 0.0, "gelu": 0.06}, n=10)
    comparison = build([tmp_path])
    family = comparison.families[0]
    assert family.winner.name == "gelu"
    assert [(s.rank, s.letters) for s in family.standings] == [(1, "a"), (2, "b"), (2, "b")]
    assert sentences(comparison)[0].startswith("On moons gelu is best: 9")


def test_a_tie_says_how_many_replicates_it_would_take(tmp_path):
    write_sweep(tmp_path, {"silu": 0, "gelu": 0.002}, n=10)
    comparison = build([tmp_path])
    text = sentences(comparison)[0]
    assert comparison.families[0].winner is None
    needed = comparison.families[0].pairs[0].needed
    assert "tie with 10 seeds" in text
    assert f"about {needed:.0f} would separate them if the gap is real" in text


@pytest.mark.parametrize("n", [2, 3, 5])
def test_fewer_than_six_replicates_decide_nothing(tmp_path, n):
    write_sweep(tmp_path, {"silu": -0.3, "gelu": 0.05}, n=n)
    comparison = build([tmp_path])
    family = comparison.families[0]
    assert family.winner is None and family.method == "none"
    assert f"no test can decide with {n} replicates" in sentences(comparison)[0]
    assert family.replicates_needed == 6


def test_one_replicate_says_so_and_has_no_interval(tmp_path):
    write_sweep(tmp_path, {"silu": 0, "gelu": 0.05}, n=1)
    comparison = build([tmp_path])
    assert "with 1 replicate:" in sentences(comparison)[0]
    assert np.isnan(records(comparison)[0]["low"])


def test_few_replicates_for_holm_take_the_joint_test_by_design_alone(tmp_path):
    gaps = {f"f{i}": 0.0 for i in range(12)} | {"gelu": 0.08}
    write_sweep(tmp_path, gaps, n=10)
    family = build([tmp_path]).families[0]
    assert family.method == "joint"
    assert family.winner.name == "gelu"


def test_p_values_are_adjusted_over_all_tasks(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0.05}, ("moons", "spirals"), n=10)
    comparison = build([tmp_path])
    assert [f.task for f in comparison.families] == [OVERALL, "moons", "spirals"]
    for family in comparison.families:
        assert family.pairs[0].adjusted == approx(3 * family.pairs[0].p)
    assert family_of(comparison, OVERALL).pairs[0].n == 20


def test_runs_without_common_seeds_are_paired_in_theirorder(tmp_path):
    write_run(tmp_path / "1", "tanh", scores=[0.9, 0.8, 0.7], seed=0)
    write_run(tmp_path / "2", "relu", scores=[0.8, 0.7, 0.6, 0.5], seed=50)
    pair = build([tmp_path]).families[0].pairs[0]
    assert pair.n == 3 and pair.difference.centre == approx(0.1)


@pytest.mark.parametrize(("settings", "n"), [(3, 10), (5, 12), (8, 10)])
def test_at_most_5_percent_of_null_sweeps_name_a_winner_or_any_difference(settings, n):
    """Null sweeps through the comparison's own decision, without files."""
    from runner.compare.pairs import families

    generator = np.random.default_rng(11)
    sweeps, named, separated = 300, 0, 0
    for _ in range(sweeps):
        shared = generator.normal(0, 1, n)
        arms = [
            made_up_arm(str(i), shared + generator.normal(0, 1, n), range(n))
            for i in range(settings)
        ]
        arms.sort(key=lambda arm: -arm.scores.mean())
        family = families(arms)[0]
        assert family.method in ("holm", "joint")
        named += family.winner is not None
        separated += any(pair.adjusted <= ALPHA for pair in family.pairs)
    # Three standard errors above 5%.
    assert separated / sweeps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / sweeps)
    assert named <= separated


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
    header = next(line for line in text.splitlines() if line.startswith("| rank"))
    for line in text.splitlines():
        if line.startswith("| 1") or line.startswith("| 2"):
            assert line.replace("\\|", "").count("|") == header.count("|")
    assert "<b>" not in text
    assert hostile in terminal(comparison)


def test_a_setting_called_like_a_column_keeps_its_section_in_every_table(tmp_path):
    for n in (1, 2):
        optimizer = {"name": "adam", "learning_rate": 0.1, "n": n}
        write_run(tmp_path / str(n), scores=[0.9] * n, optimizer=optimizer)
    comparison = build([tmp_path])
    assert [(row["n"], row["optimizer.n"]) for row in records(comparison)] == [(1, "1"), (2, "2")]
    assert "optimizer.n" in terminal(comparison) and "optimizer.n" in markdown(comparison)
    assert ">optimizer.n</th>" in html(comparison, tmp_path, {})


def test_a_column_without_any_text_is_left_out_of_its_table(tmp_path):
    write_sweep(tmp_path, {"tanh": 0, "gelu": 0.05}, ("moons", "xor"), rates=(0.01, 0.1), n=3)
    comparison = build([tmp_path])
    headings = [table(comparison, family)[0] for family in comparison.families]
    assert ["chosen" in line for line in headings] == [False, True, True]
    assert all({"rank", "test accuracy", "seconds"} <= set(line) for line in headings)


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
    assert {"index.html", "leaderboard.csv", "leaderboard.md", "pairs.csv"} <= set(outputs[0])
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
    assert "gelu is best" in shown and "comparison/index.html" in shown
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
    assert "not of held-out data" in " ".join(sentences(comparison))
    assert (tmp_path / "out" / "boundaries.png").stat().st_size > 20_000


def test_labels_tell_settings_apart_without_commas(tmp_path):
    for name, hidden in itertools.product(("tanh", "relu"), ([16, 16], [2, 2])):
        write_run(tmp_path / f"{name}{hidden[0]}", name, model={"hidden": hidden})
    names = {arm.name for arm in build([tmp_path]).arms}
    assert names == {"tanh 16-16", "tanh 2-2", "relu 16-16", "relu 2-2"}
    write_run(tmp_path / "more", "tanh", dataset__noise=0.3)
    assert {arm.task for arm in build([tmp_path]).arms} == {"noise=0.2", "noise=0.3"}


def test_axes_of_a_heat_map_are_sorted_by_size_not_by_letter():
    from runner.compare.pictures.heat_map import order

    widths = [[32, 32], [2, 2], [16] * 10, [16], [4, 4]]
    assert sorted(widths, key=order) == [[16], [2, 2], [4, 4], [32, 32], [16] * 10]
    assert sorted([10, 0.5, 3], key=order) == [0.5, 3, 10]


# ---- settings with few seeds, several tasks, tuning of names


def write_default_beside_sweep(folder, n_sweep, n_other):
    """Twelve settings with n_sweep seeds, f0 far ahead, and one with n_other, best of all."""
    gaps = {f"f{i}": -0.3 + 0.001 * i for i in range(11)} | {"gelu": 0}
    write_sweep(folder, gaps, n=n_sweep)
    write_run(folder / "few", "relu", scores=np.linspace(0.98, 0.99, n_other).tolist())


def test_a_setting_with_too_few_seeds_disables_no_other_test(tmp_path):
    write_default_beside_sweep(tmp_path, 6, 5)
    comparison = build([tmp_path])
    (family,) = comparison.families
    assert family.method == "joint" and family.winner.name == "gelu"
    first, *others, last = family.standings
    assert last.name == "relu" and family.tested == 12
    assert last.rank is None and last.letters == ""
    assert first.letters == "a" and all("a" not in other.letters for other in others)
    assert "On moons there is no rank for relu (5 seeds): too few seeds" in verdict(tmp_path)
    assert all(not pair.tested and pair.adjusted == 1 for pair in family.pairs if pair.second == 12)
    assert "| relu |" in markdown(comparison) and "None" not in markdown(comparison)
    assert records(comparison)[-1]["rank"] is None


def test_pairs_with_unequal_numbers_of_seeds_are_tested_each_with_its_own(tmp_path):
    write_default_beside_sweep(tmp_path, 10, 7)
    (family,) = build([tmp_path]).families
    assert (family.method, family.tested, family.replicates) == ("joint", 13, (7, 10))
    gelu = family.names.index("gelu")
    others = [i for i, name in enumerate(family.names) if name.startswith("f")]
    assert all(family.pair(gelu, other).adjusted <= ALPHA for other in others)


def test_a_task_that_no_test_can_decide_takes_nothing_from_the_others(tmp_path):
    write_sweep(tmp_path / "a", {"tanh": -0.3, "gelu": 0}, n=6)
    write_sweep(tmp_path / "b", {"elu": -0.3, "selu": 0}, ("spirals",), n=3)
    comparison = build([tmp_path])
    assert family_of(comparison, "moons").winner.name == "gelu"
    assert family_of(comparison, "spirals").method == "none"


@pytest.mark.parametrize("fewer", [4, 6, 8])
def test_null_sweeps_with_unequal_seeds_err_in_at_most_5_percent(fewer):
    from runner.compare.pairs import families

    generator = np.random.default_rng(12)
    sweeps, separated = 300, 0
    for _ in range(sweeps):
        shared = generator.normal(0, 1, 10)
        arms = []
        for i, n in enumerate([10, 10, 10, 10, 10, 9, fewer, fewer]):
            scores = (shared + generator.normal(0, 1, 10))[-n:]
            arms.append(made_up_arm(str(i), scores, range(10)[-n:]))
        arms.sort(key=lambda arm: -arm.scores.mean())
        (family,) = families(arms)
        assert family.method == "joint" and family.tested == (8 if fewer >= 6 else 6)
        separated += any(pair.adjusted <= ALPHA for pair in family.pairs)
    assert separated / sweeps <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / sweeps)


def test_a_verdict_that_several_tasks_prevent_names_them(tmp_path):
    write_sweep(tmp_path, {"tanh": -0.3, "gelu": 0}, ("moons", "spirals", "xor"), n=6)
    text = verdict(tmp_path)
    assert (
        "On moons no test can decide with 6 replicates between 2 settings: 1 pair on each of "
        "3 tasks and over all of them share the 5% of errors, for which 8 are needed." in text
    )


def test_data_are_not_tuned(tmp_path):
    for noise in (0.1, 0.2):
        write_run(tmp_path / str(noise), dataset__noise=noise)
    for key in ("dataset", "dataset.noise"):
        with pytest.raises(ValueError, match=f"'{key}' cannot be tuned"):
            build([tmp_path], tune=key)


def test_names_with_commas_are_parted_by_semicolons():
    from runner.compare.wording import listed

    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a, x", "b, y", "c"]) == "a, x; b, y; and c"
    assert listed(["a, x", "b", "c"], 2) == "a, x; and 2 others"


def test_seeds_that_overlap_are_told_apart_from_folders_that_cannot_be_used(tmp_path):
    for k, name in enumerate(("tanh", "tanh", "relu", "relu")):
        write_run(tmp_path / str(k), name)
    text = verdict(tmp_path)
    assert "2 runs repeat seeds that others have; each counts once." in text
    assert "could not be used" not in text


@pytest.mark.parametrize(("solved", "median"), [(1, "nan"), (3, "nan"), (4, 5.5), (5, 5.0)])
def test_the_median_epoch_solved_counts_those_that_never_solved(tmp_path, solved, median):
    n = 6 if solved != 5 else 5
    write_run(tmp_path / "1", scores=[0.95] * solved + [0.5] * (n - solved))
    (row,) = records(build([tmp_path]))
    assert row["solved"] == solved
    assert row["median_solved_epoch"] == approx(float(median), nan_ok=True)


@pytest.mark.parametrize("key", ["activation", "activation.name"])
def test_a_tuned_activation_names_no_row_and_its_own_parameter_is_no_choice(tmp_path, key):
    parameters = {"prelu": {"alpha": 0.25}, "elu": {"alpha": 1.0}, "tanh": {}}
    for place, (name, extra) in enumerate(parameters.items()):
        for hidden in (8, 16):
            folder = write_run(
                tmp_path / f"{name}{hidden}",
                name,
                scores=[0.95 if name == "elu" else 0.8 + 0.01 * place] * 6,
                model={"hidden": [hidden]},
            )
            config = yaml.safe_load((folder / "config.yaml").read_text())
            config["activation"].update(extra)
            (folder / "config.yaml").write_text(yaml.safe_dump(config))
            resign(folder)
    comparison = build([tmp_path], tune=key)
    assert sorted(arm.name for arm in comparison.arms) == ["hidden=16", "hidden=8"]
    for arm in comparison.arms:
        assert arm.chosen == {"activation.name": "elu"} and not arm.on_edge
    alone = build([tmp_path / f"{name}8" for name in parameters], tune=key)
    assert [arm.name for arm in alone.arms] == ["any activation"]
    assert "(edge)" not in terminal(alone)


def test_a_difference_has_a_digit_more_than_its_scores():
    assert wording.score(0.9944, "test_accuracy") == wording.score(0.9936, "test_accuracy")
    assert wording.difference(0.9936 - 0.9944, "test_accuracy") == "\N{MINUS SIGN}0.08 points"
    assert wording.difference(0.0, "test_accuracy") == "0 points"


@pytest.mark.parametrize("metric", ["test_accuracy", "test_loss"])
def test_one_interval_in_summary_leaderboard_report_and_pictures(tmp_path, metric):
    words = ["replicates=3", "training.epochs=3", "dataset.samples=200", "plots=none"]
    runs = [
        run([f"activation={name}", *words, f"hydra.run.dir={tmp_path / name}"])
        for name in ("tanh", "relu")
    ]
    comparison = build([result.path for result in runs], metric=metric)
    for result in runs:
        told = result.summary["together"]["final"][metric]
        expected = approx([told["centre"], told["low"], told["high"]], rel=1e-6)
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
        assert all(np.isclose(last, end, rtol=1e-6).any() for end in (told["low"], told["high"]))
