"""The checks for classes of one's own find what is wrong."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types
from keras_gen.core import GenerativeModel, capability, require_built
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.layers.flows import ActNorm, Chain, Factored, InvertibleLayer
from keras_gen.networks import coupling_flow, waveglow
from keras_gen.testing import check_flow, check_function, check_model
from keras_gen.vae import VAE


class Careful(GenerativeModel):
    """Checks what it is given."""

    def __init__(self, network, count=3, **kwargs):
        super().__init__(**kwargs)
        require_built(network)
        self.network = network
        self.count = checked_integer("count", count, minimum=1)
        self.edges["x"] = Vectors((2,), "vectors")

    @capability
    def encode(self, x):
        """Returns codes."""
        return {"codes": self.network(x)}


class Careless(Careful):
    """Takes any count, but for texts, on which it fails."""

    def __init__(self, network, count=3, **kwargs):
        super().__init__(network, **kwargs)
        self.count = count + 0


class Narrow(Careful):
    """Refuses the integers of numpy."""

    def __init__(self, network, count=3, **kwargs):
        if type(count) is not int:
            raise TypeError(f"count is {count!r}: expected an int.")
        super().__init__(network, count, **kwargs)


@pytest.fixture(scope="module")
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])


def test_a_careful_class_passes(network):
    assert check_model(Careful(network)) > 40


@pytest.mark.thorough
def test_the_example():
    assert check_model(VAE.for_images((8, 8, 1), filters=(4,))) > 100


def test_what_a_class_takes_or_leaves_to_python_is_listed(network):
    with pytest.raises(
        AssertionError, match=r"^Careless handles 8 of \d+ calls incorrectly:"
    ) as caught:
        check_model(Careless(network))
    faults = str(caught.value).splitlines()[1:]
    assert {fault.partition("=")[0] for fault in faults} == {"count"}
    assert "count=-1: accepted" in faults
    assert [fault for fault in faults if fault.startswith("count='many': TypeError: ")]
    assert check_model(Careless(network), leave_out=["count"]) > 30


def test_what_is_right_and_refused_is_listed(network):
    with pytest.raises(AssertionError, match=r"handles 1 of .*\ncount=.* rejected, although valid"):
        check_model(Narrow(network))


@checked_types
def squares(x: np.ndarray, power: int = 2) -> np.ndarray:
    """Returns one number per example."""
    return x.astype("float64") ** power


def ranks(x: np.ndarray) -> np.ndarray:
    """Returns one number per example, which depends on the others."""
    return squares(x) + 10 * np.ravel(x)[:1]


def hides_nan(x: np.ndarray) -> np.ndarray:
    """Returns the sum, in which NaN is 0."""
    return np.nansum(squares(x))


def of_memory(x: np.ndarray) -> np.ndarray:
    """Returns what depends on the layout."""
    return squares(x) * x.flags.c_contiguous


def unchecked(x: np.ndarray) -> float:
    """Leaves everything to NumPy."""
    return float(np.sum(x))


VALUES = np.array([3.0, 1.0, 2.0], "float32")


def test_a_careful_function_passes():
    assert check_function(squares, VALUES, power=2) > 30


@pytest.mark.parametrize(
    ("function", "fault"),
    [
        (ranks, "reversed examples: accepted"),
        (hides_nan, "x=with NaN: accepted"),
        (of_memory, "x=not contiguous: different result"),
        (unchecked, "x=masked: accepted"),
    ],
)
def test_faults_of_functions_are_listed(function, fault):
    with pytest.raises(AssertionError, match=rf"^{function.__name__} handles") as caught:
        check_function(function, VALUES)
    assert fault in str(caught.value).splitlines()


class Halving(InvertibleLayer):
    """y = x / 2, with what is given in place of the inverse's factor and of log |det dy/dx|."""

    def __init__(self, factor, log_slope):
        super().__init__()
        self.factor, self.log_slope = factor, log_slope

    def call(self, x, condition=None, training=False):
        values = np.prod(x.shape[1:])
        return x / 2, tf.fill(tf.shape(x)[:1], float(values * self.log_slope)), ()

    def inverse(self, y, condition=None):
        return y * self.factor


def chain(values, *layers):
    flow = Chain(layers)
    flow.build((None, values))
    return flow


def test_wrong_inverses_and_log_determinants_are_found():
    log_slope = -math.log(2)
    assert check_flow(chain(3, Halving(2.0, log_slope))) == 1
    with pytest.raises(AssertionError, match=r"\(Halving\) reproduces .* up to 0\.[1-5]"):
        check_flow(chain(3, Halving(1.0, log_slope)))
    with pytest.raises(AssertionError, match=r"is 0 for random numbers: expected -2\.08, from"):
        check_flow(chain(3, Halving(2.0, 0.0)))
    with pytest.raises(TypeError, match="flow is 'glow': expected an InvertibleLayer"):
        check_flow("glow")
    with pytest.raises(
        ValueError, match=r"flow has input shape \(None, 1\): expected a known size"
    ):
        check_flow(waveglow(bands=2, groups=4, steps=1, filters=2, blocks=1))


class WrongScale(ActNorm):
    """Forgets its trained scale in the log-determinant, which shows only where that is not 0."""

    def call(self, x, condition=None, training=False):
        y, log_det, statistics = super().call(x, condition, training)
        return y, 0.0 * log_det, statistics


def test_what_starts_from_zeros_is_checked_too():
    layers = [WrongScale() for _ in range(4)]
    with pytest.raises(AssertionError, match=r"\(WrongScale\) is -?0 for random numbers"):
        check_flow(chain(2, *layers))
    for weight in chain(3, layer := ActNorm()).trainable_variables:
        np.testing.assert_array_equal(weight, np.zeros(3))
    check_flow(chain(3, layer))
    np.testing.assert_array_equal(layer.log_scale, np.zeros(3))


@pytest.mark.thorough
def test_deep_flows_are_checked_layer_by_layer():
    """Through all of them the rounding of one grows, until a right flow looks wrong."""
    check_flow(coupling_flow((19,), steps=32, hidden=()))
    rest = Chain([ActNorm(), WrongScale()])
    with pytest.raises(AssertionError, match=r"layer 'wrong_scale\w*' \(WrongScale\) is"):
        check_flow(chain(4, ActNorm(), Factored(rest)))
    with pytest.raises(AssertionError, match=r"layer 'halving\w*' \(Halving\) reproduces random"):
        check_flow(chain(4, *[Halving(2.0, -math.log(2))] * 20, Halving(1.0, -math.log(2))))
