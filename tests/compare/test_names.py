"""Names: what tells settings and tasks apart, and nothing else; values that can be typed."""

import itertools

import pytest
import yaml
from matplotlib.text import Text

from runner.compare import build
from runner.compare.outputs import markdown, terminal
from runner.compare.pairs import OVERALL
from runner.compare.pictures.estimates import leaderboard
from runner.compare.pictures.health import health
from runner.compare.pictures.over_epochs import curves, solved
from runner.compare.report import html
from runner.compare.settings import differing_keys, show
from runner.compare.table import records, table
from runner.config.overrides import read
from runner.plots.style import style
from runner.results.run import flatten
from tests.run_folders import resign, write_run


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


def test_files_of_ones_own_are_a_difference_only_where_nothing_else_tells_configs_apart():
    moons = {"dataset.name": "moons", "extensions": []}
    mine = {"dataset.name": "mine", "extensions": ["mine.py"]}
    assert differing_keys([moons, mine]) == ["dataset.name"]
    again = {**mine, "extensions": ["other.py"]}
    assert differing_keys([moons, mine, again]) == ["dataset.name", "extensions"]


def test_values_read_well():
    assert [show(v) for v in ([16, 8], [16] * 30, 0.01, None, True)] == [
        "[16,8]", "[16]*30", "0.01", "-", "true",
    ]  # fmt: skip


@pytest.mark.parametrize("hidden", [(16, 8), (16,) * 30, (4,) * 5, ()])
def test_layers_can_be_typed_as_they_are_shown(hidden):
    (word,) = read([f"model.hidden={show(list(hidden))}"])
    assert tuple(word.value) == hidden


def test_repeated_layers_can_be_swept():
    (axis,) = read(["model.hidden=[8],[16]*20,[4]*5"])
    assert [len(word.value) for word in axis.values(9)] == [1, 20, 5]


@pytest.mark.parametrize(("tune", "alpha"), [("none", " alpha=0.2"), ("activation.alpha", "")])
def test_leaky_relu_is_named_with_its_slope_on_which_libraries_disagree(tmp_path, tune, alpha):
    write_run(tmp_path / "1", "leaky_relu", activation__alpha=0.2)
    write_run(tmp_path / "2", "elu", activation__alpha=1.0)
    comparison = build([tmp_path], tune=tune)
    assert sorted(arm.name for arm in comparison.arms) == ["elu", f"leaky_relu{alpha}"]
    assert "leaky_relu alpha=0.2" in terminal(comparison)
    assert sorted(row["activation"] for row in records(comparison)) == ["elu", "leaky_relu"]


def test_a_setting_called_like_a_column_keeps_its_section_in_every_table(tmp_path):
    for n in (1, 2):
        optimizer = {"name": "adam", "learning_rate": 0.1, "n": n}
        write_run(tmp_path / str(n), scores=[0.9] * n, optimizer=optimizer)
    comparison = build([tmp_path])
    assert [(row["n"], row["optimizer.n"]) for row in records(comparison)] == [(1, "1"), (2, "2")]
    assert "optimizer.n" in terminal(comparison) and "optimizer.n" in markdown(comparison)
    assert ">optimizer.n</th>" in html(comparison, tmp_path, {})


def test_long_names_are_whole_in_the_pictures(tmp_path):
    for task, (epochs, name) in itertools.product(("moons", "xor"), ((5, "tanh"), (50, "relu"))):
        model = {"hidden": [16] * epochs}
        write_run(tmp_path / f"{task}{name}", name, task, epochs=epochs, model=model, weights=True)
    comparison = build([tmp_path])
    long = {"tanh hidden=[16]*5 epochs=5", "relu hidden=[16]*50 epochs=50"}
    with style():
        drawn = curves(comparison) | solved(comparison) | health(comparison)
        drawn |= {"leaderboard": leaderboard(comparison)["leaderboard"]}
        for name, figure in drawn.items():
            texts = {text.get_text() for text in figure.findobj(Text)}
            assert long <= texts, name


def test_the_terminal_shows_all_that_tells_settings_apart(tmp_path):
    for k in (1, 2):
        optimizer = {"name": "adam", "learning_rate": 0.003 * k, "beta1": 0.8 + 0.05 * k}
        training = {"epochs": 100 * k, "batch_size": 16 * k, "loss": "cross_entropy", "l2": k / 100}
        model = {"hidden": [16 * k] * 10}
        write_run(
            tmp_path / str(k), scores=[0.9] * 6, training=training, optimizer=optimizer, model=model
        )
    comparison = build([tmp_path], tune="none")
    shown = terminal(comparison)
    for arm in comparison.arms:
        assert len(arm.name) > 60 and f" {arm.name}" in shown


