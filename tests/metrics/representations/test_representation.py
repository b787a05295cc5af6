import math

import numpy as np
import pytest

from keras_gen.metrics import (
    auroc,
    cluster_purity,
    kmeans_report,
    knn_accuracy,
    linear_probe,
    retrieval_curve,
    retrieval_precision,
)


def blobs(rng, n, classes=3, spread=0.1, scale=5.0):
    labels = rng.integers(classes, size=n)
    return scale * np.eye(classes)[labels] + spread * rng.normal(size=[n, classes]), labels


def exclusive_or(rng, n):
    bits = rng.integers(2, size=[n, 2])
    return bits + 0.1 * rng.normal(size=[n, 2]), bits[:, 0] ^ bits[:, 1]


def logistic_newton(x, y):
    """Coefficients of the penalized likelihood (penalty w.w / 2, none on the intercept)."""
    x = np.c_[x, np.ones(len(x))]
    penalty = np.diag([1.0] * (x.shape[1] - 1) + [0.0])
    w = np.zeros(x.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) + penalty @ w
        w -= np.linalg.solve((x.T * (p * (1 - p))) @ x + penalty, gradient)
    return w


def test_a_probe_against_newton_iterations(rng):
    y, test_y = rng.integers(2, size=40), rng.integers(2, size=500)
    x = rng.normal(size=[40, 3]) + y[:, None] * [1.0, 0.5, 0.0]
    test_x = rng.normal(size=[500, 3]) + test_y[:, None] * [1.0, 0.5, 0.0]
    mean, std = x.mean(axis=0), x.std(axis=0)
    w = logistic_newton((x - mean) / std, y)
    expected = np.mean((((test_x - mean) / std) @ w[:-1] + w[-1] > 0) == test_y)
    assert 0.5 < expected < 0.9
    # scikit-learn stops a little before the optimum, which may move one borderline example.
    assert linear_probe(x, y, test_x, test_y) == {40: pytest.approx(expected, abs=0.0021)}


def test_a_probe_of_two_gaussians_reaches_the_best_possible_accuracy(rng):
    y, test_y = rng.integers(2, size=2000), rng.integers(2, size=4000)
    x = rng.normal(size=[2000, 2]) + 2.0 * y[:, None] * [1, 0]
    test_x = rng.normal(size=[4000, 2]) + 2.0 * test_y[:, None] * [1, 0]
    best = 0.5 * (1 + math.erf(1 / math.sqrt(2)))  # the normal distribution function at 1
    assert linear_probe(x, y, test_x, test_y)[2000] == pytest.approx(best, abs=0.02)


def test_more_labels_help_and_scale_does_not_matter(rng):
    x, y = blobs(rng, 600, spread=2.0)
    test_x, test_y = blobs(rng, 1000, spread=2.0)
    accuracy = linear_probe(x, y, test_x, test_y, counts=[3, 30, 600])
    assert list(accuracy) == [3, 30, 600]
    assert 1 / 3 < accuracy[3] < accuracy[30] < accuracy[600]
    scale = np.array([1e-3, 1.0, 1e3])
    assert linear_probe(x * scale, y, test_x * scale, test_y, [30])[30] == pytest.approx(
        accuracy[30], abs=0.002
    )


def test_a_probe_cannot_see_what_neighbors_can(rng):
    x, y = exclusive_or(rng, 400)
    test_x, test_y = exclusive_or(rng, 400)
    assert linear_probe(x, y, test_x, test_y)[400] < 0.8  # three of the four corners at best
    assert knn_accuracy(x, y, test_x, test_y) == 1


def test_random_codes_are_at_chance(rng):
    y, test_y = np.arange(400) % 4, np.arange(800) % 4
    x, test_x = rng.normal(size=[400, 5]), rng.normal(size=[800, 5])
    assert linear_probe(x, y, test_x, test_y)[400] == pytest.approx(0.25, abs=0.06)
    assert knn_accuracy(x, y, test_x, test_y) == pytest.approx(0.25, abs=0.06)
    assert retrieval_precision(test_x, test_y, x, y) == pytest.approx(0.25, abs=0.03)
    assert kmeans_report(x, y)["nmi"] < 0.05
    assert auroc(rng.normal(size=800), test_y == 0) == pytest.approx(0.5, abs=0.07)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbors_against_brute_force(metric, rng):
    x, y = blobs(rng, 60, spread=4.0)
    test_x, test_y = blobs(rng, 50, spread=4.0)
    right = 0
    for code, label in zip(test_x, test_y, strict=True):
        if metric == "cosine":
            far = 1 - x @ code / np.linalg.norm(x, axis=1) / np.linalg.norm(code)
        else:
            far = ((x - code) ** 2).sum(axis=1)
        right += np.bincount(y[np.argsort(far)[:7]], minlength=3).argmax() == label
    assert knn_accuracy(x, y, test_x, test_y, 7, metric) == right / 50


