"""Arguments of callbacks that are refused, and what the sentence says."""

import pytest

from keras_gen.core.callbacks import Board, Evaluation, SampleGrid, TimeLeft

REFUSED = [
    (lambda: Board("board", print), "settings is <built-in function print>: expected a dict"),
    (lambda: Evaluation(dict, every=0), "every must be at least 1, found 0"),
    (lambda: Evaluation(dict, best="nll", path="a.keras", mode="auto"),
     "mode is 'auto': expected one of min, max"),
    (lambda: Evaluation(dict, best="nll"),
     "best is 'nll' and path is None: give both or neither"),
    (lambda: SampleGrid(print, "a", every=0),
     "every must be at least 1, found 0"),
    (lambda: SampleGrid(print, "a", lines=0), "lines must be at least 1, found 0"),
    (lambda: TimeLeft(lines=0), "lines must be at least 1, found 0"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
