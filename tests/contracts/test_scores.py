"""Densities and scores of examples depend on the example alone."""

import numpy as np
import pytest

import keras_gen
from all_tiny import TINY
from keras_gen.core import GenerativeModel, LikelihoodModel
from keras_gen.diffusion import EDM, FlowMatching
from tiny import given_examples


def scoring() -> list[str]:
    """The classes that score examples."""
    return [name for name in TINY if issubclass(getattr(keras_gen, name), LikelihoodModel)]


@pytest.mark.parametrize("name", scoring())
def test_a_score_does_not_depend_on_the_batch(name, monkeypatch, rng):
    """Nor on the order, nor on what was evaluated before, though many of them draw noise."""
    model = TINY[name].build(3)
    if not isinstance(model, (EDM, FlowMatching)):  # which repeat a step too often without a graph
        monkeypatch.setattr(GenerativeModel, "graph", lambda self, key, function, specs: function)
    takes = type(model).score.takes(model)
    edges = [model.edges[edge] for edge in takes]
    arrays = [given_examples(edge, 5, rng) for edge in edges]
    scores = model.score(*arrays)
    model.evaluation_step.assign(5)
    backwards = model.score(*[array[::-1] for array in arrays], batch_size=2)[::-1]
    np.testing.assert_allclose(backwards, scores, rtol=1e-4, atol=1e-4)
    if hasattr(model, "log_prob") and type(model).log_prob.takes(model) == takes:
        np.testing.assert_allclose(model.log_prob(*arrays), -scores, rtol=1e-4, atol=1e-4)
