"""Reports on samples, with and without features from trained networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from keras_gen.arguments import checked_seed
from keras_gen.checked_arguments import checked_types
from keras_gen.metrics.metric_arguments import as_features, as_images, part_of
from keras_gen.metrics.samples.artifacts import gradient_histograms
from keras_gen.metrics.samples.feature_distances import (
    frechet_distance,
    inception_score,
    kernel_distance,
)
from keras_gen.metrics.samples.neighbors import memorization, prdc
from keras_gen.metrics.samples.wasserstein import pyramid_distances

DISTANCES = ("kernel_distance", "frechet_distance")
FRACTIONS = ("precision", "recall", "density", "coverage")
SIZES = ("n_real", "n_generated")


@checked_types
def generation_report(
    real: dict[str, np.ndarray], generated: dict[str, np.ndarray], k: int = 5, seed: int = 0
) -> dict[str, float | None]:
    """Compares generated images with real images, using all metrics on one network's features.

    The metrics depend on the extractor and on the sizes of the two sets, so report the extractor
    and the sizes with the metrics. To obtain the values of a perfect generator, pass held-out real
    images as `generated`.

    Args:
        real: Output of an `Extractor` for at least 10 real images: "features" `[n, d]`.
        generated: Output of the extractor for generated images: "features" `[m, d]`, and, for the
            inception score, "logits" `[m, K]`.
        k: Rank of the neighbor that determines the radius of each ball in precision, recall,
            density, and coverage.
        seed: Seed for the subsets of the kernel distance.

    Returns:
        A dict of numbers:

        - "frechet_distance": the formula of FID; see `frechet_distance`;
        - "kernel_distance", "kernel_distance_error": the formula of KID; see `kernel_distance`;
        - "precision", "recall", "density", "coverage": see `prdc`;
        - "inception_score", "inception_score_error": see `inception_score`, computed with the
          extractor's classes; the error is the standard deviation over ten parts;
        - "n_real", "n_generated": the sizes of the sets.

    Example: `generation_report(extractor(real_images), extractor(gan.sample(10_000)))`.
    """
    a = as_features(part_of(real, "features", "real"), "real")
    b = as_features(part_of(generated, "features", "generated"), "generated")
    if min(len(a), len(b)) < 10:
        raise ValueError(
            f"generation_report got {len(a)} real and {len(b)} generated images: pass at least 10 "
            "of each."
        )
    distance, error = kernel_distance(a, b, seed=seed)
    balls = prdc(a, b, k)
    report = {
        "frechet_distance": frechet_distance(a, b)["distance"],
        "kernel_distance": distance,
        "kernel_distance_error": error,
        **{name: balls[name] for name in (*FRACTIONS, *SIZES)},
    }
    if "logits" in generated:
        score, error = inception_score(generated["logits"], from_logits=True)
        report |= {"inception_score": score, "inception_score_error": error}
    return report


class GenerationEvaluation:
    """Compares generated images with training images, using metrics with and without networks.

    A single network may give high ratings to images that people would reject, so the worst result
    over all networks counts. Kernel distances are unbiased: their expectation does not depend on
    the number of images. Fréchet distances, precision, recall, density, and coverage depend on the
    number of images, so equal numbers of generated and training images are compared. Two distances
    require no network: the sliced Wasserstein distance between pyramid patches detects blur and
    noise, and the kernel distance between histograms of gradients detects wrong shapes.

    Args:
        extractors: Dict from names to extractors for images of this shape. The features of all
            extractors must have the same scale; see `trained_extractors`.
        real: At least 10 training images, uint8 `[n, H, H, C]`, where H is a power of two and at
            least 16.
        seed: Seed for the choice of subsets and patches.

    Example:
        >>> evaluate = GenerationEvaluation(trained_extractors(*train), train[0][:10_000])
        >>> evaluate(gan.sample(10_000))["kernel_distance"]
    """

    @checked_types
    def __init__(self, extractors: Mapping[str, Callable], real: np.ndarray, seed: int = 0):
        self.extractors = dict(extractors)
        self.real = as_images(real, "real")
        self.seed = seed
        self._features = {name: extract(real) for name, extract in self.extractors.items()}
        self._histograms = gradient_histograms(real)

    @checked_types
    def __call__(self, images: np.ndarray) -> dict[str, float]:
        """Measures generated images. To obtain the best possible results, pass held-out images.

        Args:
            images: Generated images, uint8 `[n, H, H, C]`, as many as there are training images.

        Returns:
            A dict of numbers:

            - "kernel_distance", "frechet_distance": the highest distances over the networks;
            - "precision", "recall", "density", "coverage": the lowest values over the networks;
            - "kernel_distance_gradients": the kernel distance between `gradient_histograms`;
            - "pyramid_" followed by the side of a level: see `pyramid_distances`, with 8 patches
              per image and without normalization;
            - the results of `generation_report` for each network, with keys that end with "_" and
              the network's name; the keys of the sizes have no suffix.

        Raises:
            ValueError: If the number of images differs from the number of training images.
        """
        if len(as_images(images)) != len(self.real):
            raise ValueError(
                f"GenerationEvaluation got {len(images)} images for {len(self.real)} training "
                "images: expected equal numbers, because most distances depend on the number of "
                "images."
            )
        reports: dict[str, dict[str, Any]] = {}
        for name, extract in self.extractors.items():
            reports[name] = generation_report(
                self._features[name], extract(images), seed=self.seed
            )
        found: dict[str, float] = {}
        for key in DISTANCES:
            found[key] = max(report[key] for report in reports.values())
        for key in FRACTIONS:
            found[key] = min(report[key] for report in reports.values())
        found |= self._by_gradients(images)
        distances = pyramid_distances(
            images, self.real, normalize=False, patches=8, directions=256, seed=self.seed
        )
        found |= {f"pyramid_{side}": distance for side, distance in distances.items()}
        for name, report in reports.items():
            found |= {key: report.pop(key) for key in SIZES}
            found |= {f"{key}_{name}": value for key, value in report.items()}
        return found

    def distances(self, images: np.ndarray) -> dict[str, float]:
        """Returns the highest distances over networks, and the distance of gradient histograms.

        Args:
            images: Images, uint8 `[k, H, H, C]`, as many as there are training images.
        """
        kernel: list[Any] = []
        frechet: list[Any] = []
        for name, extract in self.extractors.items():
            real = self._features[name]["features"]
            features = extract(images)["features"]
            kernel.append(kernel_distance(real, features, seed=self.seed)[0])
            frechet.append(frechet_distance(real, features)["distance"])
        found = dict(zip(DISTANCES, (max(kernel), max(frechet)), strict=True))
        return found | self._by_gradients(images)

    def _by_gradients(self, images) -> dict[str, float]:
        distance, _ = kernel_distance(
            self._histograms, gradient_histograms(images), seed=self.seed
        )
        return {"kernel_distance_gradients": distance}


def shifted(images: np.ndarray) -> np.ndarray:
    """Shifts all images to the right by one pixel, and repeats the left border.

    Shifted held-out images are still good images. With a useful distance metric, the distance of
    shifted images is small, and smaller than the distance of `torn` images.

    Args:
        images: Images `[n, H, W, C]` of any dtype.

    Example: `evaluate(shifted(test_images))["kernel_distance"]`.
    """
    return np.concatenate([images[:, :, :1], images[:, :, :-1]], axis=2)


def noisy(images: np.ndarray, deviation: float = 4.0, seed: int = 0) -> np.ndarray:
    """Adds invisible normal noise, by default with a standard deviation of 4 of 255 levels.

    If this noise greatly increases the distance of held-out images, the distance metric measures
    differences that people do not see.

    Args:
        images: Images, uint8 `[n, H, W, C]`.
        deviation: Standard deviation of the noise, in levels.
        seed: Seed for the noise.

    Example: `evaluate(noisy(test_images))["kernel_distance"]`.
    """
    noise = np.random.default_rng(checked_seed(seed)).normal(scale=deviation, size=images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype(np.uint8)


def torn(images: np.ndarray) -> np.ndarray:
    """Replaces the lower half of each image with the lower half of the previous image.

    Args:
        images: Images `[n, H, W, C]` of any dtype.

    Example: `evaluate(torn(test_images))["kernel_distance"]`.
    """
    middle = images.shape[1] // 2
    lower = np.roll(images[:, middle:], 1, axis=0)
    return np.concatenate([images[:, :middle], lower], axis=1)


class NamedExtractor(Protocol):
    """An extractor with a name to use in reports, such as `keras_gen.metrics.Extractor`."""

    @property
    def name(self) -> str:
        """Name to report with the results."""

    @property
    def accuracy(self) -> float | None:
        """Accuracy on labeled held-out images, if known."""

    def __call__(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns a dict with "features" `[n, d]`, and optionally "logits"."""


