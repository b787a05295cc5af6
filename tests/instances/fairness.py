"""Tiny models of representations that are blind to an attribute, of the rows of a table."""

import numpy as np

from keras_gen import fairness
from keras_gen.core import schedules
from keras_gen.data import Column
from keras_gen.losses import UnboundedNormal
from keras_gen.networks import mlp_decoder, mlp_encoder, with_labels
from tiny import Tiny

COLUMNS = [Column("age", mean=40.0, scale=10.0), Column("work", ("?", "city", "farm"))]
ROWS = np.array([["39", "city"], ["50", "?"], ["28.5", "farm"]])
HEADS = ("mean", "log_variance")


def _networks():
    encoder = mlp_encoder((4,), 3, hidden=(5,), output_activation="tanh")
    classifier = mlp_encoder((3,), 4, hidden=(), name="classifier")
    return encoder, classifier, mlp_encoder((3,), 2, hidden=(4,), name="discriminator")


def _alfr(seed=3):
    weight = schedules.Linear(0.1, 0.5, steps=10)
    steps = dict(weight=weight, discriminator_steps=2)
    return fairness.ALFR(*_networks(), columns=COLUMNS, **steps, seed=seed)


def _grad(seed=3):
    return fairness.GRAD(*_networks(), columns=COLUMNS, weight=0.5, seed=seed)


def _vfae(seed=3):
    def upper(name):
        return with_labels(mlp_encoder((3 + 4,), 3, hidden=(4,), heads=HEADS, name=name), 4)

    return fairness.VFAE(
        with_labels(mlp_encoder((4 + 2,), 3, hidden=(5,), heads=HEADS), 2),
        with_labels(mlp_decoder((4,), 3 + 2, hidden=(5,)), 2),
        mlp_encoder((3,), 4, hidden=(), name="classifier"),
        upper("upper_encoder"),
        upper("upper_decoder"),
        likelihood=UnboundedNormal(scale=0.5),
        columns=COLUMNS,
        alpha=2.0,
        beta=schedules.Linear(1.0, 5.0, steps=10),
        seed=seed,
    )


def features(model):
    return model.features(ROWS)


def codes(model):
    mean, _ = model.encode(ROWS, np.array([0, 1, 1]))
    return mean


TINY = {
    "ALFR": Tiny(_alfr, features, draws=False),
    "GRAD": Tiny(_grad, features, draws=False),
    "VFAE": Tiny(_vfae, codes),
}
