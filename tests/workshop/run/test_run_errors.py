"""What a run refuses, and what it then leaves behind: nothing."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from keras_gen.workshop.run.recipe import one_sentence

# One recipe is run by the quick tests; here small runs are.
pytestmark = pytest.mark.thorough


def test_the_way_to_the_place_is_shown_on_demand(toy, capsys, monkeypatch):
    Path("a").write_text("")
    said = toy.fails(capsys, "--output", "a")
    assert said.startswith("error: --output is a, which is a file: pass a folder. (")
    monkeypatch.setenv("KERAS_GEN_DEBUG", "1")
    assert toy("--output", "a") == 1
    error = capsys.readouterr().err
    assert "Traceback" in error and "in choose_folder" in error


def test_a_run_that_cannot_begin_leaves_nothing_to_go_on_with(toy, capsys):
    said = toy.fails(capsys, "--batch-size", "13")
    assert "batch_size is 13: expected at most 12" in said
    assert not list(Path("runs").glob("*/*/config.json"))
    assert "found no unfinished run" in toy.fails(capsys, "--resume")


@pytest.mark.parametrize("eager", [False, True])
def test_a_loss_that_is_not_finite(toy, capsys, eager):
    toy.eager = eager
    said = toy.fails(capsys, "--output", "run", "--learning-rate", "1e38")
    assert "not finite" in said and "Lower the learning rate" in said


def test_a_warning_is_one_line(capsys):
    with one_sentence(), warnings.catch_warnings():
        warnings.simplefilter("always")
        sys.stderr.write(warnings.formatwarning("3 are left out", UserWarning, "a.py", 1))
    assert capsys.readouterr().err == "warning: 3 are left out\n"
    assert "a.py:1" in warnings.formatwarning("3 are left out", UserWarning, "a.py", 1)


def test_memory_that_is_too_small(toy, capsys):
    def measure(model):
        return np.empty([2**45])

    toy.evaluate = measure
    said = toy.fails(capsys)
    sentence = "there is not enough memory for an array of shape [35184372088832]: choose smaller"
    assert sentence in said
