"""What an autoencoder's codes are good for: linear probes, neighbors, clusters, other data.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
compares codes with as many principal components. Here the encoders of three autoencoders, of
MNIST, Fashion-MNIST and USPS, are measured by what can be read from their codes, against pixels
and against a PCA of the same number of dimensions: logistic regression and 5 nearest neighbors
with 100, 1,000 and all labels of the training set, and k-means with ten clusters of the test set.
Transfer: the encoder of MNIST encodes USPS, and that of Fashion-MNIST encodes MNIST, against a PCA
fitted to the same source, pixels, and an encoder that was trained on the target, each with
logistic regression on 1,000 labels of the target.

Codes and components are taken as they are by neighbors and k-means, and standardized by logistic
regression. No label and no test image is seen by an encoder.

  python recipes/embeddings_mnist.py                    about 7 minutes on two CPU cores
  python recipes/embeddings_mnist.py --preset smoke     under a minute

Data: mnist, fashion_mnist and usps through tensorflow-datasets (downloaded, or from
TFDS_DATA_DIR; usps from files fetched by hand, which an error names).
"""

import dataclasses

import keras
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from keras_gen.autoencoders import Autoencoder
from keras_gen.data import Sets, even_order, small_images
from keras_gen.images import write_png
from keras_gen.metrics import kmeans_report, knn_accuracy, linear_probe
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.results import Figure, Published
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.training import ConstantThenLinear
from keras_gen.visualize import code_scatter, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    """Settings of the autoencoders and of what is measured of their codes."""

    latent_dim: int = 32
    """Number of codes, and of principal components."""
    hidden: int = 500
    """Units of the encoder's first layer and the decoder's last; the ones between have half."""
    learning_rate: float = 1e-3
    """Adam's rate, constant in the first half and then linear to zero."""
    other_epochs: int = 15
    """Epochs of the autoencoders of Fashion-MNIST and USPS."""
    labels: int = 60_000
    """Most labeled training examples, and most test examples, that are measured with."""
    embedded: int = 2000
    """Test examples in the images of t-SNE."""


PRESETS = {
    "smoke": dict(
        hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, other_epochs=1, labels=1200,
        embedded=200, steps_per_execution=20,
    ),
    "cpu": dict(
        epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10, steps_per_execution=100
    ),
    "paper": dict(
        epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20, other_epochs=200
    ),
}  # fmt: skip

KINDS = {"codes": "32 codes", "pixels": "784 pixels", "pca": "32 components"}
COUNTS = {"100": "100", "1000": "1,000", "all": "60,000"}
GIVEN = dict(labels=60_000, latent_dim=32)


def _share(key, metric, tolerance):
    """A figure in percent that had better be high."""
    return Figure(key, metric, "%", higher_is_better=True, tolerance=tolerance, given=GIVEN)


RESULTS = Published(
    system="Autoencoder, embeddings",
    family="autoencoders",
    paper="Hinton & Salakhutdinov 2006, which reports no figure of these",
    dataset="MNIST, Fashion-MNIST, USPS enlarged to MNIST's frame",
    train_size=(60_000, 60_000, 7_291),
    figures=(
        *(
            _share(f"linear_{kind}_{count}", f"linear probe on {text}, {number} labels", 3)
            for count, number in COUNTS.items()
            for kind, text in KINDS.items()
        ),
        *(
            _share(f"neighbors_{kind}_all", f"5 nearest neighbors in {text}, 60,000 labels", 0.6)
            for kind, text in KINDS.items()
        ),
        *(
            _share(f"purity_{kind}", f"purity of 10 clusters by k-means of {text}", 8)
            for kind, text in KINDS.items()
        ),
        _share("usps_codes", "USPS, 1,000 labels, linear probe on MNIST's encoder", 3),
        _share("usps_pixels", "USPS, 1,000 labels, linear probe on 784 pixels", 2),
        _share("usps_pca", "USPS, 1,000 labels, linear probe on MNIST's components", 2),
        _share("usps_own", "USPS, 1,000 labels, linear probe on USPS' own encoder", 3),
        _share("mnist_codes", "MNIST, 1,000 labels, linear probe on Fashion-MNIST's encoder", 3),
        _share("mnist_pca", "MNIST, 1,000 labels, linear probe on Fashion-MNIST's components", 2),
    ),
)


