"""The numbers of the article that this project started from."""

import numpy as np

from activations import LeakyReLU, ReLU, Sigmoid, Softmax, TanH


def test_relu() -> None:
    x = np.array([0.1, -0.4, 0.7, 1])
    np.testing.assert_array_equal(ReLU()(x), [0.1, 0, 0.7, 1])
    np.testing.assert_array_equal(ReLU().gradient(x), [1, 0, 1, 1])


def test_sigmoid() -> None:
    x = np.array([0.1, 0.4, 0.7, 1])
    expected = [0.52497919, 0.59868766, 0.66818777, 0.73105858]
    np.testing.assert_allclose(Sigmoid()(x), expected, atol=5e-9)
    slopes = [0.24937604, 0.24026075, 0.22171287, 0.19661193]
    np.testing.assert_allclose(Sigmoid().gradient(x), slopes, atol=5e-9)


def test_softmax_gradient_is_the_diagonal() -> None:
    x = np.array([[0.1, 0.4, 0.7, 1], [3, -2, 0, 0]])
    p = np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(Softmax()(x), p, rtol=1e-15)
    np.testing.assert_allclose(Softmax().gradient(x), p * (1 - p), rtol=1e-14)


def test_tanh_and_leaky_relu() -> None:
    x = np.array([-2.0, 0, 0.5])
    np.testing.assert_allclose(TanH()(x), np.tanh(x), rtol=1e-15)
    np.testing.assert_allclose(TanH().gradient(x), 1 - np.tanh(x) ** 2, rtol=1e-14)
    np.testing.assert_array_equal(LeakyReLU(alpha=0.2)(x), [-0.4, 0, 0.5])
    np.testing.assert_array_equal(LeakyReLU(alpha=0.2).gradient(x), [0.2, 1, 1])
