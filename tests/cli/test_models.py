"""The commands list and sample, and what all commands on exports share."""

import collections
import importlib.metadata
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
from keras_gen import __version__
from keras_gen.cli import EXAMPLES, _parser, main
from keras_gen.cli.models import find
from keras_gen.cli.recipes import recipes
from keras_gen.media.animations import video_strips
from keras_gen.media.images import enlarged_grid, read_image
from keras_gen.serving import exported
from keras_gen.serving.export import export
from processes import ROOT
from shared import fails, run_without


def test_a_command_leaves_the_environment_of_its_caller(home, capsys):
    before = dict(os.environ)
    assert main(["sample", "nothing", "-o", "grid.png"]) == 1
    assert dict(os.environ) == before


def test_list(home, capsys):
    (home / "recipes").mkdir()
    (home / "recipes" / "gan_usps.py").write_text('"""A GAN on USPS.\n\nMore."""\nraise OSError\n')
    (home / "recipes" / "broken.py").write_text("def (")
    (home / "recipes" / "silent.py").touch()
    (home / "recipes" / "_private.py").touch()
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "recipes in recipes: 3"
    assert lines[1].split(maxsplit=1)[0] == "broken" and "not valid Python" in lines[1]
    assert lines[2] == "  gan_usps  A GAN on USPS."
    assert "_private" not in "".join(lines)
    assert lines[5] == "exports in saved_models: 4"
    rows = [line.split("  ") for line in lines[7:]]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert [" ".join(row[:2]) for row in rows] == [
        "fixed 1", "inverter 1", "inverter 2", "single 1",
    ]  # fmt: skip
    assert rows[0][3:] == ["usps", "encode, a, b"]
    assert rows[2][2].endswith(" MiB")
    assert rows[2][3:] == ["noise", "kid 0.1235", "invert, halve, encode, sample"]


def test_list_counts_parameters_and_survives_foreign_exports(home, capsys):
    for name, text in (
        ("good", json.dumps({"networks": {"a": {"parameters": 1200}, "b": {"parameters": 34}}})),
        ("torn", "{"),
        ("odd", '{"networks": {"a": 1}}'),
        ("bare", None),
    ):
        folder = home / "mine" / name / "1"
        (folder / "assets.extra").mkdir(parents=True)
        (folder / "saved_model.pb").touch()
        if text is not None:
            (folder / "assets.extra" / "keras_gen.json").write_text(text)
    (home / "mine" / "empty").mkdir()
    assert main(["list", "--models", "mine"]) == 0
    out = capsys.readouterr().out
    assert "exports in mine: 4" in out and "1,234" in out
    assert out.count("(unreadable metadata)") == 2 and "empty" not in out


def test_list_and_help_need_no_tensorflow(home):
    done = run_without("list", packages="tensorflow keras")
    assert done.returncode == 0 and "inverter" in done.stdout, done.stderr
    for arguments in ([], ["list"], ["apply"], ["sample"], ["publish"], ["results"], ["reproduce"]):
        done = run_without(*arguments, "--help", packages="tensorflow keras tqdm")
        assert done.returncode == 0 and "usage: keras-gen" in done.stdout, done.stderr


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras")]
    assert capsys.readouterr().out == f"keras_gen {__version__}, {', '.join(versions)}\n"


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
            path = exported.resolve(find(options.models, options.model))
            settable = exported.read_metadata(path)["defaults"].get("sample", {})
            assert dict(vars(options).get("set", [])).keys() <= settable.keys(), words


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
    command = [sys.executable, "-m", "keras_gen.cli"]
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
    assert "signature 'serving_default' of" in error and "failed: memory is too small" in error
    assert "stack trace" not in error
    assert "memory is too small" in fails(capsys, "sample", "inverter", "-o", "out.png")


def test_existing_outputs_stay_without_overwrite(home, capsys):
    for arguments in (["apply", "inverter", "photo.png"], ["sample", "inverter", "-n", "1"]):
        Path("old.png").write_bytes(b"mine")
        error = fails(capsys, *arguments, "-o", "old.png")
        assert "old.png is already there" in error and "--overwrite" in error
        assert Path("old.png").read_bytes() == b"mine"
        assert main([*arguments, "-o", "old.png", "--overwrite"]) == 0
        assert read_image("old.png").size


