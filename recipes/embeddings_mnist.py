"""What an autoencoder's codes are good for: linear probes, neighbors, clusters, other data.

Hinton, Salakhutdinov: "Reducing the Dimensionality of Data with Neural Networks", Science 2006,
compares codes with as many principal components. Here the encoders of three autoencoders, of
MNIST, Fashion-MNIST and USPS, are measured by what can be read from their codes, against pixels
and against a PCA of the same number of dimensions: logistic regression and 5 nearest neighbors
with 100, 1,000 and all labels of the training set, and k-means with ten clusters of the test set.
Transfer: the encoder of MNIST encodes USPS, and that of Fashion-MNIST encodes MNIST, against a PCA
fitted to the same source, pixels, and an encoder that was trained on the target, each with
logistic regression on 1,000 labels of the target. Codes and components are taken as they are by
neighbors and k-means, and standardized by logistic regression. No label and no test image is seen
by an encoder.

  python recipes/embeddings_mnist.py                    about 6 minutes on two CPU cores
  python recipes/embeddings_mnist.py --preset smoke     under a minute

Data: mnist, fashion_mnist and usps through tensorflow-datasets (downloaded, or from
TFDS_DATA_DIR; usps from files fetched by hand, which an error names).
"""

import dataclasses

import keras
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from keras_gen.autoencoders import Autoencoder
from keras_gen.baselines import PrincipalComponents
from keras_gen.data import Sets, even_order, small_images
from keras_gen.media.images import flat_pixels
from keras_gen.metrics import kmeans_report, knn_accuracy, linear_probe
from keras_gen.networks import mlp_networks
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.visualize import code_scatter, reconstructions


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 32  # Dimensions of the codes, and number of principal components
    hidden: int = 500  # Units of the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half and then linear to zero
    other_epochs: int = 15  # Epochs of the autoencoders of Fashion-MNIST and USPS
    labels: int = 60_000  # Most labeled training examples, and most test examples
    embedded: int = 2000  # Test examples in the images of t-SNE


PRESETS = {
    "smoke": dict(hidden=32, epochs=2, steps_per_epoch=20, batch_size=50, other_epochs=1,
                  labels=1200, embedded=200, steps_per_execution=20),
    "cpu": dict(epochs=30, steps_per_epoch=600, batch_size=100, grid_every=10,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20, other_epochs=200),
}  # fmt: skip


def main(run: Run, s: Settings):
    names = {"mnist": "mnist", "fashion": "fashion_mnist", "usps": "usps"}
    sets = {key: small_images(name, labels=True) for key, name in names.items()}
    used = ("train_mnist", "test_mnist", "train_fashion", "train_usps", "test_usps")
    data = run.load(Sets(**sets, only=used))
    sources = {"fashion": data.train_fashion, "usps": data.train_usps, "mnist": data.train_mnist}
    digits, models = data.test_mnist.arrays()[0][:12], {}
    for name, source in sources.items():
        epochs = s.epochs if name == "mnist" else s.other_epochs
        with run.strategy.scope():
            networks = mlp_networks((28, 28, 1), s.latent_dim, (s.hidden, s.hidden // 2), "relu")
            models[name] = Autoencoder(*networks, seed=s.seed)
            adam = keras.optimizers.Adam(run.in_halves(s.learning_rate, epochs))
            run.compile(models[name], adam)
        draw, part = lambda m: reconstructions(m, digits), "" if name == "mnist" else names[name]
        run.fit(models[name], source, draw, part=part, epochs=epochs)

    with run.evaluation(models["mnist"]) as metrics:
        (x, y), (test_x, test_y) = measured(data.train_mnist, s), measured(data.test_mnist, s)
        mnist, fashion = (encoders(models[k], sources[k], s) for k in ("mnist", "fashion"))
        planes, near = {}, {}
        for kind, encode in mnist.items():
            run.say(f"measuring {kind}")
            codes, test_codes = encode(x), encode(test_x)
            counts = {"100": 100, "1000": 1000, "all": len(x)}
            accuracy = linear_probe(codes, y, test_codes, test_y, list(counts.values()), s.seed)
            for count, number in counts.items():
                metrics[f"linear_{kind}_{count}"] = 100 * accuracy[number]
                # Evenly ordered, so that the first are the ones that the probe takes.
                few = even_order(y, s.seed)[:number]
                found = knn_accuracy(codes[few], y[few], test_codes, test_y)
                metrics[f"neighbors_{kind}_{count}"] = 100 * found
            clusters = kmeans_report(test_codes, test_y, seed=s.seed)
            metrics |= {f"{name}_{kind}": 100 * value for name, value in clusters.items()}
            shown = test_codes[: s.embedded]
            planes[kind] = PCA(2).fit(test_codes).transform(shown)
            near[kind] = TSNE(init="pca", random_state=s.seed).fit_transform(shown)
        for name, found in (("pca", planes), ("tsne", near)):
            panels = {"32 codes": found["codes"], "784 pixels": found["pixels"]}
            run.draw(name, code_scatter(panels, test_y[: s.embedded]))
        run.say("measuring transfer")
        usps = *measured(data.train_usps, s), *measured(data.test_usps, s)
        for kind, encode in (mnist | {"own": models["usps"].encode}).items():
            metrics[f"usps_{kind}"] = transferred(encode, *usps, s.seed)
        for kind in ("codes", "pca"):
            metrics[f"mnist_{kind}"] = transferred(fashion[kind], x, y, test_x, test_y, s.seed)
    run.export(models["mnist"])


def encoders(model, source, s):
    """Functions of images: to the model's codes, to pixels, and to components of its data."""
    pca = PrincipalComponents(source.arrays()[0], s.latent_dim)
    return {"codes": model.encode, "pixels": flat_pixels, "pca": pca.encode}


def measured(part, s):
    """Images and labels of a part, evenly chosen if they are more than are wanted."""
    return part.select(even_order(part.arrays()[1], s.seed)[: s.labels]).arrays()


def transferred(encode, x, y, test_x, test_y, seed):
    """Accuracy of a linear probe on 1,000 labels of the target, in percent."""
    return 100 * linear_probe(encode(x), y, encode(test_x), test_y, [1000], seed)[1000]


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
