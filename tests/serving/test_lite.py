"""Signatures of the usual networks as LiteRT files, for any number of examples."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gen import GAN, VAE, Autoencoder

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated"),
]
SMALL = dict(latent_dim=3, filters=(4, 4))
MODELS = {
    "decode": lambda: VAE.for_images((8, 12, 1), **SMALL),
    "reconstruct": lambda: Autoencoder.for_images((8, 12, 1), **SMALL),
    "generate": lambda: GAN.for_images((8, 12, 1), latent_dim=3, filters=4),
}


@pytest.mark.parametrize("signature", MODELS)
def test_a_converted_signature_equals_the_export(tmp_path, signature, rng):
    model = MODELS[signature]()
    model.compile()
    path = str(model.export(tmp_path / "model", signatures=[signature]))
    converter = tf.lite.TFLiteConverter.from_saved_model(path, signature_keys=[signature])
    run = tf.lite.Interpreter(model_content=converter.convert()).get_signature_runner(signature)
    served = tf.saved_model.load(path).signatures[signature]
    for count in (1, 5):
        if signature == "reconstruct":
            given = {"images": rng.integers(0, 256, (count, 8, 12, 1), dtype="uint8")}
        else:
            given = {"latents": rng.normal(size=(count, 3)).astype("float32")}
        found = run(**given)
        for name, expected in served(**{k: tf.constant(v) for k, v in given.items()}).items():
            assert found[name].shape == (count, 8, 12, 1)
            # Levels may be rounded to the next one.
            np.testing.assert_allclose(found[name].astype(int), expected.numpy(), atol=1)