@checked_types
def sample_report(
    extractors: Mapping[str, NamedExtractor],
    training: np.ndarray,
    held_out: np.ndarray,
    sets: Mapping[str, np.ndarray],
    seed: int = 0,
) -> dict[str, float | str | None]:
    """Measures samples, baselines, and held-out images in the same way, for recipes.

    Args:
        extractors: Dict from names to extractors; see `GenerationEvaluation`.
        training: All training images. Only the first n are compared, where n is the number of
            held-out images.
        held_out: Held-out images, uint8 `[n, H, H, C]`, where n is at least 10 and at most the
            number of training images.
        sets: Dict from the prefix of the results to a set of uint8 images, as large as `held_out`.
            Use, for example, the prefix "" for the model's samples, and "baseline_" for samples
            from `keras_gen.workshop.baselines.mixture_samples`.
        seed: Seed for the choice of subsets and patches.

    Returns:
        A dict with the results of `GenerationEvaluation`, and the `memorization` of a tenth of the
        images, for each prefix in `sets` and for "floor_", which is the prefix of the held-out
        images. The keys with the prefixes "shifted_", "noisy_", and "torn_" are the distances of
        the held-out images after these changes. The keys "extractor_" and "extractor_accuracy_",
        each followed by the name given in `extractors`, describe the networks.

    Example: `sample_report(extractors, train_images, test_images, {"": gan.sample(10_000)})`.
    """
    training = as_images(training, "training")
    held_out = as_images(held_out, "held_out")
    evaluate = GenerationEvaluation(extractors, training[: len(held_out)], seed)
    metrics: dict[str, float | str | None] = {}
    for prefix, images in {**sets, "floor_": held_out}.items():
        # Copies are searched for among a tenth of the images, because comparing all images with all
        # training images takes time.
        copies = memorization(images[: max(1, len(images) // 10)], training)
        metrics |= {prefix + name: value for name, value in (evaluate(images) | copies).items()}
    changed = {"shifted_": shifted, "noisy_": noisy, "torn_": torn}
    for prefix, change in changed.items():
        distances = evaluate.distances(change(held_out))
        metrics |= {prefix + name: value for name, value in distances.items()}
    for kind, extractor in extractors.items():
        metrics[f"extractor_{kind}"] = extractor.name
        metrics[f"extractor_accuracy_{kind}"] = extractor.accuracy
    return metrics
