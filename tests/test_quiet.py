"""TensorFlow starts without a word, unless asked to say all, or if it fails."""

import os
import re

import pytest

from keras_gen.quiet import ONEDNN, quiet, start_tensorflow
from processes import environment, python

START = "import os; from keras_gen.quiet import start_tensorflow; start_tensorflow()"


def stderr(code, **env):
    env = {k: v for k, v in environment().items() if k != "TF_CPP_MIN_LOG_LEVEL"} | env
    return python("-c", code, env=env, timeout=300).stderr


@pytest.mark.thorough
def test_the_start_is_quiet_and_what_is_written_later_shows():
    assert stderr(f"{START}; import keras; os.write(2, b'later')") == "later"


def test_convolutions_are_those_of_onednn_unless_chosen_otherwise(monkeypatch):
    monkeypatch.setenv(ONEDNN, "0")
    start_tensorflow()
    assert os.environ[ONEDNN] == "0"
    monkeypatch.delenv(ONEDNN)
    start_tensorflow()
    assert os.environ[ONEDNN] == "1"


@pytest.mark.thorough
def test_models_and_recipes_import_without_a_word():
    # As a recipe does, which imports Keras' own names next.
    assert stderr("from keras_gen.workshop.run import Run, run_recipe; import keras") == ""
    assert stderr("from keras_gen import GAN, VAE") == ""


@pytest.mark.slow
def test_a_log_that_is_asked_for_shows():
    # The messages depend on the processor; a line of a log names its place in the source.
    assert re.search(r"\.cc:\d+\] \w", stderr(START, TF_CPP_MIN_LOG_LEVEL="0"))


def test_an_import_that_fails_says_all(tmp_path):
    (tmp_path / "tensorflow.py").write_text("import os; os.write(2, b'no such library'); 1 / 0")
    written = stderr(START, PYTHONPATH=f"{tmp_path}:{environment()['PYTHONPATH']}")
    assert "no such library" in written and "ZeroDivisionError" in written


def test_what_a_failing_block_wrote_is_shown(capfd):
    with pytest.raises(ZeroDivisionError), quiet():
        os.write(2, b"the reason")
        raise ZeroDivisionError
    assert capfd.readouterr().err == "the reason"
    with quiet():
        os.write(2, b"chatter")
    assert capfd.readouterr().err == ""


def test_a_process_without_a_screen():
    assert stderr("import os; os.close(2); import keras_gen.quiet as q\nwith q.quiet(): pass") == ""
