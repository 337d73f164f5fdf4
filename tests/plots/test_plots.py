"""Pictures: whatever a run has been through, it can be drawn, and always the same."""

import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rc_context, rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from PIL import Image

import activations
import runner
from runner import plots
from runner.__main__ import main as run_command
from runner.data.shapes import DATASETS
from runner.plots import axes, colours, decision_field, style
from runner.plots.__main__ import main
from runner.plots.activation import apart, with_kinks
from runner.plots.captions import settings
from runner.plots.png import png
from tests.commands import python

BLOBS = {"dataset": "blobs", "samples": 500}
LONG_NAME = "a_dataset_with_a_name_that_goes_on_and_on" * 3
ODD_NAME = "$x_$^{%_&"
EDGES = {
    "usual": {},
    "one replicate": {"replicates": 1},
    "one epoch": {"replicates": 1, "epochs": 1},
    "no hidden layer": {"hidden": ()},
    "some diverged": {"diverged": (1,)},
    "all diverged": {"diverged": (0, 1, 2)},
    "the only one diverged": {"replicates": 1, "diverged": (0,)},
    "diverged before the first epoch ended": {"diverged": (0, 1, 2), "epochs": 1},
    "stopped early": {"stopped": 3, "epochs": 20},
    "no validation data": {"dataset__validation_fraction": 0},
    "no test data": {"dataset__test_fraction": 0},
    "training data only": {
        "dataset__validation_fraction": 0, "dataset__test_fraction": 0, **BLOBS
    },
    "many features": {"dataset__features": 784, **BLOBS},
    "one feature": {"dataset__features": 1, **BLOBS},
    "three classes": {"dataset__classes": 3, **BLOBS},
    "twelve classes": {"dataset__classes": 12, **BLOBS},
    "sixty classes": {"dataset__classes": 60, **BLOBS, "samples": 3000},
    "thirty layers": {"hidden": (4,) * 30},
    "twenty replicates of ten layers": {"replicates": 20, "hidden": (4,) * 10},
    "nothing wrong": {"scores": (1.0, 1.0, 1.0)},
    "inputs that explode": {},
    "ten learned parameters": {"activation": "pau", "hidden": (8, 8, 8)},
    "sparse records": {"epochs": 1003, "training__record_every": 100},
    "loss exactly 0": {},
    "loss exactly 0 in the end": {},
    "along an axis": {"activation": "softmax"},
    "gated": {"activation": "glu"},
    "learnable": {"activation": "prelu"},
    "all units dead": {"activation": "relu"},
    "long names": {"dataset": LONG_NAME},
    "characters with a meaning": {"dataset": ODD_NAME},
}  # fmt: skip


def vanish(run, epoch):
    """Make all losses exactly 0 from an epoch on."""
    for part in ("train", "validation", "test"):
        run.history[f"{part}_loss"][:, epoch:] = 0


def kill_units(run):
    for name in ("layer1.bias", "layer2.bias"):
        run.weights[name][...] = -1000


def explode(run):
    for name in ("layer1.weight", "layer2.weight"):
        run.weights[name] *= 1e4


def measure_no_saturation(run):
    for name in ("layer1_saturated", "layer2_saturated"):
        run.history[name][...] = np.nan


LATER = {
    "loss exactly 0": lambda run: vanish(run, 0),
    "loss exactly 0 in the end": lambda run: vanish(run, 3),
    "along an axis": measure_no_saturation,
    "all units dead": kill_units,
    "inputs that explode": lambda run: explode(run),
    "long names": lambda run: run.summary.update(
        command="python -m runner " + " ".join(f"section.key{k}=1" for k in range(60))
    ),
    "characters with a meaning": lambda run: run.summary.update(command="python a='$1 $2'"),
}


