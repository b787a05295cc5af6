import numpy as np
import pytest

from keras_gen.metrics import kmeans_report, matched_accuracy


def test_clusters_are_matched_on_other_examples(rng):
    labels, others = rng.integers(4, size=50), rng.integers(4, size=30)
    names = np.array([2, 0, 3, 1])
    assert matched_accuracy((names[labels], labels), names[others], others) == 1
    assert matched_accuracy((names[labels], labels), others, others) == 0  # 2 0 3 1 moves all
    # Each label once: both clusters are mostly of 1, which goes to the one that it gains more by.
    known = [0, 0, 0, 1, 1, 1, 1], [1, 1, 0, 1, 1, 1, 1]
    assert matched_accuracy(known, [0, 0, 1, 1], [0, 1, 1, 0]) == 0.5
    # A cluster without a label, and one that was never seen, are wrong.
    assert matched_accuracy(([0, 1, 2], [0, 1, 1]), [0, 1, 2, 3], [0, 1, 1, 0]) <= 0.5
    with pytest.raises(ValueError, match="clusters"):
        matched_accuracy(([0, 1], [0, 1]), [0, 1], [0])


def test_clusters_of_separate_blobs_are_their_labels(blobs):
    codes, labels = blobs(90)
    assert kmeans_report(codes, labels) == {"purity": 1, "nmi": pytest.approx(1)}
    # More clusters than labels stay pure, and tell more than the labels.
    finer = kmeans_report(codes, labels, clusters=9)
    assert finer["purity"] == 1 and finer["nmi"] < 0.8


def test_nmi_against_its_definition(rng):
    # One cluster would split no label, so two points fix the clusters: left and right.
    side, labels = np.repeat([0, 1], 20), np.repeat([0, 1, 0, 1], [15, 5, 2, 18])
    joint = np.array([[15, 5], [2, 18]]) / 40
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    information = np.sum(joint * np.log(joint / np.outer(rows, columns)))
    entropies = [-np.sum(p * np.log(p)) for p in (rows, columns)]
    report = kmeans_report(100.0 * side[:, None] + rng.normal(size=[40, 1]), labels)
    assert report["nmi"] == pytest.approx(information / np.mean(entropies))
    assert report["purity"] == pytest.approx(33 / 40)


def test_clusters_of_random_codes_tell_nothing(rng):
    assert kmeans_report(rng.normal(size=[400, 5]), np.arange(400) % 4)["nmi"] < 0.05


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: matched_accuracy((Y, Y), Y[:0], Y[:0]), ValueError, r"shape \[n\], found \[0\]"),
        (lambda: matched_accuracy((Y, Y - 1), Y, Y), ValueError, "known labels .* found -1"),
        (lambda: matched_accuracy((Y, Y), Y, Y - 1), ValueError, "labels to be .* found -1: leave"),
        (lambda: kmeans_report(X, Y, clusters=0), ValueError, "clusters must be between 1 and 6"),
        (lambda: kmeans_report(X, Y[:2]), ValueError, r"labels of shape \[6\], found \[2\]"),
    ],
)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