def test_sample(home, capsys):
    sample = ["sample", "inverter", "-n", "6", "--seed", "-3", "--columns", "3"]
    assert main([*sample, "-o", "grid.png"]) == 0
    assert capsys.readouterr().out == "6 images written to grid.png\n"
    sample_grid = read_image("grid.png")
    scale = 1000 // (3 * 6 + 2)
    assert sample_grid.shape == (scale * (2 * 6 + 2), scale * (3 * 6 + 2), 3)
    expected = tf.random.stateless_uniform([6, 4, 4, 1], [-3, 0], 0, 256, tf.int32).numpy()
    np.testing.assert_array_equal(sample_grid[::scale, ::scale, :1][8:12, 14:18], expected[5])


def test_sample_sets_conditions(home, capsys):
    """Those of the model, by their names; the others have the value that is usual."""
    model = TINY["ConditionalGAN"].compiled()
    export(model, "mine", "classes")
    sample = ["sample", "mine/classes", "-n", "6", "--seed", "3", "--columns", "3"]
    for name, conditions in (("any", {}), ("twos", {"label": 2})):
        settings = [f"--set={key}={value}" for key, value in conditions.items()]
        assert main([*sample, *settings, "-o", f"{name}.png"]) == 0
        expected = enlarged_grid(model.sample(6, seed=3, **conditions), 3)
        # A rounding error may turn the rounding to uint8.
        assert np.abs(read_image(f"{name}.png").astype(int) - expected).max() <= 1
    sample += ["-o", "a.png"]
    assert "--set psi: signature 'sample' of" in fails(capsys, *sample, "--set", "psi=0.5")
    error = fails(capsys, *sample, "--set", "lable=2")
    assert error.endswith(" has label, truncation to set; did you mean label?\n")
    error = fails(capsys, *sample, "--set", "label=2", "--set=truncation=1", "--set=label=2")
    assert error == "keras-gen sample: --set label is given 2 times: give it one value.\n"
    assert not Path("a.png").exists()
    assert "Labels have values from 9 to 9" in fails(capsys, *sample, "--set", "label=9")
    with pytest.raises(SystemExit, match="2"):
        main([*sample, "--set", "label=two"])


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["fixed", "-o", "a.png"], "has no signature 'sample'"),
        (["inverter", "-o", "a.png", "--signature", "invert"], "not turn (seed, n) into images"),
        (["inverter", "-o", "out"], "the grid is written as PNG"),
    ],
)
def test_sample_refuses(home, capsys, arguments, message):
    assert message in fails(capsys, "sample", *arguments)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "COMMAND"),
        (["sing"], "invalid choice"),
        (["apply", "inverter", "a.png"], "-o/--out"),
        (["apply", "inverter", "-o", "a.png"], "IMAGE"),
        (["sample", "inverter", "-o", "a.png", "-n", "0"], "'0' is not from 1 to 10000 images"),
        (["sample", "inverter", "-o", "a.png", "--columns", "0"], "'0' is not a positive integer"),
        (["sample", "inverter", "-o", "a.png", "--seed", "x"], "'x' is not a 32-bit integer"),
        (["sample", "inverter", "-o", "a.png", "--seed", "2147483648"], "is not a 32-bit integer"),
    ],
)
def test_wrong_command_lines(home, capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_sample_of_videos(home, capsys, monkeypatch):
    videos = np.random.default_rng(0).integers(0, 256, [4, 9, 5, 6, 1], "uint8")
    signature = dict(seed=tf.TensorSpec([], tf.int32), n=tf.TensorSpec([], tf.int32))
    outputs = dict(images=tf.TensorSpec(videos.shape, tf.uint8))
    known = dict(inputs={"sample": signature}, outputs={"sample": outputs}, path="a")
    known |= {"defaults": lambda *_: {}, "__call__": lambda *_, **__: {"images": videos}}
    model = type("Videos", (), known)()
    monkeypatch.setattr("keras_gen.serving.exported.load", lambda path: model)
    assert main(["sample", "inverter", "-n", "4", "--columns", "4", "-o", "videos.gif"]) == 0
    assert capsys.readouterr().out == "4 samples written to videos.gif\n"
    with Image.open("videos.gif") as file:
        assert file.n_frames == 9 and file.size == (4 * 8 + 2, 5 + 4)
    assert main(["sample", "inverter", "-n", "4", "-o", "videos.png"]) == 0
    np.testing.assert_array_equal(read_image("videos.png"), video_strips(videos))


def test_images_are_no_animation(home, capsys):
    error = fails(capsys, "sample", "inverter", "-n", "2", "-o", "out.gif")
    assert "--out is out.gif: these are images, so its name ends in .png." in error