@pytest.fixture
def drawn_texts(monkeypatch):
    """A function that draws a figure and lists its lines of text: (text, points, box).

    A box is (left, bottom, right, top) in pixels, from what reaches the renderer.
    """
    lines = []
    draw_text = RendererAgg.draw_text

    def spy(self, gc, x, y, text, font, angle, ismath=False, mtext=None):
        w, h, d = self.get_text_width_height_descent(text, font, ismath)
        y = self.height - y
        upright = (x, y - d, x + w, y + h - d)
        turned = (x - h + d, y, x + d, y + w)
        lines.append((text, font.get_size_in_points(), turned if angle else upright))
        draw_text(self, gc, x, y=self.height - y, s=text, prop=font, angle=angle)

    monkeypatch.setattr(RendererAgg, "draw_text", spy)

    def drawn(figure):
        lines.clear()
        figure.encode("png")
        return list(lines)

    return drawn


@pytest.mark.parametrize("name", EDGES)
def test_every_run_can_be_drawn_and_read(name, finished_run, drawn_texts, monkeypatch):
    """Without a warning, no text cut off, none below nine points, none over another."""
    for named in (LONG_NAME, ODD_NAME):
        monkeypatch.setitem(DATASETS._things, named, DATASETS["moons"])
    run = finished_run(**EDGES[name])
    if name in LATER:
        LATER[name](run)
    drawn = plots.figures(run)
    hidden, features = run.config.model.hidden, run.data().train_x.shape[-1]
    alive = any(r["status"] != "diverged" for r in run.summary["replicates"])
    expected = {"loss", "accuracy", "flow"}
    expected |= {"activation", "units"} if hidden else set()
    expected |= {"boundary"} if features == 2 and alive else set()
    assert set(drawn) == expected
    for what, figure in drawn.items():
        check_texts(what, figure, drawn_texts(figure))


def check_texts(what, figure, texts):
    """Assert that no text is cut off, none below nine points, none over another."""
    for index, (text, points, a) in enumerate(texts):
        assert points >= 9, (what, text)
        assert a[0] >= 0 and a[2] <= figure.bbox.width, (what, text)
        assert a[1] >= 0 and a[3] <= figure.bbox.height, (what, text)
        for other, _, b in texts[index + 1 :]:
            wide = min(a[2], b[2]) - max(a[0], b[0])
            tall = min(a[3], b[3]) - max(a[1], b[1])
            assert wide < 1 or tall < 3, (what, text, other)


@pytest.mark.parametrize("hidden", [(), (8, 8), (4,) * 10])
def test_a_page_as_wide_as_a_papers_column_can_be_read(
    hidden, finished_run, drawn_texts, monkeypatch
):
    monkeypatch.setattr(style, "WIDTH", 5.5)
    for what, figure in plots.figures(finished_run(hidden=hidden)).items():
        assert figure.get_size_inches()[0] == 5.5
        check_texts(what, figure, drawn_texts(figure))


def test_the_check_of_texts_sees_what_overlaps(drawn_texts):
    figure = style.Picture("a title", "a subtitle", footer="a footer")
    figure.words(1, 2, "one")
    figure.words(1.1, 2, "two")
    boxes = {text: box for text, _, box in drawn_texts(figure)}
    assert set(boxes) == {"a title", "a subtitle", "a footer", "one", "two"}
    assert boxes["one"][0] == pytest.approx(style.DPI, abs=2)
    assert boxes["one"][1] == pytest.approx(2 * style.DPI, abs=2)
    assert boxes["one"][2] > boxes["two"][0]


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_bytes(finished_run, format):
    first, second = (plots.figures(finished_run(**BLOBS)) for _ in range(2))
    assert list(first) == list(second) == list(plots.PICTURES)
    for name in first:
        once = first[name].encode(format)
        assert once == second[name].encode(format), name
        assert once == first[name].encode(format), f"{name}, drawn twice"


def test_pictures_are_small(finished_run):
    for name, figure in plots.figures(finished_run(replicates=10, epochs=100)).items():
        assert len(figure.encode("png")) < 150_000, name


