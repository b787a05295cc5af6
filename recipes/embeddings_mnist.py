"""Autoencoder embeddings on MNIST: probes, neighbors, clusters, and transfer.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
compare codes with the same number of principal components.

  python recipes/embeddings_mnist.py                    about 6 minutes on two CPU cores
  python recipes/embeddings_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a linear probe reaches 76.5% accuracy with 100 labels (on pixels:
75.9%; on histograms of gradients: 84.8%).

The codes of three encoders, trained on MNIST, Fashion-MNIST, and USPS, are compared with pixels,
with PCA of the same dimension, and with histograms of gradients. They are evaluated with logistic
regression and 5 nearest neighbors, given 100, 1,000, and all training labels, and with k-means with
ten clusters on the test set.

To measure transfer, the MNIST encoder encodes USPS, and the Fashion-MNIST encoder encodes MNIST.
Both are compared with PCA fitted to the same source, with pixels, and with an encoder trained on
the target, each with logistic regression on 1,000 target labels. Nearest neighbors and k-means use
unscaled codes and components, whereas logistic regression standardizes both. No encoder is trained
on labels or test images.

Data: mnist, fashion_mnist, and usps through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR;
usps from files that you download yourself, listed in the error message).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

from keras.optimizers import Adam
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsClassifier

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, even_order, small_images
from keras_gen.files.images import flat_pixels
from keras_gen.metrics import gradient_histograms, kmeans_report, linear_probe
from keras_gen.networks import mlp_networks
from keras_gen.workshop.baselines import PrincipalComponents
from keras_gen.workshop.visualize import code_scatter, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Number of code dimensions and of principal components
    hidden: int = 500  # Units in the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    other_epochs: int = 15
    """Number of epochs for the autoencoders trained on Fashion-MNIST and USPS."""
    labels: int = 60_000  # Maximum number of labeled training examples and of test examples
    embedded: int = 2000  # Number of test examples in the t-SNE plots


PRESETS = {
    "smoke": dict(hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, other_epochs=1,
                  labels=1200, embedded=200, steps_per_execution=20),
    "cpu": dict(epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20,
                  other_epochs=200),
}  # fmt: skip


def main(run: Run, s: Settings):
    sets = Sets(
        mnist=small_images("mnist", labels=True),
        fashion=small_images("fashion_mnist", labels=True),
        usps=small_images("usps", labels=True),
        only=("train_mnist", "test_mnist", "train_fashion", "train_usps", "test_usps"),
    )
    data = run.load(sets)
    all_test_digits, _ = data.test_mnist.arrays()
    train = measured(data.train_mnist, s)
    test = measured(data.test_mnist, s)
    usps = (measured(data.train_usps, s), measured(data.test_usps, s))

    # Each step here and below: one joint update of the encoder and the decoder.
    draw = partial(reconstructions, images=all_test_digits[:12])
    others = dict(draw=draw, epochs=s.other_epochs)
    fashion_model = build_model(run, s, s.other_epochs)
    run.fit(fashion_model, data.train_fashion, part="fashion_mnist", **others)
    usps_model = build_model(run, s, s.other_epochs)
    run.fit(usps_model, data.train_usps, part="usps", **others)
    model = build_model(run, s, s.epochs)
    run.fit(model, data.train_mnist, draw)
    run.export(model)

    # Evaluate the baselines.
    pca = fit_components(data.train_mnist, s)
    fashion_pca = fit_components(data.train_fashion, s)

    with run.evaluation(model) as metrics:
        encoders = {
            "codes": model.encode,
            "pixels": flat_pixels,
            "pca": pca.encode,
            "gradients": gradient_histograms,
        }
        for name, encode in encoders.items():
            run.say(f"evaluating {name}")
            metrics |= coding_report(name, encode, train, test, s)

        run.say("evaluating the transfer to USPS")
        for name, encode in encoders.items():
            metrics[f"usps_{name}"] = transferred(encode, *usps, s)
        metrics["usps_own"] = transferred(usps_model.encode, *usps, s)
        metrics["mnist_codes"] = transferred(fashion_model.encode, train, test, s)
        metrics["mnist_pca"] = transferred(fashion_pca.encode, train, test, s)

        run.say("computing t-SNE embeddings of the codes and pixels of test images")
        images, labels = test
        planes = {}
        maps = {}
        for title, encode in (("32 codes", model.encode), ("784 pixels", flat_pixels)):
            codes = encode(images)
            shown = codes[: s.embedded]
            planes[title] = PCA(2).fit(codes).transform(shown)
            maps[title] = TSNE(init="pca", random_state=s.seed).fit_transform(shown)
        run.draw("pca", code_scatter(planes, labels[: s.embedded]))
        run.draw("tsne", code_scatter(maps, labels[: s.embedded]))


def measured(source, s):
    """Returns images and labels, or an evenly spaced subset if there are more than requested."""
    _, labels = source.arrays()
    return source.select(even_order(labels, s.seed)[: s.labels]).arrays()


def build_model(run, s, epochs):
    """Returns an autoencoder compiled for the given number of epochs."""
    with run.strategy.scope():
        hidden = (s.hidden, s.hidden // 2)
        encoder, decoder = mlp_networks((28, 28, 1), s.latent_dim, hidden, "relu")
        model = Autoencoder(encoder, decoder, seed=s.seed)
        run.compile(model, Adam(run.in_halves(s.learning_rate, epochs)))
    return model


def fit_components(source, s):
    """Returns the principal components of all images."""
    images, _ = source.arrays()
    return PrincipalComponents(images, s.latent_dim)


def coding_report(name, encode, train, test, s):
    """Returns linear-probe and nearest-neighbor accuracies and k-means scores, in percent."""
    images, labels = train
    test_images, test_labels = test
    codes = encode(images)
    test_codes = encode(test_images)

    counts = {"100": 100, "1000": 1000, "all": len(images)}
    sizes = list(counts.values())
    accuracies = linear_probe(codes, labels, test_codes, test_labels, sizes, s.seed)
    order = even_order(labels, s.seed)
    report = {}
    for count, number in counts.items():
        report[f"linear_{name}_{count}"] = 100 * accuracies[number]
        # Choose the examples for the probe.
        few = order[:number]
        neighbors = KNeighborsClassifier().fit(codes[few], labels[few])
        accuracy = neighbors.score(test_codes, test_labels)
        report[f"neighbors_{name}_{count}"] = 100 * accuracy
    for score, value in kmeans_report(test_codes, test_labels, seed=s.seed).items():
        report[f"{score}_{name}"] = 100 * value
    return report


def transferred(encode, train, test, s):
    """Returns the accuracy of a linear probe with 1,000 target labels, in percent."""
    images, labels = train
    test_images, test_labels = test
    codes = encode(images)
    test_codes = encode(test_images)
    return 100 * linear_probe(codes, labels, test_codes, test_labels, [1000], s.seed)[1000]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
