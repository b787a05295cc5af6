"""M2's networks."""

import numpy as np
import pytest

from keras_gen.networks import m2_networks


def test_networks_of_m2_fit_each_other():
    encoder, decoder, classifier = m2_networks((4, 2, 1), 3, 5, (6, 7), "relu", params_per_value=2)
    assert [i.shape[1:] for i in encoder.inputs] == [(4, 2, 1), ()]
    assert [o.shape[1:] for o in encoder.outputs] == [(5,), (5,)]
    assert [i.shape[1:] for i in decoder.inputs] == [(5,), ()]
    assert decoder.output_shape[1:] == (4, 2, 2) and classifier.output_shape == (None, 3)
    names = [network.name for network in (encoder, decoder, classifier)]
    assert names == ["encoder", "decoder", "classifier"]


@pytest.mark.thorough
def test_weights_of_m2_start_near_zero_if_asked():
    near, usual = (
        np.concatenate([w.ravel() for n in networks for w in n.get_weights() if w.ndim == 2])
        for networks in (m2_networks((300,), 3), m2_networks((300,), 3, deviation=None))
    )
    assert np.std(near) == pytest.approx(0.001, rel=0.02) and abs(near.mean()) < 1e-5
    assert np.std(usual) > 0.03
    biases = [w for n in m2_networks((9,), 3) for w in n.get_weights() if w.ndim == 1]
    assert biases and not any(b.any() for b in biases)