def test_pictures_do_not_depend_on_global_settings(finished_run):
    run = finished_run()
    usual = plots.figures(run)["loss"].encode("png")
    with rc_context({"font.size": 30, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert plots.figures(run)["loss"].encode("png") == usual


def test_drawing_leaves_global_settings_alone(finished_run):
    before = dict(rcParams)
    plots.figures(finished_run())["loss"].encode("svg")
    assert dict(rcParams) == before


def test_pyplot_is_never_imported(finished_run):
    code = (
        "import sys; from runner import plots;"
        "[plots.draw(sys.argv[1], form) for form in plots.FORMATS];"
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert python("-c", code, str(finished_run().path)).returncode == 0


def test_a_figure_shows_itself_in_a_notebook(finished_run):
    figure = plots.figures(finished_run())["loss"]
    assert isinstance(figure, Figure)
    assert figure._repr_png_() == figure.encode("png")


def test_white_stays_white_and_flat_colours_stay_themselves(finished_run):
    figure = plots.figures(finished_run())["accuracy"]
    image = np.asarray(Image.open(BytesIO(figure.encode("png"))).convert("RGB"))
    assert (image[0] == 255).all() and (image[:, -1] == 255).all()
    flat = np.full((20, 30, 4), 255, dtype=np.uint8)
    flat[5:, :10, :3] = (0, 114, 178)
    flat[5:, 10:20, :3] = (241, 241, 241)
    back = np.asarray(Image.open(BytesIO(png(flat, 100))).convert("RGB"))
    assert (back == flat[..., :3]).all()


def test_colours_spread_evenly_are_still_told_apart():
    """65 536 of them, no cell fuller than another: the worst a palette can be given."""
    ramp = np.full((256, 256, 4), 255, dtype=np.uint8)
    ramp[..., 0] = np.arange(256)
    ramp[..., 1] = np.arange(256)[:, None]
    back = np.asarray(Image.open(BytesIO(png(ramp, 100))).convert("RGB")).astype(int)
    assert np.abs(back - ramp[..., :3]).max() <= 16


def test_a_palette_changes_no_pixel_of_a_picture_by_more_than_the_eye_sees(finished_run):
    figure = plots.figures(finished_run(dataset__classes=7, **BLOBS))["boundary"]
    canvas = FigureCanvasAgg(figure)
    with style.style():
        canvas.draw()
    exact = np.asarray(canvas.buffer_rgba())[..., :3].astype(int)
    found = np.asarray(Image.open(BytesIO(figure.encode("png"))).convert("RGB"))
    difference = np.abs(found - exact).max(axis=-1)
    assert difference.mean() < 1.5
    assert np.quantile(difference, 0.99) < 16


def test_a_curve_is_broken_where_it_jumps_at_a_kink_and_nowhere_else():
    for name, jumps in (("relu", 1), ("relu6", 2), ("elu", 0), ("gelu", 0)):
        f = activations.get(name)
        grid = with_kinks(np.linspace(-2, 7, 10), f.kinks)
        assert np.isin(f.kinks, grid).all()
        assert not np.isnan(apart(f(grid), grid, f.kinks)).any()
        assert np.isnan(apart(f.gradient(grid), grid, f.kinks)).sum() == jumps


def test_known_activations_look_different_from_each_other():
    looks = [colours.line_style(name) for name in colours.KNOWN]
    pairs = {(look["color"], str(look["linestyle"])) for look in looks}
    assert len(pairs) == len(colours.KNOWN) == len(set(colours.KNOWN))


def test_colours_stay_what_they_were():
    """Pictures from different months lie side by side in one paper."""
    fixed = {
        "tanh": "#0072b2",
        "relu": "#d55e00",
        "sigmoid": "#009e73",
        "softmax": "#cc79a7",
        "leaky_relu": "#e69f00",
        "gelu": "#56b4e9",
        "silu": "#000000",
        "a_stranger": "#56b4e9",
    }
    assert {name: colours.colour(name) for name in fixed} == fixed


def test_a_strangers_look_follows_from_its_name_alone():
    code = "from runner.plots import colours; print(colours.line_style('my_own'))"
    for seed in ("0", "1"):
        shown = python("-c", code, PYTHONHASHSEED=seed).stdout
        assert shown.strip() == str(colours.line_style("my_own"))


@pytest.mark.parametrize("classes", [2, 7, 8, 12, 40])
def test_classes_have_different_colours(classes):
    shades = colours.class_colours(classes)
    assert len(shades) == classes
    assert not any(same_color(a, b) for k, a in enumerate(shades) for b in shades[k + 1 :])


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.5, 0.52, 0.54], [0.42, 0.52, 0.62]),
        ([1.0, 1.0], [0.9, 1.0]),
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),
    ],
)
def test_labels_are_pushed_apart_no_further_than_needed(wishes, expected):
    assert axes.spread(wishes, 0.1, 0.0, 1.0) == pytest.approx(expected)


