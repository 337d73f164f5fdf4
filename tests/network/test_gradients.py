"""The gradient that trains against central differences, for every combination."""

import numpy as np
import pytest
from mpmath import mp, mpf
from sklearn.neural_network import MLPClassifier

import activations
from runner.network.architecture import check_hidden_widths
from runner.network.fast_gradient import BatchGradient, feature_major, with_ones
from runner.network.initializers import Auto
from runner.network.losses import LOSSES, encode
from runner.network.network import Network

STEP = 1e-5
ARTICLE = ["relu", "leaky_relu", "sigmoid", "tanh", "softmax"]


def differences(network, x, targets, loss):
    """Central differences of the mean loss, all replicates at once, one parameter a time."""

    def mean_loss():
        return loss.losses(network.logits(x), targets).mean(axis=1)

    found = np.empty_like(network.theta)
    for j in range(network.size):
        kept = network.theta[:, j].copy()
        network.theta[:, j] = kept + STEP
        above = mean_loss()
        network.theta[:, j] = kept - STEP
        found[:, j] = (above - mean_loss()) / (2 * STEP)
        network.theta[:, j] = kept
    return found


LOSSES_AND_CLASSES = [
    (loss, classes)
    for loss in sorted(LOSSES)
    for classes in ((2,) if LOSSES[loss].two_classes_only else (2, 3))
]


@pytest.mark.parametrize(("loss", "classes"), LOSSES_AND_CLASSES)
@pytest.mark.parametrize("hidden", [(), (4,), (6, 4)])
@pytest.mark.parametrize("activation", ARTICLE)
def test_gradient_is_the_derivative_of_the_loss(activation, hidden, classes, loss):
    rng = np.random.default_rng(3)
    network = Network(2, hidden, classes, activations.get(activation), 3, np.float64)
    network.initialize(Auto(bias_std=0.1), [np.random.default_rng([s, 1]) for s in range(3)])
    x = rng.standard_normal((3, 7, 2))
    targets = encode(rng.integers(0, classes, (3, 7)), classes, np.float64)
    loss = LOSSES[loss]()
    BatchGradient(network, loss, x.shape[1])(with_ones(x), feature_major(targets))
    expected = differences(network, x, targets, loss)
    error = np.abs(network.gradient - expected).max() / np.abs(expected).max()
    assert error < 1e-7


def test_the_penalty_is_of_the_weights_alone():
    """l2/2 |w|^2 and its derivative; a learned slope and biases take no part."""
    network = Network(2, (4,), 3, activations.get("prelu"), 2, np.float64)
    network.initialize(Auto(bias_std=1.0), [np.random.default_rng([s, 1]) for s in range(2)])
    squares = [np.square(linear.weight).sum(axis=(1, 2)) for linear in network.linears]
    np.testing.assert_allclose(network.penalty(0.3), 0.15 * (squares[0] + squares[1]))
    x = np.random.default_rng(3).standard_normal((2, 7, 2))
    targets, loss = (
        encode(np.arange(14).reshape(2, 7) % 3, 3, np.float64),
        LOSSES["cross_entropy"](),
    )
    BatchGradient(network, loss, 7)(with_ones(x), feature_major(targets))
    without = network.gradient.copy()
    BatchGradient(network, loss, 7, 0.3)(with_ones(x), feature_major(targets))
    expected = np.where(network.is_weight(), 0.3 * network.theta, 0.0)
    assert network.is_weight().sum() == 8 + 12
    np.testing.assert_allclose(network.gradient - without, expected, atol=1e-15)


def test_scikit_learn_divides_alpha_by_the_samples_of_a_batch():
    """One epoch of four batches gives the weights of scikit-learn, with l2 = alpha / batch."""
    batch, alpha, rate = 50, 2.0, 0.1
    rng = np.random.default_rng(3)
    x, labels = rng.standard_normal((200, 2)), rng.integers(0, 2, 200)
    theirs = MLPClassifier(
        (4,),
        activation="tanh",
        solver="sgd",
        alpha=alpha,
        batch_size=batch,
        momentum=0,
        learning_rate_init=rate,
        shuffle=False,
        random_state=0,
    ).partial_fit(x, labels, classes=[0, 1, 2])  # initial weights, and an epoch that does not count
    network = Network(2, (4,), 3, activations.get("tanh"), 1, np.float64)
    for linear, weight, bias in zip(
        network.linears, theirs.coefs_, theirs.intercepts_, strict=True
    ):
        linear.weight[0], linear.bias[0, 0] = weight, bias
    theirs.partial_fit(x, labels)
    step = BatchGradient(network, LOSSES["cross_entropy"](), batch, alpha / batch)
    for start in range(0, 200, batch):
        part = slice(start, start + batch)
        step(with_ones(x[None, part]), feature_major(encode(labels[None, part], 3, np.float64)))
        network.theta -= rate * network.gradient
    for linear, weight in zip(network.linears, theirs.coefs_, strict=True):
        np.testing.assert_allclose(linear.weight[0], weight, atol=1e-12)