def test_labels_tell_settings_apart_without_commas(tmp_path):
    for name, hidden in itertools.product(("tanh", "relu"), ([16, 16], [2, 2])):
        write_run(tmp_path / f"{name}{hidden[0]}", name, model={"hidden": hidden})
    names = {arm.name for arm in build([tmp_path]).arms}
    assert names == {"tanh [16,16]", "tanh [2,2]", "relu [16,16]", "relu [2,2]"}
    write_run(tmp_path / "more", "tanh", dataset__noise=0.3)
    assert {arm.task for arm in build([tmp_path]).arms} == {"moons noise=0.2", "moons noise=0.3"}


def test_names_hold_only_what_differs_from_the_settings_they_are_compared_with(tmp_path):
    """A key that differs elsewhere, in another task or for another activation, is no part."""
    for k, (name, alpha) in enumerate([("prelu", 0.1), ("prelu", 0.3), ("elu", 1.0)]):
        write_run(tmp_path / f"moons{k}", name, activation__alpha=alpha, dataset__noise=0.1)
    deep = {"hidden": [16] * 30}
    for noise in (0.2, 0.3):
        for epochs, name, model in ((5, "tanh", deep), (500, "relu", {"hidden": [8]})):
            folder = tmp_path / f"spirals{noise}{name}"
            write_run(folder, name, "spirals", dataset__noise=noise, epochs=epochs, model=model)
    write_run(tmp_path / "alone", "gelu", "xor", epochs=7)
    comparison = build([tmp_path])
    named = {task: {arm.name for arm in comparison.of_task(task)} for task in comparison.tasks}
    spirals = {"tanh hidden=[16]*30 epochs=5", "relu hidden=[8] epochs=500"}
    assert named == {
        "moons": {"prelu alpha=0.1", "prelu alpha=0.3", "elu"},
        "spirals noise=0.2": spirals,
        "spirals noise=0.3": spirals,
        "xor": {"gelu"},
    }
    labels = {setting.label for setting in comparison.settings}
    assert len(labels) == 8 and {"elu on moons", "gelu on xor"} <= labels
    assert {f"{name} on spirals noise=0.3" for name in spirals} <= labels
    shown = {family.task: table(comparison, family)[0][:3] for family in comparison.families}
    assert shown["moons"] == ["activation", "alpha", "test accuracy"]
    assert shown["spirals noise=0.2"] == ["activation", "hidden", "epochs"]
    assert shown["xor"][:2] == ["activation", "test accuracy"]


def test_a_number_beside_the_activation_is_named_by_its_key(tmp_path):
    for name, epochs in itertools.product(("tanh", "relu"), (5, 50)):
        write_run(tmp_path / f"{name}{epochs}", name, epochs=epochs)
    assert "tanh epochs=50" in {arm.name for arm in build([tmp_path]).arms}


def test_settings_over_all_tasks_are_named_by_what_differs_among_them(tmp_path):
    for task, name in itertools.product(("moons", "xor"), ("tanh", "relu")):
        write_run(tmp_path / f"{task}{name}", name, task, scores=[0.9] * 6)
    write_run(tmp_path / "only on xor", "tanh", "xor", scores=[0.9] * 6, epochs=5)
    over_all, moons, xor = build([tmp_path]).families
    assert over_all.task == OVERALL
    assert set(over_all.names) == set(moons.names) == {"tanh", "relu"}
    assert set(xor.names) == {"relu epochs=10", "tanh epochs=10", "tanh epochs=5"}


def test_names_with_commas_are_parted_by_semicolons():
    from runner.compare.wording import listed

    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a, x", "b, y", "c"]) == "a, x; b, y; and c"
    assert listed(["a, x", "b", "c"], 2) == "a, x; and 2 others"
    assert listed(["relu [16,16]", "relu [8,8]"], joint="or") == "relu [16,16] or relu [8,8]"


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
    assert sorted(arm.name for arm in comparison.arms) == ["hidden=[16]", "hidden=[8]"]
    for arm in comparison.arms:
        assert arm.chosen == {"activation.name": "elu"} and not arm.on_edge
    alone = build([tmp_path / f"{name}8" for name in parameters], tune=key)
    assert [arm.name for arm in alone.arms] == ["any activation"]
    assert "(edge)" not in terminal(alone)