def test_labels_keep_their_order_and_their_distance():
    wishes = np.random.default_rng(1).random(9)
    found = axes.spread(wishes.tolist(), 0.05, 0.0, 1.0)
    assert (np.argsort(found) == np.argsort(wishes)).all()
    assert np.diff(np.sort(found)).min() > 0.05 - 1e-12
    assert found.min() >= 0 and found.max() <= 1


def test_of_many_replicates_a_few_lines_are_drawn_the_worst_and_the_best_among_them(finished_run):
    run = finished_run(replicates=20)
    (axes,) = plots.figures(run)["loss"].axes
    (thin,) = (one for one in axes.collections if isinstance(one, LineCollection))
    ends = sorted(line[-1, 1] for line in thin.get_segments())
    last = run.history["test_loss"][:, -1]
    assert len(ends) == 5
    assert [ends[0], ends[-1]] == pytest.approx([last.min(), last.max()])


def test_each_layers_share_of_lost_units_is_a_line_named_at_its_end(finished_run):
    run = finished_run(hidden=(8, 8, 8))
    for layer, share in ((1, 0.0), (2, 0.3), (3, 0.123)):
        run.history[f"layer{layer}_dead"][...] = share
    figure = plots.figures(run)["units"]
    assert "tanh on moons: 30% of units dead in layer 2" in [t.get_text() for t in figure.texts]
    dead, _ = figure.axes
    ends = [line.get_ydata()[-1] for line in dead.lines if line.get_transform() == dead.transData]
    assert ends == pytest.approx([0, 0.3, 0.123])
    assert {t.get_text() for t in dead.texts} == {"layer 1  0%", "layer 2  30.0%", "layer 3  12.3%"}


def test_of_many_layers_those_of_equal_share_and_the_worst_are_named(finished_run):
    run = finished_run(hidden=(4,) * 40)
    for layer in range(1, 41):
        run.history[f"layer{layer}_dead"][...] = max(0, layer - 10) / 100
    run.history["layer39_dead"][...] = 0.9
    figure = plots.figures(run)["units"]
    assert any(t.get_text().endswith("90% of units dead in layer 39") for t in figure.texts)
    names = [text.get_text() for text in figure.axes[0].texts]
    assert "layers 1-10  0%" in names and "layer 39  90.0%" in names and len(names) < 20


def test_equal_layers_are_shortened_in_the_subtitle(finished_run):
    run = finished_run()
    run.summary["command"] = "python -m runner 'model.hidden=[16,16,16,16,16]' training.epochs=3"
    assert settings(run) == "hidden=[16] x 5  epochs=3"
    run.summary["command"] = "python -m runner 'model.hidden=[16,16,16,8]' tune=training.l2"
    assert settings(run) == "hidden=[16,16,16,8]"


def test_a_panel_in_which_nothing_happens_is_said_instead(finished_run):
    run = finished_run()
    for layer in (1, 2):
        run.history[f"layer{layer}_dead"][...] = 0
    figure = plots.figures(run)["units"]
    assert len(figure.axes) == 1
    assert any("none is" in text.get_text() for text in figure.texts)


