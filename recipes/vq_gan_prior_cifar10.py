"""VQGAN with a transformer prior on CIFAR-10, conditional on the class.

Esser, Rombach, Ommer: "Taming Transformers for High-Resolution Image Synthesis", CVPR 2021, both
stages; the network is a small GPT-2 (Radford et al. 2019).

  python recipes/vq_gan_prior_cifar10.py                    40 minutes on one of two CPU cores
  python recipes/vq_gan_prior_cifar10.py --preset smoke     under a minute

Expected result of the cpu preset: 7.10 bits per code (counts: 7.95), and a kernel distance of 0.41
for samples (without classes: 0.39; reconstructions: 0.37; codes sampled per position: 1.30).

First, the VQGAN, which encodes an image as 8x8 codes, is trained. Then, with its codes frozen, one
transformer learns the codes row by row given the class, and another learns them without the class;
for both, the weights from the epoch with the best held-out loss are kept.

The bits of test codes are compared with two models based on counts: n-grams of codes in the
transformer's order, and counts of each code given the class, the code above, and the code to the
left. Samples are compared with samples from the transformer without classes, with codes sampled
independently per position from their frequencies in the class, and with random codes.
Reconstructions of test images show what the best possible transformer would reach, and the test
images themselves are the reference. All images are compared with training images in the features of
two classifiers, and the worse result counts. The same two classifiers measure how often an image
shows the requested class.

Deviations: as in `vq_gan_cifar10`, whose VQGAN is used here with fewer steps. In addition, codes
are sampled from the transformer's full distribution, without top-k sampling.

Data: cifar10 through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper uses larger
images and reports no metrics for this dataset.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies, prefixed

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import CodePrior, ConditionalCodePrior
from keras_gen.core.schedules import Linear
from keras_gen.data import Source, random_crop_flip, small_images
from keras_gen.metrics import (
    GenerationEvaluation,
    bits_per_live_value,
    train_classifier,
    trained_extractors,
)
from keras_gen.networks import (
    activation_maps,
    patch_discriminator,
    residual_decoder,
    residual_encoder,
    transformer,
)
from keras_gen.vae import VQGAN
from keras_gen.workshop.baselines import best_grid_n_grams, best_n_grams
from keras_gen.workshop.visualize import captioned, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    codebook_size: int = 512  # Number of entries in the codebook, K
    latent_dim: int = 64  # Number of dimensions of each codebook entry
    filters: int = 256  # Channels of each feature map in the encoder and decoder
    residual_filters: int = 256  # Channels inside the residual blocks of the encoder and decoder
    discriminator_filters: int = 64  # Channels of the discriminator's first layer
    feature_weight: float = 0.2
    """Weight of the feature distance, which is multiplied by the number of values per image."""
    adversarial_weight: float = 0.5
    """Final weight of the adversarial loss; the weight increases from 0 and is multiplied by
    lambda, the adaptive weight from eq. (7) of the VQGAN paper."""
    learning_rate: float = 2e-4
    """Adam's learning rate for the VQGAN; linear decay to 0 in the second half."""
    d_learning_rate: float = 2e-4  # Adam's learning rate for the discriminator
    prior_units: int = 1024  # Number of dimensions of the vectors in the transformers
    prior_blocks: int = 24  # Number of blocks in each transformer
    prior_heads: int = 16  # Number of attention heads per transformer block
    prior_dropout: float = 0.1  # Dropout rate in the transformers' residual branches
    prior_epochs: int = 100  # Number of epochs for each of the two transformers
    prior_batch_size: int = 64  # Number of examples per training step of the transformers
    prior_learning_rate: float = 1e-3
    """Adam's learning rate for the transformers; linear decay to 0 in the second half."""
    held_out: int = 1000
    """Number of images at the end of the training set, held out to choose the epochs and the n-gram
    order."""
    counted: int = 50_000
    """Maximum number of training images whose codes are counted for the baselines."""
    compared: int = 2000
    """Number of images to compare from each set: samples, baselines, reconstructions, and test
    images."""
    classifier_steps: int = 1500
    """Number of training steps for the feature network and each evaluation classifier."""


