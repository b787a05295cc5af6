"""Long measurements show a bar to who waits at a terminal."""

import io
import time

import pytest

from keras_gen.metrics.measuring_bar import with_bar


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