def test_purity_by_hand_and_where_it_fails(rng):
    assert cluster_purity([0, 0, 0, 1, 1, 9], [5, 5, 7, 7, 7, 5]) == pytest.approx(5 / 6)
    labels = rng.integers(4, size=50)
    assert cluster_purity(np.zeros(50, int), labels) == np.bincount(labels).max() / 50
    assert cluster_purity(np.arange(50), labels) == 1  # a cluster for each example
    assert cluster_purity(labels[::-1] * 0 + (labels + 1) % 4, labels) == 1  # names do not count


def test_clusters_of_separate_blobs_are_their_labels(rng):
    codes, labels = blobs(rng, 90)
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


def ranked_hits(query, label, gallery, labels):
    cosine = gallery @ query / np.linalg.norm(gallery, axis=1) / np.linalg.norm(query)
    return labels[np.argsort(-cosine)] == label


def test_retrieval_against_brute_force(rng):
    gallery, gallery_y = blobs(rng, 70, spread=4.0)
    queries, query_y = blobs(rng, 300, spread=4.0)  # more than one block of queries
    precisions, curves = [], []
    for query, label in zip(queries, query_y, strict=True):
        hits = ranked_hits(query, label, gallery, gallery_y)
        precisions.append(hits[:9].mean())
        found = np.cumsum(hits)
        curves.append(
            [
                next(found[i] / (i + 1) for i in range(70) if found[i] >= recall * hits.sum())
                for recall in (0.25, 0.5, 1.0)
            ]
        )
    arguments = (queries, query_y, gallery, gallery_y)
    assert retrieval_precision(*arguments, k=9) == pytest.approx(np.mean(precisions))
    curve = retrieval_curve(*arguments, recalls=(0.25, 0.5, 1.0))
    np.testing.assert_allclose(curve, np.mean(curves, axis=0))