PRESETS = {
    "smoke": dict(codebook_size=16, latent_dim=4, filters=8, residual_filters=4,
                  discriminator_filters=4, prior_units=8, prior_blocks=1, prior_heads=2,
                  prior_epochs=2, prior_batch_size=8, epochs=2, steps_per_epoch=4, batch_size=8,
                  held_out=50, counted=500, compared=40, classifier_steps=20),
    "cpu": dict(filters=64, residual_filters=32, discriminator_filters=32, learning_rate=1e-3,
                prior_units=128, prior_blocks=4, prior_heads=4, prior_epochs=4,
                prior_batch_size=32, epochs=6, steps_per_epoch=500, batch_size=16, grid_every=2),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=128, grid_every=10),
}  # fmt: skip

SHAPE = (32, 32, 3)
NAMES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
CLASSES = len(NAMES)


def main(run: Run, s: Settings):
    data = run.load(small_images("cifar10", labels=True))
    split = data.for_validation(s.held_out)
    images, labels = split.train.arrays()
    held_out, held_out_labels = split.test.arrays()
    test, test_labels = data.test.arrays()

    # Train the network that the feature loss uses.
    features = train_classifier(images, labels, steps=s.classifier_steps, seed=s.seed + 1)
    with run.strategy.scope():
        sizes = (s.latent_dim, s.filters, s.residual_filters)
        encoder = residual_encoder(SHAPE, *sizes)
        decoder = residual_decoder(SHAPE, *sizes)
        discriminator = patch_discriminator(SHAPE, s.discriminator_filters, strided_layers=1)
        steps = s.epochs * s.steps_per_epoch
        coder = VQGAN(
            encoder,
            decoder,
            discriminator,
            activation_maps(features),
            feature_weight=s.feature_weight,
            adversarial_weight=Linear(0.0, s.adversarial_weight, steps // 4),
            codebook_size=s.codebook_size,
            seed=s.seed,
        )
        optimizer = Adam(run.in_halves(s.learning_rate), 0.5, 0.9)
        d_optimizer = Adam(s.d_learning_rate, 0.5, 0.9)
        run.compile(coder, optimizer, d_optimizer=d_optimizer)

    # Each step: one joint update of the encoder, the decoder, and the codes, then one
    # update of the discriminator.
    mirror = random_crop_flip(SHAPE[0])
    unlabeled = Source(images)
    mirrored = partial(unlabeled.stream, s.batch_size, s.seed, augment=mirror)
    run.fit(coder, mirrored, partial(reconstructions, images=test[:16]), part="coder")

    grid = coder.encode(test[:1]).shape[1:]
    with run.strategy.scope():
        sizes = dict(
            length=int(np.prod(grid)),
            levels=s.codebook_size,
            units=s.prior_units,
            blocks=s.prior_blocks,
            heads=s.prior_heads,
            dropout=s.prior_dropout,
        )
        without = CodePrior(transformer(**sizes), coder, seed=s.seed)
        prior = ConditionalCodePrior(
            transformer(**sizes, classes=CLASSES), coder, CLASSES, seed=s.seed
        )
        for each in (without, prior):
            rate = run.in_halves(s.prior_learning_rate, s.prior_epochs)
            run.compile(each, Adam(rate, beta_2=0.95))

    held_out_codes = coder.encode(held_out)

    def bits(nats, codes):
        return {"bits_of_a_code": bits_per_live_value(nats, codes)}

    def validate_without(prior):
        return bits(-prior.log_prob(held_out_codes), held_out_codes)

    def validate(prior):
        return bits(-prior.log_prob(held_out_codes, held_out_labels), held_out_codes)

    def draw(prior):
        """Shows a row of eight images for each label."""
        asked = np.repeat(np.arange(CLASSES), 8)
        rows = np.split(prior.sample(len(asked), seed=s.seed, label=asked), CLASSES)
        return captioned(rows, NAMES)

    # Each step: every code is predicted from earlier codes; the coder stays fixed.
    mirrored = partial(unlabeled.stream, s.prior_batch_size, s.seed, augment=mirror)
    choice = dict(epochs=s.prior_epochs, best="bits_of_a_code")
    run.fit(without, mirrored, validate=validate_without, part="without_classes", **choice)
    run.restore_best(without, part="without_classes")
    # Each step: every code is predicted from the label and earlier codes.
    mirrored = partial(split.train.stream, s.prior_batch_size, s.seed, augment=mirror)
    run.fit(prior, mirrored, draw, validate=validate, **choice)
    run.restore_best(prior)
    run.export(prior, default="sample")

    run.say("counting codes for the baselines, and training the evaluation classifiers")
    extractors = trained_extractors(images, labels, s.classifier_steps)
    # Codes of images and of their mirror images, which the transformers also see.
    codes = coder.encode(images[: s.counted])
    labels = labels[: s.counted]
    known = np.concatenate([codes, coder.encode(images[: s.counted, :, ::-1])])
    n_grams = best_n_grams(
        known.reshape(len(known), -1),
        held_out_codes.reshape(len(held_out), -1),
        (1, 2, 3),
        s.codebook_size,
    )
    neighbors = best_grid_n_grams(
        (known, np.tile(labels, 2)),
        (held_out_codes, held_out_labels),
        (2, 3, 4),
        s.codebook_size,
        CLASSES,
    )
    evaluate = GenerationEvaluation(extractors, images[: s.compared], s.seed)

    with run.evaluation(prior) as metrics:
        test_codes = coder.encode(test)
        nats = {
            "": -prior.log_prob(test_codes, test_labels),
            "_without_classes": -without.log_prob(test_codes),
            "_n_grams": -n_grams.log_prob(test_codes.reshape(len(test), -1)),
            "_neighbors": -neighbors.log_prob(test_codes, test_labels),
        }
        for name, each in nats.items():
            metrics[f"bits_of_a_code{name}"] = bits_per_live_value(each, test_codes)
        metrics["nats_of_codes"] = nats[""].mean()
        metrics["n_gram_order"] = n_grams.order
        metrics["neighbor_order"] = neighbors.order

        run.say(
            f"comparing {s.compared} images per set (samples, baselines, and reconstructions) with "
            "training images"
        )
        asked = np.arange(s.compared) % CLASSES
        random = np.random.default_rng(s.seed)
        anything = random.integers(s.codebook_size, size=(s.compared, *grid))
        by_place = codes_by_place(codes, labels, asked, random)
        found = {
            "": (prior.sample(s.compared, seed=s.seed, label=asked), asked),
            "without_classes_": (without.sample(s.compared, seed=s.seed), asked),
            "by_place_": (coder.decode(by_place), asked),
            "random_": (coder.decode(anything), asked),
            "reconstructed_": (
                coder.decode(test_codes[: s.compared]),
                test_labels[: s.compared],
            ),
            "floor_": (test[: s.compared], test_labels[: s.compared]),
        }
        for prefix, (drawn, wanted) in found.items():
            metrics |= prefixed(prefix, evaluate(drawn))
            metrics[f"{prefix}accuracy"] = min(
                np.mean(extract(drawn)["logits"].argmax(axis=1) == wanted)
                for extract in extractors.values()
            )
        metrics |= extractor_accuracies(extractors)


def codes_by_place(codes, labels, asked, random):
    """Returns codes for classes; the code at each position is from a random image of the class."""
    drawn = np.empty((len(asked), *codes.shape[1:]), codes.dtype)
    for label in np.unique(asked):
        known = codes[labels == label]
        wanted = asked == label
        for place in np.ndindex(*codes.shape[1:]):
            drawn[(wanted, *place)] = random.choice(known[(slice(None), *place)], wanted.sum())
    return drawn


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
