"""What baselines have in common: densities sum to one, padding is free, mistakes are told."""

import itertools

import numpy as np
import pytest
from scipy.stats import norm

from keras_gen.core.kinds_of_data import Characters
from keras_gen.testing import check_function
from keras_gen.workshop.baselines import (
    BernoulliMixture,
    BoostedPixels,
    ClusteredRidge,
    CodedComponents,
    ColorContexts,
    ContextTable,
    FactorMixture,
    FrameCodebook,
    GridNGrams,
    LinearPredictor,
    LogisticMixture,
    NGrams,
    PatchCodebook,
    PixelHistograms,
    PrincipalComponents,
    ProbabilisticPCA,
    QuantizedComponents,
    RecursivePredictor,
    RepairedScores,
    StackedPredictor,
    WordNGrams,
    best_mixture,
    best_n_grams,
    border_mean,
    compressed_bits,
    coral,
    griffin_lim,
    jpeg,
    laplace_fill,
    mixture_samples,
    nearest_normal,
    reweighing,
    ridge_fill,
    svm_accuracy,
)


def every(levels, *shape):
    """All examples of a shape."""
    values = itertools.product(range(levels), repeat=int(np.prod(shape)))
    return np.array(list(values), "uint8").reshape(-1, *shape)


LEVELS = every(256, 1, 1, 1)
BINARY = every(2, 2, 2, 1)
TEXTS = Characters("abc", 4)
ALL_TEXTS = ["".join(t) for size in range(5) for t in itertools.product("abc", repeat=size)]


def boosted(rng, brightest):
    """Also from black images alone, which show trees no bit."""
    return BoostedPixels(1).fit(rng.integers(0, brightest + 1, (300, 1, 1, 1)).astype("uint8"))


def n_grams_of_texts(order):
    return NGrams(order, TEXTS.levels).fit(TEXTS.prepare(["abca", "cab", "a", "bbcab"]).numpy())


def densities(rng):
    """Fitted baselines, each with all examples that there are."""
    binary = rng.integers(0, 2, (60, 4, 3, 1), "uint8")
    yield BernoulliMixture(rng.integers(0, 2, (50, 2, 3, 1)), 4, iterations=5), every(2, 2, 3, 1)
    yield BoostedPixels(3, levels=2, trees=5).fit(binary), BINARY
    yield from ((boosted(rng, brightest), LEVELS) for brightest in (0, 9, 255))
    yield from ((ContextTable(n).fit(binary[:3]), BINARY) for n in (0, 1, 2, 3, 10, 16))
    noise = rng.integers(0, 256, (50, 1, 1, 1)).astype("uint8")
    yield ColorContexts(noise, context=2, trees=5), LEVELS
    yield PixelHistograms(rng.integers(0, 9, (5, 1, 1, 1), "uint8")), LEVELS
    sequences = rng.integers(-1, 2, (5, 6))  # the level 2 never occurs
    yield from ((NGrams(order, 3).fit(sequences), every(3, 4)) for order in range(1, 7))
    texts = TEXTS.prepare(ALL_TEXTS).numpy()
    yield from ((n_grams_of_texts(order), texts) for order in (1, 3, 5))
    letters = np.array([True, True, False])
    yield WordNGrams(2, 3, letters).fit(sequences).tuned(sequences), every(3, 4)
    sounds = rng.integers(0, 6, (4, 20))
    for predictor in (
        LinearPredictor(2, 6), LinearPredictor(2, 6, adaptive=False), RecursivePredictor(2, 6),
        StackedPredictor((1, 2), 6), StackedPredictor((1, 2), 6, companded=False),
    ):  # fmt: skip
        yield predictor.fit(sounds), every(6, 3)


def test_probabilities_of_all_examples_sum_to_one(rng):
    for fitted, examples in densities(rng):
        p = np.exp(fitted.log_prob(examples))
        assert (p > 0).all() and p.sum() == pytest.approx(1, abs=1e-5), fitted


