"""Datasets: the geometry each promises, the split, and errors that name the parameter."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from runner.config.compose import compose
from runner.data import shapes, split

SIZES = {"two_spirals": 194}
OF_ANY_SIZE = [name for name in shapes.DATASETS if name != "single_sample"]
UNBALANCED = ["playground_circle", "playground_xor"]
IN_ORDER = ["two_spirals", "cs231n_spiral", *(n for n in OF_ANY_SIZE if n.startswith("play"))]


def make(name, seed=0, samples=None, noise=0.0, **own):
    samples = samples or SIZES.get(name, 600)
    return shapes.make(name, seed, {"samples": samples, "noise": noise, **own})


def radii(data):
    return np.linalg.norm(data.x, axis=1)


@pytest.mark.parametrize("name", OF_ANY_SIZE)
@pytest.mark.parametrize("samples", [3, 4, 17, 50, 999])
def test_any_number_of_samples_in_balanced_classes(name, samples):
    data = make(name, samples=samples, noise=0.1)
    assert data.x.shape[0] == len(data.labels) == samples
    assert data.x.dtype == np.float64 and np.isfinite(data.x).all()
    assert data.labels.min() >= 0 and data.labels.max() < data.classes
    counts = np.bincount(data.labels, minlength=data.classes)
    assert name in UNBALANCED or counts.max() - counts.min() <= 1


@pytest.mark.parametrize("name", OF_ANY_SIZE)
def test_the_seed_decides_and_nothing_else_does(name):
    np.random.seed(3)  # noqa: NPY002
    first = make(name, seed=5, noise=0.1)
    np.random.seed(4)  # noqa: NPY002
    again, other = make(name, seed=5, noise=0.1), make(name, seed=6, noise=0.1)
    assert first.x.tobytes() == again.x.tobytes()
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.x.tobytes() != other.x.tobytes()


@pytest.mark.parametrize("name", [name for name in OF_ANY_SIZE if name not in IN_ORDER])
def test_labels_come_in_no_order(name):
    labels = make(name).labels
    assert 0.2 < np.mean(labels[1:] == labels[:-1]) < 0.8


def test_moons_are_half_circles():
    data = make("moons")
    upper, lower = data.x[data.labels == 0], data.x[data.labels == 1]
    np.testing.assert_allclose(np.linalg.norm(upper, axis=1), 1)
    np.testing.assert_allclose(np.linalg.norm(lower - [1, 0.5], axis=1), 1)
    assert (upper[:, 1] >= 0).all() and (lower[:, 1] <= 0.5).all()


def test_circles_and_rings_have_their_radii():
    data = make("circles", factor=0.3)
    np.testing.assert_allclose(radii(data), np.where(data.labels == 0, 1, 0.3))
    data = make("rings", classes=5)
    np.testing.assert_allclose(radii(data), (data.labels + 1) / 5)


def test_spirals_keep_to_their_arms():
    data = make("spirals", arms=4, turns=0.7)
    angle = np.arctan2(data.x[:, 0], data.x[:, 1])
    expected = 2 * np.pi * (data.labels / 4 + 0.7 * radii(data))
    np.testing.assert_allclose(np.cos(angle - expected), 1)
    assert radii(data).max() < 1


def test_two_spirals_are_the_benchmarks_points():
    data = make("two_spirals")
    i = np.arange(97)
    radius = 6.5 * (104 - i) / 104
    points = np.stack([radius * np.sin(i * np.pi / 16), radius * np.cos(i * np.pi / 16)], 1)
    np.testing.assert_allclose(data.x[data.labels == 0], points, atol=1e-12)
    np.testing.assert_allclose(data.x[data.labels == 1], -points, atol=1e-12)


def test_cs231n_spiral_is_the_course_notes():
    """np.linspace(0, 1, 100) and np.linspace(4 j, 4 (j + 1), 100) for arm j."""
    data = make("cs231n_spiral", samples=300)
    for arm in range(3):
        r, t = np.linspace(0, 1, 100), np.linspace(4 * arm, 4 * (arm + 1), 100)
        expected = np.c_[r * np.sin(t), r * np.cos(t)]
        np.testing.assert_allclose(data.x[data.labels == arm], expected, atol=1e-12)
    noisy = make("cs231n_spiral", samples=30_000, noise=0.2)
    turned = np.arctan2(noisy.x[:, 0], noisy.x[:, 1]) - 4 * (noisy.labels + radii(noisy))
    shift = (turned + np.pi) % (2 * np.pi) - np.pi
    assert shift[radii(noisy) > 0].std() == pytest.approx(0.2, rel=0.02)


def test_the_playgrounds_data_are_its_own():
    data = make("playground_circle", samples=4000)
    np.testing.assert_array_equal(data.labels, radii(data) < 2.5)
    inside, outside = (radii(data)[data.labels == label] for label in (1, 0))
    assert inside.mean() == pytest.approx(1.25, abs=0.05)  # uniform in the radius
    assert outside.min() >= 3.5 and outside.max() <= 5
    data = make("playground_xor", samples=4000)
    np.testing.assert_array_equal(data.labels, data.x[:, 0] * data.x[:, 1] > 0)
    assert np.abs(data.x).min() >= 0.3 and np.abs(data.x).max() <= 5.3
    for noise in (0.0, 0.5):
        data = make("playground_gauss", samples=40_000, noise=noise)
        for label, centre in ((1, 2), (0, -2)):
            cloud = data.x[data.labels == label]
            np.testing.assert_allclose(cloud.mean(axis=0), centre, atol=0.06)
            np.testing.assert_allclose(cloud.var(axis=0), 0.5 + 7 * noise, rtol=0.04)
    data = make("playground_spiral", samples=500)
    i = np.arange(250) / 250
    arm = np.c_[5 * i * np.sin(3.5 * np.pi * i), 5 * i * np.cos(3.5 * np.pi * i)]
    np.testing.assert_allclose(data.x[data.labels == 1], arm, atol=1e-12)
    np.testing.assert_allclose(data.x[data.labels == 0], -arm, atol=1e-12)
    shift = make("playground_spiral", samples=500, noise=0.4).x - data.x
    assert 0.39 < np.abs(shift).max() <= 0.4


@pytest.mark.parametrize("name", UNBALANCED)
def test_the_playgrounds_noise_blurs_the_border_and_moves_no_point(name):
    quiet, noisy = make(name, samples=4000), make(name, samples=4000, noise=0.2)
    assert quiet.x.tobytes() == noisy.x.tobytes()
    changed = quiet.labels != noisy.labels
    assert 0.02 < changed.mean() < 0.3
    middle = np.abs(radii(quiet) - 2.5) if name == "playground_circle" else np.abs(quiet.x).min(1)
    assert middle[changed].max() <= 0.2 * 5 * 2**0.5


def test_xor_differs_in_sign_and_keeps_its_margin():
    data = make("xor", margin=0.25)
    assert (np.abs(data.x) >= 0.25).all() and (np.abs(data.x) <= 1).all()
    np.testing.assert_array_equal(data.labels, (data.x[:, 0] > 0) != (data.x[:, 1] > 0))


@pytest.mark.parametrize("cells", [2, 3, 4, 7])
def test_checkerboard_is_coloured_by_parity_and_filled_evenly(cells):
    data = make("checkerboard", samples=20_000, cells=cells)
    squares = np.floor(data.x).astype(int)
    assert squares.min() == 0 and squares.max() == cells - 1
    np.testing.assert_array_equal(data.labels, squares.sum(axis=1) % 2)
    counts = np.bincount(squares @ [cells, 1], minlength=cells**2)
    assert counts.min() > 0.6 * counts.mean()


def test_gaussian_quantiles_are_shells():
    data = make("gaussian_quantiles", classes=4, features=5)
    shells = [radii(data)[data.labels == k] for k in range(4)]
    for inner, outer in pairwise(shells):
        assert inner.max() < outer.min()


@pytest.mark.parametrize("features", [1, 2, 20])
def test_linearly_separable_data_are_separated_by_the_margin(features):
    """A perceptron finds a plane; the gap along the classes' own direction is the margin's."""
    data = make("linearly_separable", features=features, margin=0.5)
    sign = 2 * data.labels - 1
    w = np.zeros(features)
    for _ in range(2000):
        wrong = sign * (data.x @ w) <= 0
        if not wrong.any():
            break
        w += (sign[wrong, None] * data.x[wrong]).sum(axis=0) / wrong.sum()
    assert (sign * (data.x @ w) > 0).all()


def test_blobs_spread_by_the_noise_around_distant_centres():
    data = make("blobs", samples=30_000, noise=0.5, classes=3, features=4, distance=7.0)
    for k in range(3):
        cloud = data.x[data.labels == k]
        assert np.linalg.norm(cloud.mean(axis=0)) == pytest.approx(7, abs=0.05)
        np.testing.assert_allclose(cloud.std(axis=0), 0.5, rtol=0.05)


def test_noise_shifts_by_its_deviation():
    quiet, noisy = make("moons", samples=20_000), make("moons", samples=20_000, noise=0.3)
    np.testing.assert_allclose((noisy.x - quiet.x).std(axis=0), 0.3, rtol=0.03)


def test_teacher_labels_can_be_learnt_but_not_by_a_line():
    data = make("teacher", samples=4000, features=6)
    x = np.c_[data.x, np.ones(len(data.x))]
    w, *_ = np.linalg.lstsq(x, 2.0 * data.labels - 1, rcond=None)
    line = np.mean((x @ w > 0) == data.labels)
    assert 0.55 < line < 0.97


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_split_is_disjoint_complete_and_standardised_by_the_training_part(dtype):
    data = make("moons", samples=500, noise=0.1)
    parts = split.split(data, 0.2, 0.1, 0, dtype)
    assert [len(parts.test_labels), len(parts.validation_labels)] == [100, 50]
    assert len(parts.train_labels) == 350
    everything = np.concatenate([parts.train_x, parts.validation_x, parts.test_x])
    back = np.sort((everything.astype(float) * parts.scale + parts.mean)[:, 0])
    np.testing.assert_allclose(back, np.sort(data.x[:, 0]), atol=1e-5)
    assert parts.train_x.dtype == dtype
    np.testing.assert_allclose(parts.train_x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(parts.train_x.std(axis=0), 1, rtol=1e-5)
    assert np.abs(parts.test_x.mean(axis=0)).max() > 1e-4


def test_data_that_are_not_standardised_keep_their_own_units():
    data = make("checkerboard", samples=500)
    scaled, raw = (
        split.split(data, 0.2, 0.1, 3, np.float64, standardize=whether) for whether in (True, False)
    )
    assert (raw.mean == 0).all() and (raw.scale == 1).all()
    for part in ("train", "validation", "test"):
        (x, labels), (its, same) = raw.part(part), scaled.part(part)
        np.testing.assert_allclose(x, its * scaled.scale + scaled.mean, atol=1e-14)
        np.testing.assert_array_equal(labels, same)
    rows = {tuple(row) for row in data.x}
    assert {tuple(row) for row in raw.train_x} < rows
    with pytest.raises(ValueError, match="standardize must be true or false, got 'no'"):
        split.split(data, 0.2, 0.1, 3, np.float64, standardize="no")


@pytest.mark.parametrize("constant", [0.1, -1e-30, 1e15, 1e-310, 0.0])
@pytest.mark.parametrize("rounding", [False, True])
def test_what_differs_by_rounding_is_constant(constant, rounding):
    """0.1 a thousand times has a mean that is not 0.1, and 0.1 * 3 is not 0.3."""
    x = np.full((1000, 2), constant)
    if rounding:
        x[::3] = np.nextafter(constant, np.inf) if abs(constant) > 1e-300 else constant
    x[:, 1] = np.arange(1000)
    labels = np.arange(1000) % 2
    parts = split.split(split.Dataset(x, labels, 2), 0.2, 0.0, 0, np.float64)
    assert parts.scale[0] == 1
    everything = np.concatenate([parts.train_x, parts.test_x])
    assert abs(everything[:, 0]).max() <= 2 * np.spacing(abs(constant))
    assert parts.scale[1] > 200


@pytest.mark.parametrize("offset", [0.0, 1.0, 1e9, -3e12])
@pytest.mark.parametrize("power", [-1000, -500, -3, 0, 300])
def test_mean_and_scale_at_any_magnitude(offset, power):
    """Against exact fractions; a power of 2 changes nothing but the exponents."""
    x = offset + np.random.default_rng(0).standard_normal((50, 1))
    mean, scale = split.mean_and_scale(np.ldexp(x, power))
    numbers = [Fraction(value) for value in x[:, 0]]
    exact = sum(numbers) / 50
    variance = sum((number - exact) ** 2 for number in numbers) / 50
    assert np.ldexp(mean[0], -power) == pytest.approx(float(exact), rel=1e-15, abs=1e-16)
    # the mean is right to half an ULP of the offset
    loose = max(1e-14, (np.spacing(abs(offset)) / float(variance) ** 0.5) ** 2)
    assert np.ldexp(scale[0], -power) == pytest.approx(float(variance) ** 0.5, rel=loose)


def test_a_constant_feature_keeps_its_scale():
    data = split.Dataset(np.full((10, 1), 7.0), np.arange(10) % 2, 2)
    parts = split.split(data, 0.0, 0.0, 1, "float64")
    assert (parts.train_x == 0).all() and parts.scale.item() == 1


@pytest.mark.parametrize("classes", [2, 5])
def test_label_noise_makes_a_share_of_training_and_validation_labels_wrong(classes):
    data = make("rings", samples=5000, classes=classes)
    clean, some, more = (
        split.split(data, 0.2, 0.2, 7, None, label_noise=share) for share in (0.0, 0.2, 0.5)
    )
    for part in ("train", "validation", "test"):
        (x, right), (same_x, labels), (_, others) = (one.part(part) for one in (clean, some, more))
        wrong, wrong_too = labels != right, others != right
        assert x.tobytes() == same_x.tobytes()
        assert wrong.mean() == (0 if part == "test" else 0.2)
        assert wrong_too.mean() == (0 if part == "test" else 0.5)
        assert (labels[wrong] == others[wrong]).all()
        shifts = np.bincount((labels - right)[wrong] % classes, minlength=classes)
        assert (shifts[1:] >= 0.7 * wrong.sum() / (classes - 1)).all()


def test_stacked_replicates_are_the_splits_alone():
    splits = [split.split(make("xor", seed=s), 0.2, 0.2, s, "float32") for s in (4, 5, 6)]
    stacked = split.stack(splits)
    for k, alone in enumerate(splits):
        assert stacked.train_x[k].tobytes() == alone.train_x.tobytes()
        assert stacked.test_labels[k].tobytes() == alone.test_labels.tobytes()


@pytest.mark.parametrize(
    "name, samples, noise, own, message",
    [
        ("moon", 10, 0.1, {}, "dataset 'moon' is unknown; did you mean moons"),
        ("moons", 10, 0.1, {"arm": 3}, "arm is unknown: dataset moons takes samples, noise"),
        ("spirals", 10, 0.1, {"arm": 3}, "did you mean arms"),
        ("spirals", 10, 0.1, {"arms": 1}, "arms must be a whole number from 2"),
        ("spirals", 10, 0.1, {"arms": 2.5}, "arms must be a whole number"),
        ("spirals", 3, 0.1, {"arms": 5}, "samples=3 are fewer than the 5 classes"),
        ("cs231n_spiral", 3, 0.1, {"arms": 5}, "samples=3 are fewer than the 5 classes"),
        ("cs231n_spiral", 10, 0.1, {"arms": 1}, "arms must be a whole number from 2"),
        ("rings", 10, 0.1, {"classes": True}, "classes must be a whole number"),
        ("moons", 0, 0.1, {}, "samples must be a whole number from"),
        ("moons", 10, -0.1, {}, "noise must be"),
        ("moons", 10, float("nan"), {}, "noise must be"),
        ("moons", 10, "much", {}, "noise must be"),
        ("circles", 10, 0.1, {"factor": 1.0}, "factor must be > 0 and < 1"),
        ("xor", 10, 0.1, {"margin": 1.0}, "margin must be"),
        ("blobs", 10, 0.1, {"distance": 0}, "distance must be"),
        ("gaussian_quantiles", 10, 0.1, {"features": 0}, "features must be"),
        ("linearly_separable", 10, 0.1, {"margin": -1}, "margin must be"),
        ("teacher", 10, 0.1, {"teacher_hidden": 0}, "teacher_hidden must be"),
    ],
)
def test_a_wrong_parameter_is_named(name, samples, noise, own, message):
    with pytest.raises(ValueError, match=message):
        shapes.make(name, 0, {"samples": samples, "noise": noise, **own})


@pytest.mark.parametrize(
    "test, validation, message",
    [
        (1.0, 0.0, "test_fraction must be >= 0 and < 1"),
        (0.2, -0.1, "validation_fraction must be"),
        (0.6, 0.4, "leave no training sample"),
        (0.2, float("nan"), "validation_fraction must be"),
        (0.01, 0.0, "test_fraction"),
    ],
)
def test_a_wrong_fraction_is_named(test, validation, message):
    with pytest.raises(ValueError, match=message):
        split.split(make("spirals", samples=100), test, validation, 0, "float32")


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "much"])
def test_a_wrong_share_of_label_noise_is_named(share):
    with pytest.raises(ValueError, match="label_noise must be"):
        split.split(make("moons"), 0.2, 0.2, 0, "float32", label_noise=share)


def test_jobs_of_a_sweep_share_small_data_which_nobody_can_change():
    relu, tanh = (compose([f"activation={name}"]).experiment for name in ("relu", "tanh"))
    assert relu.split(3) is tanh.split(3)
    assert relu.split(3, standardised=False) is not relu.split(3)
    with pytest.raises(ValueError, match="read-only"):
        relu.split(3).train_x[0] = 0
