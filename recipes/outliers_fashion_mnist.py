"""Outliers by likelihood: why it fails, and two corrections, on Fashion-MNIST and MNIST.

Nalisnick, Matsukawa, Teh, Gorur, Lakshminarayanan: "Do Deep Generative Models Know What They Don't
Know?", ICLR 2019: models of clothes find digits more likely than clothes. A VAE with a logistic
likelihood of the 256 levels is trained on clothes and has to tell clothes from digits; another one
is trained on digits, for the reverse. Scores, of test images, are high for outliers:

- elbo and nll: the negative ELBO, and the negative log-likelihood by importance samples;
- ratio: the nll less that of a second VAE, the background's, which is trained on images of which a
  fraction of the values is random (Ren et al.: "Likelihood Ratios for Out-of-Distribution
  Detection", NeurIPS 2019), which may fail with VAEs (Xiao et al., "Likelihood Regret", 2020);
- complexity: the nll less the size of the image as a PNG file, in nats (Serrà et al.: "Input
  Complexity and Out-of-distribution Detection with Likelihood-based Generative Models", ICLR 2020);
- without a VAE: how far the PNG file's size is from the training images' mean, the squared error of
  as many principal components as the VAE has latents, and the nearest training image's distance.

Deviations: VAEs in place of PixelCNN++ and Glow. Ren et al. choose the fraction, and a penalty of
weights, by other outliers; here none are seen: the middle fraction of their code, and no penalty.

  python recipes/outliers_fashion_mnist.py                    about 8 minutes on two CPU cores
  python recipes/outliers_fashion_mnist.py --preset smoke     about a minute

Data: fashion_mnist and mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

import dataclasses
import math
from functools import partial

import keras
import numpy as np

from keras_gen.baselines import PrincipalComponents, compressed_bits
from keras_gen.data import Sets, random_levels, small_images
from keras_gen.losses.likelihoods import DiscretizedLogistic
from keras_gen.metrics import (
    auroc,
    bits_per_dimension,
    importance_weighted_nll,
    nearest_neighbors,
    squared_error,
)
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import VAE
from keras_gen.visualize import anomalies, roc_plot, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 20  # Dimensions of the latents, and number of principal components
    hidden: int = 400  # Units of the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    random: float = 0.2  # Fraction of the values that are random in the background's images
    nll_samples: int = 100  # Importance samples of each test image
    tested: int = 2000  # Test images of each set, the first ones
    neighbors: int = 10_000  # Training images of which the nearest is looked for


PRESETS = {
    "smoke": dict(latent_dim=4, hidden=16, epochs=2, steps_per_epoch=10, batch_size=50,
                  nll_samples=2, tested=100, neighbors=200, steps_per_execution=10),
    "cpu": dict(epochs=15, steps_per_epoch=600, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20, nll_samples=1000,
                  tested=10_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(Sets(fashion=small_images("fashion_mnist"), mnist=small_images("mnist")))
    sources = {"fashion": data.train_fashion, "mnist": data.train_mnist}
    names = ("mnist_background", "mnist", "fashion_background", "fashion")  # the main one last
    with run.strategy.scope():
        models = {name: build(run, s) for name in reversed(names)}
    for name in names:
        known, _, background = name.partition("_")
        options = dict(augment_batch=random_levels(s.random)) if background else {}
        stream = partial(sources[known].stream, s.batch_size, s.seed, **options)
        part = {} if name == "fashion" else dict(part=name)
        run.fit(models[name], stream, None if part else samples, **part)

    tests = {"fashion": data.test_fashion.arrays(), "mnist": data.test_mnist.arrays()}
    tests = {name: images[: s.tested] for name, images in tests.items()}
    with run.evaluation(models["fashion"]) as metrics:
        for known, outliers in (("fashion", "mnist"), ("mnist", "fashion")):
            run.say(f"scoring test images by the models of {known}")
            both, train = np.concatenate([tests[known], tests[outliers]]), sources[known].arrays()
            found = scores(models[known], models[f"{known}_background"], s, train, both)
            is_outlier = np.arange(len(both)) >= len(tests[known])
            metrics |= {f"auroc_{k}_{known}": auroc(v, is_outlier) for k, v in found.items()}
            bits = bits_per_dimension(found["nll"], both[0].size, "none")
            metrics[f"bits_{known}"] = bits[~is_outlier].mean()
            metrics[f"bits_{known}_of_{outliers}"] = bits[is_outlier].mean()
            run.draw(f"roc_{known}", roc_plot(found, is_outlier))
        run.draw("anomalies", anomalies(models["fashion"], tests["fashion"], tests["mnist"]))
    run.export(models["fashion"], default="sample")


def build(run, s):
    """A compiled VAE."""
    sizes, likelihood = dict(latent_dim=s.latent_dim, activation="relu"), DiscretizedLogistic()
    hidden = (s.hidden, s.hidden // 2)
    encoder = mlp_encoder((28, 28, 1), hidden=hidden, heads=("mean", "log_variance"), **sizes)
    parameters = (28, 28, likelihood.params_per_value)
    model = VAE(encoder, mlp_decoder(parameters, hidden=hidden, **sizes), likelihood, seed=s.seed)
    run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))
    return model


def scores(model, background, s, train, images):
    """What each method says of images, high for outliers; nats where they are likelihoods."""
    nats, behind = (
        importance_weighted_nll(m, images, s.nll_samples, seed=s.seed) for m in (model, background)
    )
    sizes, known = compressed_bits(images), compressed_bits(train[: s.neighbors]).mean()
    return {
        "complexity": nats["nll"] - sizes * math.log(2),
        "ratio": nats["nll"] - behind["nll"],
        "nll": nats["nll"],
        "elbo": -nats["elbo"],
        "png": np.abs(sizes - known),
        "pca": squared_error(PrincipalComponents(train, s.latent_dim).reconstruct(images), images),
        "neighbor": nearest_neighbors(images, train[: s.neighbors])[0][:, 0],
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