@pytest.mark.parametrize("below", [False, True])
def test_probabilities_of_unknown_pixels_sum_to_one(rng, below):
    """Pixels after an unknown pixel are seen only if they are known."""
    known = np.array([[not below, not below], [below, below]])
    trees = BoostedPixels(3, levels=2, trees=5, known=known)
    trees.fit(rng.integers(0, 2, (60, 2, 2, 1), "uint8"))
    p = np.exp(trees.log_prob(BINARY))
    for corner in every(2, 2):
        given = (BINARY[:, known, 0] == corner).all(axis=1)
        assert p[given].sum() == pytest.approx(1, abs=1e-5)


def test_levels_around_a_prediction_have_a_mass_of_one(rng):
    centers, scales = rng.normal(4, 2, 500), rng.uniform(0.1, 2, 500)
    levels = np.clip(rng.logistic(centers, scales).round(), 0, 8).astype(int)
    mixture = LogisticMixture(np.arange(8) + 0.5, groups=3).fit(levels, centers, scales)
    p = [np.exp(mixture.log_prob(np.full(500, n), centers, scales)) for n in range(9)]
    np.testing.assert_allclose(np.sum(p, axis=0), 1, atol=1e-9)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_probabilities_of_all_grids_sum_to_no_more_than_one(rng, order):
    codes, labels = rng.integers(0, 3, (400, 2, 2)), rng.integers(0, 2, 400)
    model = GridNGrams(order, levels=3, classes=2).fit(codes, labels)
    assert 0.9 < np.exp(model.log_prob(every(3, 2, 2).astype(int), np.zeros(81, int))).sum() <= 1


@pytest.mark.parametrize("brightest", [0, 9])
def test_boosted_pixels_expect_the_levels_of_training(rng, brightest):
    assert np.exp(boosted(rng, brightest).log_prob(LEVELS[: brightest + 1])).sum() > 0.95


def test_pixels_count_that_are_before_and_near(rng):
    """Below and to the right of a pixel is nothing, or probabilities would not sum to one."""
    table, boosted = ContextTable(16), BoostedPixels(12, levels=2, trees=5)
    assert len(set(table.offsets)) == 16 and table.offsets[:2] == [(-1, 0), (0, -1)]
    for row, column in [*table.offsets, *boosted.offsets]:
        assert row < 0 or (row == 0 and column < 0)


@pytest.mark.parametrize("dtype", ["int16", "int64"])
@pytest.mark.parametrize(
    ("fitted", "ahead"),
    [
        (lambda: NGrams(1, 256), 3),
        (lambda: NGrams(3, 256), 3),
        (lambda: WordNGrams(2, 256, np.arange(256) < 130), 0),
        (lambda: LinearPredictor(3), 4),
        (lambda: RecursivePredictor(3), 0),
        (lambda: StackedPredictor((2, 3)), 0),
    ],
)
def test_padding_counts_nothing(rng, fitted, ahead, dtype):
    levels = rng.integers(100, 156, (4, 12))
    expected = [*fitted().fit(levels).log_prob(levels), 0]  # the last is all padding
    around = np.pad(levels, ((0, 1), (ahead, 2)), constant_values=-1)[..., None].astype(dtype)
    found = fitted().fit(around).log_prob(around)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found[-1] == 0
    unsigned = levels.astype("uint8")
    np.testing.assert_array_equal(fitted().fit(unsigned).log_prob(unsigned), expected[:-1])


def zeros(*shape, dtype="uint8"):
    return np.zeros(shape, dtype)


NOISE = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3), "uint8")
EYE = np.eye(4, dtype=int)
CODES = zeros(1, 1, dtype=int)
MEL = zeros(1, 4, 8, dtype="float32")
SOUND = zeros(1, 512, 1, dtype=float)
VECTORS = NOISE[:, 0, 0] / 1.0
MIXTURE = LogisticMixture([0.5, 1.5])
HALF = np.stack([np.ones([4, 4]), np.eye(4)])[..., None]  # the first mask leaves nothing known
GRID = np.linspace(-12.0, 12.0, 2401)
UINT8 = "xpected .*uint8"
UNFITTED = "not fitted: call fit first"
BINARIZE = "values up to 25.: expected uint8 images with the values 0 and 1. Binarize"


