"""All that is said of samples, by the features of one network, of several, and without any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_gen.baselines.gaussian_mixture import mixture_samples
from keras_gen.metrics.evaluation_networks.extractors import Extractor
from keras_gen.metrics.samples.frechet import frechet_distance
from keras_gen.metrics.samples.inception_score import inception_score
from keras_gen.metrics.samples.kernel_distance import kernel_distance
from keras_gen.metrics.samples.memorization import memorization
from keras_gen.metrics.samples.prdc import prdc
from keras_gen.metrics.samples.sliced_wasserstein import pyramid_distances

FRACTIONS = ("precision", "recall", "density", "coverage")
SIZES = ("n_real", "n_generated")


def generation_report(
    real: dict[str, np.ndarray], generated: dict[str, np.ndarray], k: int = 5, seed: int = 0
) -> dict[str, float | None]:
    """Compares generated images with real ones by every measure of their features.

    The numbers depend on the extractor and on the sizes of the sets: put both beside them. Give
    held-out real images as `generated` to learn what a perfect generator would get.

    Args:
        real: What an `Extractor` returns for real images: "features" `[n, d]`.
        generated: The same for generated ones, `[m, d]`; with "logits" `[m, K]` also their
            inception score is computed.
        k: Which neighbor reaches the edge of the balls of precision, recall, density, coverage.
        seed: Seed of the kernel distance's subsets.

    Returns:
        A dict of floats:

        - "frechet_distance": FID's formula, see `frechet_distance`;
        - "kernel_distance", "kernel_distance_error": KID's, see `kernel_distance`;
        - "precision", "recall", "density", "coverage": see `prdc`;
        - "inception_score", "inception_score_error": see `inception_score`, with the extractor's
          classes; the error is the standard deviation over ten parts;
        - "n_real", "n_generated": the sizes.

    Raises:
        ValueError: If the features are not such, or too few: 10 of each are needed.

    Example:
    ```python
    report = generation_report(extractor(real_images), extractor(gan.sample(10_000)))
    ```
    """
    a, b = real["features"], generated["features"]
    if min(len(a), len(b)) < 10:
        raise ValueError(
            f"generation_report found {len(a)} real and {len(b)} generated images: pass at least "
            "10 of each."
        )
    value, error = kernel_distance(a, b, seed=seed)
    balls = prdc(a, b, k)
    report = {
        "frechet_distance": frechet_distance(a, b)["distance"],
        "kernel_distance": value,
        "kernel_distance_error": error,
        **{name: balls[name] for name in (*FRACTIONS, *SIZES)},
    }
    if "logits" in generated:
        score, error = inception_score(generated["logits"], from_logits=True)
        report |= {"inception_score": score, "inception_score_error": error}
    return report


class GenerationEvaluation:
    """Compares generated images with training images by several networks, and without one.

    A network can be pleased by what no eye would take for real, so none is asked alone: of the
    networks' figures the worst counts. Fréchet distances have the units of their network's
    features, so each is divided by what held-out images get: 1 is a perfect generator. The sliced
    Wasserstein distance of pyramid patches needs no network and sees blur and noise.

    Args:
        extractors: By name, extractors for images of this shape, see `trained_extractor`.
        real: Training images uint8 `[n, H, H, C]`; H is 16, 32, 64, ...
        held_out: Held-out images uint8 `[m, H, H, C]`. Compare as many generated ones.
        seed: Seed of subsets and patches.

    Raises:
        ValueError: If the arrays are not images of such shapes, or fewer than 10.

    Example:
        >>> extractors = {kind: trained_extractor(*train, kind=kind) for kind in ("conv", "mlp")}
        >>> evaluate = GenerationEvaluation(extractors, train[0][:10_000], test_images)
        >>> evaluate(gan.sample(10_000))["frechet_ratio"]
    """

    def __init__(
        self,
        extractors: Mapping[str, Extractor],
        real: np.ndarray,
        held_out: np.ndarray,
        seed: int = 0,
    ):
        self.extractors, self.real, self.seed = dict(extractors), real, seed
        self._features = {name: extract(real) for name, extract in self.extractors.items()}
        self._floors = {
            name: frechet_distance(self._features[name]["features"], extract(held_out)["features"])
            for name, extract in self.extractors.items()
        }

    def __call__(self, images: np.ndarray) -> dict[str, float]:
        """Measures generated images; held-out ones give the floor, with a "frechet_ratio" of 1.

        Args:
            images: uint8 `[k, H, H, C]`.

        Returns:
            A dict of floats:

            - "frechet_ratio": the highest over the networks of the Fréchet distance over that of
              the held-out images; with "_" and the network's name that of each;
            - "precision", "recall", "density", "coverage": the lowest over the networks;
            - "pyramid_" and the side of a level: see `pyramid_distances`, of 8 patches an image;
              contrast counts;
            - what `generation_report` returns for each network, with "_" and its name; the sizes
              without, for they are the same.

        Raises:
            ValueError: If the array is not such, or has fewer than 10 images.
        """
        reports: dict[str, dict[str, Any]] = {
            name: generation_report(self._features[name], extract(images), seed=self.seed)
            for name, extract in self.extractors.items()
        }
        for name, report in reports.items():
            report["frechet_ratio"] = report["frechet_distance"] / self._floors[name]["distance"]
        found = {"frechet_ratio": max(report["frechet_ratio"] for report in reports.values())}
        found |= {key: min(report[key] for report in reports.values()) for key in FRACTIONS}
        distances = pyramid_distances(
            images, self.real, normalize=False, patches=8, directions=256, seed=self.seed
        )
        found |= {f"pyramid_{side}": distance for side, distance in distances.items()}
        for name, report in reports.items():
            found |= {key: report.pop(key) for key in SIZES}
            found |= {f"{key}_{name}": value for key, value in report.items()}
        return found


def compare_sets(
    extractors: Mapping[str, Extractor],
    training: np.ndarray,
    held_out: np.ndarray,
    sets: Mapping[str, np.ndarray],
    seed: int = 0,
) -> dict[str, float | str | None]:
    """Measures samples, held-out images and a baseline alike: what a recipe of a generator reports.

    Args:
        extractors: As of `GenerationEvaluation`.
        training: All training images; as many of the first as there are held-out ones are compared,
            and as many samples of a mixture of Gaussians of them all are the baseline.
        held_out: As of `GenerationEvaluation`.
        sets: By prefix, uint8 images, such as the samples under "".
        seed: As of `GenerationEvaluation`, and of the baseline's samples.

    Returns:
        For each prefix, "floor_" (held-out images) and "baseline_" what `GenerationEvaluation`
        returns, and `memorization` of a tenth of the images; "extractor_" and "extractor_accuracy_"
        with the name of each network.

    Raises:
        ValueError: As `GenerationEvaluation` and `mixture_samples`.

    Example:
        >>> found = compare_sets(extractors, train_images, test_images, {"": gan.sample(10_000)})
        >>> found["frechet_ratio"], found["baseline_frechet_ratio"]
    """
    evaluate = GenerationEvaluation(extractors, training[: len(held_out)], held_out, seed)
    baseline = mixture_samples(training, len(held_out), seed=seed)
    metrics: dict[str, float | str | None] = {}
    for prefix, images in {**sets, "floor_": held_out, "baseline_": baseline}.items():
        # Each is looked for among all training images, which takes time.
        copies = memorization(images[: max(1, len(images) // 10)], training)
        metrics |= {prefix + name: value for name, value in (evaluate(images) | copies).items()}
    for kind, extractor in extractors.items():
        metrics[f"extractor_{kind}"] = extractor.name
        metrics[f"extractor_accuracy_{kind}"] = extractor.accuracy
    return metrics
