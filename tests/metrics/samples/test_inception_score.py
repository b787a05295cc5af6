import numpy as np
import pytest
from scipy import special

from keras_gen.metrics import inception_score


def test_closed_forms():
    uniform = np.full([20, 4], 0.25)
    assert inception_score(uniform) == pytest.approx((1, 0))
    certain = np.tile(np.eye(4), [10, 1])
    assert inception_score(certain) == pytest.approx((4, 0))
    assert inception_score(50.0 * certain, from_logits=True) == pytest.approx((4, 0))
    # One class only, however certain, has no variety; half of two classes has two.
    assert inception_score(certain[::4]) == pytest.approx((1, 0))
    assert inception_score(np.eye(4)[[0, 1] * 10]) == pytest.approx((2, 0))


def test_against_the_definition(rng):
    logits = 3 * rng.normal(size=(23, 5))
    p = special.softmax(logits, axis=1)
    scores = []
    for part in (p[:12], p[12:]):
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.mean([np.sum(q * np.log(q / marginal)) for q in part])))
    wanted = (np.mean(scores), np.std(scores))
    assert inception_score(p, splits=2) == pytest.approx(wanted)
    assert inception_score(logits.astype("float32"), True, splits=2) == pytest.approx(
        wanted, rel=1e-5
    )


def test_clear_errors():
    with pytest.raises(ValueError, match="from_logits=True"):
        inception_score(np.ones([20, 3]))
    with pytest.raises(ValueError, match="from_logits=True"):
        inception_score(np.full([20, 3], np.nan))
    with pytest.raises(ValueError, match="one row per split"):
        inception_score(np.eye(3))
