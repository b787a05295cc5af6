"""Pictures that a script writes and a notebook shows."""

import builtins
import sys
import types

import numpy as np

from keras_gen.files.images import read_image
from keras_gen.workshop.visualize import show

SQUARE = np.full((4, 6, 3), 200, "uint8")


def test_a_script_writes_it_and_says_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    show(SQUARE, "square", "A gray square.")
    assert capsys.readouterr().out == "[runs/course/test_show/square.png] A gray square.\n"
    assert np.array_equal(read_image(tmp_path / "runs/course/test_show/square.png"), SQUARE)


def test_a_notebook_shows_it_and_writes_nothing(tmp_path, monkeypatch, capsys):
    displayed: list = []
    display = types.SimpleNamespace(display=displayed.append)
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(builtins, "get_ipython", lambda: None, raising=False)
    monkeypatch.chdir(tmp_path)
    show(SQUARE, "square", "A gray square.")
    assert np.array_equal(np.asarray(displayed[0]), SQUARE)
    assert capsys.readouterr().out == "A gray square.\n"
    assert not list(tmp_path.iterdir())


def test_a_quick_run_says_that_its_captions_describe_another(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUICK", "1")
    show(SQUARE, "square", "A gray square.")
    said = "A gray square. (QUICK is a test of the code: captions describe the full run.)\n"
    assert capsys.readouterr().out.endswith(said)
