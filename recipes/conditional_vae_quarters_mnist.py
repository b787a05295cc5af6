"""Digits with some quarters known, completed by a conditional variational autoencoder.

Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
Models", NeurIPS 2015, sec. 5.1.

  python recipes/conditional_vae_quarters_mnist.py                   10 minutes on two CPU cores
  python recipes/conditional_vae_quarters_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: the rest of a digit at 63.9 nats given one quarter, 44.2 given
two and 20.4 given three; by the baseline network 106.8, 66.5 and 28.5.

The condition is one quarter of a digit, the lower left one, or two, the left half, or three, all
but the lower right one; what is drawn is the rest. Recognition, prior and generation network have
dense layers, and the conditional likelihood of the rest of test digits is estimated by importance
samples, eq. (7).

The baseline network predicts each pixel of the rest by itself, from the same quarters, by the same
layers. It is trained until it gets no better on held-out digits. Its one answer is a blend of all
that could follow, where a draw of the latents decides for one.

Deviations: fewer units than the paper's networks, pixels that are 0 or 1, drawn anew by their gray
value at each step, and no start from the baseline network's prediction.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers import Adam

from keras_gen.data import binarize, small_images
from keras_gen.metrics import importance_weighted_nll, nll_summary
from keras_gen.networks import conditional_vae_networks, mlp_decoder, start_at_mean
from keras_gen.vae import ConditionalVAE
from keras_gen.workshop.visualize import image_rows

KNOWN = {1: (2,), 2: (0, 2), 3: (0, 1, 2)}  # quarters, from left to right and downwards
SHOWN = 12  # digits in an image
SIDE = 14


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Dimensions of the latents
    hidden: int = 300  # Units of each of the two hidden layers of all networks
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    held_out: int = 5000  # Training digits that end the training of the baseline network
    compared: int = 2000  # Test digits
    samples: int = 100  # Importance samples of each


PRESETS = {
    "smoke": dict(hidden=16, latent_dim=4, held_out=20, compared=20, samples=5, epochs=2,
                  steps_per_epoch=10, batch_size=20, steps_per_execution=5),
    "cpu": dict(epochs=16, steps_per_epoch=500, batch_size=100, steps_per_execution=100,
                grid_every=4),
    "paper": dict(hidden=1000, latent_dim=50, compared=10_000, epochs=200, steps_per_epoch=500,
                  batch_size=100, steps_per_execution=100, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist"))
    choice = data.for_validation(s.held_out)
    binary = choice.train.arrays(s.seed, binarize)
    held_out = choice.test.arrays(s.seed, binarize)
    test = data.test.take(s.compared).arrays(s.seed, binarize)

    models = {}
    for count, known in KNOWN.items():
        keras.utils.set_random_seed(s.seed)
        with run.strategy.scope():
            rest, condition = parted(binary, known)
            hidden = (s.hidden, s.hidden)
            shapes = rest.shape[1:], condition.shape[1:]
            networks = conditional_vae_networks(*shapes, s.latent_dim, hidden)
            start_at_mean(networks["decoder"], rest)
            model = ConditionalVAE(**networks, classes=None, seed=s.seed)
            run.compile(model, Adam(run.in_halves(s.learning_rate), epsilon=1e-4))
        models[count] = model

    def draw(count, model):
        return completions(model, test[:SHOWN], KNOWN[count], s.seed)

    # Each step: the three networks move along the gradient of the bound, of the rest alone.
    for count, model in models.items():
        stream = partial(parts_of_digits, choice.train, s.batch_size, s.seed, KNOWN[count])
        run.fit(model, stream, partial(draw, count), part="" if count == 1 else f"known_{count}")
    run.export(models[1], default="sample")

    networks = {}
    for count, known in KNOWN.items():
        run.say(f"training the baseline network of {count} known")
        networks[count] = baseline(s, choice.train, held_out, known)

    with run.evaluation(models[1]) as metrics:
        for count, known in KNOWN.items():
            rest, condition = parted(test, known)
            model = models[count]
            nats = importance_weighted_nll(
                model, rest, s.samples, batch_size=100, seed=s.seed, conditions=condition
            )
            metrics |= nll_summary(nats, prefix=f"cvae_{count}_")
            metrics[f"network_{count}_nll"] = network_nats(
                networks[count], rest, condition
            ).mean()
            image = completions(model, test[:SHOWN], known, s.seed, networks[count])
            run.draw(f"completions_{count}", image)


def quarters(images):
    """Returns the quarters of digits as channels, `[n, 14, 14, 4]`."""
    parts = tf.reshape(images, [-1, 2, SIDE, 2, SIDE])
    return tf.reshape(tf.transpose(parts, [0, 2, 4, 1, 3]), [-1, SIDE, SIDE, 4])


def whole(parts):
    """Returns the digits of quarters."""
    parts = np.reshape(parts, [-1, SIDE, SIDE, 2, 2]).transpose(0, 3, 1, 4, 2)
    return parts.reshape(-1, 2 * SIDE, 2 * SIDE, 1)


def parted(images, known):
    """Returns the quarters of digits that are not known, and those that are."""
    parts = quarters(images)
    others = [number for number in range(4) if number not in known]
    return tf.gather(parts, others, axis=-1).numpy(), tf.gather(parts, known, axis=-1).numpy()


def parts_of_digits(source, batch_size, seed, known, start=0):
    """Returns batches of the rest and what is known, of digits that are drawn anew."""
    others = [number for number in range(4) if number not in known]

    def split(images, seed):
        parts = quarters(binarize(images, seed))
        return tf.gather(parts, others, axis=-1), tf.gather(parts, known, axis=-1)

    return source.stream(batch_size, seed, start, augment_batch=split)


def baseline(s, train, held_out, known):
    """Returns a network from what is known to the logits of the rest, trained to its best."""
    keras.utils.set_random_seed(s.seed)
    rest, condition = parted(held_out, known)
    values = int(np.prod(condition.shape[1:]))
    decoder = mlp_decoder(rest.shape[1:], values, (s.hidden, s.hidden), "relu")
    network = keras.Sequential(
        [keras.Input(condition.shape[1:]), keras.layers.Flatten(), decoder]
    )
    network.compile(Adam(s.learning_rate), keras.losses.BinaryCrossentropy(from_logits=True))
    batches = parts_of_digits(train, s.batch_size, s.seed, known)
    stop = keras.callbacks.EarlyStopping(patience=3, restore_best_weights=True)
    network.fit(
        batches.map(lambda rest, condition: (condition, rest)),
        epochs=s.epochs,
        steps_per_epoch=s.steps_per_epoch,
        validation_data=(condition, rest),
        callbacks=[stop],
        shuffle=False,
        verbose=0,
    )
    return network


def network_nats(network, rest, condition):
    """Returns the negative log-likelihood of the rest, each pixel by itself, `[n]`."""
    logits = network(condition, training=False)
    each = tf.nn.sigmoid_cross_entropy_with_logits(rest, logits)
    return tf.reduce_sum(each, axis=[1, 2, 3]).numpy()


def completions(model, images, known, seed, network=None):
    """Rows of digits: what is known, the network's answer, draws of the model, and the digit."""
    rest, condition = parted(images, known)
    rows = {"known": joined(np.full_like(rest, 0.5), condition, known)}
    if network is not None:
        means = tf.sigmoid(network(condition, training=False)).numpy()
        rows["network of pixels"] = joined(means, condition, known)
    for number in range(4):
        drawn = model.sample(len(images), seed=seed + number, condition=condition) / 255
        rows[f"conditional VAE {number + 1}"] = joined(drawn, condition, known)
    rows["test digit"] = joined(rest, condition, known)
    return image_rows(rows)


def joined(rest, condition, known):
    """Returns digits, uint8, of the rest and of what is known."""
    parts = np.zeros([*rest.shape[:3], 4])
    parts[..., [number for number in range(4) if number not in known]] = rest
    parts[..., list(known)] = condition
    return (255 * whole(parts)).round().astype(np.uint8)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
