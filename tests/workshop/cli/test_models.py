"""The commands list and sample, and what all commands on exports share."""

import collections
import csv
import json
import os
import shlex
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from all_tiny import TINY
from commands import fails, run_without
from keras_gen import VAE, CharacterRNN
from keras_gen.data import table_columns
from keras_gen.files.animations import video_strips
from keras_gen.files.images import enlarged_grid, read_image
from keras_gen.serving import exported
from keras_gen.serving.export import export
from keras_gen.workshop.cli import EXAMPLES, _parser, main
from keras_gen.workshop.cli.models import _conditions, _requests
from keras_gen.workshop.cli.recipes import recipes
from processes import ROOT
from shared import samples_of
from toy_exports import listener

GAN = '''"""A GAN on USPS.

  python recipes/gan_usps.py    at most 3 minutes on two CPU cores
"""
raise OSError
'''
PUBLISHED = """
system = "GAN"
family = "gan"
paper = "Goodfellow et al. 2014"
dataset = "USPS"
[figures.kid]
metric = "distance"
tolerance = 0.1
no_baseline = "none"
"""


def test_a_command_leaves_the_environment_of_its_caller(home, capsys):
    before = dict(os.environ)
    assert main(["sample", "nothing", "-o", "grid.png"]) == 1
    assert dict(os.environ) == before


