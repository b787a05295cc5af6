"""The models that the contracts run on: built and traced once, and reset for each test."""

import pytest

from all_tiny import TINY
from keras_gen.core import make_strategy
from tiny import batches, every_class, losses_of, prepared, set_state, state


@pytest.fixture(scope="session", params=every_class())
def tiny(request):
    """The entry of every model class in turn: by default one of each pattern, the rest if slow."""
    return TINY[request.param]


class Trained:
    """A compiled and traced model, batches for it, and how often its training step was traced.

    `first` is what a first epoch made of it, its state and its losses.
    """

    def __init__(self, tiny, strategy="default"):
        with make_strategy(strategy).scope():
            self.model, self.traces = tiny.compiled(), 0
        self.data = batches(prepared(self.model))
        self._start, self._step = state(self.model), self.model.train_step
        self.model.train_step = self._count
        losses = losses_of(self.model.fit(self.data, verbose=0).history)
        self.first = state(self.model), losses
        self.traced_at_first = self.traces

    def _count(self, data):
        self.traces += 1
        return self._step(data)

    def reset(self):
        set_state(self.model, self._start)
        return self


@pytest.fixture(scope="session")
def _trained(tiny):
    return Trained(tiny)


@pytest.fixture
def trained(_trained):
    """The model on one device, in the state that `tiny.compiled()` gives it."""
    return _trained.reset()


@pytest.fixture(scope="session")
def _mirrored(tiny):
    return Trained(tiny, "mirrored")


@pytest.fixture
def mirrored(_mirrored):
    """The same model on two replicas."""
    return _mirrored.reset()
