"""Arguments of callbacks that are refused, and what the sentence says."""

import functools

import pytest

from keras_gen.core.callbacks import Board, Evaluation, SampleGrid, TimeLeft

REFUSED = [
    (lambda: Board("board", print), "settings is <built-in function print>: expected a dict"),
    (lambda: Evaluation(dict, every=0), "every is 0: expected an integer of at least 1"),
    (lambda: Evaluation(dict, best="nll", path="a.keras", mode="auto"),
     "mode is 'auto': expected one of min, max"),
    (lambda: Evaluation(dict, best="nll"),
     "best is 'nll' and path is None: expected both or neither"),
    *((functools.partial(Evaluation, dict, best="nll", path=path),
       f"path is {path}: expected a name that ends in .keras") for path in ("best.h5", "best")),
    (lambda: SampleGrid(print, "a", every=0),
     "every is 0: expected an integer of at least 1"),
    (lambda: SampleGrid(print, "a", lines=0), "lines is 0: expected an integer of at least 1"),
    (lambda: TimeLeft(lines=0), "lines is 0: expected an integer of at least 1"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "sentence"), REFUSED)
def test_refused(call, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        call()
