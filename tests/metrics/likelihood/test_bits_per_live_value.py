import numpy as np
import pytest

from keras_gen.metrics import bits_per_live_value


def test_padding_counts_nothing_and_long_sequences_count_more():
    levels = np.array([[[5], [3], [1]], [[0], [-1], [-1]]])
    nats = np.array([3 * np.log(8), np.log(2)])
    assert bits_per_live_value(nats, levels) == pytest.approx((3 * 3 + 1) / 4)
    more = np.pad(levels, ((0, 0), (2, 7), (0, 0)), constant_values=-1)
    assert bits_per_live_value(nats, more) == pytest.approx(2.5)


@pytest.mark.parametrize(
    "nats, levels, message",
    [
        (np.zeros(2), np.full([2, 3, 1], -1), "0 live values"),
        (np.zeros(3), np.zeros([2, 3, 1]), r"shape \[3\] for 6 live values"),
    ],
)
def test_what_has_no_bits_is_refused(nats, levels, message):
    with pytest.raises(ValueError, match=message):
        bits_per_live_value(nats, levels)
