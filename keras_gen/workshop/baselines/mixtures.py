"""Mixtures of Bernoulli, Gaussian, and logistic distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from scipy.special import logsumexp, ndtri
from sklearn.cluster import MiniBatchKMeans
from sklearn.mixture import GaussianMixture

from keras_gen.arguments import checked_flag, checked_integer, checked_positive, checked_seed
from keras_gen.metrics.metric_arguments import (
    as_candidates,
    as_feature_pair,
    as_features,
    as_images,
    as_labels,
)
from keras_gen.metrics.samples.neighbors import nearest_neighbors

CERTAIN = 1e-6  # minimum distance of a probability from 0 and 1
HELD = 2**25  # maximum number of values of log p(x, k) kept at once
IMAGES_EACH = (30, 60, 120, 240)  # images per Gaussian to try, finest mixture first
SEARCHED = 1000  # number of samples and held-out images whose nearest neighbors are found
_PULLED = 1e-4  # minimum responsibility with which a vector counts for a component
_LEAST_NOISE = 1e-6  # minimum noise variance, as a fraction of the variance of all vectors
_MULTIPLES = tuple(1.7**power for power in range(-5, 4))
_EM_STEPS = 50  # number of EM steps of a logistic mixture
_UNIFORM = (
    1e-4  # weight of a uniform distribution over all levels, so that no level is impossible
)


class BernoulliMixture:
    """A mixture of products of Bernoulli distributions ("templates") for binary examples.

    The distribution p(x) = sum_k weight_k prod_i Bernoulli(x_i; p_ki) is fitted with expectation
    maximization (Bishop: "Pattern Recognition and Machine Learning", 2006, sec. 9.3.3).

    Args:
        examples: Training examples `[n, ...]` of zeros and ones.
        components: Number of templates, 1 to n.
        iterations: Number of EM steps.
        pseudo_count: Number of pseudo-examples added to each template; half of the pseudo-examples
            are white. Without them, white would have probability 0 in pixels that are always black
            in training.
        seed: Seed for choosing the examples that initialize the templates.

    Example:
        >>> mixture = BernoulliMixture(train, components=500)
        >>> -mixture.log_prob(test).mean()  # nats per example
    """

    def __init__(
        self,
        examples: np.ndarray,
        components: int = 500,
        iterations: int = 30,
        pseudo_count: float = 0.1,
        seed: int = 0,
    ):
        x = self._flat(examples)
        components = checked_integer("components", components, 1, len(x))
        iterations = checked_integer("iterations", iterations, minimum=1)
        pseudo_count = checked_positive("pseudo_count", pseudo_count)
        start = np.random.default_rng(checked_seed(seed)).choice(
            len(x), components, replace=False
        )
        self.weights = np.full(components, 1 / components, np.float32)
        self.probabilities = 0.5 * x[start] + 0.25
        for _ in range(iterations):
            # E step, eq. (9.56); M step, eqs. (9.57) to (9.60).
            joint = self._joint()(x)
            responsibilities = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
            counts = responsibilities.sum(axis=0)
            white = responsibilities.T @ x + pseudo_count / 2
            fractions = white / (counts[:, None] + pseudo_count)
            self.probabilities = np.clip(fractions, CERTAIN, 1 - CERTAIN)
            self.weights = (counts + pseudo_count) / (counts + pseudo_count).sum()

    @classmethod
    def of_best_size(
        cls, examples: np.ndarray, sizes: Iterable[int], seed: int = 0
    ) -> BernoulliMixture:
        """Fits mixtures of several sizes, and returns the one that is best on held-out examples.

        Args:
            examples: Examples `[n, ...]`. The last sixth is held out, and the mixtures are fitted
                to the rest.
            sizes: Numbers of templates to try.
            seed: Seed for each fit.

        Example: `BernoulliMixture.of_best_size(train, sizes=(100, 300, 1000))`.
        """
        known, held_out = np.split(examples, [len(examples) * 5 // 6])
        mixtures = [cls(known, size, seed=seed) for size in as_candidates("sizes", sizes)]
        return max(mixtures, key=lambda mixture: mixture.log_prob(held_out).mean())

    @classmethod
    def of(cls, probabilities: np.ndarray, weights: np.ndarray) -> BernoulliMixture:
        """Returns a mixture of the given templates, without fitting.

        Args:
            probabilities: Probabilities of white pixels, `[components, ...]`, clipped to [1e-6, 1 -
                1e-6].
            weights: Positive weights `[components]`, proportional to the probabilities of the
                templates.

        Example: `BernoulliMixture.of(decoded, np.ones(len(decoded))).log_prob(test)`.
        """
        if len(probabilities) != len(weights) or not np.min(weights, initial=1) > 0:
            raise ValueError(
                f"BernoulliMixture got {len(probabilities)} templates and {len(weights)} "
                f"weights, the smallest of which is {np.min(weights, initial=1):g}: expected one "
                "positive weight per template."
            )
        mixture = cls.__new__(cls)
        mixture.weights = (weights / np.sum(weights)).astype("float32")
        flat = np.reshape(probabilities, [len(probabilities), -1]).astype("float32")
        mixture.probabilities = np.clip(flat, CERTAIN, 1 - CERTAIN)
        return mixture

    def log_prob(self, examples: np.ndarray) -> np.ndarray:
        """Returns log p(x), float32 `[n]`, in nats, for examples of zeros and ones."""
        x = self._flat(examples)
        joint = self._joint()
        rows = max(1, HELD // len(self.weights))
        parts = [logsumexp(joint(x[i : i + rows]), axis=1) for i in range(0, len(x), rows)]
        return np.concatenate(parts)

    def _joint(self) -> Callable:
        """Returns a function that maps flat examples to log p(x, k), float32 `[n, components]`."""
        black = np.log1p(-self.probabilities)
        log_odds = (np.log(self.probabilities) - black).T
        constant = black.sum(axis=1)
        return lambda x: x @ log_odds + constant + np.log(self.weights)

    @staticmethod
    def _flat(examples: np.ndarray) -> np.ndarray:
        x = np.asarray(examples, np.float32).reshape(len(examples), -1)
        if x.size == 0 or not np.isin(x, (0, 1)).all():
            found = f"values from {x.min():g} to {x.max():g}" if x.size else "no values"
            raise ValueError(
                f"BernoulliMixture got {found}: expected zeros and ones. Binarize the examples."
            )
        return x


def best_mixture(
    train: np.ndarray,
    held_out: np.ndarray,
    components: Sequence[int] = (10, 20, 40, 80),
    seed: int = 0,
) -> GaussianMixture:
    """Fits Gaussian mixtures, and returns the one that is best on held-out vectors.

    Args:
        train: Training vectors `[n, values]`.
        held_out: Held-out vectors `[m, values]`, whose mean log density determines the number of
            Gaussians.
        components: Numbers of Gaussians to try, each at most n.
        seed: Seed for the initial centers.

    Returns:
        A fitted scikit-learn mixture; its method `score_samples` returns log densities in nats.

    Example: `nats = -best_mixture(points, held_out).score_samples(test_points)`.
    """
    train, held_out = as_feature_pair(train, held_out, ("train", "held_out"), rows=1)
    components = [
        checked_integer("components", count) for count in as_candidates("components", components)
    ]
    if not 1 <= min(components) <= max(components) <= len(train):
        raise ValueError(
            f"components is {tuple(components)} for {len(train)} vectors: expected numbers from 1 "
            f"to {len(train)}."
        )
    fitted = [
        GaussianMixture(count, random_state=checked_seed(seed)).fit(train)
        for count in components
    ]
    return max(fitted, key=lambda mixture: mixture.score(held_out))


def mixture_samples(
    images: np.ndarray,
    n: int,
    clusters: int | None = None,
    seed: int = 0,
    black: bool = False,
) -> np.ndarray:
    """Samples images from a Gaussian mixture over pixels, with one Gaussian per k-means cluster.

    The samples are rounded, clipped, and returned as uint8 `[n, H, W, C]`. According to Richardson,
    Weiss: "On GANs and GMMs", NeurIPS 2018, such mixtures cover the data better than GANs do, but
    their samples are less sharp. Deviation: each Gaussian has the covariance of its cluster, and is
    not fitted any further.

    Args:
        images: Training images, uint8 `[m, H, W, 1 or 3]`, 0 to 255.
        n: Number of images to sample.
        clusters: Number of Gaussians, 1 to m. With more Gaussians, samples are closer to training
            images. If None, mixtures with one Gaussian per 30, 60, 120, and 240 images are tried in
            this order, until samples are no closer to the training images than a held-out tenth of
            the images.
        seed: Seed for the clusters and the samples.
        black: Whether to make each pixel exactly black as often as in the training images of its
            cluster, by replacing its lowest samples with 0. If False, dark gray replaces much of
            the black.

    Example: `generation_report(extractor(images), extractor(mixture_samples(images, 10_000)))`.
    """
    images = as_images(images)
    n = checked_integer("n", n, minimum=1)
    black = checked_flag("black", black)
    flat = images.reshape(len(images), -1).astype(np.float32)
    if clusters is None:
        clusters = _most_clusters(flat, seed, black)
    clusters = checked_integer("clusters", clusters, 1, len(images))
    pixels = np.clip(np.rint(_drawn(flat, n, clusters, seed, black)), 0, 255).astype(np.uint8)
    return pixels.reshape(n, *images.shape[1:])


def _most_clusters(flat: np.ndarray, seed: int, black: bool) -> int:
    """Returns the largest number of clusters whose samples are no closer than held-out images."""
    if len(flat) < min(IMAGES_EACH):
        return 1
    order = np.random.default_rng(checked_seed(seed)).permutation(len(flat))
    held_out, known = np.split(flat[order], [max(1, len(flat) // 10)])
    usual = _distance(held_out[:SEARCHED], known)
    for each in IMAGES_EACH:
        drawn = _drawn(known, SEARCHED, max(1, len(known) // each), seed, black)
        if _distance(drawn, known) >= usual:
            break
    return max(1, len(flat) // each)


def _distance(queries: np.ndarray, known: np.ndarray) -> float:
    """Returns the median distance from queries to their nearest known examples."""
    return float(np.median(nearest_neighbors(queries, known)[0]))


def _drawn(flat: np.ndarray, n: int, clusters: int, seed: int, black: bool) -> np.ndarray:
    """Samples `[n, pixels]` from a mixture with one Gaussian per cluster of the images."""
    # Initialization with k-means++ would take longer than all other steps.
    search = MiniBatchKMeans(
        clusters, init="random", batch_size=4096, n_init=1, random_state=checked_seed(seed)
    )
    label = search.fit_predict(flat)
    rng = np.random.default_rng(checked_seed(seed))
    counts = rng.multinomial(n, np.bincount(label, minlength=clusters) / len(flat))
    drawn = [
        _gaussian(flat[label == i], count, rng, black) for i, count in enumerate(counts) if count
    ]
    return rng.permutation(np.concatenate(drawn))


def _gaussian(rows: np.ndarray, count: int, rng: np.random.Generator, black: bool) -> np.ndarray:
    """Samples from the normal distribution with the mean and covariance of the rows."""
    # With weights of variance 1 / (m - 1), the samples have the covariance of the rows, which is
    # never computed.
    centered = rows - rows.mean(axis=0)
    weights = rng.normal(size=(count, len(rows))).astype(np.float32)
    drawn = rows.mean(axis=0) + weights @ centered / np.sqrt(max(len(rows) - 1, 1))
    if black:
        share = np.clip((rows == 0).mean(axis=0), CERTAIN, 1 - CERTAIN)
        drawn[drawn < rows.mean(axis=0) + rows.std(axis=0) * ndtri(share)] = 0
    return drawn


class FactorMixture:
    """A Gaussian mixture with low-rank covariances plus diagonal noise shared by all components.

    The covariance of component k is W_k W_k^T + diag(noise), where W_k has `rank` columns
    (Ghahramani, Hinton: "The EM Algorithm for Mixtures of Factor Analyzers", 1996). Because this
    requires far fewer parameters than full covariances, a mixture can have many components.

    Args:
        vectors: Training vectors `[n, d]` without constant columns, whose density is infinite.
        components: Number of components, 1 to n.
        rank: Number of factors of each component, 1 to d - 1.
        iterations: Number of EM steps.
        seed: Seed for k-means, which initializes the components.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a column of the vectors is constant, or if an argument is out of range.

    Example: `nats = -FactorMixture(train, 120).log_prob(test)`.
    """

    def __init__(
        self,
        vectors: np.ndarray,
        components: int = 120,
        rank: int = 2,
        iterations: int = 20,
        seed: int = 0,
    ):
        vectors = as_features(vectors, "vectors")
        components = checked_integer("components", components, 1, len(vectors))
        rank = checked_integer("rank", rank, 1, vectors.shape[1] - 1)
        iterations = checked_integer("iterations", iterations, minimum=0)
        search = MiniBatchKMeans(components, n_init=1, random_state=checked_seed(seed))
        share = np.eye(components)[search.fit_predict(vectors)]
        self.offset = vectors.mean(axis=0)
        vectors = vectors - self.offset
        self.noise: np.ndarray = vectors.var(axis=0)
        if constant := np.flatnonzero(np.ptp(vectors, axis=0) == 0).tolist():
            raise ValueError(
                f"Column {constant[0]} of vectors is constant: expected columns that vary. Leave "
                "out constant columns."
            )
        least = _LEAST_NOISE * self.noise
        self.factors = np.zeros([components, vectors.shape[1], rank])
        for iteration in range(iterations + 1):
            if iteration:
                joint = self._joint(vectors)
                share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True))
            self.weights = (share.sum(axis=0) + 1) / (len(vectors) + components)
            moments = [_moments(vectors, each) for each in share.T]
            self._centers = np.stack([mean for mean, _ in moments])
            covariances = np.stack([covariance for _, covariance in moments])
            if iteration == 0:
                values, directions = np.linalg.eigh(covariances)
                rest = values[:, :-rank].mean(axis=1)[:, None]
                lengths = np.sqrt(np.maximum(values[:, -rank:] - rest, 0))
                self.factors = directions[..., -rank:] * lengths[:, None]
                explained = self.factors @ self.factors.mT
            else:
                # Eqs. (15) and (16) for the moments of each component.
                inverse = np.linalg.inv(self.factors @ self.factors.mT + np.diag(self.noise))
                beta = self.factors.mT @ inverse
                products = covariances @ beta.mT
                second = np.eye(rank) - beta @ self.factors + beta @ products
                self.factors = products @ np.linalg.inv(second)
                explained = self.factors @ products.mT
            noise = np.diagonal(covariances - explained, axis1=1, axis2=2)
            self.noise = np.maximum(self.weights @ noise, least)

    def log_prob(self, vectors: np.ndarray) -> np.ndarray:
        """Returns log p(x) in nats, float64 `[n]`, for vectors `[n, d]`."""
        vectors = as_features(vectors, "vectors", rows=1)
        if vectors.shape[1] != len(self.offset):
            raise ValueError(
                f"vectors has {vectors.shape[1]} columns: expected {len(self.offset)}, as in "
                "training."
            )
        return logsumexp(self._joint(vectors - self.offset), axis=1)

    @property
    def means(self) -> np.ndarray:
        """Means of the components, float64 `[components, d]`."""
        return self._centers + self.offset

    def sample(self, n: int, seed: int = 0) -> np.ndarray:
        """Returns samples, float64 `[n, d]`."""
        rng = np.random.default_rng(checked_seed(seed))
        chosen = rng.choice(len(self.weights), n, p=self.weights)
        factors = rng.normal(size=(n, self.factors.shape[-1], 1))
        noise = rng.normal(size=(n, len(self.noise))) * np.sqrt(self.noise)
        return self.means[chosen] + (self.factors[chosen] @ factors)[..., 0] + noise

    def _joint(self, vectors):
        """Returns log p(x, k), `[n, components]`, for vectors without the mean of all vectors.

        Only matrices of size `rank` are inverted.
        """
        scaled = self.factors / self.noise[:, None]
        inner = np.eye(self.factors.shape[-1]) + self.factors.mT @ scaled
        # The columns of `projections` map a vector to its part that the factors explain.
        projections = scaled @ np.linalg.cholesky(np.linalg.inv(inner))
        squares = (
            (vectors**2 / self.noise).sum(axis=1, keepdims=True)
            - 2 * vectors @ (self._centers / self.noise).T
            + (self._centers**2 / self.noise).sum(axis=1)
        )
        for factor in np.moveaxis(projections, -1, 0):
            squares -= (vectors @ factor.T - (self._centers * factor).sum(axis=1)) ** 2
        volumes = np.linalg.slogdet(inner)[1] + np.log(2 * np.pi * self.noise).sum()
        return np.log(self.weights) - 0.5 * (volumes + squares)


def _moments(vectors, share):
    """Returns the mean and the covariance of the vectors, weighted by `share`."""
    near = share > _PULLED
    if not near.any():
        near[share.argmax()] = True
    rows = vectors[near]
    weights = share[near, None] / share[near].sum()
    mean = (weights * rows).sum(axis=0)
    return mean, (weights * (rows - mean)).T @ (rows - mean)


class LogisticMixture:
    """Probabilities of levels under a mixture of logistic distributions with the same center.

    Each value comes with a scale, such as the mean of the latest errors. The scales of the
    distributions are fixed multiples of the value's scale. Values are grouped by their scales, and
    each group has its own mixture weights, fitted by expectation maximization. Each level gets the
    probability of its interval.

    Args:
        borders: Borders between consecutive levels, ascending floats `[levels - 1]`.
        multiples: Multiples of the given scale, one per distribution.
        groups: Number of groups, which contain equal numbers of values.

    Example:
        >>> mixture = LogisticMixture(np.arange(255) + 0.5).fit(levels, predictions, errors)
        >>> -mixture.log_prob(test_levels, test_predictions, test_errors).mean()  # nats per value
    """

    def __init__(
        self,
        borders: np.ndarray,
        multiples: Sequence[float] = _MULTIPLES,
        groups: int = 8,
    ):
        self.borders = np.concatenate([[-np.inf], borders, [np.inf]])
        self.multiples = np.array(multiples)
        self.groups = checked_integer("groups", groups, minimum=1)
        self._weights: np.ndarray | None = None

    def fit(
        self, levels: np.ndarray, centers: np.ndarray, scales: np.ndarray
    ) -> LogisticMixture:
        """Fits the mixture weights of each group, and returns `self`.

        Args:
            levels: Levels, integers `[n]`.
            centers: Predicted values, in the unit of the borders, `[n]`.
            scales: Scales of the values, above 0, `[n]`.

        Raises:
            TypeError: If the levels are not integers.
            ValueError: If the levels are out of range, or if the shapes differ.
        """
        levels, centers, scales = self._checked(levels, centers, scales)
        self._cuts = np.quantile(scales, np.arange(1, self.groups) / self.groups)
        group = np.searchsorted(self._cuts, scales)
        masses = self._masses(levels, centers, scales)
        members = np.eye(self.groups)[group]
        weights = np.full([self.groups, len(self.multiples)], 1 / len(self.multiples))
        for _ in range(_EM_STEPS):
            joint = weights[group] * masses + 1e-12
            responsibilities = joint / joint.sum(axis=1, keepdims=True)
            weights = members.T @ responsibilities
            weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
        self._weights = weights
        return self

    def log_prob(
        self, levels: np.ndarray, centers: np.ndarray, scales: np.ndarray
    ) -> np.ndarray:
        """Returns log P(level) in nats, float64 `[n]`, for arguments in the format of `fit`."""
        if self._weights is None:
            raise ValueError("This mixture is not fitted: call fit first.")
        levels, centers, scales = self._checked(levels, centers, scales)
        weights = self._weights[np.searchsorted(self._cuts, scales)]
        mass = (weights * self._masses(levels, centers, scales)).sum(axis=1)
        return np.log((1 - _UNIFORM) * mass + _UNIFORM / (len(self.borders) - 1))

    def _checked(self, levels, centers, scales):
        levels = as_labels(levels, "levels").astype(np.int64)
        most = len(self.borders) - 2
        if levels.min() < 0 or levels.max() > most:
            raise ValueError(
                f"levels range from {levels.min()} to {levels.max()}: expected 0 to {most}."
            )
        centers, scales = np.asarray(centers, np.float64), np.asarray(scales, np.float64)
        if not (levels.shape == centers.shape == scales.shape and (scales > 0).all()):
            raise ValueError(
                f"There are {len(levels)} levels, centers of shape {list(centers.shape)}, and "
                f"scales of shape {list(scales.shape)}: expected one center and one scale above 0 "
                "per level."
            )
        return levels, centers, scales

    def _masses(self, levels, centers, scales):
        """Returns the probability of each level under each distribution, `[n, distributions]`."""
        scales = scales[:, None] * self.multiples
        low = (self.borders[levels] - centers)[:, None] / scales
        high = (self.borders[levels + 1] - centers)[:, None] / scales
        # The result is sigmoid(high) - sigmoid(low), without a loss of digits where both are near
        # 1.
        below = np.logaddexp(0, -high) + np.logaddexp(0, low)
        return -np.expm1(low - high) * np.exp(-below)