def test_inputs_far_beyond_the_function_are_drawn_on_an_axis_of_their_own(finished_run):
    run = finished_run()
    explode(run)
    figure = plots.figures(run)["activation"]
    (below,) = (one for one in figure.axes if one.get_xscale() == "asinh")
    inputs = run.network().preactivations(run.data().train_x)[1]
    low, high = below.get_xlim()
    assert np.mean((inputs > low) & (inputs < high)) > 0.98
    assert not any("beyond" in text.get_text() for text in below.texts)


def test_what_each_layer_has_learned_is_printed_in_its_curves_colour(finished_run):
    run = finished_run(activation="prelu")
    run.weights["layer1.alpha"][...] = 0.5
    run.weights["layer2.alpha"][...] = -0.125
    above, below = sorted(plots.figures(run)["activation"].axes, key=lambda a: -a.bbox.y0)
    for value, slope in (("0.5", 0.5), ("-0.12", -0.125)):
        (words,) = (t for t in below.texts if f"alpha {value} ± 0" in t.get_text())
        (curve,) = (
            line
            for line in above.lines
            if line.get_linestyle() == "-"
            and line.get_color() == words.get_color()
            and len(line.get_xdata()) > 100
        )
        x, y = curve.get_data()
        assert y[0] / x[0] == pytest.approx(slope)


def test_a_loss_of_exactly_0_is_said_and_drawn_on_the_page(finished_run):
    run = finished_run()
    vanish(run, 3)
    figure = plots.figures(run)["loss"]
    axes = figure.axes[0]
    assert axes.get_yscale() == "log" and axes.get_ylim()[0] > 0
    words = " ".join(text.get_text() for text in [*axes.texts, *figure.texts])
    assert "test 0" in words and "exactly 0 is drawn at the lower edge" in words


def test_diverged_replicates_leave_the_centre_and_stay_in_the_count(finished_run):
    run = finished_run(diverged=(1,))
    figure = plots.figures(run)["loss"]
    assert any("n = 2 of 3 seeds" in text.get_text() for text in figure.texts)
    kept = run.history["test_loss"][[0, 2]]
    centre = np.exp(np.log(kept).mean(axis=0))
    lines = [line.get_ydata() for line in figure.axes[0].lines]
    assert any(len(y) == len(centre) and np.allclose(y, centre) for y in lines)


def test_the_band_is_the_geometric_t_interval(finished_run):
    run = finished_run(replicates=3)
    figure = plots.figures(run)["loss"]
    logs = np.log(run.history["test_loss"])
    margin = 4.302652729911275 * logs.std(axis=0, ddof=1) / np.sqrt(3)
    high = np.exp(logs.mean(axis=0) + margin)
    edges = [band.get_paths()[0].vertices[:, 1] for band in figure.axes[0].collections]
    assert any(np.isin(high.round(9), edge.round(9)).all() for edge in edges)


def test_the_boundary_shows_the_median_replicate(finished_run):
    figure = plots.figures(finished_run(scores=(0.9, 0.5, 0.7)))["boundary"]
    assert any("Seed 9, the median of 3" in text.get_text() for text in figure.texts)


def test_wrong_test_samples_are_ringed(finished_run):
    run = finished_run(replicates=1)
    logits = run.network().logits(run.data().test_x)[0, :, 0]
    wrong = (logits > 0) != run.data().test_labels[0]
    rings = plots.figures(run)["boundary"].axes[0].collections
    counts = [len(c.get_offsets()) for c in rings if len(c.get_facecolor()) == 0]
    assert int(wrong.sum()) in counts and wrong.any()


def test_a_real_run_is_drawn_from_its_folder(tmp_path):
    folder = tmp_path / "run"
    words = ["training.epochs=2", "replicates=2", "plots=png"]
    runner.run([*words, f"hydra.run.dir={folder}"])
    first = {path.name: path.read_bytes() for path in folder.glob("*.png")}
    assert set(first) == {f"{name}.png" for name in plots.PICTURES}
    plots.draw(folder)
    assert {path.name: path.read_bytes() for path in folder.glob("*.png")} == first


