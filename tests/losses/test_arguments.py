"""Calls of losses that are refused, and what the sentence says."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import losses
from keras_gen.losses import adversarial, likelihoods, penalties

NAN = float("nan")
MAPS = tf.zeros([4, 8, 8, 3])
ONE = tf.zeros([1, 160, 1])


def network(shape, *layers):
    return keras.Sequential([keras.Input(shape), *layers], name="critic")


REFUSED = [
    (lambda: losses.Poisson().draw(MAPS, MAPS), "Poisson cannot be sampled value by value"),
    *((lambda bad=bad: likelihoods.get(bad), "bernoulli, .*, normal, normal_mixture, poisson")
      for bad in ("gaussian", None, 1.0)),
    (lambda: losses.Bernoulli().log_prob(MAPS[..., 0], MAPS), "network whose output shape ends in"),
    (lambda: losses.Normal(None).log_prob(MAPS, MAPS), "network whose output shape ends in"),
    (lambda: losses.Categorical(4).log_prob(MAPS, MAPS), "network whose output shape ends in"),
    (lambda: losses.Categorical(1), "^classes is 1: expected an integer of at least 2"),
    (lambda: losses.DiscretizedLogistic(minimum_log_scale=NAN),
     "log_scale is .*: expected a number of at most 40.0"),
    (lambda: losses.DiscretizedLogistic(scale=0.1, mixtures=2),
     "expected None, b"),
    *((lambda bad=bad: adversarial.get(bad), "least_squares, minimax, non_saturating")
      for bad in ("lsgan", None, 3, {"name": "hinge"}, losses.Hinge)),
    (lambda: adversarial.get_of_fakes("relativistic"), "^The objective Relativistic comp"),
    (lambda: adversarial.discrimination("hinge", MAPS), "fake_logits is empty: expected logits"),
    (lambda: adversarial.discrimination("hinge", MAPS, MAPS, "a"), r"fake_logits\[1\] is 'a'"),
    (lambda: adversarial.discrimination("hinge", MAPS, MAPS[:2]), r"fake_logits\[0\] has shape"),
    (lambda: losses.Relativistic().generator(MAPS), "real_logits is None: expected the logits of"),
    (lambda: losses.Hinge().generator(tf.constant(1.0)), r"shape \[batch"),
    *((lambda kind=kind: kind(real_target=NAN), "real_target is nan: expected a finite number")
      for kind in (losses.Minimax, losses.NonSaturating)),
    *((lambda bad=bad: losses.Minimax(real_target=bad), f"Minimax's real_target is {bad}")
      for bad in (0.0, 1.1, -0.5)),
    (lambda: penalties.get("r3"), "gradient, jensen_shannon, r1, r2"),
    (lambda: losses.GradientPenalty().check(
        network((6, 6, 3), keras.layers.BatchNormalization(name="mixing"))),
     "'mixing' of critic mixes examples: build the network"),
    *((lambda shape=shape: losses.Consistency(pixels=2).check(
        network(shape, keras.layers.Dense(1))), "expected images .* sides of at least 3 pixels")
      for shape in ((4,), (2, 8, 1), (8, 8, 8, 1))),
    (lambda: losses.decomposed_kl(*np.zeros([3, 30, 2]), dataset_size=20),
     "^The batch has 30 examples, but dataset_size is 20: expected a dataset_size of at least "),
    (lambda: losses.spectral_loss(ONE, ONE[:, :80]),
     r"shape \(1, 160, 1\), but originals has shape \(1, 80, 1\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((NotImplementedError, TypeError, ValueError), match=sentence):
        call()
