"""Metrics of the disentanglement of codes: DCI, SAP, MIG, beta-VAE score, and FactorVAE score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import entropy
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, mutual_info_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from keras_gen.checked_arguments import checked_types
from keras_gen.data.sets.factors import Factors
from keras_gen.metrics.metric_arguments import as_features, as_numbers

LEVEL = 0.01  # probability that noise passes the test
SHUFFLES = 400  # number of permutations per factor


def check(codes: np.ndarray, factors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns codes, float64 `[n, d]`, and factors, int `[n, f]`; d and f are at least 2.

    Raises:
        TypeError: If the factors are not integers.
        ValueError: If a shape is wrong, if codes are not finite, or if a factor has only one value.
    """
    codes = as_features(codes, "codes")
    factors = as_numbers(factors, "factors")
    if factors.ndim != 2 or len(factors) != len(codes):
        raise ValueError(
            f"Expected factors of shape [{len(codes)}, f], but found {list(factors.shape)}: pass "
            "the factors of the same examples in the same order."
        )
    if codes.shape[1] < 2 or factors.shape[1] < 2:
        raise ValueError(
            f"The number of codes is {codes.shape[1]}, and the number of factors is "
            f"{factors.shape[1]}: expected at least 2 of each, because a single code or factor "
            "cannot be entangled with another."
        )
    if not np.issubdtype(factors.dtype, np.integer):
        raise TypeError(
            f"factors has dtype {factors.dtype}: expected integers. Pass the index of each value."
        )
    constant = np.flatnonzero((factors == factors[0]).all(axis=0))
    if len(constant):
        raise ValueError(
            f"factor {constant[0]} has only one value: leave out its column, or add examples."
        )
    return codes, factors


def in_standard_units(codes: np.ndarray) -> np.ndarray:
    """Returns codes `[n, d]` with mean 0 and standard deviation 1.

    scikit-learn's trees use float32, and ignore differences below 1e-7.
    """
    return StandardScaler().fit_transform(codes)


def refuse_noise(codes: np.ndarray, factors: np.ndarray) -> None:
    """Raises a ValueError if trees do not predict any factor from the codes better than chance.

    The trees are trained on a random 70% of the rows of codes `[n, d]` and factors (integers
    `[n, f]`), and are tested on the remaining rows.
    """
    train_codes, test_codes, train, test = train_test_split(
        in_standard_units(codes), factors, test_size=0.3, random_state=0
    )
    trees = ExtraTreesClassifier(20, min_samples_leaf=0.01, max_features=None, random_state=0)
    predicted = [trees.fit(train_codes, values).predict(test_codes) for values in train.T]
    better_than_chance(np.stack(predicted, axis=1), test)