def test_retrieval_by_hand():
    gallery = np.array([[1.0, 0.0], [0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    labels = np.array([1, 0, 1, 1])
    # Ranked for the query: hit, miss, hit, hit.
    arguments = (np.array([[2.0, -0.1]]), np.array([1]), gallery, labels)
    assert [retrieval_precision(*arguments, k=k) for k in (1, 2, 4)] == [1, 1 / 2, 3 / 4]
    np.testing.assert_allclose(
        retrieval_curve(*arguments, recalls=(1 / 3, 0.5, 2 / 3, 1.0)), [1, 2 / 3, 2 / 3, 3 / 4]
    )


def test_leaving_out_the_query_itself(rng):
    codes, labels = rng.normal(size=(300, 3)), rng.integers(0, 4, size=300)
    recalls = (0.3, 1.0)
    expected = [
        retrieval_curve(
            codes[i : i + 1], labels[i : i + 1], np.delete(codes, i, 0), np.delete(labels, i),
            recalls,
        )
        for i in range(300)
    ]  # fmt: skip
    arguments = (codes, labels, codes, labels, recalls)
    found = retrieval_curve(*arguments, leave_one_out=True)
    np.testing.assert_allclose(found, np.mean(expected, axis=0))
    assert retrieval_curve(*arguments)[0] > found[0]  # for each finds itself first
    with pytest.raises(ValueError, match="No other gallery example has the query label 9"):
        labels[0] = 9
        retrieval_curve(codes, labels, codes, labels, leave_one_out=True)
    with pytest.raises(ValueError, match="the same examples"):
        retrieval_curve(codes[:9], labels[:9], codes, labels, leave_one_out=True)


def test_recalls_are_not_pushed_up_by_rounding():
    # 0.28 * 25 is a little above 7 in floating point: seven of 25 hits must do.
    angles = np.arange(26) / 20
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array([1] * 7 + [0] + [1] * 18)
    precision = retrieval_curve(gallery[:1], labels[:1], gallery, labels, recalls=[0.28, 0.32])
    np.testing.assert_allclose(precision, [1, 8 / 9])


def test_separate_blobs_are_retrieved_perfectly_and_length_does_not_matter(rng):
    codes, labels = blobs(rng, 100)
    lengths = rng.uniform(0.01, 100, size=[100, 1])
    arguments = (codes[:40], labels[:40], codes * lengths, labels)
    assert retrieval_precision(*arguments) == 1
    np.testing.assert_allclose(retrieval_curve(*arguments), 1)


def test_collapsed_codes_retrieve_by_chance_whatever_the_order():
    # A stable order among equals would give the sorted gallery's first label, and 1 or 0.
    labels = np.repeat([0, 1], 500)
    for code in (np.ones([1000, 4]), np.zeros([1000, 4])):
        precision = retrieval_precision(code[:1], labels[:1], code, labels, k=200)
        assert precision == pytest.approx(0.5, abs=0.15)
        np.testing.assert_allclose(
            retrieval_curve(code[:1], labels[:1], code, labels, [0.5, 1.0]), 0.5, atol=0.1
        )


def test_auroc_counts_pairs(rng):
    scores = rng.integers(6, size=80) / 5.0  # with many ties
    positive = rng.integers(2, size=80)
    pairs = np.subtract.outer(scores[positive == 1], scores[positive == 0])
    expected = np.mean((pairs > 0) + 0.5 * (pairs == 0))
    assert auroc(scores, positive) == pytest.approx(expected)
    assert auroc(-scores, positive) == pytest.approx(1 - expected)
    assert auroc(np.exp(scores), positive == 1) == pytest.approx(expected)
    assert auroc(np.zeros(80), positive) == 0.5
    assert auroc(positive, positive) == 1


def test_auroc_of_two_gaussians(rng):
    scores = np.concatenate([rng.normal(size=4000), rng.normal(size=4000) + 1])
    # P(x + 1 > y) for standard normal x and y: the distribution function at 1 / sqrt 2.
    expected = 0.5 * (1 + math.erf(0.5))
    assert auroc(scores, np.arange(8000) >= 4000) == pytest.approx(expected, abs=0.02)


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear_probe(X, Y, X[:, :1], Y), ValueError, "2 features in train_codes and 1"),
        (lambda: linear_probe(X, Y[:5], X, Y), ValueError, r"train_labels of shape \[6\]"),
        (lambda: linear_probe(X, Y / 2, X, Y), TypeError, "train_labels to be integers"),
        (lambda: linear_probe(X, Y * 0, X, Y), ValueError, "found 1 classes"),
        (lambda: linear_probe(X, Y, X, Y, counts=[7]), ValueError, r"counts \[7\]"),
        (lambda: linear_probe(X, Y, X, Y, counts=[1]), ValueError, r"counts \[1\]"),
        (lambda: knn_accuracy(X, Y, X * np.nan, Y), ValueError, "test_codes"),
        (lambda: knn_accuracy(X, Y, X, Y, 7), ValueError, "neighbors must be between 1 and 6"),
        (lambda: cluster_purity(Y, Y[:3]), ValueError, r"clusters of shape \[3\]"),
        (lambda: cluster_purity([], np.array([], int)), ValueError, r"shape \[n\], found \[0\]"),
        (lambda: kmeans_report(X, Y, clusters=0), ValueError, "clusters must be between 1 and 6"),
        (lambda: kmeans_report(X, Y[:2]), ValueError, r"labels of shape \[6\], found \[2\]"),
        (lambda: retrieval_precision(X, Y, X, Y, k=9), ValueError, "k must be between 1 and 6"),
        (lambda: retrieval_precision(X, Y[1:], X, Y), ValueError, "query_labels"),
        (lambda: retrieval_curve(X, Y + 1, X, Y), ValueError, "query label 2"),
        (lambda: retrieval_curve(X, Y, X, Y, [0.0]), ValueError, "recalls must be"),
        (lambda: auroc(X[:, 0], Y * 0), ValueError, "of both kinds"),
        (lambda: auroc(X[:, 0], Y * 2), ValueError, r"values \[0 2\]"),
        (lambda: auroc(X[:, 0], Y[:3]), ValueError, r"\[3\] for 6 scores"),
        (lambda: auroc(X[:, 0] * np.nan, Y), ValueError, "finite numbers"),
    ],
)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
