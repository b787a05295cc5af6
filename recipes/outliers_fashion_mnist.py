"""Likelihood-based outlier detection on Fashion-MNIST and MNIST.

Nalisnick, Matsukawa, Teh, Gorur, Lakshminarayanan: "Do Deep Generative Models Know What They Don't
Know?", ICLR 2019. Models of clothes assign a higher likelihood to digits than to clothes.

  python recipes/outliers_fashion_mnist.py                    about 8 minutes on two CPU cores
  python recipes/outliers_fashion_mnist.py --preset smoke     about a minute

Expected result of the cpu preset, digits among clothes: an AUROC of 0.16 with nll, 0.78 with ratio,
and 0.99 with complexity (size of the PNG file alone: 0.97; nearest training image in histograms of
gradients: 0.99).

A VAE with a logistic likelihood over the 256 levels is trained on clothes, and its scores separate
clothes from digits; another VAE is trained on digits for the reverse task. Scores are high for
outliers:

- elbo and nll: the negative ELBO, and the negative log-likelihood with importance samples;
- ratio: nll minus the nll of a second VAE, the background model, which is trained on images in
  which a fraction of the values is random (Ren et al.: "Likelihood Ratios for Out-of-Distribution
  Detection", NeurIPS 2019). This score may fail with VAEs (Xiao et al., "Likelihood Regret", 2020);
- complexity: nll minus the size of the image as a PNG file, in nats (Serrà et al.: "Input
  Complexity and Out-of-distribution Detection with Likelihood-based Generative Models", ICLR
  2020);
- without a VAE: the difference of the PNG size from its mean over training images, the squared
  error of the same number of principal components as latents, and the distance to the nearest
  training image, in pixels and in histograms of gradients.

Deviations: VAEs are used instead of PixelCNN++ and Glow. Ren et al. choose the fraction and a
weight penalty using other outliers. Here, no outliers are used; the fraction is the middle value in
the authors' code, and there is no weight penalty.

Data: fashion_mnist and mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
import math
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.metrics import roc_auc_score

from keras_gen.data import Sets, random_levels, small_images
from keras_gen.losses.likelihoods import DiscretizedLogistic
from keras_gen.metrics import (
    bits_per_dimension,
    gradient_histograms,
    importance_weighted_nll,
    nearest_neighbors,
    squared_error,
)
from keras_gen.networks import mlp_decoder, mlp_encoder
from keras_gen.vae import VAE
from keras_gen.workshop.baselines import PrincipalComponents, compressed_bits
from keras_gen.workshop.visualize import anomalies, roc_plot, samples


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    latent_dim: int = 20  # Number of latent dimensions and of principal components
    hidden: int = 400  # Units in the encoder's first layer; the second has half as many
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    random: float = 0.2
    """Fraction of pixel values randomized in the background model's training images."""
    nll_samples: int = 100  # Number of importance samples per test image
    tested: int = 2000  # Number of test images per dataset; the first ones are used
    neighbors: int = 10_000  # Number of training images searched for nearest neighbors


PRESETS = {
    "smoke": dict(latent_dim=4, hidden=16, epochs=2, steps_per_epoch=10, batch_size=50,
                  nll_samples=2, tested=100, neighbors=200, steps_per_execution=10),
    "cpu": dict(epochs=15, steps_per_epoch=600, batch_size=100, grid_every=5,
                steps_per_execution=100),
    "paper": dict(epochs=200, steps_per_epoch=600, batch_size=100, grid_every=20,
                  nll_samples=1000, tested=10_000),
}  # fmt: skip


IN_WORDS = {
    "complexity": "NLL minus PNG size",
    "ratio": "NLL minus background NLL",
    "nll": "NLL",
    "elbo": "negative ELBO",
    "png": "PNG size",
    "pca": "principal components",
    "neighbor": "nearest training image",
    "gradients": "nearest in gradient histograms",
}


