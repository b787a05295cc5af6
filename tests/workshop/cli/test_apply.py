"""The command apply, on exports alone."""

import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from all_tiny import TINY
from commands import fails, run_without
from keras_gen.files.animations import is_animation
from keras_gen.files.images import read_image, write_png
from keras_gen.serving import exported
from keras_gen.serving.export import export
from keras_gen.workshop.cli import main
from keras_gen.workshop.cli.models import fitted
from toy_exports import PHOTO, normalizer


@pytest.mark.thorough
def test_apply_needs_no_keras(home):
    heavy = "keras tf_keras tensorflow_datasets sklearn matplotlib"
    done = run_without("apply", "inverter", "photo.png", "-o", "out.png", packages=heavy)
    assert done.returncode == 0, done.stderr
    np.testing.assert_array_equal(read_image("out.png"), 255 - PHOTO)


@pytest.mark.thorough
@pytest.mark.parametrize("model", ["inverter", "saved_models/inverter", "saved_models/inverter/1"])
def test_apply_to_one_image(home, capsys, model):
    assert main(["apply", model, "photo.png", "-o", "new/out.png"]) == 0
    np.testing.assert_array_equal(read_image("new/out.png"), 255 - PHOTO)
    assert capsys.readouterr().out == "1 of 1 images written to new/out.png\n"


