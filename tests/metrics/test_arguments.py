"""Calls of metrics that are refused, the bar of long measurements, and summaries over seeds."""

import functools
import io
import time

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gen import metrics
from keras_gen.metrics import mean_and_deviation, nll_summary
from keras_gen.metrics.mean_and_deviation import with_bar
from keras_gen.metrics.sounds import median_pitch
from keras_gen.vae import PriorSampledModel

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(40, 3))
LABELS = np.arange(40) % 2
IMAGES = RANDOM.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)
VIDEOS = RANDOM.integers(0, 256, (3, 4, 8, 8, 1), dtype=np.uint8)
FACTORS = np.stack([np.arange(200) % 4, np.arange(200) // 4 % 5], axis=1)
SOUNDS = RANDOM.normal(0, 0.2, (2, 1024, 1)).clip(-1, 1)
X, Y = np.zeros([6, 2]), np.arange(6) % 2
DARK = np.zeros([2, 16, 16, 3], "uint8")
TWELVE = np.zeros([12, 8, 8, 1], "uint8"), np.arange(12) % 3
TONE = np.sin(np.arange(600))[None, :, None]
HOLES = np.zeros([4, 16, 16, 1])
HOLES[:, 3:6, 3:6] = 1
CLASSES = {"features": ROWS, "logits": ROWS}


def one_class(codes, factors):
    """The scores of codes and factors that cannot be scored."""
    return [
        functools.partial(score, codes, factors)
        for score in (metrics.dci_scores, metrics.mutual_information_gap, metrics.sap_score)
    ]


def encoder():
    images = keras.Input((8, 8, 1))
    return keras.Model(images, keras.layers.Flatten()(images))


def extractor_of(outputs):
    images = keras.Input((4, 4, 1))
    return metrics.keras_extractor(keras.Model(images, outputs(images)))


def decoder(latents, side=2):
    z = keras.Input((latents,))
    model = PriorSampledModel(keras.Model(z, keras.layers.Dense(4)(z)))
    return metrics.latent_grid(model, side=side)


def circle(end, **options):
    return metrics.perceptual_path_length(tf.identity, tf.identity, np.ones([4, 2]), end, **options)


# Calls, and what the sentence says.
REFUSED = [
    (lambda: metrics.label_modes(np.array([4]), 4), "from 0 to 3"),
    (lambda: metrics.label_modes(LABELS, 4, np.array([], int)), "at least one, or None"),
    (lambda: metrics.gaussian_modes(X, metrics.ring_centers(), 0), "std is 0"),
    (lambda: metrics.stacked_modes(DARK[..., :1], len), r"uint8 \[n, H, W, 3\]"),
    (lambda: metrics.stacked_modes(DARK, lambda x: np.zeros([6, 10]), 7), r"expected \(6, 7\)"),
    (lambda: metrics.stacked_modes(DARK, lambda x: np.full([6, 10], np.nan)),
     "the output of classify .* without NaN"),
    (lambda: metrics.bin_shares(ROWS, X, 3), "3 features in real, but 2 in"),
    (lambda: metrics.bin_shares(X, X, 7), "bins is 7: expected an integer from 1 to 6"),
    (lambda: metrics.class_report(CLASSES, LABELS[1:], CLASSES, LABELS), "one .* for each"),
    (lambda: metrics.class_report(CLASSES, LABELS, CLASSES | {"logits": ROWS * np.nan}, LABELS),
     r"logits to be numbers \[n, classes\].* without NaN"),
    (lambda: metrics.motion_statistics(VIDEOS[:, :2]), "^motion_statistics got uint8 .*: pass"),
    (lambda: metrics.nearest_neighbors(ROWS, X), "the same shape"),
    (lambda: metrics.nearest_neighbors(X, X, k=7), "expected 1 to 6"),
    (lambda: metrics.memorization(X, X, ratio=0), "ratio"),
    (lambda: metrics.prdc(X, X, k=6), "at least 7 rows"),
    (lambda: metrics.prdc(ROWS, X), "one extractor"),
    (lambda: metrics.prdc(X, X, k=0), "k is 0"),
    (lambda: metrics.frechet_distance(ROWS, X), "one extractor"),
    (lambda: metrics.frechet_distance(ROWS, ROWS[:1]), "Expected b to be finite numbers"),
    (lambda: metrics.moments(ROWS * np.nan), "without NaN"),
    (lambda: metrics.frechet_distance(ROWS, metrics.Moments(np.zeros(3), np.eye(4))),
     r"covariance \[d, d\]"),
    (lambda: metrics.frechet_distance(ROWS, metrics.Moments(np.zeros(3), np.diag([1, 1, -1.0]))),
     "eigenvalue -1"),
    (lambda: metrics.kernel_distance(ROWS, X), "one extractor"),
    (lambda: metrics.kernel_distance(ROWS[0], ROWS), r"features_a to be finite numbers.*\(3,\)"),
    (lambda: metrics.kernel_distance(ROWS, ROWS[:2]), "features_b"),
    (lambda: metrics.kernel_distance(ROWS, ROWS, subsets=1),
     "subsets is 1: expected an integer of at least 2"),
    (lambda: metrics.kernel_distance(ROWS, ROWS, subset_size=2),
     "subset_size is 2: expected an integer of at least 3"),
    (lambda: metrics.inception_score(np.ones([20, 3])), "from_logits=True"),
    (lambda: metrics.inception_score(np.eye(3)), "one row per split"),
    (lambda: metrics.generation_report(CLASSES, {n: v[:9] for n, v in CLASSES.items()}),
     "got 40 real and 9 generated"),
    (lambda: metrics.mesh(IMAGES, 5), "period is 5 for images of 16x16"),
    (lambda: metrics.gradient_histograms(IMAGES[:, :7, :9]),
     "got images of 7x9 pixels: expected sides of at least 8"),
    (lambda: metrics.parzen_log_likelihood(IMAGES, IMAGES, 0),
     r"std is 0: expected a positive"),
    (lambda: metrics.parzen_log_likelihood(IMAGES, DARK[:, :8], 0.1),
     "samples with 768 values each, but images with 384: expected samples of the same"),
    (lambda: metrics.parzen_log_likelihood(IMAGES / 255, IMAGES, 0.1), "uint8"),
    (lambda: circle(np.ones([3, 2])), "the same shape"),
    (lambda: circle(np.full([4, 2], np.nan)), "end contains NaN or infinity: expected finite"),
    (lambda: circle(np.zeros([4, 2]), spherical=True), "4 of 4 pairs of latents are not joined"),
    (lambda: metrics.perceptual_path_length(lambda z: tf.cast(z, tf.uint8), tf.identity, X, X),
     "returned uint8"),
    (lambda: circle(np.zeros([4, 2]), trim=0.5), "trim is 0.5 for 4 paths: expected"),
    (lambda: metrics.earth_movers_distance(X, X[:4]),
     "got 6 and 4 points of 2 dimensions: expected the same"),
    (lambda: metrics.earth_movers_distance(ROWS, X), "features"),
    (lambda: metrics.pyramid_distances(IMAGES, IMAGES / 255), "target to be uint8 .*found float64"),
    (lambda: metrics.pyramid_distances(IMAGES[:, :8, :8], IMAGES[:, :8, :8]),
     "square images of the same size, with a side length that is a power of two"),
    (lambda: metrics.pyramid_distances(IMAGES, np.zeros([4, 32, 32, 3], "uint8")),
     r"shape \(16, 16, 3\) and a target of shape \(32, 32, 3\)"),
    (lambda: metrics.matched_accuracy(ROWS[:0], LABELS, LABELS), "known has 0 parts: expected"),
    (lambda: metrics.matched_accuracy((Y, Y), Y[:0], Y[:0]), r"shape \[n\], but found \[0\]"),
    (lambda: metrics.matched_accuracy((Y, Y - 1), Y, Y), "known labels contains -1"),
    (lambda: metrics.matched_accuracy((Y, Y), Y, Y - 1), "labels contains -1: .* Leave"),
    (lambda: metrics.kmeans_report(X, Y, clusters=0),
     "clusters is 0: expected an integer from 1 to 6"),
    (lambda: metrics.kmeans_report(X, Y[:2]), r"labels of shape \[6\], but found \[2\]"),
    (lambda: metrics.retrieval_curve(X, Y[1:], X, Y), "query_labels"),
    (lambda: metrics.retrieval_curve(X, Y + 1, X, Y), "query label 2"),
    (lambda: metrics.retrieval_curve(X, Y, X, Y, [0.0]),
     "recalls is .*: expected a list of numbers"),
    (lambda: metrics.linear_probe(X, Y, X[:, :1], Y), "2 features in train_codes, but 1"),
    (lambda: metrics.linear_probe(X, Y[:5], X, Y), r"train_labels of shape \[6\]"),
    (lambda: metrics.linear_probe(X, Y / 2, X, Y), "train_labels has dtype float64: expected int"),
    (lambda: metrics.linear_probe(X, Y * 0, X, Y), "Found 1 classes"),
    (lambda: metrics.linear_probe(X, Y, X, Y, counts=[7]), r"counts \[7\]"),
    (lambda: metrics.linear_probe(X, Y, X, Y, counts=[1]), r"counts \[1\]"),
    (lambda: metrics.fine_tuned_error(encoder(), TWELVE, TWELVE, (TWELVE[0], TWELVE[1] - 1)),
     "labels of test contains -1: expected integers of at least 0"),
    (lambda: metrics.transfer_report(encoder(), (TWELVE[0], 0 * TWELVE[1]), TWELVE),
     "labels are 0: expected every integer from 0 to 2"),
    (lambda: metrics.transfer_report(encoder(), (TWELVE[0], TWELVE[1] - 1), TWELVE),
     "labels of train contains -1: expected integers of at least 0"),
    (lambda: metrics.decision_gaps([0, 1], [0, 1], [0, 2]),
     "attributes contains 0, 2: expected both 0"),
    (lambda: metrics.decision_gaps([0, 1], [0, 2], [0, 1]), "labels contains .*2: expected only 0"),
    (lambda: metrics.decision_gaps([2, 1], [0, 1], [0, 1]), "predicted contains .*2: expected on"),
    (lambda: metrics.decision_gaps([0, 1], [0, 1], [0, 1]), "No example has label 0 and attribute"),
    (lambda: metrics.attribute_leak(X, 0 * Y, X, 0 * Y), "attributes contains 0: expected"),
    (lambda: metrics.group_report(Y, Y, 2 * Y),
     r"groups contains \[0, 2\]: expected every integer from"),
    (lambda: metrics.group_report(Y, Y, Y[:5]), r"groups of shape \[6\], but found \[5\]"),
    (lambda: metrics.group_report(Y, Y, Y, [1, 2, 3]),
     "expected one nonnegative share for each of 2 groups"),
    (lambda: metrics.group_report(Y, Y, Y, [2, -1]), "groups, not all 0"),
    (lambda: metrics.group_report(Y * 1.0, Y, Y), "predicted has dtype float64: expected integers"),
    (lambda: metrics.code_bits((8, 8), 1), "levels is 1: expected at least 2"),
    (lambda: metrics.code_uses([0, 4], 4), "Codes range from 0 to 4: expected integers from 0"),
    (lambda: metrics.code_uses(np.zeros(0, int), 4), "Codes are empty"),
    *((lambda bad=bad: metrics.perplexity(bad), "expected nonnegative numbers whose sum is above 0")
      for bad in ([0, 0], [-1, 2])),
    *((call, r"shape \[6, f\], but found \[5, 2\]") for call in one_class(X, X[:5].astype(int))),
    *((call, "codes is 2, and .* factors is 1") for call in one_class(X, Y[:, None])),
    *((call, "codes is 1, and .* factors is 2") for call in one_class(X[:, :1], X.astype(int))),
    *((call, "float64: expected integers") for call in one_class(X, X)),
    *((call, "factor 1 has only one value") for call in one_class(X, np.stack([Y, 0 * Y], 1))),
    (lambda: metrics.psnr(IMAGES, IMAGES, of="hue"), "of is 'hue': expected 'luma' or 'rgb'"),
    (lambda: metrics.psnr(IMAGES, IMAGES[:2]), "the same shape"),
    (lambda: metrics.l1_error(IMAGES / 255, IMAGES), "uint8"),
    (lambda: metrics.ssim(IMAGES, IMAGES, shave=3), "at least 11 pixels"),
    (lambda: metrics.squared_error(DARK[0, 0, :2], DARK[0, 0, :4]),
     r"uint8 \(2, 3\), but originals is uint8 \(4, 3\)"),
    (lambda: metrics.squared_error(IMAGES.astype("int64"), IMAGES), "images is int64"),
    (lambda: metrics.hole_psnr(255 - IMAGES, IMAGES, HOLES), "restore the known pixels"),
    (lambda: metrics.hole_psnr(IMAGES, IMAGES, 0 * HOLES),
     r"expected \[4, 16, 16, 1\], with at least one nonzero"),
    (lambda: metrics.bits_per_dimension(1.0, 4, "yes"), "none, uniform, variational"),
    (lambda: metrics.bits_per_dimension(1.0, 4, "none", 256), "which has no unit"),
    (lambda: metrics.bits_per_live_value(Y * 1.0, FACTORS[:40] * 0 - 1), "0 values"),
    (lambda: metrics.bits_per_live_value(Y * 1.0, FACTORS[:40]), r"shape \[6\] for 80 values"),
    (lambda: decoder(2, side=1), "side is 1: expected at least 2 points"),
    (lambda: decoder(3), r"latents of shape \(3,\): expected 2 latents for a grid"),
    (lambda: metrics.log_spectral_distance(SOUNDS[:1], SOUNDS),
     r"shape \(1, 1024, 1\), but originals has shape \(2, 1024, 1\)"),
    (lambda: metrics.signal_to_noise(SOUNDS[..., [0, 0]], SOUNDS[..., [0, 0]]),
     r"expected \[n, samples, 1\]"),
    (lambda: metrics.signal_to_noise(SOUNDS, SOUNDS * [[[0]], [[1]]]),
     r"^originals\[0\] is silent: .* Leave out silent"),
    (lambda: median_pitch(TONE, 100), "rate is 100: expected an integer of at least 1000"),
    (lambda: median_pitch(TONE, 44_100), "Sounds have 600 samples: expected at least 2822"),
    (lambda: mean_and_deviation([]), "the metrics of at least one seed"),
    (lambda: mean_and_deviation([{"a": 1}, {"b": 1}]), "Measurement 1 lacks the metric 'a'"),
    (lambda: mean_and_deviation([{"a": np.ones(2)}] * 2), "a is ndarray .*: expected a number"),
    *((functools.partial(mean_and_deviation, [{"a": 1, "b": 2}], name),
       f"name is '{name}': expected a text with {{}}") for name in ("same", "{x}", "{", "{}{}")),
    (lambda: metrics.border_change(np.asarray, IMAGES, 0), "margin is 0: expected an integer"),
    (lambda: metrics.border_change(lambda x: x[:, 1:], IMAGES, 2),
     r"translate returned shape \(\d+, 19, 20, 3\) for images of shape \(\d+, 20, 20, 3\): expect"),
    (lambda: metrics.train_domain_classifier(IMAGES / 255, IMAGES),
     r"Expected a to be uint8 \[n, H, W, 3\].*float64"),
    (lambda: metrics.train_domain_classifier(IMAGES, IMAGES[..., :1]), "Expected b"),
    (lambda: metrics.train_domain_classifier(IMAGES[:0], IMAGES), "at least one image"),
    (lambda: metrics.train_domain_classifier(IMAGES, IMAGES[:, :8]), "resize the images"),
    (lambda: metrics.train_domain_classifier(IMAGES, IMAGES, batch_size=3), "even number"),
    *(
        (functools.partial(metrics.train_classifier, TWELVE[0], labels),
         "one integer from 0 to classes - 1")
        for labels in (TWELVE[1] / 1.0, TWELVE[1][:5], 0 * TWELVE[1], TWELVE[1] - 1)
    ),
    (lambda: metrics.train_classifier(TWELVE[0][:, :7], TWELVE[1]), "at least 8"),
    (lambda: metrics.train_classifier(*TWELVE, kind="dense"), "kind is 'dense'"),
    (lambda: metrics.train_segmenter(TWELVE[0], TWELVE[0][..., 0] + 3, 3),
     r"labels of shape \[12, 8, 8\] from 3 to 3 .* 0 to 2 for each pixel"),
    (lambda: metrics.trained_extractor(TWELVE[0], TWELVE[1][:5]), "one label for each"),
    (lambda: metrics.trained_extractor(TWELVE[0][:5], TWELVE[1][:5]), "at least 10 images"),
    (lambda: metrics.keras_extractor(keras.Sequential([keras.layers.Flatten()], name="later")),
     r"'later' \(Sequential\) has no .* keras\.Input\.$"),
    (lambda: metrics.keras_extractor(encoder())(np.zeros([2, 8, 8, 1])), "uint8"),
    (lambda: metrics.keras_extractor(encoder())(DARK[:, :8, :8]),
     r"accepts images of shape \(8, 8, 1\), but got \(8, 8, 3\)"),
    (lambda: extractor_of(lambda x: [x, x]), "a dict with 'features'"),
    (lambda: extractor_of(lambda x: {"codes": x}), "a dict with 'features'"),
    *(
        (functools.partial(metrics.frechet_distance, ROWS, metrics.Moments(*of)),
         "moments b are not finite, or .* not symmetric")
        for of in ((np.full(3, np.nan), np.eye(3)), (np.zeros(3), np.triu(np.ones([3, 3]))))
    ),
    (lambda: metrics.kernel_distance(1e120 * ROWS, ROWS), "kernel of the features overflows"),
    (lambda: metrics.pyramid_distances(IMAGES, IMAGES, directions=0),
     "directions is 0: expected an integer of at leas"),
    (lambda: metrics.pyramid_distances(IMAGES, IMAGES, patches=0),
     "patches is 0: expected an integer of at least 1"),
    (lambda: metrics.grid_centers(0), "side is 0: expected"),
    (lambda: metrics.ring_centers(0), "modes is 0: expected an integer of at least 1"),
    (lambda: metrics.bits_per_dimension([1.0], 2, "none"), r"nats is \[1.0\]: expected a number"),
    (lambda: metrics.code_uses(np.array([0]), 10**12),
     "levels is 1000000000000: expected an integer of at most 1048576"),
    (lambda: metrics.group_report(LABELS, LABELS, 10**12 * LABELS),
     "groups contains .* from 0 to the"),
    (lambda: circle(np.ones([4, 2]) + 1, epsilon=1e-12), "epsilon is 1e-12: .* equal in float32"),
    (lambda: metrics.perceptual_path_length(
        tf.identity, lambda x: np.full(len(x), np.nan), np.ones([4, 2]), np.zeros([4, 2])),
     "features returned NaN"),
    (lambda: metrics.resize_images(DARK, (0, 4)), "size is 0: expected an integer of at least 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence) as caught:
        call()
    assert "\n" not in str(caught.value)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.thorough
@pytest.mark.parametrize(
    "stream,seconds,shown",
    [(Terminal(), 0.6, True), (Terminal(), 0.0, False), (io.StringIO(), 0.6, False)],
)
def test_only_what_takes_long_at_a_terminal_has_a_bar(monkeypatch, stream, seconds, shown):
    monkeypatch.setattr("sys.stderr", stream)
    for step, number in enumerate(with_bar(range(3), "batch")):
        assert step == number
        time.sleep(seconds)
    assert ("batch" in stream.getvalue()) == shown


def test_means_and_deviations_over_seeds():
    found = [{"a": 1.0, "b": 2}, {"a": 4.0, "b": 2}, {"a": 7.0, "b": 2}]
    wanted = {"a": 4.0, "a_deviation": 3.0, "b": 2.0, "b_deviation": 0.0}
    assert mean_and_deviation(found) == wanted


@pytest.mark.parametrize("dtype", ["float16", tf.bfloat16.as_numpy_dtype])
def test_narrow_numbers_are_added_up_in_float64(dtype):
    values = np.linspace(90, 110, 1001).astype(dtype)
    mean, deviation = mean_and_deviation([{"a": value} for value in values]).values()
    assert mean == pytest.approx(100, rel=0.01) and deviation == pytest.approx(5.78, rel=0.01)
    found = nll_summary({"nll": np.float16(values)})
    assert found["nll_standard_error"] == pytest.approx(5.78 / 1001**0.5, rel=0.01)


def test_of_one_seed_there_is_no_deviation():
    assert mean_and_deviation([{"a": 5.0}]) == {"a": 5.0}


def test_names_and_keys_are_chosen():
    found = [{"a": 1.0, "frames": "none"}] * 2
    assert mean_and_deviation(found, "ring_{}_gan", ("a",)) == {
        "ring_a_gan": 1.0,
        "ring_a_gan_deviation": 0.0,
    }