def test_draw_writes_one_file_per_picture(finished_run):
    folder = finished_run().path
    before = set(folder.iterdir())
    written = plots.draw(folder, "svg")
    assert [path.name for path in written] == [f"{name}.svg" for name in plots.PICTURES]
    assert set(folder.iterdir()) - before == set(written)


def test_a_failed_save_leaves_the_old_picture_and_nothing_else(finished_run, tmp_path, monkeypatch):
    figure = plots.figures(finished_run())["loss"]
    path = tmp_path / "pictures" / "loss.png"
    path.parent.mkdir()
    path.write_bytes(b"the old one")

    def full(self, content):
        with open(self, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space"):
        figure.write(path)
    assert path.read_bytes() == b"the old one"
    assert list(path.parent.iterdir()) == [path]


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match="format must be png, svg, pdf, got 'gif'"):
        plots.draw(tmp_path / "nowhere", "gif")


def test_the_shell_names_what_it_wrote(finished_run, capsys):
    assert main([str(finished_run(hidden=()).path), "--format", "pdf"]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["accuracy.pdf", "boundary.pdf", "flow.pdf", "loss.pdf"]


def test_files_and_comparisons_among_runs_are_passed_over(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("runner.plots.__main__._read", lambda folder: 0)
    monkeypatch.setattr("runner.plots.__main__.draw", lambda folder, form: [Path(folder)])
    for name in ("comparison_a", "run"):
        (tmp_path / name).mkdir()
    (tmp_path / "comparison_a" / "leaderboard.csv").touch()
    (tmp_path / "failures.txt").touch()
    assert main([str(path) for path in sorted(tmp_path.iterdir())]) == 0
    output = capsys.readouterr()
    assert output.out == f"{tmp_path / 'run'}\n"
    assert output.err.count("is not a run and is skipped") == 2


def test_a_wrong_folder_is_one_line_and_status_2(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and str(tmp_path) in captured.err


def test_a_folder_of_runs_is_no_run(tmp_path, capsys):
    (tmp_path / "tanh_moons_123456789abc").mkdir()
    assert main([str(tmp_path)]) == 2
    message = f"error: {tmp_path} is not a run's folder; name one of the folders in it\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("words", [[], ["folder", "--format", "gif"], ["--colour"]])
def test_a_wrong_word_at_the_shell_is_one_line_and_status_2(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("activation", ["gelu", "erfact", "maxout"])
def test_the_boundary_needs_little_more_memory_than_it_shows(tmp_path, activation):
    """Five replicates' fields are 0.5 MB; evaluated in one piece they took 90 MB and more."""
    quick = ["dataset.samples=60", "training.epochs=1", "replicates=5", "plots=none"]
    words = [f"activation={activation}", *quick, f"hydra.run.dir={tmp_path / 'run'}"]
    assert run_command(words) == 0
    run = plots.load_run(tmp_path / "run")
    run.network()
    tracemalloc.start()
    field = decision_field.evaluate(run.network(), (-2, 2, -1, 1), 160)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert field.shape == (5, 160, 160, 1) and peak < 30e6
    corner = run.network().logits(np.array([[-2.0, -1.0], [2.0, 1.0]]))
    np.testing.assert_allclose(field[:, [0, -1], [0, -1]], corner, rtol=1e-5)


def test_activations_in_one_picture_have_colours_of_their_own_while_there_are_any():
    looks = colours.distinct_styles(["softsign", "tanh", "relu", "arctan"])
    assert looks["tanh"] == colours.line_style("tanh")
    assert len({look["color"] for look in looks.values()}) == 4
    assert looks["softsign"]["linestyle"] == colours.line_style("softsign")["linestyle"]
    many = colours.distinct_styles(colours.KNOWN)
    assert {look["color"] for look in many.values()} == set(colours.PALETTE)
