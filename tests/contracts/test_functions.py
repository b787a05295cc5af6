"""Every loss, layer, metric, and function of data refuses hostile input, and takes any layout.

A right call of each is recorded while the example of its docstring runs, so that a new function
needs no entry here. What models refuse is in `test_bad_input.py`; what they do after a restart, in
a file, or on replicas is in `test_resume.py`, `test_saving.py`, and `test_replicas.py`.
"""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from example_names import names_of
from keras_gen import core
from keras_gen.core import callbacks
from keras_gen.testing import check_function, check_model
from right_calls import public, recorded

PUBLIC = public()
# What is not tried, by the reason; what these refuse is in the tests of each.
NOT_RUN_BECAUSE = {
    "they read prepared data or folders, in each of the calls": {
        *("data.character_texts", "data.documents", "data.facades", "data.faces"),
        *("data.image_folder", "data.load_tfds", "data.paired_folders"),
        *("data.photos_and_paintings", "data.side_by_side", "data.small_images"),
        *(
            "data.sound_folder",
            "data.spoken_digits",
            "metrics.inception_v3",
            "metrics.keras_extractor",
        ),
        "networks.vgg_features",
    },
    "each call trains or evaluates for seconds": {
        *("data.offline_color_digits", "data.offline_pairs", "data.on_photographs"),
        *("metrics.conversion_report", "metrics.fine_tuned_error", "metrics.GenerationEvaluation"),
        *("metrics.pixel_accuracy", "metrics.sample_report", "metrics.SpeechProbes"),
        *("metrics.train_classifier", "metrics.train_domain_classifier"),
        *("metrics.train_point_reader", "metrics.train_segmenter", "metrics.trained_extractor"),
        *("metrics.trained_extractors", "metrics.transfer_report", "metrics.vocoding_report"),
        "metrics.TranslationEvaluation",
    },
    "they are checks for authors of models, whose own arguments are constants": {
        *("core.schedules.between", "core.schedules.checked_whole", "core.schedules.weight")
    },
    "it takes examples of any type, also texts and complex numbers": {"data.Source"},
    "Keras checks its arguments, which are those of its base": {
        "layers.BatchNormalization",
        "layers.Conv2D",
        "layers.Conv2DTranspose",
    },
}
NOT_RUN = set().union(*NOT_RUN_BECAUSE.values())
IGNORES_ITS_INPUT = "layers.LearnedConstant.__call__"


def test_the_lists_of_what_is_left_out_name_what_there_is():
    assert PUBLIC.keys() >= NOT_RUN


def tried(name: str) -> int:
    """Tries the right calls in the example of a function, and returns how many calls it made."""
    calls = recorded(name, PUBLIC[name], names_of(name))
    assert calls, f"the example of {name} does not call it"
    return sum(
        check_function(call.function, *call.arguments.args, **call.arguments.kwargs)
        for call in calls
        if call.name != IGNORES_ITS_INPUT
    )


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - NOT_RUN))
def test_hostile_input(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried(name)


def calls_of_core() -> dict[str, tuple]:
    """A right call of what users of the core call: the function, and its arguments."""
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    optimizer = keras.optimizers.SGD()
    optimizer.build(network.trainable_variables)
    vae = TINY["VAE"].compiled()
    loss = lambda: tf.reduce_sum(network(tf.ones([2, 4])) ** 2, axis=-1)  # noqa: E731
    return {
        "Board": (callbacks.Board, "board"),
        "Evaluation": (callbacks.Evaluation, lambda model: {"loss": 1.0}),
        "ImagePool": (core.ImagePool, 5, (8, 8, 1)),
        "SampleGrid": (callbacks.SampleGrid, lambda model: np.zeros([8, 8, 1]), "samples"),
        "TimeLeft": (callbacks.TimeLeft,),
        "TrainingState": (core.TrainingState, "checkpoints", {"epochs": 3}),
        "compile": (vae.compile,),
        "make_strategy": (core.make_strategy, "default"),
        "minimize": (core.minimize, loss, optimizer, network),
        "report": (vae.report, {"reconstruction": 1.0, "kl": 2.0}),
    }


def test_hostile_arguments_of_the_core(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for function, *arguments in calls_of_core().values():
        check_function(function, *arguments)


@pytest.mark.slow
def test_the_docs_state_how_many_calls_are_tried(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "keras.md").read_text()
    stated = int(re.search(r"more than\s+([\d,]+)\s+calls", text)[1].replace(",", ""))
    monkeypatch.chdir(tmp_path)
    found = sum(check_model(tiny.build(3)) for tiny in TINY.values())
    found += sum(map(tried, PUBLIC.keys() - NOT_RUN))
    assert stated <= found < 1.2 * stated
