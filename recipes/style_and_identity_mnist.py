"""Style and identity as separate codes on MNIST.

Mathieu, Zhao, Sprechmann, Ramesh, LeCun: "Disentangling factors of variation in deep
representations using adversarial training", NeurIPS 2016.

  python recipes/style_and_identity_mnist.py    # about 4 minutes on two CPU cores
  python recipes/style_and_identity_mnist.py --preset smoke    # under a minute

Expected result of the cpu preset: logistic regression classifies 97% of the test digits correctly
from the identity and 35% from the style (from the same numbers of principal components: 86% and
79%; from linear discriminants of strokes: 98%).

Three results are reported on test digits: the error of an image decoded from a digit's style and
the identity of another digit with the same label; how often a classifier recognizes the label of
the identity when the identity comes from a digit with another label; and how well logistic
regression predicts the label from the identity and from the style (chance: 11%). The second metric
alone is not sufficient, because copying the other digit would also score well. The results are
compared with principal components, as many as the dimensions of the style or identity, with linear
discriminants of strokes (see `stroke_codes`), with the mean digit of each label, and with the
classifier's accuracy on digits and on reconstructions.

Deviations: networks suited to digits, and loss weights chosen on the last 10,000 training digits.
With a lower weight of the style's divergence, the style reveals more about the digit.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from keras_gen.data import class_triples, small_images
from keras_gen.metrics import linear_probe, squared_error, trained_extractor
from keras_gen.networks import conv_decoder, conv_encoder, with_head, with_labels
from keras_gen.vae import StyleIdentityVAE
from keras_gen.workshop.baselines import PrincipalComponents, stroke_codes
from keras_gen.workshop.visualize import swaps


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    style_dim: int = 8  # Number of dimensions of the style code
    identity_dim: int = 16  # Number of dimensions of the identity code
    width: int = 16  # Channels of the first of two convolutions; the second has twice as many
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    d_learning_rate: float = 2e-4
    """Adam's learning rate for the discriminator, with beta_1 0.5; linear decay to 0 in the second
    half."""
    swap_weight: float = 1.0  # Weight of the reconstruction from another digit's identity
    beta: float = 15.0  # Weight of the KL divergence of the style code
    adversarial_weight: float = 30.0
    """Weight of the adversarial loss, relative to the reconstruction loss in nats."""
    probed: int = 10_000
    """Number of training digits used to fit classifiers on codes and strokes."""
    classifier_steps: int = 1500
    """Number of training steps for the classifier that evaluates swapped digits."""


PRESETS = {
    "smoke": dict(style_dim=4, identity_dim=4, width=4, epochs=2, steps_per_epoch=10,
                  batch_size=20, probed=200, classifier_steps=20),
    "cpu": dict(epochs=20, steps_per_epoch=200, batch_size=50, grid_every=5,
                steps_per_execution=20),
    "paper": dict(width=32, epochs=200, steps_per_epoch=500, batch_size=50, grid_every=20),
}  # fmt: skip

CLASSES = 10


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    images, labels = data.train.arrays()
    test_images, test_labels = data.test.arrays()

    with run.strategy.scope():
        encoder, decoder, discriminator = build_networks(s)
        model = StyleIdentityVAE(
            encoder,
            decoder,
            discriminator,
            classes=CLASSES,
            swap_weight=s.swap_weight,
            beta=s.beta,
            adversarial_weight=s.adversarial_weight,
            seed=s.seed,
        )
        optimizer = Adam(run.in_halves(s.learning_rate))
        d_optimizer = Adam(run.in_halves(s.d_learning_rate), beta_1=0.5)
        run.compile(model, optimizer, d_optimizer=d_optimizer)

    # Each step: one joint update of the encoder and the decoder, then one update of the
    # discriminator.
    triples = partial(class_triples, data.train, s.batch_size, s.seed)
    draw = partial(swaps, styles=images[:12], identities=one_of_each(images, labels))
    run.fit(model, triples, draw)
    run.export(model)

    # Evaluate the baselines, and train the classifier that recognizes swapped digits.
    style_pca = PrincipalComponents(images, s.style_dim)
    identity_pca = PrincipalComponents(images, s.identity_dim)
    strokes = stroke_codes(images[: s.probed], test_images)
    discriminants = LinearDiscriminantAnalysis().fit(strokes[0], labels[: s.probed])
    means = np.stack([images[labels == k].mean(axis=0) / 255 for k in range(CLASSES)])
    classifier = trained_extractor(images, labels, s.classifier_steps)

    # Pair each test digit with a digit of the same label and a digit of another label.
    triples = class_triples(data.test, len(test_images), s.seed)
    x, classes, same, other, other_classes = next(triples.as_numpy_iterator())

    with run.evaluation(model) as metrics:
        reconstructed = model.reconstruct(x)
        made = {
            "swapped": model.swap(x, same),
            "class_mean": means[classes],
            "pca": style_pca.reconstruct(x),
            "reconstructed": reconstructed,
        }
        for name, each in made.items():
            metrics[f"error_{name}"] = float(squared_error(each, x).mean())

        styles, identities = model.split(model.encode(images[: s.probed]))
        test_styles, test_identities = model.split(model.encode(test_images))
        probed = {
            "style": (styles, test_styles),
            "identity": (identities, test_identities),
            "style_pca": encoded(style_pca, images[: s.probed], test_images),
            "identity_pca": encoded(identity_pca, images[: s.probed], test_images),
            "identity_lda": [discriminants.transform(codes) for codes in strokes],
        }
        for name, (codes, test_codes) in probed.items():
            accuracy = linear_probe(codes, labels[: s.probed], test_codes, test_labels)
            metrics[f"probe_{name}"] = accuracy[s.probed]

        shown = {
            "swapped": (model.swap(x, other), other_classes),
            "images": (x, classes),
            "reconstructed": (reconstructed, classes),
        }
        for name, (digits, right) in shown.items():
            answers = classifier(digits)["logits"].argmax(axis=1)
            metrics[f"identified_{name}"] = float((answers == right).mean())
        identities = one_of_each(test_images, test_labels)
        run.draw("swaps", swaps(model, test_images[:12], identities))


def build_networks(s):
    """Returns the encoder of both codes, the decoder, and the label-conditional discriminator."""
    filters = (s.width, 2 * s.width)
    encoder = conv_encoder(
        (28, 28, 1), latent_dim=s.style_dim, heads=("mean", "log_variance"), filters=filters
    )
    encoder = with_head(encoder, s.identity_dim, "identity")
    decoder = conv_decoder((28, 28, 1), s.style_dim + s.identity_dim, filters=filters)
    discriminator = conv_encoder(
        (28, 28, 1 + CLASSES),
        latent_dim=1,
        filters=filters,
        activation="leaky_relu",
        name="discriminator",
    )
    return encoder, decoder, with_labels(discriminator, CLASSES)


def one_of_each(images, labels):
    """Returns the first image of each label."""
    first = [np.flatnonzero(labels == k)[0] for k in range(CLASSES)]
    return images[first]


def encoded(pca, images, test_images):
    return pca.encode(images), pca.encode(test_images)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
