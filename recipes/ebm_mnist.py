"""Energy-based models of small digits and clothes: samples and outliers.

Du, Mordatch: "Implicit Generation and Modeling with Energy-Based Models", NeurIPS 2019.

  python recipes/ebm_mnist.py                    about 5 minutes on one of two CPU cores
  python recipes/ebm_mnist.py --preset smoke     under a minute

Expected result of the cpu preset: a kernel distance of 0.014 in gradient histograms for chains from
the buffer (Gaussian mixture: 0.016), and an AUROC of 0.997 for clothes among digits.

Samples are compared with test digits by their principal components and by gradient histograms,
which are not learned. Chains that continue the buffer and new chains from noise are compared
separately, because the latter are much farther from the digits. The energy from a digit model is
used to detect clothes among digits, and the energy from a clothing model to detect digits among
clothes. Scores are high for outliers. Digits are darker than clothes and have fewer gray pixels, so
baselines also separate them: a Gaussian mixture of principal components, the error of these
components, the distance to the nearest training image in pixels and in histograms of gradients, and
the mean brightness.

Deviations: images downscaled to 14x14 pixels, a small network without spectral normalization, and
short chains. The settings of the chains follow the authors' code.

Data: mnist and fashion_mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR).
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from sklearn.metrics import roc_auc_score

from keras_gen.data import Sets, Source, small_images
from keras_gen.energy_based import EBM
from keras_gen.metrics import (
    gradient_histograms,
    kernel_distance,
    nearest_neighbors,
    squared_error,
)
from keras_gen.workshop.baselines import PrincipalComponents, best_mixture, mixture_samples
from keras_gen.workshop.visualize import image_rows, samples

SIDE = 14
SHOWN = 16  # samples per row of the picture
IN_WORDS = {
    "buffer": "chains from the buffer",
    "noise": "new chains",
    "mixture": "Gaussian mixture",
    "floor": "test digits",
}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    filters: int = 32  # Channels of the first convolution; the next two have twice as many
    chain_steps: int = 15  # Number of steps per chain in each training step
    buffer_size: int = 4096  # Number of chains in the buffer
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    new_steps: int = 256  # Number of steps in sampling chains that start from noise
    compared: int = 1000  # Number of images to compare from each set: samples and test images
    components: int = 40
    """Number of principal components used to compare images and score outliers."""
    gaussians: int = 40
    """Number of components in the mixture that scores outliers; half this number is also tried."""
    fitted: int = 6000  # Number of training images used to fit the baselines


PRESETS = {
    "smoke": dict(filters=4, chain_steps=2, buffer_size=64, new_steps=5, compared=20, components=5,
                  gaussians=2, fitted=100, epochs=2, steps_per_epoch=5, batch_size=16,
                  steps_per_execution=5),
    "cpu": dict(epochs=6, steps_per_epoch=200, batch_size=64, steps_per_execution=50,
                grid_every=3),
    "paper": dict(filters=128, chain_steps=60, buffer_size=10_000, learning_rate=1e-4, epochs=60,
                  steps_per_epoch=468, batch_size=128, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(Sets(digits=small_images("mnist"), clothes=small_images("fashion_mnist")))
    train = {
        "digits": halved(data.train_digits.arrays()),
        "clothes": halved(data.train_clothes.arrays()),
    }
    test = {
        "digits": halved(data.test_digits.arrays()[: s.compared]),
        "clothes": halved(data.test_clothes.arrays()[: s.compared]),
    }
    with run.strategy.scope():
        models = {"digits": build(run, s), "clothes": build(run, s)}

    # Each step: chains run, then one update lowers the energies of data and raises the
    # energies of the ends.
    run.fit(models["clothes"], Source(train["clothes"]), part="clothes")
    run.fit(models["digits"], Source(train["digits"]), samples)
    run.export(models["digits"], default="sample")

    with run.evaluation(models["digits"]) as metrics:
        black_mixture = partial(mixture_samples, n=s.compared, seed=s.seed, black=True)
        draw = partial(models["digits"].sample, s.compared, seed=s.seed, batch_size=500)
        drawn = {
            "buffer": draw(steps=s.chain_steps),
            "noise": draw(steps=s.new_steps, start="noise"),
            "mixture": black_mixture(train["digits"][: s.fitted]),
            "floor": halved(data.test_digits.arrays()[-s.compared :]),
        }
        features = pixels_and_gradients(train["digits"], s.components)
        for kind, feature in features.items():
            for name, images in drawn.items():
                distance, error = kernel_distance(feature(images), feature(test["digits"]))
                metrics[f"distance_{kind}_{name}"] = distance
                metrics[f"distance_{kind}_{name}_standard_error"] = error
        run.draw("chains", image_rows({IN_WORDS[k]: x[:SHOWN] for k, x in drawn.items()}))
        for known, outliers in (("digits", "clothes"), ("clothes", "digits")):
            images = np.concatenate([test[known], test[outliers]])
            is_outlier = np.arange(len(images)) >= len(test[known])
            scores = {"energy": models[known].score(images)}
            scores |= baseline_scores(train[known], images, s)
            for name, values in scores.items():
                metrics[f"auroc_{name}_{known}"] = roc_auc_score(is_outlier, values)


def halved(images):
    """Returns images `[n, 28, 28, 1]` with half as many pixels per side, uint8."""
    blocks = images.reshape(-1, SIDE, 2, SIDE, 2, 1)
    return np.rint(blocks.mean((2, 4))).astype("uint8")


def build(run, s):
    """Returns a compiled model of images."""
    filters = (s.filters, 2 * s.filters, 2 * s.filters)
    chains = dict(steps=s.chain_steps, buffer_size=s.buffer_size)
    model = EBM.for_images((SIDE, SIDE, 1), filters, **chains, seed=s.seed)
    run.compile(model, Adam(run.in_halves(s.learning_rate), beta_1=0.0, clipnorm=0.1))
    return model


def pixels_and_gradients(images, components):
    """Returns functions that map images to features whose mean square is about 1."""
    pca = PrincipalComponents(images, components)
    scale = pca.encode(images).std()
    return {"pixels": lambda x: pca.encode(x) / scale, "gradients": gradient_histograms}


def baseline_scores(train, images, s):
    """Returns the outlier scores of the baselines; high for outliers."""
    pca = PrincipalComponents(train, s.components)
    errors = squared_error(pca.reconstruct(images), images)
    codes = pca.encode(train[: s.fitted])
    mixture = best_mixture(codes[::2], codes[1::2], (s.gaussians // 2, s.gaussians), s.seed)
    noise = squared_error(pca.reconstruct(train[: s.fitted]), train[: s.fitted]).mean()
    rest = SIDE**2 - s.components  # number of directions not represented by the components
    distances, _ = nearest_neighbors(images, train[: s.fitted])
    histograms = gradient_histograms(train[: s.fitted])
    gradient_distances, _ = nearest_neighbors(gradient_histograms(images), histograms)
    return {
        "mixture": -mixture.score_samples(pca.encode(images)) + rest * errors / (2 * noise),
        "pca": errors,
        "neighbor": distances[:, 0],
        "gradients": gradient_distances[:, 0],
        "brightness": np.abs(images.mean((1, 2, 3)) - train.mean()),
    }


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
