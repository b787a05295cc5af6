"""The time that is left."""

import time

import pytest

from keras_gen.core.callbacks import TimeLeft
from keras_gen.core.callbacks.time_left import _minutes
from processes import tasks


class Clock:
    def __init__(self, monkeypatch, *moments):
        moments = iter(moments)
        monkeypatch.setattr(time, "monotonic", lambda: next(moments))


def train(callback, epochs, first=0):
    callback.set_params({"epochs": epochs})
    callback.on_train_begin()
    for epoch in range(first, epochs):
        callback.on_epoch_end(epoch)


def test_the_first_epoch_is_left_out_of_the_rate(monkeypatch, capsys):
    Clock(monkeypatch, 0, 100, 110, 120, 130)
    train(TimeLeft(), 4)
    assert capsys.readouterr().out.splitlines() == [
        "  epoch 1 of 4, 1:40 min elapsed, about 5:00 min left",
        "  epoch 2 of 4, 1:50 min elapsed, about 0:20 min left",
        "  epoch 3 of 4, 2:00 min elapsed, about 0:10 min left",
    ]


def test_tracing_is_left_out_of_the_first_rate(monkeypatch, capsys):
    Clock(monkeypatch, 0, 100, 110)
    callback = TimeLeft()
    callback.set_params({"epochs": 4, "steps": 11})
    callback.on_train_begin()
    callback.on_epoch_begin(0)
    for batch in range(11):
        callback.on_train_batch_end(batch)
    callback.on_epoch_end(0)
    # Ten steps took ten seconds after the first.
    told = "  epoch 1 of 4, 1:50 min elapsed, about 0:33 min left\n"
    assert capsys.readouterr().out == told


def test_a_resumed_training(monkeypatch, capsys):
    Clock(monkeypatch, 0, 50, 60, 70)
    train(TimeLeft(), 10, first=7)
    assert capsys.readouterr().out.splitlines() == [
        "  epoch 8 of 10, 0:50 min elapsed, about 1:40 min left",
        "  epoch 9 of 10, 1:00 min elapsed, about 0:10 min left",
    ]


def test_a_few_lines_of_a_long_training(monkeypatch, capsys):
    Clock(monkeypatch, *range(21))
    train(TimeLeft(lines=4), 20)
    told = [line.split(",")[0] for line in capsys.readouterr().out.splitlines()]
    assert told == [f"  epoch {n} of 20" for n in (1, 5, 10, 15)]


def test_losses_and_the_first_number_of_held_out_data(monkeypatch, capsys):
    Clock(monkeypatch, 0, 10)
    callback = TimeLeft()
    callback.set_params({"epochs": 2})
    callback.on_train_begin()
    callback.on_epoch_end(0, {"d_loss": 1.0, "rate": 0.1, "g_loss": 2.0, "val_nll": 3.0})
    told = "  epoch 1 of 2, d_loss 1, g_loss 2, val_nll 3, 0:10 min elapsed, about 0:10 min left\n"
    assert capsys.readouterr().out == told


def test_only_the_chief_prints(monkeypatch, capsys):
    monkeypatch.setenv("TF_CONFIG", tasks(2)[1])
    train(TimeLeft(), 3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00 min"), (59.6, "1:00 min"), (61, "1:01 min"), (3599.4, "59:59 min"), (7380, "2h03")],
)
def test_durations(seconds, text):
    assert _minutes(seconds) == text
