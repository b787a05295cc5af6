"""Every loss, layer, metric, and function of data refuses hostile input, and takes any layout.

A right call of each is recorded while the example of its docstring runs, so that a new function
needs no entry here. What models refuse is in `test_bad_input.py`; what they do after a restart, in
a file, or on replicas is in `test_resume.py`, `test_saving.py`, and `test_replicas.py`.
"""

import re
from pathlib import Path

import pytest

from all_tiny import TINY
from example_names import names_of
from keras_gen.testing import check_function, check_model
from right_calls import public, recorded

PUBLIC = public()
# Their examples need a network connection, prepared data, folders, or a training of minutes, or
# they have none; what they refuse is in the tests of each.
NOT_RUN = {
    *("core.schedules.between", "core.schedules.checked_whole", "core.schedules.final"),
    *("core.schedules.weight", "data.binarize", "data.character_texts", "data.documents"),
    *("data.draw_normal", "data.facades", "data.faces", "data.image_folder", "data.load_tfds"),
    *("data.near_duplicates", "data.NormalScores", "data.offline_color_digits"),
    *("data.offline_pairs", "data.on_photographs", "data.pad_to", "data.paint"),
    *("data.paired_folders", "data.photograph_patches", "data.photos_and_paintings"),
    *("data.side_by_side", "data.small_images", "data.spoken_digits", "data.table_columns"),
    *("losses.adversarial.get_of_fakes", "metrics.conversion_report", "metrics.Extractor"),
    *("metrics.fine_tuned_error", "metrics.GenerationEvaluation", "metrics.inception_v3"),
    *(
        "metrics.keras_extractor",
        "metrics.linear_probe",
        "metrics.moments",
        "metrics.pixel_accuracy",
    ),
    *("metrics.sample_report", "metrics.SpeechProbes", "metrics.stacked_modes"),
    *("metrics.train_classifier", "metrics.train_domain_classifier"),
    *("metrics.train_point_reader", "metrics.train_segmenter", "metrics.trained_extractor"),
    *("metrics.trained_extractors", "metrics.trajectory", "metrics.transfer_report"),
    *("metrics.TranslationEvaluation", "metrics.update_field", "metrics.update_jacobian"),
    *("metrics.vocoding_report", "networks.copied", "networks.vgg_features"),
    *("networks.with_layer", "robustness.named_right"),
}
# They answer some wrong arguments badly: a `Source` holds texts, too.
NOT_YET = {"data.Source", "networks.start_at_mean"}
IGNORES_ITS_INPUT = "layers.LearnedConstant.__call__"


def test_the_lists_of_what_is_left_out_name_what_there_is():
    assert PUBLIC.keys() >= NOT_RUN | NOT_YET


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
@pytest.mark.parametrize("name", sorted(PUBLIC.keys() - NOT_RUN - NOT_YET))
def test_hostile_input(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried(name)


@pytest.mark.slow
def test_the_docs_state_how_many_calls_are_tried(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "keras.md").read_text()
    stated = int(re.search(r"more than\s+([\d,]+)\s+calls", text)[1].replace(",", ""))
    monkeypatch.chdir(tmp_path)
    found = sum(check_model(tiny.build(3)) for tiny in TINY.values())
    found += sum(map(tried, PUBLIC.keys() - NOT_RUN - NOT_YET))
    assert stated <= found < 1.2 * stated
