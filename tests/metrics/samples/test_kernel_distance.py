import numpy as np
import pytest
from scipy import stats

from keras_gen.metrics import kernel_distance


def brute(a, b):
    """The definition, one pair at a time."""

    def kernel(x, y):
        return (np.dot(x, y) / len(x) + 1) ** 3

    n, m = len(a), len(b)
    within_a = sum(kernel(a[i], a[j]) for i in range(n) for j in range(n) if i != j)
    within_b = sum(kernel(b[i], b[j]) for i in range(m) for j in range(m) if i != j)
    between = sum(kernel(x, y) for x in a for y in b)
    return within_a / (n * (n - 1)) + within_b / (m * (m - 1)) - 2 * between / (n * m)


def jackknife(a, b):
    without_a = [brute(np.delete(a, i, axis=0), b) for i in range(len(a))]
    without_b = [brute(a, np.delete(b, i, axis=0)) for i in range(len(b))]
    return np.sqrt((len(a) - 1) * np.var(without_a) + (len(b) - 1) * np.var(without_b))


def test_whole_sets_against_the_definition(rng):
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 0.3
    value, error = kernel_distance(a, b)
    np.testing.assert_allclose(value, brute(a, b), rtol=1e-10)
    np.testing.assert_allclose(error, jackknife(a, b), rtol=1e-8)


def test_blocks_change_nothing(rng, monkeypatch):
    a, b = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 0.3
    whole = kernel_distance(a, b)
    monkeypatch.setitem(kernel_distance.__globals__, "BLOCK", 15)  # two rows of a at once
    np.testing.assert_allclose(kernel_distance(a, b), whole, rtol=1e-12)


def test_scalar_features_with_known_moments(rng):
    # One feature: (xy + 1)^3 = 1 + 3xy + 3x^2y^2 + x^3y^3, so the squared MMD is
    # 3 (dm1)^2 + 3 (dm2)^2 + (dm3)^2 in the raw moments. N(0, 1): 0, 1, 0. N(1, 1): 1, 2, 4.
    a, b = rng.normal(size=(1500, 1)), rng.normal(size=(1500, 1)) + 1
    value, error = kernel_distance(a, b, subset_size=1500)
    assert abs(value - 22.0) < 5 * error < 11.0


def test_one_distribution_gives_zero_within_the_error_and_unbiased(rng):
    results = [
        kernel_distance(rng.normal(size=(40, 6)), rng.normal(size=(50, 6))) for _ in range(200)
    ]
    values, errors = np.transpose(results)
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(200)
    assert (values < 0).any() and (values > 0).any()
    # The jackknife's error is of the size of the real scatter.
    assert 0.5 < errors.mean() / values.std() < 2.0


def test_the_error_is_the_scatter_when_the_sets_differ(rng):
    results = [
        kernel_distance(rng.normal(size=(60, 6)) + 0.5, rng.normal(size=(60, 6)))
        for _ in range(200)
    ]
    values, errors = np.transpose(results)
    assert 0.8 < errors.mean() / values.std() < 1.25


def test_a_larger_shift_is_a_larger_distance_and_order_does_not_matter(rng):
    a, b = rng.normal(size=(60, 6)), rng.normal(size=(80, 6))
    distances = [kernel_distance(a, b + shift)[0] for shift in (0.0, 0.5, 1.0)]
    assert distances[0] < 0.1 < distances[1] < distances[2]
    np.testing.assert_allclose(kernel_distance(a, b + 1)[0], kernel_distance(b + 1, a)[0])


def test_one_mode_is_as_far_as_its_moments(rng):
    # A point mass at 0 has the kernel 1 with everything, so only the real set's kernel is left:
    # E (x.y / d + 1)^3 - 1 = 3 E (x.y / d)^2 = 3 / d for standard normal x and y.
    value, error = kernel_distance(rng.normal(size=(900, 6)), np.zeros([900, 6]))
    assert abs(value - 3 / 6) < 4 * error < 0.2


def test_subsets_agree_with_the_whole_and_follow_the_seed(rng):
    a, b = rng.normal(size=(200, 6)), rng.normal(size=(300, 6)) + 0.5
    whole, _ = kernel_distance(a, b)
    value, error = kernel_distance(a, b, subsets=100, subset_size=50, seed=3)
    assert abs(value - whole) < 5 * error
    assert (value, error) == kernel_distance(a, b, subsets=100, subset_size=50, seed=3)
    # The same subsets, and the standard error of their mean.
    draw = np.random.default_rng(3)
    parts = [
        kernel_distance(draw.choice(a, 50, replace=False), draw.choice(b, 50, replace=False))[0]
        for _ in range(100)
    ]
    wanted = (np.mean(parts), stats.sem(parts))
    assert (value, error) == pytest.approx(wanted)
    assert value != kernel_distance(a, b, subsets=100, subset_size=50, seed=4)[0]


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        (np.zeros([5, 3]), np.zeros([5, 4]), "one extractor"),
        (np.zeros([5]), np.zeros([5, 3]), r"features_a to be finite numbers.*\(5,\)"),
        (np.zeros([5, 3]), np.zeros([2, 3]), "features_b"),
        (np.full([5, 3], np.nan), np.zeros([5, 3]), "finite"),
    ],
)
def test_clear_errors(a, b, message):
    with pytest.raises(ValueError, match=message):
        kernel_distance(a, b)


def test_numbers_of_subsets_that_have_no_spread(rng):
    a = rng.normal(size=(9, 2))
    for subsets in (0, 1):
        with pytest.raises(ValueError, match=f"subsets must be at least 2, found {subsets}"):
            kernel_distance(a, a, subsets=subsets, subset_size=4)
    with pytest.raises(ValueError, match="subset_size must be at least 3, found 2"):
        kernel_distance(a, a, subset_size=2)