def grids(codes, labels):
    return GridNGrams(2, levels=4, classes=2).fit(np.array(codes), np.array(labels))


REFUSED = [
    (lambda: compressed_bits(NOISE, "JPEG"), "format is 'JPEG': expected one of PNG, WEBP"),
    (lambda: compressed_bits(NOISE / 255), UINT8),
    (lambda: jpeg(NOISE, 96), "quality is 96: expected 1 to 95"),
    (lambda: jpeg(NOISE / 255, 50), UINT8),
    (lambda: PrincipalComponents(NOISE, 0), "dimensions is 0: expected an integer from 1 to 6"),
    (lambda: PrincipalComponents(NOISE, 7), "dimensions is 7: expected an integer from 1 to 6"),
    (lambda: PrincipalComponents(np.repeat(NOISE, 9, 0), 49),
     "is 49: expected an integer from 1 to 48"),
    (lambda: PrincipalComponents(NOISE / 255, 3), UINT8),
    (lambda: PatchCodebook(zeros(2, 4, 6, 1), 4, 1),
     "4x6 pixels cannot be divided into patches of 4x4"),
    (lambda: PatchCodebook(zeros(2, 4, 6, 1), 2, 13),
     "codes is 13: expected an integer from 1 to 12"),
    (lambda: QuantizedComponents(NOISE, 0), "bits is 0: expected an integer of at least 1"),
    (lambda: CodedComponents(NOISE, 0), "bits is 0: expected a positive number"),
    (lambda: svm_accuracy(EYE, EYE[0], EYE, EYE[0]), "smallest class has 1 examples: expected"),
    (lambda: LinearPredictor().log_prob(CODES), UNFITTED),
    (lambda: LinearPredictor().fit(CODES - 1), "only padding: expected at least one level"),
    (lambda: LinearPredictor().fit(256 * EYE), "from 0 to 256: expected 0 to 255"),
    (lambda: LinearPredictor(0), "taps is 0: expected an integer of at least 1"),
    (lambda: RecursivePredictor(forgetting=0, looseness=1),
     "forgetting is 0: expected a positive number"),
    (lambda: RepairedScores(2), "part is 2: expected a number from 0 to 1"),
    (lambda: RepairedScores()(CODES, CODES[0]), UNFITTED),
    (lambda: BernoulliMixture.of(EYE, EYE[0, :1]),
     "4 templates and 1 weights, the smallest of which is 1: expected"),
    (lambda: BernoulliMixture.of(EYE, EYE[0]),
     "4 templates and 4 weights, the smallest of which is 0: expected one"),
    (lambda: BernoulliMixture(255 * EYE, 1), "values from 0 to 255: expected zeros and ones"),
    (lambda: BernoulliMixture(EYE, 5), "components is 5: expected an integer from 1 to 4"),
    (lambda: mixture_samples(NOISE / 255, 5, 2), UINT8),
    (lambda: mixture_samples(NOISE, 0, 2), "n is 0: expected an integer of at least 1"),
    (lambda: mixture_samples(NOISE, 5, 0), "clusters is 0: expected an integer from 1 to 6"),
    (lambda: mixture_samples(NOISE, 5, 7), "clusters is 7: expected an integer from 1 to 6"),
    (lambda: best_mixture(EYE, EYE, components=()), "components is empty: expected at least one"),
    (lambda: best_mixture(EYE[0], EYE), r"train to be finite numbers \[n, d\]"),
    (lambda: FactorMixture(VECTORS, 7), "components is 7: expected an integer from 1 to 6"),
    (lambda: FactorMixture(VECTORS, 2, rank=3), "rank is 3: expected an integer from 1 to 2"),
    (lambda: FactorMixture(VECTORS * [1, 0, 1], 2, 1), "Column 1 of vectors is constant"),
    (lambda: FactorMixture(VECTORS * np.nan, 2, 1), "vectors to be finite numbers"),
    (lambda: FactorMixture(VECTORS, 2, 1).log_prob(EYE), "vectors has 4 columns: expected 3"),
    (lambda: MIXTURE.log_prob(EYE[0], EYE[0], EYE[0] + 1), "This mixture is not fitted"),
    (lambda: MIXTURE.fit(EYE[0] - 1, EYE[0], EYE[0] + 1), "range from -1 to 0: expected 0 to 2"),
    (lambda: MIXTURE.fit(3 * EYE[0], EYE[0], EYE[0] + 1), "range from 0 to 3: expected 0 to 2"),
    (lambda: MIXTURE.fit(EYE[0], EYE[0], EYE[0]), "one center and one scale above 0"),
    (lambda: best_n_grams(CODES, CODES, [], 4), "orders is empty"),
    (lambda: BernoulliMixture.of_best_size(EYE, ()), "sizes is empty"),
    (lambda: WordNGrams(1, 2, [True]), r"letters has dtype bool and shape \[1\]: expected .*\[2\]"),
    (lambda: BoostedPixels(2, known=np.ones([4, 4])).fit(NOISE[..., :1]), "16 known pixels: exp"),
    (lambda: BoostedPixels(2, known=np.zeros([3, 4])).fit(NOISE[..., :1]), "expected shape .4, 4"),
    (lambda: ColorContexts(NOISE, 2, trees=2).log_prob(NOISE[..., :1]), r"uint8 \[n, H, W, 3\]"),
    (lambda: best_mixture(EYE, EYE, components=(5,)), r"components is \(5,\) for 4 vectors"),
    (lambda: BoostedPixels(levels=2).fit(NOISE[..., :1]), BINARIZE),
    (lambda: BoostedPixels().log_prob(BINARY), UNFITTED),
    (lambda: BoostedPixels(levels=2.0), "levels is 2.0: expected 2 or 256"),
    (lambda: BoostedPixels(levels=16), "levels is 16: expected 2 or 256"),
    (lambda: ContextTable().fit(NOISE[..., :1]), BINARIZE),
    (lambda: ContextTable().fit(BINARY / 1.0), UINT8),
    (lambda: ContextTable().log_prob(BINARY), UNFITTED),
    (lambda: ContextTable(25), "context is 25: expected an integer from 0 to 24"),
    (lambda: grids([[[4]]], [0]), "Found values from 4 to 4: expected codes .* from 0 to 3"),
    (lambda: grids([[[-1]]], [0]), "Found values from -1 to -1: expected codes"),
    (lambda: grids([[[1]]], [-1]), "Found values from -1 to -1: expected labels .* from 0 to 1"),
    (lambda: grids([[1]], [0]), r"shape \[1, 1\]: expected integer codes \[n, height, width\]"),
    (lambda: grids([[[1]], [[1]]], [0]), "1 labels for 2 grids: expected one label per"),
    (lambda: NGrams(2, 4).fit(EYE / 1.0), r"dtype float64 and shape \[4, 4\]: expected integers"),
    (lambda: NGrams(2, 4).fit(EYE[0]), r"shape \[4\]"),
    (lambda: NGrams(2, 4).fit(EYE[:, None]), r"shape \[4, 1, 4\]"),
    (lambda: NGrams(2, 4).fit(EYE[:0]), r"shape \[0, 4\]"),
    (lambda: NGrams(2, 4).fit(4 * EYE), "from 0 to 4: expected 0 to 3, and -1 for padding"),
    (lambda: NGrams(2, 4).fit(EYE - 2), "from -2 to -1"),
    (lambda: NGrams(2, 4).fit(CODES - 1), "only padding: expected at least one level"),
    (lambda: NGrams(8, 256), "8-grams of 256 levels do not fit in 63 bits"),
    (lambda: NGrams(0, 256), "order is 0: expected an integer of at least 1"),
    (lambda: NGrams(1, 2).log_prob(CODES), UNFITTED),
    (lambda: nearest_normal("kl", np.arange(2.0), np.ones(2)), "2 points: expected at least 100"),
    (lambda: nearest_normal("kl", GRID[1200:], norm.pdf(GRID[1200:])), "sum is 0.5.* a wider grid"),
    (lambda: nearest_normal("hinge", GRID, norm.pdf(GRID)), "objective is 'hinge': expected 'kl'"),
    (lambda: PixelHistograms(NOISE, 0), "pseudo_count is 0: expected a positive number"),
    (lambda: ProbabilisticPCA(NOISE[:3], 4), "components is 4: expected an integer from 1 to 3"),
    (lambda: ProbabilisticPCA(NOISE, 2).tuned(NOISE, [3]), "components contains 3: expected"),
    (lambda: ProbabilisticPCA(NOISE / 1.0, 1), UINT8),
    (lambda: griffin_lim(MEL, window=64, hop=48, rate=8000), "hop is 48: expected a window"),
    (lambda: griffin_lim(MEL, window=64, hop=16, rate=8000, rounds=0), "rounds"),
    (lambda: FrameCodebook(SOUND, 2, frame=100), "have 512 samples: expected a multiple of"),
    (lambda: FrameCodebook(SOUND, 9), "codes is 9: expected an integer from 1 to 8"),
    (lambda: ClusteredRidge(2, side=4), "side is 4: expected an odd number"),
    (lambda: ClusteredRidge(2)(NOISE), UNFITTED),
    (lambda: border_mean(NOISE[:2], HALF), "mask only part of each"),
    (lambda: laplace_fill(NOISE[:2], HALF), "mask only part of each"),
    (lambda: ridge_fill(NOISE[:2], HALF, NOISE), "expected the same mask"),
    (lambda: ridge_fill(NOISE[:2], np.ones_like(HALF), NOISE), "expected the same mask"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_mistakes_are_told(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


WRONG_TYPES = [
    (lambda: mixture_samples(NOISE, 2.5, 2), "n is 2.5: expected an integer"),
    (lambda: mixture_samples(NOISE, 3, 1.5), "clusters is 1.5: expected an integer"),
    (lambda: mixture_samples(NOISE, 3, 2, black="no"), "black is 'no': expected True or False"),
    (lambda: FactorMixture(VECTORS, 2.0), "components is 2.0: expected an integer"),
    (lambda: best_mixture(EYE, EYE, components=(1.5,)), "components is 1.5: expected an integer"),
    (lambda: MIXTURE.fit(VECTORS[0], VECTORS[0], VECTORS[0]), "levels has dtype float64"),
]


@pytest.mark.parametrize(("call", "sentence"), WRONG_TYPES)
def test_wrong_types_are_told(call, sentence):
    with pytest.raises(TypeError, match=sentence):
        call()


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32"])
def test_the_dtype_of_vectors_and_levels_does_not_matter(rng, dtype):
    vectors = rng.integers(0, 256, (300, 5))
    expected = FactorMixture(vectors / 1.0, 3, 2, 5).log_prob(vectors / 1.0)
    found = FactorMixture(vectors.astype(dtype), 3, 2, 5).log_prob(vectors.astype(dtype))
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    if dtype != "float32":
        levels, centers, scales = vectors[:, 0], vectors[:, 1] / 1.0, 1.0 + vectors[:, 2]
        levels[:3] = 255
        mixture = LogisticMixture(np.arange(255) + 0.5).fit(levels, centers, scales)
        expected = mixture.log_prob(levels, centers, scales)
        found = mixture.log_prob(levels.astype(dtype), centers, scales)
        np.testing.assert_array_equal(found, expected)


def test_the_origin_of_vectors_does_not_matter(rng):
    vectors = rng.normal(0, 2, (300, 6)).astype("float32")
    found, expected = (
        FactorMixture(v, 3, 2, 5).log_prob(v) for v in (vectors.astype(float) + 1e6, vectors)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_hostile_input(rng):
    labels, groups = np.arange(40) % 2, np.arange(40) // 2 % 2
    check_function(coral, *rng.normal(size=(2, 40, 3)))
    check_function(reweighing, labels, groups)
