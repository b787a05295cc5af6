"""Keras' `predict`: examples go in and come out as those of the model's own method do."""

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.vae import VAE
from tiny import data

# A class, and its method of the same meaning.
SAME = {"VAE": "reconstruct", "VQVAE": "reconstruct", "CycleGAN": "translate", "DANN": "classify"}


@pytest.mark.thorough
@pytest.mark.parametrize("name", SAME)
def test_predict_takes_and_gives_what_the_method_does(name):
    """uint8 is scaled on its way in and back, and floats stay floats."""
    model = TINY[name].build(3)
    model.run_eagerly = True  # no graph of `predict`
    x = data(model)[0]
    expected = getattr(model, SAME[name])(x)
    found = model.predict(x, batch_size=3, verbose=0)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, atol=1e-5 if found.dtype.kind == "f" else 1)
    floats = model.edges["x"].prepare(x).numpy()
    np.testing.assert_allclose(
        model.predict(floats, verbose=0), getattr(model, SAME[name])(floats), atol=1e-5
    )


def test_predict_of_a_data_set_leaves_its_labels_out():
    model = TINY["VAE"].build(3)
    x = data(model)[0]
    stream = tf.data.Dataset.from_tensor_slices((x, np.zeros(len(x), "int32"))).batch(4)
    np.testing.assert_allclose(model.predict(stream, verbose=0), model.reconstruct(x), atol=1e-5)


def test_columns_are_in_the_order_of_the_training_wherever_a_table_is_given(rng):
    table = pd.DataFrame(rng.normal([1.7e9, 5.0], [5e3, 1.0], (50, 2)), columns=["time", "b"])
    model = VAE.for_vectors(2, hidden=(4,))
    model.compile(run_eagerly=True)
    model.fit(table, verbose=0)
    turned = table[["b", "time"]]
    expected = model.reconstruct(table)
    np.testing.assert_allclose(model.predict(turned, verbose=0), expected, rtol=1e-5)
    losses = [model.test_on_batch(each)[0] for each in (table.to_numpy(), turned)]
    np.testing.assert_allclose(losses, model.evaluate(table, verbose=0)[0], rtol=0.1)
    found = []
    model.terms = lambda batch: found.append(batch["x"]) or type(model).terms(model, batch)
    model.train_on_batch(turned)
    np.testing.assert_allclose(found[0], model.edges["x"].prepare(table.to_numpy()))
    for use in (model.predict, model.train_on_batch, model.test_on_batch):
        with pytest.raises(ValueError, match="has the columns time, z: expected time, b"):
            use(table.rename(columns={"b": "z"}))


def test_predict_warns_about_bits_where_levels_are_meant():
    model = TINY["VAE"].build(3)
    bits = data(model)[0] % 2
    for x in (bits, tf.data.Dataset.from_tensor_slices(bits).batch(4)):
        with pytest.warns(UserWarning, match="uint8 with values 0 and 1.* by 255"):
            model.predict(x, verbose=0)


def test_predict_of_latents_gives_images():
    model = TINY["GAN"].build(3)
    latents = model.draw_latents(5, seed=1)
    np.testing.assert_array_equal(model.predict(latents, verbose=0), model.generate(latents))


@pytest.mark.thorough
def test_what_predict_cannot_do_is_one_sentence():
    with pytest.raises(NotImplementedError, match=r"Flow has no predict: use one of .*sample"):
        TINY["Flow"].build(3).predict(np.zeros((2, 4, 4, 1), "uint8"), verbose=0)
    model = TINY["VAE"].build(3)
    with pytest.raises(ValueError, match=r"have shape .* expected \[batch, 4, 4, 1\]"):
        model.predict(np.zeros((2, 3)), verbose=0)