def main(argv=None):
    """Trains, draws, measures and exports."""
    run = Run(__file__, Settings, PRESETS, __doc__, argv)
    s = run.settings
    data = Sets(
        mnist=small_images("mnist", labels=True),
        fashion=small_images("fashion_mnist", labels=True),
        usps=small_images("usps", labels=True),
        only=("train_mnist", "test_mnist", "train_fashion", "train_usps", "test_usps"),
    )
    run.describe_data(data)
    held_out = data.test_mnist.arrays()[0]

    def train(source, **options):
        """An autoencoder of the images of a labeled source."""
        sizes = (s.hidden, s.hidden // 2)
        shared = dict(latent_dim=s.latent_dim, activation="relu")
        steps = options.get("epochs", s.epochs) * s.steps_per_epoch
        with run.strategy.scope():
            model = Autoencoder(
                mlp_encoder(hidden=sizes, **shared),
                mlp_decoder(hidden=sizes[::-1], **shared),
                seed=s.seed,
            )
            rate = ConstantThenLinear.in_halves(s.learning_rate, steps)
            model.compile(keras.optimizers.Adam(rate), steps_per_execution=s.steps_per_execution)
        images = source.map(lambda image, label: image)

        def stream(start):
            return images.stream(s.batch_size, s.seed, start)

        run.fit(model, stream, lambda model: reconstructions(model, held_out[:12]), **options)
        return model

    def measured(part):
        """Images and labels of the part, evenly chosen if they are more than are wanted."""
        return part.select(even_order(part.arrays()[1], s.seed)[: s.labels]).arrays()

    def evaluate(model, directory):
        write_png(directory / "sample_grid.png", reconstructions(model, held_out[:12]))
        (x, y), (test_x, test_y) = measured(data.train_mnist), measured(data.test_mnist)
        (usps, digits), (test_usps, test_digits) = (
            measured(data.train_usps), measured(data.test_usps),
        )  # fmt: skip
        components, of_fashion = (
            PCA(s.latent_dim, random_state=s.seed).fit(flat(part.arrays()[0]))
            for part in (data.train_mnist, data.train_fashion)
        )
        features = {
            "codes": model.encode,
            "pixels": flat,
            "pca": lambda images: components.transform(flat(images)),
        }
        found, planes, near = {}, {}, {}
        for kind, encode in features.items():
            run.say(f"measuring {kind}")
            codes, test_codes = encode(x), encode(test_x)
            numbers = dict(zip(COUNTS, (100, 1000, len(x)), strict=True))
            probes = linear_probe(codes, y, test_codes, test_y, list(numbers.values()), s.seed)
            for count, number in numbers.items():
                found[f"linear_{kind}_{count}"] = 100 * probes[number]
                # Evenly ordered, so that the first are the ones that the probe takes.
                few = even_order(y, s.seed)[:number]
                share = knn_accuracy(codes[few], y[few], test_codes, test_y)
                found[f"neighbors_{kind}_{count}"] = 100 * share
            clusters = kmeans_report(test_codes, test_y, seed=s.seed)
            found |= {f"{name}_{kind}": 100 * value for name, value in clusters.items()}
            shown = test_codes[: s.embedded]
            planes[kind] = PCA(2).fit(test_codes).transform(shown)
            near[kind] = TSNE(init="pca", random_state=s.seed).fit_transform(shown)
        for name, images in (("pca", planes), ("tsne", near)):
            panels = {KINDS[kind]: images[kind] for kind in ("codes", "pixels")}
            write_png(directory / f"{name}.png", code_scatter(panels, test_y[: s.embedded]))

        def transferred(encode, x, y, test_x, test_y):
            return 100 * linear_probe(encode(x), y, encode(test_x), test_y, [1000], s.seed)[1000]

        run.say("measuring transfer")
        for kind, encode in {**features, "own": of_usps.encode}.items():
            found[f"usps_{kind}"] = transferred(encode, usps, digits, test_usps, test_digits)
        for kind, encode in {
            "codes": of_clothes.encode,
            "pca": lambda images: of_fashion.transform(flat(images)),
        }.items():
            found[f"mnist_{kind}"] = transferred(encode, x, y, test_x, test_y)
        return found

    of_clothes = train(data.train_fashion, part="fashion_mnist", epochs=s.other_epochs)
    of_usps = train(data.train_usps, part="usps", epochs=s.other_epochs)
    model = train(data.train_mnist)
    run.finish(model, evaluate, data.record())


def flat(images):
    """Pixels between 0 and 1, float32 `[n, pixels]`."""
    return images.reshape(len(images), -1).astype("float32") / 255


if __name__ == "__main__":
    run_recipe(main)
