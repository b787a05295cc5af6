import numpy as np
import pytest

from keras_gen.metrics import retrieval_curve


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
    with pytest.raises(ValueError, match="the same examples"):
        retrieval_curve(codes[:9], labels[:9], codes, labels, leave_one_out=True)


def test_recalls_are_not_pushed_up_by_rounding():
    # 0.28 * 25 is a little above 7 in floating point: seven of 25 hits must do.
    angles = np.arange(26) / 20
    gallery = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    labels = np.array([1] * 7 + [0] + [1] * 18)
    precision = retrieval_curve(gallery[:1], labels[:1], gallery, labels, recalls=[0.28, 0.32])
    np.testing.assert_allclose(precision, [1, 8 / 9])


def test_separate_blobs_are_retrieved_perfectly_and_length_does_not_matter(blobs, rng):
    codes, labels = blobs(100)
    lengths = rng.uniform(0.01, 100, size=[100, 1])
    arguments = (codes[:40], labels[:40], codes * lengths, labels)
    np.testing.assert_allclose(retrieval_curve(*arguments), 1)


def test_collapsed_codes_retrieve_by_chance_whatever_the_order():
    # A stable order among equals would give the sorted gallery's first label, and 1 or 0.
    labels = np.repeat([0, 1], 500)
    for code in (np.ones([1000, 4]), np.zeros([1000, 4])):
        np.testing.assert_allclose(
            retrieval_curve(code[:1], labels[:1], code, labels, [0.5, 1.0]), 0.5, atol=0.1
        )


X, Y = np.arange(12.0).reshape(6, 2), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: retrieval_curve(X, Y[1:], X, Y), ValueError, "query_labels"),
        (lambda: retrieval_curve(X, Y + 1, X, Y), ValueError, "query label 2"),
        (lambda: retrieval_curve(X, Y, X, Y, [0.0]), ValueError, "recalls must be"),
    ],
)
def test_clear_errors(call, error, message):
    with pytest.raises(error, match=message):
        call()
