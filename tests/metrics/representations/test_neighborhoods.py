"""Clusters and neighbors of codes whose labels are known."""

import numpy as np
import pytest

from keras_gen.metrics import kmeans_report, matched_accuracy, retrieval_curve


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
    # Labels may be as large as numbers of people.
    assert matched_accuracy(([0, 10**12], [7, 10**15]), [10**12, 0], [10**15, 7]) == 1
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


def ranked_hits(query, label, gallery, labels):
    cosine = gallery @ query / np.linalg.norm(gallery, axis=1) / np.linalg.norm(query)
    return labels[np.argsort(-cosine)] == label


def test_retrieval_against_brute_force(blobs):
    gallery, gallery_y = blobs(70, spread=4.0)
    queries, query_y = blobs(300, spread=4.0)  # more than one block of queries
    curves = []
    for query, label in zip(queries, query_y, strict=True):
        hits = ranked_hits(query, label, gallery, gallery_y)
        found = np.cumsum(hits)
        curves.append(
            [
                next(found[i] / (i + 1) for i in range(70) if found[i] >= recall * hits.sum())
                for recall in (0.25, 0.5, 1.0)
            ]
        )
    curve = retrieval_curve(queries, query_y, gallery, gallery_y, recalls=(0.25, 0.5, 1.0))
    np.testing.assert_allclose(curve, np.mean(curves, axis=0))


def test_retrieval_by_hand():
    gallery = np.array([[1.0, 0.0], [0.9, 0.1], [0.5, 0.5], [0.0, 1.0]])
    labels = np.array([1, 0, 1, 1])
    # Ranked for the query: hit, miss, hit, hit.
    arguments = (np.array([[2.0, -0.1]]), np.array([1]), gallery, labels)
    np.testing.assert_allclose(
        retrieval_curve(*arguments, recalls=(1 / 3, 0.5, 2 / 3, 1.0)), [1, 2 / 3, 2 / 3, 3 / 4]
    )


@pytest.mark.thorough
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
    with pytest.raises(ValueError, match="the gallery's examples"):
        retrieval_curve(codes[:9], labels[:9], codes, labels, leave_one_out=True)


def test_recalls_are_not_pushed_up_by_rounding():
    # 0.28 * 25 is a little above 7 in floating point: seven of 25 hits must do.
    angles = np.arange(26) / 20
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array([1] * 7 + [0] + [1] * 18)
    precision = retrieval_curve(gallery[:1], labels[:1], gallery, labels, recalls=[0.28, 0.32])
    np.testing.assert_allclose(precision, [1, 8 / 9])


def test_collapsed_codes_retrieve_by_chance_whatever_the_order():
    # A stable order among equals would give the sorted gallery's first label, and 1 or 0.
    labels = np.repeat([0, 1], 500)
    for code in (np.ones([1000, 4]), np.zeros([1000, 4])):
        np.testing.assert_allclose(
            retrieval_curve(code[:1], labels[:1], code, labels, [0.5, 1.0]), 0.5, atol=0.1
        )
