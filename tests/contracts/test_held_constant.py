"""Parts of a loss that its paper holds constant, by which it has no slope."""

import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.losses.regularizers import last_kernel
from keras_gen.robustness import PGD
from tiny import first_batch


def pair_of_classes(model, batch):
    """CoGAN: the classes of the first image of a pair, which the second is to have too."""
    fake = tf.random.stateless_normal([4, *model.generator.output_shape[1:]], [0, 1])
    first, second = tf.unstack(fake, axis=1)
    yield first, second
    fake = tf.stack([first, second], axis=1)
    yield model.discriminator_terms(batch, fake, "held")["pair"]


def codebook_in_commitment(model, batch):
    latents, codebook = model.encoder(batch["x"]), model.quantizer.codebook.value
    yield codebook, latents
    yield model.quantizer.commitment(latents, model.quantizer(latents)[1])


def latents_in_codebook_loss(model, batch):
    latents, codebook = model.encoder(batch["x"]), model.quantizer.codebook.value
    yield latents, codebook
    yield model.quantizer.codebook_loss(latents, model.quantizer(latents)[1])


def adaptive_weight(model, batch):
    """VQGAN, eq. (7)."""
    kernel = last_kernel(model.decoder).value
    yield kernel, None
    yield model.terms(batch)["adaptive_weight"]


def worst_change(model, batch):
    """VAT, eq. (6)."""
    kernel = model.encoder.trainable_variables[0].value
    yield kernel, None
    yield model.worst_change(batch["x"], model.logits(batch["x"]))


def attacked_examples(model, batch):
    """Adversarial training: the outer minimum of eq. (2.1) is at the inner maximum."""
    kernel = model.encoder.trainable_variables[0].value
    yield kernel, None
    attack = PGD(0.1, norm="2", steps=2)
    yield attack.changed(model.logits, batch["x"], tf.constant([0, 1], tf.int64))


HELD = [
    ("AdversarialTraining", attacked_examples),
    ("CoGAN", pair_of_classes),
    ("VAT", worst_change),
    ("VQGAN", adaptive_weight),
    ("VQVAE", codebook_in_commitment),
    ("VQVAE", latents_in_codebook_loss),
]


@pytest.mark.quick
@pytest.mark.parametrize("name, part", HELD)
def test_a_loss_has_no_slope_by_what_is_held(name, part):
    model = TINY[name].compiled()
    steps = part(model, model.prepare_batch(first_batch(model)))
    held, moving = next(steps)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([each for each in (held, moving) if each is not None])
        value = next(steps)
    slope = tape.gradient(value, held, unconnected_gradients="zero")
    assert tf.reduce_all(slope == 0)
    assert moving is None or tf.reduce_any(tape.gradient(value, moving) != 0)
