"""The commands list, apply and sample, on exports alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
import tensorflow as tf

from all_tiny import TINY
from keras_gen.cli import main
from keras_gen.images import grid, read_image, write_png
from keras_gen.serving.export import export
from shared import fails

IMAGES = tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
PHOTO = np.random.default_rng(0).integers(0, 256, [6, 9, 3], np.uint8)


class Inverter:
    """Negatives and halves of images; noise as samples."""

    networks = MappingProxyType({})

    def signatures(self):
        def sample(seed, n):
            return {
                "images": tf.cast(
                    tf.random.stateless_uniform(
                        [n, 4, 4, 1], tf.stack([seed, 0]), 0, 256, tf.int32
                    ),
                    tf.uint8,
                )
            }

        return {
            "invert": (lambda images: {"images": 255 - images}, [IMAGES]),
            "halve": (lambda images: {"images": images // 2}, [IMAGES]),
            "encode": (lambda images: tf.cast(images, tf.float32), [IMAGES]),
            "sample": (sample, [tf.TensorSpec([], tf.int32, name) for name in ("seed", "n")]),
        }


class Fixed(Inverter):
    """Two signatures that take one size only, and none of them the default."""

    def signatures(self):
        images = tf.TensorSpec([None, 6, 9, 3], tf.uint8, "images")
        return {
            "encode": (lambda images: tf.cast(images, tf.float32), [images]),
            "a": (lambda images: images, [images]),
            "b": (lambda images: images, [images]),
        }


class Single(Fixed):
    def signatures(self):
        return {name: signature for name, signature in super().signatures().items() if name != "b"}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved_models")
    metadata = {"data": {"name": "noise"}, "metrics": {"note": "x", "kid": 0.123456}}
    export(Inverter(), folder, "inverter")
    export(Inverter(), folder, "inverter", metadata=metadata)
    export(Fixed(), folder, "fixed", metadata={"data": "usps"})
    export(Single(), folder, "single")
    return folder


@pytest.fixture
def home(models, tmp_path, monkeypatch):
    """A working directory with `saved_models` and a photo."""
    (tmp_path / "saved_models").symlink_to(models)
    write_png(tmp_path / "photo.png", PHOTO)
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    assert [row[:2] for row in rows] == [
        ["fixed", "1"],
        ["inverter", "1"],
        ["inverter", "2"],
        ["single", "1"],
    ]
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


def test_list_of_nothing(home, capsys):
    assert main(["list", "--models", "nowhere"]) == 0
    assert "exports in nowhere: none" in capsys.readouterr().out


def run(*arguments, without):
    """Runs the command in a fresh process in which some packages cannot be imported."""
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({without!r}.split()))\n"
        "from keras_gen.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], text=True, capture_output=True, env=environment
    )


def test_list_and_help_need_no_tensorflow(home):
    done = run("list", without="tensorflow keras")
    assert done.returncode == 0 and "inverter" in done.stdout, done.stderr
    for arguments in ([], ["list"], ["apply"], ["sample"], ["publish"], ["results"], ["reproduce"]):
        done = run(*arguments, "--help", without="tensorflow keras tqdm")
        assert done.returncode == 0 and "usage: keras-gen" in done.stdout, done.stderr


def test_apply_needs_no_keras(home):
    done = run("apply", "inverter", "photo.png", "-o", "out.png", without="keras tf_keras")
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_image("out.png"), 255 - PHOTO)


@pytest.mark.parametrize("model", ["inverter", "saved_models/inverter", "saved_models/inverter/1"])
def test_apply_to_one_image(home, capsys, model):
    assert main(["apply", model, "photo.png", "-o", "new/out.png"]) == 0
    np.testing.assert_array_equal(read_image("new/out.png"), 255 - PHOTO)
    assert capsys.readouterr().out == "1 of 1 images written to new/out.png\n"


def test_apply_another_signature(home):
    assert main(["apply", "inverter", "photo.png", "-o", "out.png", "--signature", "halve"]) == 0
    np.testing.assert_array_equal(read_image("out.png"), PHOTO // 2)


def test_apply_finds_the_only_signature_that_translates(home):
    assert main(["apply", "single", "photo.png", "-o", "out.png"]) == 0
    np.testing.assert_array_equal(read_image("out.png"), PHOTO)


def test_apply_to_files_folders_and_globs_of_any_kind(home):
    (home / "more" / "deep").mkdir(parents=True)
    (home / "more" / "notes.txt").write_text("not an image")
    write_png("more/tall.png", PHOTO[:, :2])
    write_png("more/gray.png", PHOTO[..., :1])
    write_png("more/deep/one.png", PHOTO[:1, :1])
    clear = np.dstack([PHOTO, np.zeros_like(PHOTO[..., :1])])
    (home / "more" / "clear.png").write_bytes(tf.io.encode_png(clear).numpy())
    (home / "photo.JPG").write_bytes(tf.io.encode_jpeg(PHOTO).numpy())
    (home / "photo.JPG").rename("snap.JPG")
    (home / "bare").write_bytes((home / "photo.png").read_bytes())  # told, so taken
    assert (
        main(
            [
                "apply",
                "inverter",
                "photo.png",
                "*.JPG",
                "more",
                "more/**/one.*",
                "more/tall.png",
                "bare",
                "-o",
                "out",
            ]
        )
        == 0
    )
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "bare.png",
        "clear.png",
        "gray.png",
        "one.png",
        "photo.png",
        "snap.png",
        "tall.png",
    ]
    np.testing.assert_array_equal(read_image("out/tall.png"), 255 - PHOTO[:, :2])
    np.testing.assert_array_equal(read_image("out/gray.png")[..., 2], 255 - PHOTO[..., 0])
    assert (read_image("out/clear.png") == 0).all()


def test_apply_names_and_skips_what_fails(home, capsys):
    Path("broken.jpg").write_text("not an image")
    write_png("wide.png", PHOTO[:3])
    assert main(["apply", "single", "broken.jpg", "photo.png", "wide.png", "-o", "out"]) == 1
    captured = capsys.readouterr()
    assert "skipped broken.jpg: broken.jpg is not a readable" in captured.err
    assert "skipped wide.png: it is 9 pixels wide and 3 high" in captured.err
    assert "and the model takes 9 by 6: resize or crop it." in captured.err
    assert captured.out == "1 of 3 images written to out; 2 failed\n"
    assert [path.name for path in Path("out").iterdir()] == ["photo.png"]


def test_apply_to_an_autoencoder_reconstructs(home, capsys):
    """The default of its several signatures; colors become gray if its images are."""
    model = TINY["Autoencoder"].compiled()
    export(model, "mine", "gray")
    colors = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write_png("colors.png", colors)
    write_png("gray.png", colors[..., :1])
    apply = ["apply", "mine/gray", "colors.png", "gray.png", "photo.png", "-o", "out"]
    assert main(apply) == 1
    sentence = "photo.png: it is 9 pixels wide and 6 high, and the model takes 4 by 4: resize"
    assert sentence in capsys.readouterr().err
    luma = np.round(colors @ [0.299, 0.587, 0.114]).astype(np.uint8)[..., None]
    for name, image in (("colors", luma), ("gray", colors[..., :1])):
        expected = np.broadcast_to(model.reconstruct(image[None])[0], [4, 4, 3])
        np.testing.assert_array_equal(read_image(f"out/{name}.png"), expected)


def test_a_single_broken_image_leaves_no_output(home, capsys):
    Path("broken.jpg").touch()
    assert main(["apply", "inverter", "broken.jpg", "-o", "out.png"]) == 1
    assert "broken.jpg" in capsys.readouterr().err and not Path("out.png").exists()


def test_a_failing_signature_is_told_in_one_line(home, capsys, monkeypatch):
    def fail(*_, **__):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory\nstack trace")

    monkeypatch.setattr("keras_gen.serving.exported.Exported.__call__", fail)
    assert main(["apply", "inverter", "photo.png", "-o", "out.png"]) == 1
    error = capsys.readouterr().err
    assert "signature 'serving_default' of" in error and "failed: out of memory" in error
    assert "stack trace" not in error
    assert "out of memory" in fails(capsys, "sample", "inverter", "-o", "out.png")


def test_existing_outputs_stay_unless_told(home, capsys):
    for arguments in (["apply", "inverter", "photo.png"], ["sample", "inverter", "-n", "1"]):
        Path("old.png").write_bytes(b"mine")
        error = fails(capsys, *arguments, "-o", "old.png")
        assert "old.png is already there" in error and "--overwrite" in error
        assert Path("old.png").read_bytes() == b"mine"
        assert main([*arguments, "-o", "old.png", "--overwrite"]) == 0
        assert read_image("old.png").size


def test_existing_outputs_in_a_folder_are_counted(home, capsys):
    write_png("more/a.png", PHOTO)
    write_png("more/b.png", PHOTO)
    assert main(["apply", "inverter", "more", "-o", "out"]) == 0
    error = fails(capsys, "apply", "inverter", "more", "-o", "out")
    assert "out/a.png (and 1 more) is already there" in error


def test_a_image_is_never_its_own_output(home, capsys):
    error = fails(capsys, "apply", "inverter", "photo.png", "-o", ".", "--overwrite")
    assert "photo.png is one of the images to read" in error
    np.testing.assert_array_equal(read_image("photo.png"), PHOTO)


@pytest.mark.parametrize(
    "images, out, message",
    [
        (["nothing.png"], "out", "no image matches 'nothing.png'"),
        (["*.gif"], "out", "no image matches '*.gif'"),
        (["empty"], "out", "no image matches 'empty'"),
        (["photo.png"], "out.jpg", "images are written as PNG"),
        (["photo.png"], "file", "an existing file"),
        (["photo.png", "copy.png"], "out.png", "there are 2 images: give a folder"),
        (["photo.png", "more/photo.png"], "out", "would both become out/photo.png"),
    ],
)
def test_apply_refuses(home, capsys, images, out, message):
    (home / "empty").mkdir()
    (home / "file").touch()
    write_png("more/photo.png", PHOTO)
    write_png("copy.png", PHOTO)
    assert message in fails(capsys, "apply", "inverter", *images, "-o", out)
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "model, signature, message",
    [
        ("unknown", None, "which holds: fixed, inverter, single."),
        ("inverter", "sing", "has no signature 'sing': choose one with --signature, from encode"),
        ("inverter", "encode", "images; those that do: halve, invert, serving_default."),
        ("inverter", "sample", "images; those that do: halve, invert, serving_default."),
        ("fixed", None, "choose one with --signature, from a, b."),
        ("photos", None, "holds no exported model"),
    ],
)
def test_apply_refuses_models(home, capsys, model, signature, message):
    (home / "photos").mkdir()
    options = ["--signature", signature] if signature else []
    assert message in fails(capsys, "apply", model, "photo.png", "-o", "out.png", *options)


def test_a_damaged_model(home, capsys):
    (home / "bad" / "1").mkdir(parents=True)
    (home / "bad" / "1" / "saved_model.pb").write_bytes(b"garbage")
    error = fails(capsys, "sample", "bad", "-o", "out.png")
    assert "bad/1 is not a readable SavedModel" in error


def test_sample(home, capsys):
    assert (
        main(["sample", "inverter", "-n", "6", "--seed", "-3", "--columns", "3", "-o", "grid.png"])
        == 0
    )
    assert capsys.readouterr().out == "6 images written to grid.png\n"
    sample_grid = read_image("grid.png")
    assert sample_grid.shape == (2 * 6 + 2, 3 * 6 + 2, 3)
    expected = tf.random.stateless_uniform([6, 4, 4, 1], [-3, 0], 0, 256, tf.int32).numpy()
    np.testing.assert_array_equal(sample_grid[8:12, 14:18, :1], expected[5])


def test_sample_sets_conditions(home, capsys):
    """Those of the model, by their names; the others have the value that is usual."""
    model = TINY["ConditionalGAN"].compiled()
    export(model, "mine", "classes")
    sample = ["sample", "mine/classes", "-n", "6", "--seed", "3", "--columns", "3"]
    for name, conditions in (("any", {}), ("twos", {"label": 2})):
        settings = [f"--set={key}={value}" for key, value in conditions.items()]
        assert main([*sample, *settings, "-o", f"{name}.png"]) == 0
        expected = grid(model.sample(6, seed=3, **conditions), 3)
        # A rounding error may turn the rounding to uint8.
        assert np.abs(read_image(f"{name}.png").astype(int) - expected).max() <= 1
    assert "--set psi: signature 'sample' of" in fails(
        capsys, *sample, "--set", "psi=0.5", "-o", "a.png"
    )
    assert "Labels have values from 9 to 9" in fails(
        capsys, *sample, "--set", "label=9", "-o", "a.png"
    )
    with pytest.raises(SystemExit, match="2"):
        main([*sample, "--set", "label=two", "-o", "a.png"])


def test_sample_defaults(home):
    assert main(["sample", "inverter", "-o", "a.png"]) == 0
    assert main(["sample", "inverter", "-o", "b.png", "-n", "64", "--seed", "0"]) == 0
    assert main(["sample", "inverter", "-o", "c.png", "--seed", "1"]) == 0
    a, b, c = (read_image(f"{name}.png") for name in "abc")
    assert a.shape == (8 * 6 + 2, 8 * 6 + 2, 3)
    assert (a == b).all() and (a != c).any()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["fixed", "-o", "a.png"], "has no signature 'sample'"),
        (
            ["inverter", "-o", "a.png", "--signature", "invert"],
            "does not turn (seed, n) into images",
        ),
        (["inverter", "-o", "a.jpg"], "the grid is written as PNG"),
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
        (["sample", "inverter", "-o", "a.png", "-n", "0"], "'0' is not a positive integer"),
        (["sample", "inverter", "-o", "a.png", "--seed", "x"], "'x' is not a 32-bit integer"),
        (["sample", "inverter", "-o", "a.png", "--seed", "2147483648"], "is not a 32-bit integer"),
    ],
)
def test_wrong_command_lines(home, capsys, arguments, message):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err
