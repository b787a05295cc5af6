"""The models that the contracts run on: built and traced once, and reset for each test."""

from pathlib import Path

import pytest

from all_tiny import TINY
from keras_gen.core import make_strategy
from tiny import PATTERNS, batches, losses_of, model_classes, prepared, set_state, state

# They trace or export each class several times: two thirds of the time of all contracts.
DEAR = (
    "test_a_loaded_model_trains_on_as_the_saved_one",
    "test_a_model_resumes_its_own_training",
    "test_every_signature_of_an_export_equals_the_model",
    "test_example_runs",
    "test_two_replicas_equal_one",
    "test_values_out_of_range",
)


@pytest.hookimpl(tryfirst=True)  # before tests/conftest.py looks at the markers
def pytest_collection_modifyitems(items):
    """Leaves most contracts out of plain `pytest`, and dear ones of most classes to the night."""
    for item in items:
        if item.path.parent != Path(__file__).parent:
            continue
        # The contracts use models as their constructors leave them.
        item.add_marker(pytest.mark.filterwarnings("ignore:.* has not been trained"))
        if not item.get_closest_marker("quick"):
            item.add_marker(pytest.mark.thorough)
        if getattr(item, "originalname", "") in DEAR:
            params = item.callspec.params
            if not {params.get("tiny"), params.get("name")} & {*PATTERNS}:
                item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", params=model_classes())
def tiny(request):
    """The entry of every model class in turn."""
    return TINY[request.param]


@pytest.fixture(scope="session")
def model(tiny):
    """The model as it was built."""
    return tiny.build(3)


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
