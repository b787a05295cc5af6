"""The checks for classes of one's own find what is wrong."""

import keras
import pytest

from keras_gen.arguments import checked_integer
from keras_gen.core import GenerativeModel, capability, require_built
from keras_gen.core.kinds_of_data import Vectors
from keras_gen.testing import check_model
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
            raise TypeError(f"count must be an int, found {count!r}.")
        super().__init__(network, count, **kwargs)


@pytest.fixture(scope="module")
def network():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])


def test_a_careful_class_passes(network):
    assert check_model(Careful(network)) > 40


def test_the_example():
    assert check_model(VAE.for_images((8, 8, 1), filters=(4,))) > 100


def test_what_a_class_takes_or_leaves_to_python_is_listed(network):
    with pytest.raises(AssertionError, match=r"^Careless answers 8 of \d+ calls badly:") as caught:
        check_model(Careless(network))
    faults = str(caught.value).splitlines()[1:]
    assert {fault.partition("=")[0] for fault in faults} == {"count"}
    assert "count=-1: taken" in faults
    assert [fault for fault in faults if fault.startswith("count='many': TypeError: ")]
    assert check_model(Careless(network), leave_out=["count"]) > 30


def test_what_is_right_and_refused_is_listed(network):
    with pytest.raises(AssertionError, match=r"answers 1 of .*\ncount=.* refused, though right"):
        check_model(Narrow(network))
