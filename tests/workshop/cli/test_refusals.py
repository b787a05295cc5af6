"""Commands that cannot be done end with one sentence, and write nothing."""

import importlib.metadata
import shlex

import numpy as np
import pytest

from commands import fails, written
from keras_gen import __version__
from keras_gen.files.images import read_image, write_png
from keras_gen.workshop.cli import main
from toy_exports import PHOTO

APPLY = "apply inverter photo.png -o"
SEVERAL = "apply inverter photo.png copy.png -o"
IMAGES_TO_IMAGES = "images. Signatures that do: halve, invert, serving_default."
ENDINGS = "expected a file name that ends in .png or .jpg or .jpeg or .webp"
# A command, and what its one sentence holds.
FAILING = [
    ("apply inverter *.gif -o out", "no image matches '*.gif'"),
    ("apply inverter empty -o out", "no image matches 'empty'"),
    (f"{APPLY} out.heic", "ends in .png or .jpg or .jpeg or"),
    (f"{APPLY} out.mp4", ENDINGS),
    (f"{APPLY} file", "an existing file"),
    (f"{SEVERAL} v1.0", "pass a folder. A folder with a dot in its name must already exist"),
    (f"{SEVERAL} out.png", "there are 2 images: pass a folder"),
    ("apply inverter photo.png more/photo.png -o out", "would both be written to out/photo.png"),
    (f"{APPLY} . --overwrite", "photo.png is one of the input images"),
    ("apply unknown photo.png -o out.png", "which contains: fixed, inverter, single."),
    ("apply saved_models/fixd photo.png -o out.png", "; did you mean fixed?"),
    ("apply fixed photo.png -o out.png", "choose one with --signature, from a, b."),
    ("apply photos photo.png -o out.png", "contains no exported model"),
    (f"{APPLY} out.png --signature sing", "no signature 'sing': choose one with --sig"),
    (f"{APPLY} out.png --signature sampel", "invert, sample, serving_default; did you mean s"),
    (f"{APPLY} out.png --signature encode", IMAGES_TO_IMAGES),
    (f"{APPLY} out.png --signature sample", IMAGES_TO_IMAGES),
    ("sample fixed -o a.png", "has no signature 'sample'"),
    ("sample inverter -o a.png --signature invert", "from (seed, n). Signatures that do: sample"),
    ("sample inverter -o out", "expected a name that ends in .png for a grid"),
    ("sample inverter -n 2 -o out.gif", "out.gif: the model generates images. Choose a name that"),
    ("sample inverter --set digit=7 -o a.png", "saved_models/inverter/2 accepts no conditions"),
    ("sample toy -o a.png",
     "toy has not been trained: it is neither a path nor an export in saved_models. Train it"),
    ("train tox", "no recipe named 'tox' in recipes; did you mean toy?"),
    ("new Deep-Thing", "'Deep-Thing' is not a valid module name: expected lowercase letters"),
    ("new class", "'class' is not a valid module name"),
    ("new json", "'json' is the name of an installed module: choose another name."),
    ("new more", "more already exists: choose another name"),
    ("new thing --folder file/x", "file is a file: choose a --folder outside it"),
    ("demo empty", "no exports in empty: expected empty/<name>/<version>/saved"),
]  # fmt: skip
# What is wrong with a command line is told below its usage.
WRONG = [
    ("", "COMMAND"),
    ("sing", "invalid choice"),
    ("apply inverter a.png", "-o/--out"),
    ("apply inverter -o a.png", "IMAGE"),
    (f"{APPLY} a.png --tile=x", "'x' is neither 0 nor at least 256"),
    (f"{APPLY} a.png --tile=255", "'255' is neither 0 nor at least 256"),
    ("sample inverter -o a.png -n 0", "'0' is not a number from 1 to 10000"),
    ("sample inverter -o a.png --columns 0", "'0' is not a positive integer"),
    ("sample inverter -o a.png --seed x", "'x' is not an integer from 0 to 2147483647"),
    ("sample inverter -o a.png --seed 2147483648", "is not an integer from 0 to 2147483647"),
    ("sample inverter -o a.png --seed=-1", "'-1' is not an integer from 0 to 2147483647"),
    ("complete photo.png -o a.png --seed -1", "'-1' is not an integer from 0 to 2147483647"),
    (f"sample inverter -o a.png --seed {'9' * 5000}", "9... is not an integer from 0"),
    (f"{APPLY} a.png --tile={'9' * 5000}", "9... is neither 0 nor at least 256"),
]  # fmt: skip


@pytest.fixture
def home(home):
    """A working directory with more images, an empty folder, a file, and a recipe."""
    for folder in ("empty", "photos", "recipes"):
        (home / folder).mkdir()
    (home / "file").touch()
    (home / "recipes" / "toy.py").write_text("raise OSError")
    write_png("more/photo.png", PHOTO)
    write_png("copy.png", PHOTO)
    return home


@pytest.mark.parametrize(("command", "sentence"), FAILING)
def test_failures_are_one_sentence(home, capsys, command, sentence):
    before = written(home)
    assert sentence in fails(capsys, *shlex.split(command))
    assert written(home) == before
    np.testing.assert_array_equal(read_image("photo.png"), PHOTO)


@pytest.mark.parametrize(("command", "sentence"), WRONG)
def test_wrong_command_lines(home, capsys, command, sentence):
    with pytest.raises(SystemExit, match="2"):
        main(shlex.split(command))
    assert sentence in capsys.readouterr().err


def test_a_condition_is_refused_before_the_model_is_loaded(home, capsys, monkeypatch):
    monkeypatch.setattr("keras_gen.serving.exported.load", None)
    said = fails(capsys, "sample", "inverter", "--set", "digit=7", "-o", "a.png")
    assert "accepts no conditions." in said


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    versions = [f"{name} {importlib.metadata.version(name)}" for name in ("tensorflow", "keras")]
    assert capsys.readouterr().out == f"keras_gen {__version__}, {', '.join(versions)}\n"