def better_than_chance(predicted: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Returns whether each factor is predicted better than chance, booleans `[f]`.

    A permutation test counts how often the predictions agree with shuffled factors at least as well
    as with the true factors. If all factors are noise, the test passes with a probability of 1%.

    Args:
        predicted: Predictions for rows that the predictors have not seen, `[m, f]`.
        factors: True values, `[m, f]`.

    Raises:
        ValueError: If no factor is predicted better than chance.
    """
    rng = np.random.default_rng(0)
    count = factors.shape[1]
    found = (predicted == factors).mean(axis=0)
    shuffled = np.stack(
        [(predicted == rng.permutation(factors)).mean(axis=0) for _ in range(SHUFFLES * count)]
    )
    chance = shuffled.mean(axis=0)
    by_chance = (1 + (shuffled >= found).sum(axis=0)) / (1 + len(shuffled))
    better = by_chance <= LEVEL / count
    if not better.any():
        best = np.argmax(found - chance)
        raise ValueError(
            f"No factor is predicted from the codes better than chance (the best factor, {best}, "
            f"scores {found[best]:.3f} on {len(factors)} held-out examples and {chance[best]:.3f} "
            "on shuffled examples), so a score would measure noise: pass codes from a trained "
            "encoder, or more examples."
        )
    return better


@checked_types
def dci_scores(codes: np.ndarray, factors: np.ndarray, seed: int = 0) -> dict[str, float]:
    """Scores codes by their importance for predicting factors (Eastwood and Williams 2018).

    A random forest predicts each factor from all codes. The forest has 20 trees, whose leaves
    contain at least 1% of the rows, so that the trees do not fit noise. The importance of each code
    is the reduction of impurity in the trees. A code is disentangled if it is important for only
    one factor, and a factor is complete if only one code is important for it. Disentanglement and
    completeness are measured as 1 minus the ratio of the entropy of the importances to the entropy
    of equal importances.

    Deviation: if a predictor is no better than chance on held-out rows, its importances are noise
    and count as 0. Without this rule, a factor would count as complete if a tree used a single code
    by chance.

    Args:
        codes: Codes, finite numbers `[n, d]`.
        factors: Values of the factors, integers `[n, f]`. Each factor must have at least 2 values.
        seed: Seed for the trees, and for the choice of the 30% of the rows that are held out.

    Returns:
        A dict of numbers between 0 and 1:

        - "disentanglement": the mean over the codes, weighted by importance (0 if no code is
          important);
        - "completeness": the mean over the factors (0 for a factor without important codes);
        - "informativeness": the accuracy on held-out rows, averaged over the factors.

    Raises:
        ValueError: If no factor is predicted better than chance.

    Example: `dci_scores(factors, factors)["disentanglement"]` is 1 for independent factors.
    """
    codes, factors = check(codes, factors)
    train_codes, test_codes, train_factors, test_factors = train_test_split(
        in_standard_units(codes), factors, test_size=0.3, random_state=seed
    )
    importances, scores, predicted = [], [], []
    for train, test in zip(train_factors.T, test_factors.T, strict=True):
        # Every split chooses among all codes. Otherwise, a tree might use an uninformative code
        # because no better code is available.
        forest = RandomForestClassifier(
            20, min_samples_leaf=0.01, max_features=None, random_state=seed
        ).fit(train_codes, train)
        importances.append(forest.feature_importances_)
        scores.append(forest.score(test_codes, test))
        predicted.append(forest.predict(test_codes))
    known = better_than_chance(np.stack(predicted, axis=1), test_factors)
    importance = np.stack(importances, axis=1) * known
    return {
        "disentanglement": disentanglement(importance),
        "completeness": completeness(importance),
        "informativeness": float(np.mean(scores)),
    }


def disentanglement(importance: np.ndarray) -> float:
    """Returns the disentanglement, given nonnegative importances `[d, f]` of codes for factors."""
    weights = importance.sum(axis=1)
    return (
        float(np.average(_concentration(importance), weights=weights)) if weights.any() else 0.0
    )


def completeness(importance: np.ndarray) -> float:
    """Returns the completeness, given nonnegative importances `[d, f]` of codes for factors."""
    return float(np.mean(_concentration(importance.T)))


def _concentration(rows: np.ndarray) -> np.ndarray:
    """Returns 1 - (entropy of each row / entropy of a uniform row), or 0 for a row of zeros."""
    rows = np.where(rows.any(axis=1, keepdims=True), rows, 1.0)
    return 1 - entropy(rows, axis=1) / np.log(rows.shape[1])


@checked_types
def sap_score(codes: np.ndarray, factors: np.ndarray) -> float:
    """Returns SAP, the accuracy gap between each factor's two best codes (Kumar et al. 2018).

    Each factor is predicted from one code at a time, with thresholds on this code; there are fewer
    thresholds than values of the factor. The thresholds are fitted greedily (with a decision tree
    and balanced classes) and scored by balanced accuracy on the same rows. SAP is the gap averaged
    over the factors. For a factor with k values, even a useless code has an accuracy of 1 / k, so a
    perfect representation has a score of 1 - 1 / k, not 1.

    Deviation: the paper scores continuous factors by the squared correlation; here, all factors are
    categorical.

    Args:
        codes: Codes, finite numbers `[n, d]`.
        factors: Values of the factors, integers `[n, f]`. Each factor must have at least 2 values.

    Raises:
        ValueError: If no factor is predicted from the codes better than chance.

    Example: `sap_score(factors, factors)` is 0.775 for independent factors of 4 and 5 values.
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    columns = in_standard_units(codes).T
    table = [[_balanced_accuracy(code, factor) for factor in factors.T] for code in columns]
    return float(np.mean(top_gap(np.array(table))))


def _balanced_accuracy(code: np.ndarray, factor: np.ndarray) -> float:
    tree = DecisionTreeClassifier(
        max_leaf_nodes=len(np.unique(factor)), class_weight="balanced", random_state=0
    )
    column = code[:, None]
    return balanced_accuracy_score(factor, tree.fit(column, factor).predict(column))


@checked_types
def mutual_information_gap(codes: np.ndarray, factors: np.ndarray, bins: int = 20) -> float:
    """Returns MIG, the information gap between each factor's two best codes (Chen et al. 2018).

    The result is eq. (6): for each factor, the gap between the two highest values of mutual
    information with a code, divided by the factor's entropy, and averaged over the factors. A
    factor's gap is 1 if a single code determines the factor, and 0 if two codes contain equal
    information about the factor, as two copies of a code do.

    Deviation: Chen et al. integrate the encoder's distribution; here, the values of each code are
    divided into bins of equal width, as in Locatello et al. (2019). As a result, the gap of a
    factor with more values than bins cannot reach 1. With few rows, mutual information is
    overestimated, so use thousands of rows.

    Args:
        codes: Codes, finite numbers `[n, d]`, such as the means of an encoder.
        factors: Values of the factors, integers `[n, f]`. Each factor must have at least 2 values.
        bins: Number of bins per code, at least 2, between the code's minimum and maximum.

    Raises:
        ValueError: If no factor is predicted from the codes better than chance.

    Example: `mutual_information_gap(factors, factors)` is 1 for independent factors.
    """
    codes, factors = check(codes, factors)
    refuse_noise(codes, factors)
    entropies = [entropy(np.unique(v, return_counts=True)[1]) for v in factors.T]
    return float(np.mean(top_gap(mutual_information(codes, factors, bins)) / entropies))


def mutual_information(codes: np.ndarray, factors: np.ndarray, bins: int) -> np.ndarray:
    """Returns the mutual information, in nats, of each factor and each code in `bins` bins."""
    low = codes.min(axis=0)
    high = codes.max(axis=0)
    width = np.where(high > low, high - low, 1.0)
    cut = np.minimum(((codes - low) / width * bins).astype(np.int64), bins - 1)
    return np.array([[mutual_info_score(v, z) for v in factors.T] for z in cut.T])


def top_gap(table: np.ndarray) -> np.ndarray:
    """Returns the largest minus the second-largest entry of each column, `[columns]`."""
    second, first = np.sort(table, axis=0)[-2:]
    return first - second


ROWS = 4096  # maximum number of rows per call of `represent`
EXAMPLES = 4096  # number of grid examples for testing whether codes predict anything

Represent = Callable[[np.ndarray], np.ndarray]


@checked_types
def beta_vae_score(
    factors: Factors,
    represent: Represent,
    train: int = 1000,
    test: int = 500,
    pairs: int = 64,
    seed: int = 0,
) -> float:
    """Measures how well a linear classifier predicts the fixed factor (Higgins et al. 2017).

    A point is the absolute difference between the two codes of a pair of examples, averaged over
    `pairs` pairs. In all pairs of a point, the two examples share the value of one factor.
    Logistic regression on standardized points predicts which factor this is. The score is the
    accuracy on held-out points, which is about 1 / f by chance. Locatello et al. (2019) use 10,000
    training points, 5,000 held-out points, and 64 pairs.

    The score is lenient. It may remain 1 if the codes are rotated. It also remains 1 if the codes
    do not represent one of the factors (Kim and Mnih 2018), because the classifier then identifies
    that factor by exclusion.

    Args:
        factors: Grid from which examples are sampled.
        represent: Function that maps combinations of factor values, integers `[m, f]` with m at
            most 4,096, to the codes of these combinations, finite numbers `[m, d]`.
        train: Number of training points.
        test: Number of held-out points.
        pairs: Number of pairs per point.
        seed: Seed for all random choices.

    Raises:
        ValueError: If the codes are not a matrix of finite numbers, or do not predict any factor
            better than chance.

    Example:
        >>> beta_vae_score(Factors({"a": 4, "b": 5}), lambda values: values)
        1.0
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(len(factors.sizes), size=train + test)
    fixed = np.repeat(labels, pairs)
    first = factors.sample(len(fixed), rng)
    second = factors.sample_with_fixed(fixed, first[np.arange(len(fixed)), fixed], rng)
    codes = _encode(represent, first)
    refuse_noise(codes[:EXAMPLES], first[:EXAMPLES])
    difference = np.abs(codes - _encode(represent, second))
    points = difference.reshape(len(labels), pairs, -1).mean(axis=1)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    classifier.fit(points[:train], labels[:train])
    return float(classifier.score(points[train:], labels[train:]))


@checked_types
def factor_vae_score(
    factors: Factors,
    represent: Represent,
    train: int = 800,
    test: int = 800,
    samples: int = 64,
    least_std: float = 0.05,
    seed: int = 0,
) -> float:
    """Measures whether the least-varying code identifies the fixed factor (Kim and Mnih 2018).

    For each vote, `samples` examples share the value of one factor. The vote goes to the code with
    the lowest variance among these examples, relative to the code's variance among all examples.
    Each code predicts the factor for which it received the most votes. The score is the fraction of
    held-out votes that are correct, which is about 1 / f by chance. A factor that no code
    represents lowers the score by 1 / f.

    Args:
        factors: Grid from which examples are sampled.
        represent: Function that encodes combinations; see `beta_vae_score`.
        train: Number of votes used to assign codes to factors.
        test: Number of held-out votes.
        samples: Number of examples per vote, at least 2.
        least_std: Codes whose standard deviation over all examples is at most this value count as
            collapsed and are excluded. If all codes have collapsed, the score is 0. The default
            suits codes with a standard normal prior; 0 excludes only constant codes.
        seed: Seed for all random choices.

    Raises:
        ValueError: For the reasons given in `beta_vae_score`, applied to the codes that are not
            excluded.

    Example:
        >>> factor_vae_score(Factors({"a": 4, "b": 5}), lambda values: values)
        1.0
    """
    rng = np.random.default_rng(seed)
    rows = factors.sample(10_000, rng)
    codes = _encode(represent, rows)
    std = codes.std(axis=0)
    active = std > least_std
    if not active.any():
        return 0.0
    refuse_noise(codes[:EXAMPLES, active], rows[:EXAMPLES])
    labels = rng.integers(len(factors.sizes), size=train + test)
    values = rng.integers(np.take(factors.sizes, labels))
    rows = factors.sample_with_fixed(np.repeat(labels, samples), np.repeat(values, samples), rng)
    codes = _encode(represent, rows)[:, active] / std[active]
    votes = codes.reshape(len(labels), samples, -1).var(axis=1).argmin(axis=1)
    counts = np.zeros([active.sum(), len(factors.sizes)], np.int64)
    np.add.at(counts, (votes[:train], labels[:train]), 1)
    return float(np.mean(counts.argmax(axis=1)[votes[train:]] == labels[train:]))


def _encode(represent: Represent, rows: np.ndarray) -> np.ndarray:
    """Returns the codes of combinations, float64 `[n, d]`, computed in parts that fit in memory."""
    parts = []
    for start in range(0, len(rows), ROWS):
        part = rows[start : start + ROWS]
        codes = np.asarray(represent(part), np.float64)
        finite = np.isfinite(codes).all()
        if codes.ndim != 2 or len(codes) != len(part) or not finite:
            raise ValueError(
                f"represent got combinations of shape {list(part.shape)}, and returned "
                f"{'' if finite else 'NaN or infinity in '}codes of shape {list(codes.shape)}: "
                f"expected finite codes [{len(part)}, d]."
            )
        parts.append(codes)
    return np.concatenate(parts)