def test_list(home, capsys):
    (home / "recipes").mkdir()
    (home / "recipes" / "gan_usps.py").write_text(GAN)
    results = home / "recipes" / "results"
    results.mkdir()
    (results / "gan_usps.toml").write_text(PUBLISHED)
    (home / "recipes" / "broken.py").write_text("def (")
    (home / "recipes" / "silent.py").touch()
    (home / "recipes" / "_private.py").touch()
    assert main(["list"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("3 recipes in recipes, 3 exports in saved_models. ")
    assert max(map(len, out.splitlines())) <= 80
    families = out.split("NAME`.\n\n")[1].split("\n\n")
    assert [family.split()[:2] for family in families] == [
        ["gan", "gan_usps"],
        ["others", "broken"],
    ]
    entries = [entry.split() for entry in families[1].splitlines()]
    assert entries[1] == ["broken"] and entries[2][:3] == ["(not", "valid", "Python:"]
    assert "_private" not in out
    assert ["inverter", "export"] in entries
    assert [entry.split() for entry in families[0].splitlines()[1:]] == [
        ["gan_usps", "3", "minutes"], ["A", "GAN", "on", "USPS."],
    ]  # fmt: skip


def test_show(home, capsys):
    assert main(["show", "inverter"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "inverter" and lines[1].startswith("export saved_models/inverter/1, ")
    assert "trained on noise" in lines and "result kid 0.1235" in lines
    assert "signature sample(seed, n)" in lines
    assert "did you mean inverter" in fails(capsys, "show", "invert")


def make_export(home, name, metadata):
    """A folder that holds no more of an export than its metadata, if any."""
    folder = home / "mine" / name / "1"
    (folder / "assets.extra").mkdir(parents=True)
    (folder / "saved_model.pb").touch()
    if metadata is not None:
        (folder / "assets.extra" / "keras_gen.json").write_text(metadata)


def test_data_that_rule_out_commercial_use_are_marked(home, capsys):
    sample = {"inputs": {"seed": {}, "n": {}, "label": {}}}
    both = {"signatures": {"sample": sample}, "defaults": {"sample": {"label": -1}}}
    faces, digits = {"name": "celeb_a/2.1.0"}, {"name": "mnist/3.0.1"}
    make_export(
        home,
        "faces",
        json.dumps(both | {"data": faces, "metrics": {}, "started_from": "mnist/3.0.1"}),
    )
    make_export(home, "digits", json.dumps(both | {"data": digits, "metrics": {"minutes": 37.7}}))
    assert main(["list", "--models", "mine"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["faces", "export,", "no", "commercial", "use"] in lines
    assert ["digits", "export", "of", "38", "minutes"] in lines
    assert main(["show", "faces", "--models", "mine"]) == 0
    out = capsys.readouterr().out
    assert "CelebA: non-commercial research only; no commercial use" in out
    assert "  start      weights of a model trained on mnist/3.0.1\n" in out
    assert "sample(seed, n, label=any)" in out


def test_control_characters_of_foreign_exports_are_escaped(home, capsys):
    make_export(home, "evil", json.dumps({"data": {"name": "mnist\x1b[2J"}, "terms": {}}))
    for command in (["show", "evil"], ["list"]):
        assert main([*command, "--models", "mine"]) == 0
        assert "\x1b" not in (out := capsys.readouterr().out)
        assert command == ["list"] or "mnist\\x1b[2J" in out
    assert main(["show", "\x1b[2J", "--models", "mine"]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_list_counts_parameters_and_survives_foreign_exports(home, capsys):
    for name, text in (
        ("good", json.dumps({"networks": {"a": {"parameters": 1200}, "b": {"parameters": 34}}})),
        ("torn", "{"),
        ("odd", '{"networks": {"a": 1}}'),
        ("bare", None),
    ):
        make_export(home, name, text)
    (home / "mine" / "empty").mkdir()
    assert main(["list", "--models", "mine"]) == 0
    out = capsys.readouterr().out
    assert "4 exports in mine" in out and "empty" not in out
    assert out.count("export (unreadable)") == 1
    shown = {"good": "1,234", "torn": "(unreadable metadata)", "odd": "(unreadable metadata)"}
    for name, text in shown.items():
        assert main(["show", name, "--models", "mine"]) == 0
        assert text in capsys.readouterr().out


@pytest.mark.thorough
def test_list_and_help_need_no_tensorflow(home):
    done = run_without("list", packages="tensorflow keras")
    assert done.returncode == 0 and "inverter" in done.stdout, done.stderr
    for command in ("", "list", "show", "apply", "sample", "publish", "results", "reproduce"):
        done = run_without(*command.split(), "--help", packages="tensorflow keras tqdm")
        assert done.returncode == 0 and "usage: keras-gen" in done.stdout, done.stderr


def test_the_examples_name_what_there_is(monkeypatch):
    monkeypatch.chdir(ROOT)
    lines = [line.strip() for line in EXAMPLES.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("keras-gen ")]
    assert len(commands) > 8
    for words in commands:
        options = _parser().parse_args(words)
        if "recipe" in options:
            assert options.recipe in recipes(), words
        if "model" in options:
            path = exported.resolve(exported.find(options.models, options.model))
            settable = exported.read_metadata(path)["defaults"].get("sample", {})
            assert dict(vars(options).get("set", [])).keys() <= settable.keys(), words


@pytest.mark.thorough
@pytest.mark.parametrize(
    "line, completed",
    [
        ("keras-gen app", "apply "),
        ("keras-gen apply inverter photo.png --f", "--fit "),
        ("keras-gen apply inverter pho", "photo.png "),
        ("keras-gen train vae_mn", "vae_mnist "),
    ],
)
def test_completion(home, line, completed):
    """What the TAB key gives, as a shell asks for it."""
    package = "keras-generative[completion]"
    pytest.importorskip("argcomplete", reason=f'needs argcomplete: pip install "{package}"')
    asked = dict(_ARGCOMPLETE="1", COMP_LINE=line, COMP_POINT=str(len(line)), COMP_TYPE="9")
    places = dict(_ARGCOMPLETE_STDOUT_FILENAME="completed", PYTHONPATH=str(ROOT))
    command = [sys.executable, "-m", "keras_gen.workshop.cli"]
    subprocess.run(command, env=os.environ | asked | places, check=True)
    assert Path("completed").read_text() == completed


def test_a_failing_signature_is_one_line(home, capsys, monkeypatch):
    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory\nstack trace")

    load = exported.load

    def failing(path):
        model = load(path)
        model._model = types.SimpleNamespace(signatures=collections.defaultdict(lambda: fail))
        return model

    monkeypatch.setattr("keras_gen.serving.exported.load", failing)
    assert main(["apply", "inverter", "photo.png", "-o", "out.png"]) == 1
    error = capsys.readouterr().err
    assert (
        "signature 'serving_default' of" in error and "failed: there is not enough memory" in error
    )
    assert "stack trace" not in error
    assert "there is not enough memory" in fails(capsys, "sample", "inverter", "-o", "out.png")


def test_existing_outputs_stay_without_overwrite(home, capsys):
    for arguments in (["apply", "inverter", "photo.png"], ["sample", "inverter", "-n", "1"]):
        Path("old.png").write_bytes(b"mine")
        error = fails(capsys, *arguments, "-o", "old.png")
        assert "old.png already exists" in error and "--overwrite" in error
        assert Path("old.png").read_bytes() == b"mine"
        assert main([*arguments, "-o", "old.png", "--overwrite"]) == 0
        assert read_image("old.png").size


def test_sample(home, capsys):
    sample = ["sample", "inverter", "-n", "6", "--seed", "3", "--columns", "3"]
    assert main([*sample, "-o", "grid.png"]) == 0
    assert capsys.readouterr().out == "6 images written to grid.png\n"
    sample_grid = read_image("grid.png")
    scale = 1000 // (3 * 6 + 2)
    assert sample_grid.shape == (scale * (2 * 6 + 2), scale * (3 * 6 + 2), 3)
    expected = tf.random.stateless_uniform([6, 4, 4, 1], [3, 0], 0, 256, tf.int32).numpy()
    np.testing.assert_array_equal(sample_grid[::scale, ::scale, :1][8:12, 14:18], expected[5])


@pytest.mark.thorough
def test_sample_sets_conditions(home, capsys):
    """Those of the model, by their names; the others have the value that is usual."""
    model = TINY["ConditionalGAN"].compiled()
    export(model, "mine", "classes")
    sample = ["sample", "mine/classes", "-n", "6", "--seed", "3", "--columns", "3"]
    for name, conditions in (("usual", {}), ("any", {"label": "any"}), ("twos", {"label": 2})):
        settings = [f"--set={key}={value}" for key, value in conditions.items()]
        assert main([*sample, *settings, "-o", f"{name}.png"]) == 0
        labels = {} if name == "any" else conditions
        expected = enlarged_grid(model.sample(6, seed=3, **labels), 3)
        # A rounding error may turn the rounding to uint8.
        assert np.abs(read_image(f"{name}.png").astype(int) - expected).max() <= 1
    sample += ["-o", "a.png"]
    assert "--set psi: signature 'sample' of" in fails(capsys, *sample, "--set", "psi=0.5")
    error = fails(capsys, *sample, "--set", "lable=2")
    assert error.endswith(" accepts label, truncation; did you mean label?\n")
    assert "--set truncation=any: expected" in fails(capsys, *sample, "--set=truncation=any")
    assert "--set label=0.5: expected an integer" in fails(capsys, *sample, "--set=label=0.5")
    error = fails(capsys, *sample, "--set", "label=2", "--set=truncation=1", "--set=label=2")
    assert error == "keras-gen sample: --set label was passed 2 times: pass it once.\n"
    assert not Path("a.png").exists()
    assert "Labels range from 9 to 9" in fails(capsys, *sample, "--set", "label=9")
    assert "--set label=two: expected a number" in fails(capsys, *sample, "--set=label=two")
    with pytest.raises(SystemExit, match="2"):
        main([*sample, "--set", "label"])


def test_some_conditions_are_names(home, capsys, monkeypatch):
    usual = {"prompt": "", "solver": "ddim", "steps": 50}
    metadata = {"defaults": {"sample": usual}, "signatures": {"sample": {}}}
    monkeypatch.setattr("keras_gen.serving.exported.read_metadata", lambda path: metadata)
    chosen = {"prompt": "3", "solver": "heun", "steps": "9"}
    assert _conditions(Path("inverter"), "sample", chosen) == chosen | {"steps": 9}
    sample = ["sample", "inverter", "-o", "a.png", "--set"]
    assert "steps=ten: expected a number. The default is 50." in fails(capsys, *sample, "steps=ten")


@pytest.mark.parametrize(
    ("metadata", "chosen", "expected"),
    [
        ({"data": "spoken_digit/1.0.9"}, {"speaker": "Theo"}, {"speaker": 3}),
        ({"class_names": ["high", "low"]}, {"speaker": "low"}, {"speaker": 1}),
        ({"class_names": ["tall", "wide"]}, {"label": "wide"}, {"label": 1}),
        (
            {"class_names": ["2", "1"]},
            {"label": "1", "speaker": "any"},
            {"label": 1, "speaker": -1},
        ),
        ({}, {"label": "1"}, {"label": 1}),
    ],
)
def test_classes_and_speakers_have_names(home, capsys, monkeypatch, metadata, chosen, expected):
    metadata = metadata | {"defaults": {"sample": {"label": -1, "speaker": -1}}}
    monkeypatch.setattr("keras_gen.serving.exported.read_metadata", lambda path: metadata)
    assert _conditions(Path("inverter"), "sample", chosen) == expected
    error = fails(capsys, "sample", "inverter", "-o", "a.png", "--set", "label=wied")
    suggestion = "one of tall, wide; did you mean wide?" if "wide" in str(metadata) else "a number"
    assert "label is wied: expected" in error.replace("=", " is ") and suggestion in error


@pytest.mark.parametrize(
    ("steps", "most"), [({}, 4), ({"steps": 5}, 3), ({"steps": 99}, 1), ({"steps": -1}, 4)]
)
def test_many_samples_are_requested_in_parts_with_different_seeds(steps, most):
    """The first part is the result of the model for the same seed."""
    limits = dict(limits={"sample": {"n": [1, 4]}}, largest_request_of={"sample": {"steps": 15}})
    model = types.SimpleNamespace(metadata=limits, defaults=lambda name: {"steps": 2})
    parts = list(_requests(model, "sample", {"seed": 3, "n": 10} | steps))
    counts = [part["n"] for part in parts]
    assert sum(counts) == 10 and max(counts) == most and len(counts) == -(-10 // most)
    seeds = [part["seed"] for part in parts]
    assert seeds[0] == 3 and len(set(seeds)) == len(seeds)
    assert parts == list(_requests(model, "sample", {"seed": 3, "n": 10} | steps))


def test_texts(home, capsys):
    """With an empty line after each, as the model samples them."""
    model = CharacterRNN.for_text("caba bac. " * 20, length=8, units=3, blocks=1)
    export(model, "mine", "texts", signatures=["sample"])
    sample = ["sample", "mine/texts", "-n", "3", "--seed", "2", "--set", "prompt=ca", "-o"]
    assert main([*sample, "texts.txt"]) == 0
    assert capsys.readouterr().out == "3 texts written to texts.txt\n"
    expected = model.sample(3, seed=2, prompt="ca")
    assert Path("texts.txt").read_text() == "\n\n".join(expected) + "\n"
    assert "the model generates texts. Choose a name that ends in .txt." in fails(
        capsys, *sample, "texts.png"
    )


def test_sounds(home, capsys):
    """One after another, with pauses between them, at the rate of the metadata."""
    export(listener(), "mine", "hum", metadata={"rate": 1000}, signatures=["sample"])
    sample = ["sample", "mine/hum", "--seed", "2", "-o"]
    assert main([*sample, "hum.wav", "-n", "2"]) == 0
    assert capsys.readouterr().out == "2 sounds written to hum.wav\n"
    sound = np.full(5, 2**14)
    np.testing.assert_array_equal(samples_of("hum.wav", 1000), np.r_[sound, np.zeros(300), sound])
    assert "the model generates sounds. Choose a name that ends in .wav." in fails(
        capsys, *sample, "hum.png"
    )
    images = fails(capsys, "sample", "inverter", "-o", "a.wav")
    assert "the model generates images. Choose a name that ends in .png." in images


def test_rows_of_a_table(home, capsys):
    """As a CSV file that equals the model's own samples; `show` describes the columns."""
    rows = {"age": [3.5, 5.0, 7.25], "kind": ["cat", "dog, big", "cat"]}
    model = VAE.for_table(table_columns(rows), latent_dim=2, hidden=(4,), components=2)
    export(model, "mine", "rows", signatures=["sample"])
    sample = ["sample", "mine/rows", "-n", "5", "--seed", "2", "-o"]
    assert main([*sample, "rows.csv"]) == 0
    assert capsys.readouterr().out == "5 rows written to rows.csv\n"
    written = list(csv.DictReader(Path("rows.csv").read_text().splitlines()))
    expected = model.sample(5, seed=2)
    assert [float(row["age"]) for row in written] == list(expected["age"])
    assert [row["kind"] for row in written] == list(expected["kind"])
    error = fails(capsys, *sample, "rows.png")
    assert "the model generates rows. Choose a name that ends in .csv." in error
    assert main(["show", "mine/rows"]) == 0
    shown = capsys.readouterr().out
    assert "age: 3.5 to 7.25\n" in shown and "kind: cat, dog, big\n" in shown
    assert exported.read_metadata("mine/rows/1")["columns"]["rows"] == [
        dict(name="age", type="number", decimals=2, minimum=3.5, maximum=7.25),
        dict(name="kind", type="word", categories=["cat", "dog, big"]),
    ]


def test_sample_of_videos(home, capsys, monkeypatch):
    videos = np.random.default_rng(0).integers(0, 256, [4, 9, 5, 6, 1], "uint8")
    signature = dict(seed=tf.TensorSpec([], tf.int32), n=tf.TensorSpec([], tf.int32))
    outputs = dict(images=tf.TensorSpec(videos.shape, tf.uint8))
    known = dict(inputs={"sample": signature}, outputs={"sample": outputs}, path="a", metadata={})
    known |= {"defaults": lambda *_: {}, "__call__": lambda *_, **__: {"images": videos}}
    model = type("Videos", (), known)()
    monkeypatch.setattr("keras_gen.serving.exported.load", lambda path: model)
    assert main(["sample", "inverter", "-n", "4", "--columns", "4", "-o", "videos.gif"]) == 0
    assert capsys.readouterr().out == "4 samples written to videos.gif\n"
    with Image.open("videos.gif") as file:
        assert file.n_frames == 9 and file.size == (4 * 8 + 2, 5 + 4)
    assert main(["sample", "inverter", "-n", "4", "-o", "videos.png"]) == 0
    np.testing.assert_array_equal(read_image("videos.png"), video_strips(videos))
