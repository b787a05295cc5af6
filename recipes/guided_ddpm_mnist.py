"""Classifier-free guidance with DDPM on MNIST.

Ho, Salimans: "Classifier-Free Diffusion Guidance", 2022, with the sampler of Song, Meng, Ermon:
"Denoising Diffusion Implicit Models", ICLR 2021.

  python recipes/guided_ddpm_mnist.py                   at most 92 minutes on two CPU cores
  python recipes/guided_ddpm_mnist.py --preset smoke    under a minute

One network is trained with labels and, for a tenth of the digits, without labels. Sampling combines
the predictions p (with a label) and q (without a label) as p + w (p - q), with guidance strength w.
Stronger guidance gives clearer but less varied digits. For each w, two independently trained
classifiers measure how often a sample shows the requested digit, and the worse result counts.
Variety is the pixel variance within a class, divided by the variance for test digits. The baseline
is a Gaussian mixture per class.

Deviations: see `ConditionalDDPM`. In addition, weights are not averaged. The cpu preset predicts v,
which trains faster than noise prediction, at a learning rate of 0.001 with decay to 0.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper does not use
this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies, suffixed

import dataclasses
from typing import Literal

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import small_images
from keras_gen.diffusion import ConditionalDDPM
from keras_gen.metrics import bits_per_dimension, class_report, trained_extractors
from keras_gen.networks import time_unet
from keras_gen.workshop.baselines import mixture_samples
from keras_gen.workshop.visualize import captioned

CLASSES = 10


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    widths: str = "32 64"  # Channels of the network's feature maps, largest maps first
    probability_path: Literal["linear", "cosine"] = "cosine"  # Path from digits to noise
    prediction: Literal["noise", "example", "v"] = "noise"  # Prediction target of the network
    unlabeled: float = 0.1  # Fraction of digits whose label is dropped in training
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.0
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    guidance: str = "0 1 2 4"  # Guidance strengths w to compare
    sampling_steps: int = 20  # Number of sampling steps
    compared: int = 1000
    """Number of samples per guidance strength, and number of real digits, to compare."""
    scored: int = 500  # Number of test digits whose likelihood bound is evaluated
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(widths="8", epochs=2, steps_per_epoch=5, batch_size=16, guidance="0 1",
                  sampling_steps=3, compared=200, scored=10, classifier_steps=5),
    "cpu": dict(prediction="v", epochs=6, steps_per_epoch=468, batch_size=128,
                mixed_precision="none"),
    "paper": dict(widths="128 256", learning_rate=1e-4, ema=0.9999, epochs=500, steps_per_epoch=468,
                  batch_size=128, grid_every=50, sampling_steps=256, compared=10_000),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    images, labels = data.train.arrays()
    test_images, test_labels = data.test.arrays()

    with run.strategy.scope():
        widths = tuple(map(int, s.widths.split()))
        network = time_unet(images.shape[1:], widths, classes=CLASSES)
        kind = (s.probability_path, s.prediction)
        model = ConditionalDDPM(network, CLASSES, *kind, unlabeled=s.unlabeled, seed=s.seed)
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    def sample(model, asked, w):
        steps = s.sampling_steps
        options = dict(label=asked, guidance=w, steps=steps, batch_size=250)
        return model.sample(len(asked), seed=s.seed, **options)

    weights = [float(w) for w in s.guidance.split()]

    def draw(model):
        # All rows use the same latents.
        asked = np.arange(CLASSES)
        rows = [sample(model, asked, w) for w in weights]
        return captioned(rows, [f"w = {w:g}" for w in weights], list(map(str, asked)))

    # Each step: one gradient update on the loss of algorithm 1.
    run.fit(model, data.train, draw)
    run.export(model, default="sample")

    extractors = trained_extractors(images, labels, s.classifier_steps)
    known = images[: s.compared]
    known_labels = labels[: s.compared]
    asked = np.arange(s.compared) % CLASSES
    real_variance = variance_within(test_images, test_labels)

    def measured(drawn, asked):
        """Returns agreement and distance, each for the worse classifier, and variety."""
        reports = [
            class_report(extractor(known), known_labels, extractor(drawn), asked, s.seed)
            for extractor in extractors.values()
        ]
        return {
            "agreement": min(report["agreement"] for report in reports),
            "class_distance": max(report["class_distance"] for report in reports),
            "variety": variance_within(drawn, asked) / real_variance,
        }

    with run.evaluation(model) as metrics:
        metrics |= extractor_accuracies(extractors)
        for w in weights:
            run.say(f"generating {s.compared} samples with guidance {w:g}")
            metrics |= suffixed(measured(sample(model, asked, w), asked), f"_{w:g}")
        mixtures = [
            mixture_samples(
                images[labels == digit], s.compared // CLASSES, seed=s.seed, black=True
            )
            for digit in range(CLASSES)
        ]
        of_each = np.repeat(np.arange(CLASSES), s.compared // CLASSES)
        metrics |= suffixed(measured(np.concatenate(mixtures), of_each), "_mixture")
        held_out = test_images[: s.compared], test_labels[: s.compared]
        metrics |= suffixed(measured(*held_out), "_floor")

        scored = test_images[: s.scored]
        scored_labels = test_labels[: s.scored]
        run.say(
            f"estimating the likelihood bound of {len(scored)} test digits at 16 of "
            f"{model.chain_steps} time steps"
        )
        nats = -model.log_prob(scored, scored_labels).mean()
        metrics["bits"] = bits_per_dimension(nats, scored[0].size, "none")


def variance_within(images, labels) -> float:
    """Returns the pixel variance within a label, averaged over pixels and labels."""
    groups = [images[labels == label].astype("float64") for label in np.unique(labels)]
    return float(np.mean([group.var(axis=0).mean() for group in groups]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
