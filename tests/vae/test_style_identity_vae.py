"""Style and identity: the terms of a step, who changes whom, and what a swap keeps."""

import keras
import numpy as np
import pytest

from keras_gen.core.schedules import Linear
from keras_gen.losses import Normal
from keras_gen.networks import mlp_decoder, mlp_encoder, with_head, with_labels
from keras_gen.vae import StyleIdentityVAE
from shared import losses_of, step_noise, with_sgd

SHAPE, CLASSES, N = (3,), 4, 6


def style_identity(rate=0.0, d_rate=0.0, **options):
    keras.utils.set_random_seed(1)
    encoder = mlp_encoder(SHAPE, 2, hidden=(), heads=("mean", "log_variance"))
    critic = mlp_encoder((SHAPE[0] + CLASSES,), 1, hidden=(5,), name="discriminator")
    model = StyleIdentityVAE(
        with_head(encoder, 4, "identity"),
        mlp_decoder(SHAPE, 6, hidden=()),
        with_labels(critic, CLASSES),
        CLASSES,
        **dict(likelihood=Normal(scale=0.5)) | options,
    )
    return with_sgd(model, rate, d_rate)


@pytest.fixture
def batch(rng):
    x, same, other = rng.uniform(-1, 1, (3, N, *SHAPE)).astype("float32")
    labels = rng.integers(0, CLASSES, N)
    return x, labels, same, other, (labels + 1) % CLASSES


def test_the_losses_of_a_step(batch):
    model = style_identity(swap_weight=2.0, beta=0.3, adversarial_weight=Linear(5.0, 7.0, 4))
    x, _, same, other, other_labels = batch
    mean, log_variance, identity = (v.numpy() for v in model.encoder(x))
    of_same, of_other = (model.encoder(images)[2].numpy() for images in (same, other))
    style = mean + np.exp(log_variance / 2) * step_noise(model, "style", [N, 2])
    prior = step_noise(model, "prior", [N, 2])

    def decoded(*codes):
        return model.decoder(np.concatenate(codes, axis=1)).numpy()

    def nats(images):
        error = np.square(images - x) / (2 * 0.25) + 0.5 * np.log(2 * np.pi * 0.25)
        return error.sum(axis=1).mean()

    fakes = [decoded(style, of_other), decoded(prior, of_other)]
    real, *fake = (model.discriminator([i, other_labels]).numpy()[:, 0] for i in (other, *fakes))
    fooling = np.mean([np.logaddexp(0, -logits).mean() for logits in fake])
    catching = np.mean([np.logaddexp(0, logits).mean() for logits in fake])
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1).mean()
    own, swapped = nats(decoded(style, identity)), nats(decoded(style, of_same))
    assert losses_of(model, *batch, training=True) == pytest.approx(
        {
            "loss": own + 2.0 * swapped + 0.3 * kl + 5.0 * fooling,
            "reconstruction_loss": own,
            "swap_loss": swapped,
            "kl_loss": kl,
            "adversarial_loss": fooling,
            "d_loss": 0.5 * (np.logaddexp(0, -real).mean() + catching),
            "d_accuracy": np.mean([real > 0, *(logits < 0 for logits in fake)]),
        },
        rel=1e-4,
        abs=1e-5,
    )
    held_out = losses_of(model, *batch)
    names = ("reconstruction_loss", "swap_loss", "kl_loss", "adversarial_loss")
    total = sum(w * held_out[n] for w, n in zip((1, 2, 0.3, 7), names, strict=True))
    assert held_out["loss"] == pytest.approx(total, rel=1e-4)
    assert held_out.keys() == set(model.loss_names)


def test_the_discriminator_sees_the_fakes_of_the_step_before_it(batch):
    """Also if the decoder has moved since."""
    resting, moving = style_identity(), style_identity(rate=10.0)
    one, other = (losses_of(model, *batch, training=True) for model in (resting, moving))
    assert one["d_loss"] == pytest.approx(other["d_loss"], rel=1e-5)
    assert losses_of(moving, *batch, training=True)["d_loss"] != pytest.approx(one["d_loss"])


def test_a_swap_has_the_style_of_one_and_the_identity_of_the_other(batch):
    x, _, _, other, _ = batch
    model = style_identity()
    style, _ = model.split(model.encode(x))
    _, identity = model.split(model.encode(other))
    mean, _, expected = model.encoder(np.concatenate([x, other]))
    np.testing.assert_allclose(style, mean[:N], atol=1e-6)
    np.testing.assert_allclose(identity, expected[N:], atol=1e-6)
    decoded = model.decode(np.concatenate([style, identity], axis=1))
    restored = model.restore(model.swap(x, other)).numpy()
    np.testing.assert_array_equal(decoded, restored)


def test_the_score_is_the_reconstruction_and_the_divergence(batch):
    x, model = batch[0], style_identity()
    mean, log_variance, _ = (v.numpy() for v in model.encoder(x))
    kl = 0.5 * (mean**2 + np.exp(log_variance) - log_variance - 1).sum(axis=1)
    error = np.square(model.reconstruct(x) - x) / (2 * 0.25) + 0.5 * np.log(2 * np.pi * 0.25)
    np.testing.assert_allclose(model.score(x), error.sum(axis=1) + kl, rtol=1e-4)


def test_networks_that_do_not_fit_are_refused():
    encoder = mlp_encoder(SHAPE, 2, heads=("mean", "log_variance"))
    critic = with_labels(mlp_encoder((SHAPE[0] + CLASSES,), 1), CLASSES)
    headed = with_head(encoder, 4, "identity")
    with pytest.raises(ValueError, match="decoder accepts 5 codes: expected 6"):
        StyleIdentityVAE(headed, mlp_decoder(SHAPE, 5), critic, CLASSES)
