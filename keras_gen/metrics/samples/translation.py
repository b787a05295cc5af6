"""Metrics of how well translations match the other domain, and how well they keep the content."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from keras_gen.checked_arguments import checked_types
from keras_gen.messages import warn
from keras_gen.metrics.evaluation_networks.domain_classifier import accuracy, predict
from keras_gen.metrics.image_pairs import l1_error, ms_ssim
from keras_gen.metrics.mean_and_deviation import with_bar
from keras_gen.metrics.samples.artifacts import chroma_grain, mesh
from keras_gen.metrics.samples.feature_distances import kernel_distance
from keras_gen.metrics.samples.wasserstein import pyramid_distances

FLOORS = 3  # number of selections of training images over which the floor is averaged
KINDS = {"excess": False, "excess_normalized": True}


class TranslationEvaluation:
    """Compares translations of held-out images with held-out images from the other domain.

    Every metric can be fooled: a filter that adds noise fools one classifier, and a filter that
    changes colors fools another. Therefore, there are two types of metrics, and the worst result of
    each type counts.

    The excess is based on the sliced Wasserstein distance to patches of held-out images from the
    target domain, averaged over scales (see `pyramid_distances`). The excess is (translated -
    floor) / (source - floor), where the floor is the distance of training images from the target
    domain. The excess is 0 for images from the target domain, and 1 for untranslated images. For
    "excess", all patches are scaled by the target's contrast, so that contrast that is too low or
    too high is penalized. For "excess_normalized", each set is scaled to unit contrast, as in
    Karras et al. (2018).

    Args:
        classifiers: Dict from names to classifiers from `train_domain_classifier` that distinguish
            the source domain (first) from the target domain (second), and that were not trained on
            any of these images. The dict may be empty.
        source: Held-out images from the first domain, such as photos, uint8 `[n, H, H, 3]`, where H
            is a power of two, at least 16.
        target: Held-out images from the second domain, such as paintings, uint8 `[m, H, H, 3]`.
        reference: Training images from the second domain, uint8 `[k, H, H, 3]`, n of which are
            chosen to compute the floor. If there are fewer than n images, a warning explains that
            the floor is too high, and that the excess is therefore too low.
        seed: Seed for the choice of training images.

    Example:
        >>> evaluate = TranslationEvaluation(classifiers, photos, paintings, training_paintings)
        >>> evaluate(model.translate(photos))["excess"]
    """

    @checked_types
    def __init__(
        self,
        classifiers: Mapping[str, keras.Model],
        source: np.ndarray,
        target: np.ndarray,
        reference: np.ndarray,
        seed: int = 0,
    ):
        self.classifiers = dict(classifiers)
        self.source = source
        self.target = target
        self.reference = reference
        if len(reference) < len(source):
            warn(
                f"There are {len(reference)} reference images, but {len(source)} source "
                "images, so the floor is higher and the excess is lower than with equal "
                f"numbers: pass at least {len(source)} reference images."
            )
        rng = np.random.default_rng(seed)
        draws = [rng.permutation(len(reference))[: len(source)] for _ in range(FLOORS)]
        floors = [self._patches(reference[draw]) for draw in with_bar(draws, "floor")]
        self._floor = {
            kind: np.mean([floor[kind] for floor in floors], axis=0) for kind in KINDS
        }
        self._of_source = self._patches(source)
        self._source_mesh = mesh(source)
        self._target_features = {}
        self._source_distances = {}
        for name, classifier in self.classifiers.items():
            self._target_features[name] = predict(classifier, target)["features"]
            self._source_distances[name] = self._kernel_distance(name, source)[0]

    def accuracies(self) -> dict[str, float]:
        """Returns "classifier_accuracy_<name>", a classifier's mean accuracy on both domains."""
        return {
            f"classifier_accuracy_{name}": accuracy(classifier, self.source, self.target)
            for name, classifier in self.classifiers.items()
        }

    def measure_filtered(self, filtered: Mapping[str, np.ndarray]) -> dict[str, float]:
        """Measures untrained filters; the name of each filter is the prefix of its results.

        Args:
            filtered: Dict that maps the name of a filter to the filtered version of `source`, such
                as the result of `keras_gen.workshop.baselines.noise_filter`.
        """
        return {
            f"{name}_{key}": value
            for name, images in with_bar(list(filtered.items()), "filter")
            for key, value in self(images).items()
        }

    @checked_types
    def __call__(
        self, translated: np.ndarray, cycled: np.ndarray | None = None
    ) -> dict[str, float]:
        """Measures translations of all of `source`.

        Args:
            translated: Translated images, uint8 `[n, H, H, 3]`, in the order of `source`.
            cycled: Images that were translated to the target domain and back, in the format of
                `translated`, if available.

        Returns:
            A dict of numbers:

            - "excess", "excess_normalized": see `TranslationEvaluation`; "worst_excess": the
              highest excess of either type at any scale;
            - "distance_ratio": the kernel distance (squared MMD of features, Binkowski et al. 2018)
              from translations to target, divided by the kernel distance from source to target;
              this is the highest ratio over the classifiers. "distance_ratio_" followed by a
              classifier's name is the ratio for that classifier;
            - "target_fraction": the lowest fraction of images that a classifier assigns to the
              target domain. Artifacts easily fool this metric, so trust the other metrics first;
            - "ms_ssim": the mean `ms_ssim` with respect to the source. Colors may change freely,
              but edges and shapes should not change;
            - "chroma_grain": see `chroma_grain`;
            - "mesh": the `mesh` of period 4, relative to the mesh of the source;
            - "cycle_error": the mean absolute difference between source and `cycled` in 8-bit
              levels (0 to 255). This error is 127.5 times the L1 cycle loss in Zhu et al. (2017),
              eq. (2).
        """
        report = {
            "ms_ssim": float(ms_ssim(translated, self.source).mean()),
            "chroma_grain": chroma_grain(translated),
            "mesh": mesh(translated) / self._source_mesh,
        }
        if cycled is not None:
            report["cycle_error"] = float(l1_error(cycled, self.source).mean(dtype=np.float64))
        worst = []
        for kind, distances in self._patches(translated).items():
            floor = self._floor[kind]
            of_source = self._of_source[kind]
            excess = (distances.mean() - floor.mean()) / (of_source.mean() - floor.mean())
            report[kind] = float(excess)
            worst.extend((distances - floor) / (of_source - floor))
        report["worst_excess"] = float(max(worst))
        fractions, ratios = [], {}
        for name in self.classifiers:
            distance, fraction = self._kernel_distance(name, translated)
            ratios[f"distance_ratio_{name}"] = distance / self._source_distances[name]
            fractions.append(fraction)
        if ratios:
            report |= {"distance_ratio": max(ratios.values()), "target_fraction": min(fractions)}
        return report | ratios

    def measure(self, model, there: str, back: str | None = None) -> dict[str, float]:
        """Measures a model's translations of `source`; see `__call__`.

        Args:
            model: `CycleGAN`, or another model with `translate`.
            there: Name of the direction from the source to the target.
            back: Name of the opposite direction, used for the cycle error. If None, the cycle error
                is not computed.
        """
        translated = model.translate(self.source, there)
        return self(translated, model.translate(translated, back) if back else None)

    def _patches(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Returns both types of distances to the target at every scale."""

        def distances(normalize: bool) -> np.ndarray:
            found = pyramid_distances(images, self.target, normalize=normalize)
            return np.asarray([*found.values()])

        # The distances are computed in parallel, because each one takes seconds on one core.
        with ThreadPoolExecutor() as pool:
            return dict(zip(KINDS, pool.map(distances, KINDS.values()), strict=True))

    def _kernel_distance(self, name: str, images: np.ndarray) -> tuple[float, float]:
        """Returns a classifier's distance to the target, and the fraction classified as target."""
        outputs = predict(self.classifiers[name], images)
        distance, _ = kernel_distance(outputs["features"], self._target_features[name])
        return distance, float((outputs["logits"] > 0).mean())