def main(run: Run, s: Settings):
    data = run.load(Sets(fashion=small_images("fashion_mnist"), mnist=small_images("mnist")))
    train = {"fashion": data.train_fashion.arrays(), "mnist": data.train_mnist.arrays()}
    test = {
        "fashion": data.test_fashion.arrays()[: s.tested],
        "mnist": data.test_mnist.arrays()[: s.tested],
    }

    with run.strategy.scope():
        fashion = build(run, s)
        fashion_background = build(run, s)
        mnist = build(run, s)
        mnist_background = build(run, s)

    # Each step: one joint update of the encoder and the decoder. The main model is trained last.
    clothes = partial(data.train_fashion.stream, s.batch_size, s.seed)
    digits = partial(data.train_mnist.stream, s.batch_size, s.seed)
    noisy_clothes = partial(clothes, augment_batch=random_levels(s.random))
    noisy_digits = partial(digits, augment_batch=random_levels(s.random))
    run.fit(mnist_background, noisy_digits, part="mnist_background")
    run.fit(mnist, digits, part="mnist")
    run.fit(fashion_background, noisy_clothes, part="fashion_background")
    run.fit(fashion, clothes, samples)
    run.export(fashion, default="sample")

    pca = {name: PrincipalComponents(images, s.latent_dim) for name, images in train.items()}

    with run.evaluation(fashion) as metrics:
        cases = [
            ("fashion", "mnist", fashion, fashion_background),
            ("mnist", "fashion", mnist, mnist_background),
        ]
        for known, outliers, model, background in cases:
            run.say(f"scoring test images with the models trained on {known}")
            images = np.concatenate([test[known], test[outliers]])
            is_outlier = np.arange(len(images)) >= len(test[known])
            found = likelihood_scores(model, background, s, images)
            found |= baseline_scores(pca[known], train[known][: s.neighbors], images)
            for name, scores in found.items():
                metrics[f"auroc_{name}_{known}"] = roc_auc_score(is_outlier, scores)
            bits = bits_per_dimension(found["nll"], images[0].size, "none")
            metrics[f"bits_{known}"] = bits[~is_outlier].mean()
            metrics[f"bits_{known}_of_{outliers}"] = bits[is_outlier].mean()
            shown = {IN_WORDS[name]: scores for name, scores in found.items()}
            run.draw(f"roc_{known}", roc_plot(shown, is_outlier))
        shown = {"Fashion-MNIST": test["fashion"], "MNIST": test["mnist"]}
        run.draw("anomalies", anomalies(fashion, shown))


def build(run, s):
    """Returns a compiled VAE."""
    likelihood = DiscretizedLogistic()
    hidden = (s.hidden, s.hidden // 2)
    sizes = dict(latent_dim=s.latent_dim, hidden=hidden, activation="relu")
    encoder = mlp_encoder((28, 28, 1), heads=("mean", "log_variance"), **sizes)
    decoder = mlp_decoder((28, 28, likelihood.params_per_value), **sizes)
    model = VAE(encoder, decoder, likelihood, seed=s.seed)
    run.compile(model, Adam(run.in_halves(s.learning_rate)))
    return model


def likelihood_scores(model, background, s, images):
    """Returns likelihood scores in nats, high for outliers."""
    nats = importance_weighted_nll(model, images, s.nll_samples, seed=s.seed)
    background_nats = importance_weighted_nll(background, images, s.nll_samples, seed=s.seed)
    return {
        "complexity": nats["nll"] - compressed_bits(images) * math.log(2),
        "ratio": nats["nll"] - background_nats["nll"],
        "nll": nats["nll"],
        "elbo": -nats["elbo"],
    }


def baseline_scores(pca, train, images):
    """Returns scores without a VAE, high for outliers."""
    distances, _ = nearest_neighbors(images, train)
    histograms = gradient_histograms(train)
    gradient_distances, _ = nearest_neighbors(gradient_histograms(images), histograms)
    return {
        "png": np.abs(compressed_bits(images) - compressed_bits(train).mean()),
        "pca": squared_error(pca.reconstruct(images), images),
        "neighbor": distances[:, 0],
        "gradients": gradient_distances[:, 0],
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
