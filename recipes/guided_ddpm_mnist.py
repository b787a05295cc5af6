"""Digits of a chosen class by a diffusion model, led by its label and away from what has none.

Ho, Salimans: "Classifier-Free Diffusion Guidance", 2022; sampled by the steps of Song, Meng, Ermon:
"Denoising Diffusion Implicit Models", ICLR 2021.

  python recipes/guided_ddpm_mnist.py                   92 minutes at most on two CPU cores
  python recipes/guided_ddpm_mnist.py --preset smoke    under a minute

One network learns with the label and, for a tenth of the digits, without. Samples take both
predictions, p + w (p - q), and w is the guidance: more of it gives clearer digits and fewer kinds
of them. For each w two classifiers that were trained apart say how often a sample is the digit that
was asked for, and the worse one counts; the variety is the variance of pixels within a class, as a
fraction of that of the test digits. The baseline is a mixture of Gaussians of each class.

Deviations: those of `ConditionalDDPM`; no average of the weights. The cpu preset predicts v, which
learns faster than the noise, at a rate of 0.001 that falls to 0.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper reports no
number on it.
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
    widths: str = "32 64"  # Channels of the network's maps, from the largest on
    probability_path: Literal["linear", "cosine"] = "cosine"  # From digits to noise
    prediction: Literal["noise", "example", "v"] = "noise"  # What the network predicts
    unlabeled: float = 0.1  # Fraction of the digits that lose their label
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero
    ema: float = 0.0  # Momentum of the weight average, which is evaluated; 0: none
    guidance: str = "0 1 2 4"  # Values of w
    sampling_steps: int = 20  # Of each sample
    compared: int = 1000  # Samples of each w, and real digits, that are compared
    scored: int = 500  # Test digits whose bound is measured
    classifier_steps: int = 1500  # Training steps of each classifier


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
        # The same latents in each row.
        asked = np.arange(CLASSES)
        rows = [sample(model, asked, w) for w in weights]
        return captioned(rows, [f"w = {w:g}" for w in weights], list(map(str, asked)))

    # Each step: the network moves along the gradient of algorithm 1's loss.
    run.fit(model, data.train, draw)
    run.export(model, default="sample")

    extractors = trained_extractors(images, labels, s.classifier_steps)
    known = images[: s.compared]
    known_labels = labels[: s.compared]
    asked = np.arange(s.compared) % CLASSES
    real_variance = variance_within(test_images, test_labels)

    def measured(drawn, asked):
        """Agreement and distance, each by the classifier that finds it worse; variety."""
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
            run.say(f"drawing {s.compared} samples with guidance {w:g}")
            metrics |= suffixed(measured(sample(model, asked, w), asked), f"_{w:g}")
        mixtures = [
            mixture_samples(images[labels == digit], s.compared // CLASSES, seed=s.seed)
            for digit in range(CLASSES)
        ]
        of_each = np.repeat(np.arange(CLASSES), s.compared // CLASSES)
        metrics |= suffixed(measured(np.concatenate(mixtures), of_each), "_mixture")
        held_out = test_images[: s.compared], test_labels[: s.compared]
        metrics |= suffixed(measured(*held_out), "_floor")

        scored = test_images[: s.scored]
        scored_labels = test_labels[: s.scored]
        run.say(f"the bound of {len(scored)} test digits, by 16 of {model.chain_steps} times")
        nats = -model.log_prob(scored, scored_labels).mean()
        metrics["bits"] = bits_per_dimension(nats, scored[0].size, "none")


def variance_within(images, labels) -> float:
    """Returns the variance of pixels among images of one label, the mean over both."""
    groups = [images[labels == label].astype("float64") for label in np.unique(labels)]
    return float(np.mean([group.var(axis=0).mean() for group in groups]))


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