def test_apply_another_signature(home):
    assert main(["apply", "inverter", "photo.png", "-o", "out.png", "--signature", "halve"]) == 0
    np.testing.assert_array_equal(read_image("out.png"), PHOTO // 2)


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
    (home / "bare").write_bytes((home / "photo.png").read_bytes())  # named, so taken
    named = ["photo.png", "*.JPG", "more", "more/**/one.*", "more/tall.png", "bare"]
    assert main(["apply", "inverter", *named, "-o", "out"]) == 0
    written = sorted(path.stem for path in Path("out").glob("*.png"))
    assert written == ["bare", "clear", "gray", "one", "photo", "snap", "tall"]
    np.testing.assert_array_equal(read_image("out/tall.png"), 255 - PHOTO[:, :2])
    np.testing.assert_array_equal(read_image("out/gray.png")[..., 2], 255 - PHOTO[..., 0])
    assert (read_image("out/clear.png") == 0).all()


def test_apply_names_and_skips_what_fails(home, capsys):
    Path("broken.jpg").write_text("not an image")
    write_png("wide.png", PHOTO[:3])
    assert main(["apply", "single", "broken.jpg", "photo.png", "wide.png", "-o", "out"]) == 1
    captured = capsys.readouterr()
    assert "skipped broken.jpg: broken.jpg is not a readable" in captured.err
    assert "skipped wide.png: the image has width 9 and height 3" in captured.err
    assert "expected width 9 and height 6. Pass --fit to crop the center and" in captured.err
    assert "resize it, or --cut to split the image into tiles." in captured.err
    assert captured.out == "1 of 3 images written to out; 2 failed\n"
    assert [path.name for path in Path("out").iterdir()] == ["photo.png"]


@pytest.mark.thorough
def test_apply_to_an_autoencoder_reconstructs(home, capsys):
    """The default of its several signatures; colors become gray if its images are."""
    model = TINY["Autoencoder"].compiled()
    export(model, "mine", "gray")
    colors = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    write_png("colors.png", colors)
    write_png("gray.png", colors[..., :1])
    apply = ["apply", "mine/gray", "colors.png", "gray.png", "photo.png", "-o", "out"]
    assert main(apply) == 1
    sentence = (
        "photo.png: the image has width 9 and height 6: expected width 4 and height 4. Pass --fit"
    )
    assert sentence in capsys.readouterr().err
    luma = np.round(colors @ [0.299, 0.587, 0.114]).astype(np.uint8)[..., None]
    for name, image in (("colors", luma), ("gray", colors[..., :1])):
        expected = np.broadcast_to(model.reconstruct(image[None])[0], [4, 4, 3])
        np.testing.assert_array_equal(read_image(f"out/{name}.png"), expected)


def test_images_are_made_fit(home):
    """If asked: the center of another size is cut out and resized, and the right size is kept."""
    write_png("wide.png", PHOTO.repeat(2, 0).repeat(2, 1)[:, 3:-3])
    assert main(["apply", "single", "photo.png", "wide.png", "--fit", "-o", "out"]) == 0
    np.testing.assert_array_equal(read_image("out/photo.png"), PHOTO)
    expected = fitted(read_image("wide.png"), [None, 6, 9, 3])
    np.testing.assert_array_equal(read_image("out/wide.png"), expected)
    write_png(
        "bars.png", np.repeat([[0, 200, 0]], [3, 9, 3], 1)[..., None].repeat(6, 0).astype("uint8")
    )
    assert main(["apply", "single", "bars.png", "--fit", "-o", "out"]) == 0
    np.testing.assert_array_equal(read_image("out/bars.png"), np.full([6, 9, 3], 200))
    # One of any size keeps it.
    assert main(["apply", "inverter", "wide.png", "--fit", "-o", "same.png"]) == 0
    np.testing.assert_array_equal(read_image("same.png"), 255 - read_image("wide.png"))


def test_large_images_are_cut_for_a_model_of_one_size(home, capsys):
    """Each pixel is translated once, where tiles overlap too; what is smaller is refused."""
    large = np.random.default_rng(1).integers(0, 256, [20, 31, 3], np.uint8)
    write_png("large.png", large)
    write_png("small.png", large[:5])
    assert main(["apply", "single", "large.png", "--cut", "-o", "same.png"]) == 0
    np.testing.assert_array_equal(read_image("same.png"), large)
    assert main(["apply", "single", "small.png", "--cut", "-o", "out.png"]) == 1
    assert (
        "the image has width 31 and height 5: expected at least 9 and 6" in capsys.readouterr().err
    )
    assert main(["apply", "single", "large.png", "--cut", "--fit", "-o", "out.png"]) == 1
    assert "--fit and --cut are both set" in capsys.readouterr().err


def test_links_in_a_circle(home, capsys):
    Path("a.png").symlink_to("b.png")
    Path("b.png").symlink_to("a.png")
    assert main(["apply", "inverter", "a.png", "photo.png", "-o", "out"]) == 1
    captured = capsys.readouterr()
    assert "skipped a.png: " in captured.err and "1 of 2 images written to out" in captured.out


def test_existing_outputs_in_a_folder_are_counted(home, capsys):
    write_png("more/a.png", PHOTO)
    write_png("more/b.png", PHOTO)
    assert main(["apply", "inverter", "more", "-o", "out"]) == 0
    error = fails(capsys, "apply", "inverter", "more", "-o", "out")
    assert "out/a.png (and 1 more) already exists" in error


@pytest.mark.thorough
def test_large_images_are_cut(home, capsys, monkeypatch):
    """Into tiles that no call exceeds; how many is on the bar, and a seam nowhere."""
    export(normalizer(), "mine", "normalizer")
    large = np.random.default_rng(0).integers(0, 256, [300, 500, 3], np.uint8)
    write_png("large.png", large)
    called, call = [], exported.Exported.__call__

    def recorded(self, signature, **inputs):
        called.append(inputs["images"].shape[1:3])
        return call(self, signature, **inputs)

    monkeypatch.setattr("keras_gen.serving.exported.Exported.__call__", recorded)
    for model, says in (("inverter", 0), ("mine/normalizer", 1)):
        command = ["apply", model, "large.png", "--overwrite", "-o"]
        assert main([*command, "cut.png", "--tile=256"]) == 0
        lines = capsys.readouterr().err.splitlines()  # without a bar, which is for terminals
        assert ["depends on the whole image" in line for line in lines] == [True] * says
        assert len(called) > 4 and max(height * width for height, width in called) <= 256 * 256
        assert main([*command, "whole.png", "--tile=0"]) == 0
        assert called.pop() == (300, 500)
        called.clear()
    for name in ("one", "two", "three"):
        write_png(f"folder/{name}.png", large)
    assert main(["apply", "mine/normalizer", "folder", "-o", "out", "--tile", "256"]) == 0
    assert capsys.readouterr().err.count("keras-gen apply") == 1


def test_animations_keep_their_format(home, capsys):
    frames = [Image.new("L", (5, 4), value) for value in (0, 100, 200)]
    Path("moving").mkdir()
    for ending in ("gif", "png", "webp"):
        frames[0].save(f"moving/{ending}.{ending}", save_all=True, append_images=frames[1:])
    frames[0].save("moving/still.gif")
    assert main(["apply", "inverter", "moving", "-o", "out"]) == 0
    written = {path.name: is_animation(path) for path in Path("out").iterdir()}
    assert written == {"gif.gif": True, "png.png": True, "still.png": False, "webp.webp": True}
    error = fails(capsys, "apply", "inverter", "moving/gif.gif", "-o", "out.jpg")
    assert "expected a file name that ends in .png or .gif or .webp for moving/gif.gif" in error


def test_a_video_without_its_package(home, capsys, monkeypatch):
    """It is named and skipped; a folder's are left alone."""
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    Path("clips").mkdir()
    Path("clips/clip.mp4").write_bytes(b"a video")
    Path("clips/photo.png").write_bytes(Path("photo.png").read_bytes())
    assert main(["apply", "inverter", "clips", "-o", "out"]) == 0
    assert [path.name for path in Path("out").iterdir()] == ["photo.png"]
    assert main(["apply", "inverter", "clips/*.mp4", "-o", "out"]) == 1
    sentence = (
        'clips/clip.mp4 is a video, which requires the package imageio-ffmpeg: run pip install "ker'
    )
    assert sentence in capsys.readouterr().err
    assert not Path("out/clip.mp4").exists()