@pytest.mark.parametrize("z", [0.0, 1e-9, -0.3, 2.0, -9.5, 17.0, -40.0])
@pytest.mark.parametrize("label", [0, 1])
def test_squared_error_of_tanh_has_all_digits(z, label):
    """Against 50 digits: (tanh z - t)^2 / 2 and its slope, also where tanh rounds to 1."""
    loss, targets = LOSSES["tanh_squared_error"](), encode(np.array([[label]]), 2, np.float64)
    logits = np.full((1, 1, 1), z)
    with mp.workdps(50):
        error = mp.tanh(mpf(z)) - (2 * label - 1)
        value, slope = error**2 / 2, error * mp.sech(mpf(z)) ** 2
    assert loss.losses(logits, targets).item() == pytest.approx(float(value), rel=1e-14)
    assert loss.gradient(logits, targets).item() == pytest.approx(float(slope), rel=1e-14)


def test_a_wrong_derivative_is_caught():
    """The check above has teeth: one per mille off in one layer's slope is seen."""

    class SlightlyWrong(activations.TanH):
        def derivative(self, x, y):
            return 1.001 * super().derivative(x, y)

    rng = np.random.default_rng(3)
    network = Network(2, (4,), 2, SlightlyWrong(), 1, np.float64)
    network.initialize(Auto(), [np.random.default_rng(1)])
    x = rng.standard_normal((1, 7, 2))
    targets = encode(rng.integers(0, 2, (1, 7)), 2, np.float64)
    loss = LOSSES["cross_entropy"]()
    BatchGradient(network, loss, x.shape[1])(with_ones(x), feature_major(targets))
    expected = differences(network, x, targets, loss)
    assert np.abs(network.gradient - expected).max() / np.abs(expected).max() > 1e-5


@pytest.mark.parametrize("classes", [2, 4])
def test_losses_stay_finite_and_exact_where_predictions_are_certain(classes):
    loss = LOSSES["cross_entropy"]()
    shape = (1, 2, 1 if classes == 2 else classes)
    logits = np.zeros(shape)
    logits[0, 0, -1], logits[0, 1, -1] = 800.0, -800.0
    labels = np.full((1, 2), classes - 1)
    targets = encode(labels, classes, np.float64)
    with np.errstate(all="raise", under="ignore"):
        losses = loss.losses(logits, targets)
        gradient = loss.gradient(logits, targets)
    assert losses[0, 0] == 0
    assert losses[0, 1] == pytest.approx(800 + (0 if classes == 2 else np.log(classes - 1)))
    assert np.isfinite(gradient).all()


def test_gradient_of_a_nearly_certain_prediction_keeps_its_digits():
    """p - 1 would be exactly 0 from a logit of 37 on."""
    loss = LOSSES["cross_entropy"]()
    one = loss.gradient(np.full((1, 1, 1), 50.0), encode(np.ones((1, 1), int), 2, float))
    assert one.item() == pytest.approx(-np.exp(-50.0), rel=1e-14)
    logits = np.array([[[50.0, 0.0, 0.0]]])
    many = loss.gradient(logits, encode(np.zeros((1, 1), int), 3, float))
    assert many[0, 0, 0] == pytest.approx(-2 * np.exp(-50.0), rel=1e-13)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_zero_weights_start_at_the_log_of_the_number_of_classes(classes):
    network = Network(2, (5,), classes, activations.TanH(), 2, np.float64)
    x = np.random.default_rng(0).standard_normal((2, 9, 2))
    labels = np.arange(18).reshape(2, 9) % classes
    loss = LOSSES["cross_entropy"]()
    losses = loss.losses(network.logits(x), encode(labels, classes, np.float64))
    np.testing.assert_allclose(losses, np.log(classes), rtol=1e-15)


def test_learnable_parameters_and_gated_units_train_through_the_same_network():
    for name in ("prelu", "glu"):
        network = Network(2, (4, 4), 3, activations.get(name), 2, np.float64)
        network.initialize(Auto(bias_std=0.1), [np.random.default_rng([s, 1]) for s in range(2)])
        rng = np.random.default_rng(3)
        x = rng.standard_normal((2, 7, 2))
        targets = encode(rng.integers(0, 3, (2, 7)), 3, np.float64)
        loss = LOSSES["cross_entropy"]()
        BatchGradient(network, loss, x.shape[1])(with_ones(x), feature_major(targets))
        expected = differences(network, x, targets, loss)
        error = np.abs(network.gradient - expected).max() / np.abs(expected).max()
        assert error < 1e-7, name


@pytest.mark.parametrize(
    ("activation", "hidden", "says"),
    [
        (activations.get("maxout", pieces=None), (4,), "maxout of the whole row has one output"),
        (activations.get("crelu"), (4, 3), "3 outputs of crelu need 1.5 inputs"),
        (activations.get("softmax"), (4, 1), "softmax of a single unit is always 1"),
        (activations.get("standardize"), (1,), "standardize of a single unit is always 0"),
    ],
)
def test_a_width_that_cannot_be_or_cannot_learn_is_refused(activation, hidden, says):
    with pytest.raises(ValueError, match=says):
        check_hidden_widths(hidden, activation)
    check_hidden_widths((4, 2), activations.get("softmax"))
