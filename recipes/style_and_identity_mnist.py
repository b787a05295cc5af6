"""Style and identity of digits in two codes: which digit it is, and how it is written.

Mathieu, Zhao, Sprechmann, Ramesh, LeCun: "Disentangling factors of variation in deep
representations using adversarial training", NeurIPS 2016. Measured on test digits: the error of
what is made of a digit's style and the identity of another digit of its class; how often a
classifier takes what has the identity of another class for that class (a copy of the other digit
would please it too, so it is no measure alone); and how well logistic regression tells the digit
from the identity, and from the style, where chance is 11 %. Beside them principal components, as
many as the style or the identity has dimensions, the mean digit of the class, and the classifier's
accuracy on digits and on reconstructions.

Deviations from the paper: networks for digits, and the weights of the losses, chosen on the last
10,000 training digits: a style whose divergence counts less tells more of the digit.

  python recipes/style_and_identity_mnist.py    # about 4 minutes on two CPU cores
  python recipes/style_and_identity_mnist.py --preset smoke    # under a minute

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import PrincipalComponents
from keras_gen.data import class_triples, small_images
from keras_gen.metrics import linear_probe, squared_error, trained_extractor
from keras_gen.networks import conv_decoder, conv_encoder, with_head, with_labels
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import StyleIdentityVAE
from keras_gen.visualize import swaps


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    style_dim: int = 8  # Dimensions of the style
    identity_dim: int = 16  # Dimensions of the identity
    width: int = 16  # Channels of the first of two convolutions; the second has twice as many
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    d_learning_rate: float = 2e-4  # Likewise, of the discriminator, whose beta_1 is 0.5
    swap_weight: float = 1.0  # Of the reconstruction from another digit's identity
    beta: float = 15.0  # Weight of the style's KL divergence
    adversarial_weight: float = 30.0  # Beside the nats of an image
    probed: int = 10_000  # Training digits of the regressions
    classifier_steps: int = 1500  # Training steps of the classifier of swapped digits


PRESETS = {
    "smoke": dict(style_dim=4, identity_dim=4, width=4, epochs=2, steps_per_epoch=10,
                  batch_size=20, probed=200, classifier_steps=20),
    "cpu": dict(epochs=20, steps_per_epoch=200, batch_size=50, grid_every=5,
                steps_per_execution=20),
    "paper": dict(width=32, epochs=200, steps_per_epoch=500, batch_size=50, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    with run.strategy.scope():
        model = StyleIdentityVAE(
            *networks(s), classes=10, swap_weight=s.swap_weight, beta=s.beta,
            adversarial_weight=s.adversarial_weight, seed=s.seed,
        )  # fmt: skip
        d_optimizer = keras.optimizers.Adam(run.in_halves(s.d_learning_rate), beta_1=0.5)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)), d_optimizer)

    (images, labels), test = data.train.arrays(), data.test.arrays()
    draw = partial(swaps, styles=images[:12], identities=one_of_each(images, labels))
    run.fit(model, partial(class_triples, data.train, s.batch_size, s.seed), draw)

    triples = class_triples(data.test, len(test[0]), s.seed)
    x, classes, same, other, other_classes = next(triples.as_numpy_iterator())
    with run.evaluation(model) as metrics:
        style_pca, identity_pca = (
            PrincipalComponents(images, n) for n in (s.style_dim, s.identity_dim)
        )
        means = np.stack([images[labels == k].mean(axis=0) / 255 for k in range(10)])
        made = {"swapped": model.swap(x, same), "class_mean": means[classes]}
        made |= {"pca": style_pca.reconstruct(x), "reconstructed": model.reconstruct(x)}
        metrics |= {f"error_{n}": float(squared_error(m, x).mean()) for n, m in made.items()}
        encoders = {"style": lambda x: model.split(model.encode(x))[0]}
        encoders["identity"] = lambda x: model.split(model.encode(x))[1]
        encoders |= {"style_pca": style_pca.encode, "identity_pca": identity_pca.encode}
        for name, encode in encoders.items():
            codes = encode(images[: s.probed]), encode(test[0])
            accuracy = linear_probe(codes[0], labels[: s.probed], codes[1], test[1])
            metrics[f"probe_{name}"] = accuracy[s.probed]
        classifier = trained_extractor(images, labels, s.classifier_steps, seed=s.seed)
        shown = {"swapped": (model.swap(x, other), other_classes), "images": (x, classes)}
        shown["reconstructed"] = made["reconstructed"], classes
        for name, (drawn, right) in shown.items():
            answers = classifier(drawn)["logits"].argmax(axis=1)
            metrics[f"identified_{name}"] = float((answers == right).mean())
        run.draw("swaps", swaps(model, test[0][:12], one_of_each(*test)))
    run.export(model)


def networks(s):
    """The encoder of both codes, the decoder, and the discriminator that is told the class."""
    sizes = dict(filters=(s.width, 2 * s.width))
    heads = dict(latent_dim=s.style_dim, heads=("mean", "log_variance"))
    encoder = with_head(conv_encoder((28, 28, 1), **heads, **sizes), s.identity_dim, "identity")
    decoder = conv_decoder((28, 28, 1), s.style_dim + s.identity_dim, **sizes)
    sizes |= dict(latent_dim=1, activation="leaky_relu", name="discriminator")
    return encoder, decoder, with_labels(conv_encoder((28, 28, 1 + 10), **sizes), 10)


def one_of_each(images, labels):
    """The first image of each class."""
    return images[[np.flatnonzero(labels == k)[0] for k in range(10)]]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
