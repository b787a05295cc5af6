"""Image completion with a conditional VAE on MNIST.

Sohn, Lee, Yan: "Learning Structured Output Representation using Deep Conditional Generative
Models", NeurIPS 2015, sec. 5.1.

  python recipes/conditional_vae_quarters_mnist.py                   10 minutes on two CPU cores
  python recipes/conditional_vae_quarters_mnist.py --preset smoke    under a minute

Expected result of the cpu preset: the NLL of the rest of a digit is 63.9 nats given one quarter,
44.2 given two quarters, and 20.4 given three quarters (boosted trees: 68.8, 48.6, and 22.9;
baseline network: 106.8, 66.5, and 28.5).

The condition is one quarter of a digit (lower left), two quarters (the left half), or three (all
but the lower right); the model generates the rest. The recognition, prior, and generation networks
have dense layers. The conditional likelihood is estimated on test digits with importance samples,
eq. (7).

The baseline network predicts each remaining pixel independently from the same quarters, with the
same layers. It is trained until it no longer improves on held-out digits. The single output of this
network blends all plausible completions, whereas each latent sample of the CVAE selects one
completion. Boosted trees are a stronger baseline: they predict one pixel after another from the
surrounding pixels that are known or already predicted.

Deviations: fewer units than in the paper; pixels are 0 or 1 and are resampled from their gray
values at each step; the model does not start from the baseline network's prediction.

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
from keras_gen.workshop.baselines import BoostedPixels
from keras_gen.workshop.visualize import image_rows

KNOWN = {1: (2,), 2: (0, 2), 3: (0, 1, 2)}  # known quarters, numbered row by row
SHOWN = 12  # digits per image
SIDE = 14


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Number of latent dimensions
    hidden: int = 300  # Units in each of the two hidden layers of each network
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    held_out: int = 5000
    """Number of training digits held out for early stopping of the baseline network."""
    compared: int = 2000  # Number of test digits used for evaluation
    samples: int = 100  # Number of importance samples per test digit
    boosted: int = 400_000  # Number of pixels used to train the boosted trees, a baseline


PRESETS = {
    "smoke": dict(hidden=16, latent_dim=4, held_out=20, compared=20, samples=5,
                  boosted=1000, epochs=2,
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

    # Each step: one joint gradient update of the three networks on the bound for the rest.
    for count, model in models.items():
        stream = partial(parts_of_digits, choice.train, s.batch_size, s.seed, KNOWN[count])
        run.fit(model, stream, partial(draw, count), part="" if count == 1 else f"known_{count}")
    run.export(models[1], default="sample")

    networks = {}
    for count, known in KNOWN.items():
        run.say(f"training the baseline network (known quarters: {count} of 4)")
        networks[count] = baseline(s, choice.train, held_out, known)

    run.say("fitting boosted trees that predict the unknown pixels one at a time")
    nats_of_trees = {}
    for count, known in KNOWN.items():
        trees = BoostedPixels(
            levels=2,
            examples=s.boosted,
            trees=150,
            learning_rate=0.1,
            seed=s.seed,
            known=mask_of(known),
        ).fit(binary.astype("uint8"))
        nats_of_trees[count] = -trees.log_prob(test.astype("uint8")).mean()

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
            metrics[f"trees_{count}_nll"] = nats_of_trees[count]
            image = completions(model, test[:SHOWN], known, s.seed, networks[count])
            run.draw(f"completions_{count}", image)


def quarters(images):
    """Returns the quarters of digits as channels, `[n, 14, 14, 4]`."""
    parts = tf.reshape(images, [-1, 2, SIDE, 2, SIDE])
    return tf.reshape(tf.transpose(parts, [0, 2, 4, 1, 3]), [-1, SIDE, SIDE, 4])


def whole(parts):
    """Returns digits assembled from quarters."""
    parts = np.reshape(parts, [-1, SIDE, SIDE, 2, 2]).transpose(0, 3, 1, 4, 2)
    return parts.reshape(-1, 2 * SIDE, 2 * SIDE, 1)


def mask_of(known):
    """Returns a mask of a digit, `[28, 28]`, True in the known quarters."""
    return whole(np.isin(np.arange(4), known) * np.ones([1, SIDE, SIDE, 1]))[0, ..., 0] > 0


def parted(images, known):
    """Returns the unknown and the known quarters of digits."""
    parts = quarters(images)
    others = [number for number in range(4) if number not in known]
    return tf.gather(parts, others, axis=-1).numpy(), tf.gather(parts, known, axis=-1).numpy()


def parts_of_digits(source, batch_size, seed, known, start=0):
    """Returns batches of the rest and the known quarters, from resampled binary digits."""
    others = [number for number in range(4) if number not in known]

    def split(images, seed):
        parts = quarters(binarize(images, seed))
        return tf.gather(parts, others, axis=-1), tf.gather(parts, known, axis=-1)

    return source.stream(batch_size, seed, start, augment_batch=split)


def baseline(s, train, held_out, known):
    """Returns a network that maps known quarters to logits of the rest, with the best weights."""
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
    """Returns the negative log-likelihood of the rest with independent pixels, `[n]`."""
    logits = network(condition, training=False)
    each = tf.nn.sigmoid_cross_entropy_with_logits(rest, logits)
    return tf.reduce_sum(each, axis=[1, 2, 3]).numpy()


def completions(model, images, known, seed, network=None):
    """Shows known quarters, the network's output, model samples, and the digit, in rows."""
    rest, condition = parted(images, known)
    rows = {"known": joined(np.full_like(rest, 0.5), condition, known)}
    if network is not None:
        means = tf.sigmoid(network(condition, training=False)).numpy()
        rows["baseline network"] = joined(means, condition, known)
    for number in range(4):
        drawn = model.sample(len(images), seed=seed + number, condition=condition) / 255
        rows[f"conditional VAE {number + 1}"] = joined(drawn, condition, known)
    rows["test digit"] = joined(rest, condition, known)
    return image_rows(rows)


def joined(rest, condition, known):
    """Returns digits, uint8, from the rest and the known quarters."""
    parts = np.zeros([*rest.shape[:3], 4])
    parts[..., [number for number in range(4) if number not in known]] = rest
    parts[..., list(known)] = condition
    return (255 * whole(parts)).round().astype(np.uint8)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
