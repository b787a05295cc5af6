"""Moving images, frame by frame."""

import itertools
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
from PIL import Image

from keras_gen.files import animations
from keras_gen.files.animations import is_animation, is_video, map_frames, write_animation

# Four large squares each: few colors for GIF, and few edges for WebP.
SQUARES = np.random.default_rng(0).integers(0, 256, [4, 2, 2, 3], np.uint8)
FRAMES = SQUARES.repeat(16, axis=1).repeat(16, axis=2)
DURATIONS = [30, 60, 90, 120]


def save(path, frames=FRAMES, **options):
    first, *rest = map(Image.fromarray, frames)
    first.save(path, save_all=True, append_images=rest, lossless=True, **options)
    return path


def frames(path):
    """Frames, durations and repetitions of an animation."""
    found, durations = [], []
    with Image.open(path) as image:
        for index in range(image.n_frames):
            image.seek(index)
            found.append(np.asarray(image.convert("RGB")))
            durations.append(image.info["duration"])
        return np.array(found), durations, image.info.get("loop")


@pytest.mark.parametrize("target", ["gif", "png", "webp"])
@pytest.mark.parametrize("source", ["gif", "png", "webp"])
def test_frames_durations_and_repetitions_stay(tmp_path, source, target):
    path = save(tmp_path / f"a.{source}", duration=DURATIONS, loop=3)
    seen, total = [], []

    def invert(image):
        seen.append(image)
        return 255 - image

    def bar(items, count):
        total.append(count)
        return items

    map_frames(path, tmp_path / f"b.{target}", invert, bar)
    np.testing.assert_array_equal(seen, FRAMES)
    found, durations, loop = frames(tmp_path / f"b.{target}")
    error = 8 if target == "webp" else 0
    assert np.abs(found.astype(int) - (255 - FRAMES)).mean() <= error
    assert durations == DURATIONS and loop == 3 and total == [4]
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"a.{source}", f"b.{target}"]


def test_what_plays_once_plays_once(tmp_path):
    path = save(tmp_path / "a.gif", duration=DURATIONS)
    for target, loop in (("gif", None), ("png", 1), ("webp", 1)):
        map_frames(path, tmp_path / f"b.{target}", lambda image: image)
        assert frames(tmp_path / f"b.{target}")[2] == loop


def test_transparency_lies_over_white(tmp_path):
    clear = np.dstack([FRAMES[0], np.zeros([32, 32], np.uint8)])
    solid = np.dstack([FRAMES[1], np.full([32, 32], 255, np.uint8)])
    save(tmp_path / "a.png", [clear, solid], duration=50)
    map_frames(tmp_path / "a.png", tmp_path / "b.png", lambda image: image)
    found, *_ = frames(tmp_path / "b.png")
    assert (found[0] == 255).all() and (found[1] == FRAMES[1]).all()


def test_gray_outputs(tmp_path):
    save(tmp_path / "a.gif", duration=50)
    map_frames(tmp_path / "a.gif", tmp_path / "b.gif", lambda image: image[..., :1])
    found, *_ = frames(tmp_path / "b.gif")
    np.testing.assert_array_equal(found, FRAMES[..., :1].repeat(3, -1))


def test_what_is_an_animation(tmp_path):
    for ending in ("gif", "png", "webp"):
        assert is_animation(save(tmp_path / f"a.{ending}"))
        assert not is_animation(save(tmp_path / f"b.{ending}", FRAMES[:1]))
    save(tmp_path / "a.gif").rename(tmp_path / "bare")
    assert is_animation(tmp_path / "bare")
    (tmp_path / "broken.gif").write_bytes(b"GIF89a")
    Image.fromarray(FRAMES[0]).save(tmp_path / "a.jpg")
    os.mkfifo(tmp_path / "pipe.gif")
    for name in ("broken.gif", "a.jpg", "missing.gif", "pipe.gif"):
        assert not is_animation(tmp_path / name)
    assert is_video("A.MP4") and is_video("a.mov") and not is_video("a.gif")


def test_a_broken_frame_is_named_and_nothing_written(tmp_path):
    path = save(tmp_path / "a.png")
    contents = path.read_bytes()
    path.write_bytes(contents[: len(contents) - 40])
    (tmp_path / "b.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match=r"a\.png is unreadable \(.+\): replace or remove it"):
        map_frames(path, tmp_path / "b.png", lambda image: image)
    assert (tmp_path / "b.png").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animations_of_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path, monkeypatch, ending
):
    monkeypatch.setattr(animations, "MOST_PIXELS", 4095)
    path = save(tmp_path / f"a.{ending}")
    with pytest.raises(ValueError, match=r"its frames have 4,096 pixels: expected at most 4,095"):
        map_frames(path, tmp_path / "b.gif", lambda image: image)


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_animations_that_were_cut_off_are_refused(tmp_path, ending):
    """Also a GIF that ends between two frames, and would be a shorter one."""
    path = save(tmp_path / f"a.{ending}", duration=50)
    whole = path.read_bytes()
    middle = whole.index(b"\0!\xf9", len(whole) // 2) + 1 if ending == "gif" else len(whole) // 2
    path.write_bytes(whole[:middle])
    with pytest.raises(ValueError, match=r"a\.\w+ is unreadable \(.+\): replace or remove it"):
        map_frames(path, tmp_path / f"b.{ending}", lambda image: image)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_refusals(tmp_path):
    path = save(tmp_path / "a.gif")
    with pytest.raises(ValueError, match=r"a name that ends in \.png or \.gif or \.webp\."):
        map_frames(path, tmp_path / "b.mp4", lambda image: image)
    with pytest.raises(ValueError, match=r"a name that ends in \.mp4\."):
        map_frames(tmp_path / "a.mp4", tmp_path / "b.gif", lambda image: image)
    with pytest.raises(ValueError, match=r"missing\.gif is unreadable"):
        map_frames(tmp_path / "missing.gif", tmp_path / "b.gif", lambda image: image)


def test_a_video_needs_a_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(
        ValueError, match=r"imageio-ffmpeg: run pip install \"keras-generative\[video\]\"\."
    ):
        map_frames(tmp_path / "a.mp4", tmp_path / "b.mp4", lambda image: image)


# The package leaves pipes to the garbage collector.
leaves_pipes = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def video_frames(path):
    """What the file says of itself, and its frames."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    about, *found = ffmpeg.read_frames(str(path))
    width, height = about["size"]
    return about, [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in found]


def make_video(path, *options, fps=5, size=(32, 24), count=7):
    """Frames of one color each, which grows brighter."""
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    command = [ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"]
    command += ["-r", str(fps), "-s", f"{size[0]}x{size[1]}", "-i", "-", *options, str(path)]
    colors = [np.full([size[1], size[0], 3], 30 * value, np.uint8) for value in range(count)]
    subprocess.run(command, input=np.array(colors).tobytes(), check=True)
    return path


@leaves_pipes
def test_a_video(tmp_path):
    """Frame by frame, with its rate; what is odd loses a line, and what failed leaves nothing."""
    path, total, made = make_video(tmp_path / "a.mp4"), [], []

    def bar(items, count):
        assert iter(items) is items  # no list of all frames
        total.append(count)
        return items

    def invert(image):
        output = (255 - image)[:23, :31].copy()
        made.append(weakref.ref(output))
        assert sum(frame() is not None for frame in made) <= 3  # nor one of what they became
        return output

    map_frames(path, tmp_path / "b.mp4", invert, bar)
    about, found = video_frames(tmp_path / "b.mp4")
    assert about["fps"] == 5 and about["size"] == (30, 22) and total == [7]
    means = [frame.mean() for frame in found]
    np.testing.assert_allclose(means, [255 - 30 * value for value in range(7)], atol=4)
    assert "audio_codec" not in about or not about["audio_codec"]

    with pytest.raises(ValueError, match="no such color"):
        map_frames(path, tmp_path / "c.mp4", fail)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@leaves_pipes
@pytest.mark.parametrize("ending", ["gif", "png", "webp", "mp4"])
def test_frames_of_another_size_or_type_are_refused_and_nothing_written(tmp_path, ending):
    make = make_video if ending == "mp4" else save
    path, heights = make(tmp_path / f"a.{ending}"), itertools.count(8)
    with pytest.raises(ValueError, match=r"frames contains images of 8x8 and 8x9 pixels: expected"):
        map_frames(path, tmp_path / f"b.{ending}", lambda image: image[: next(heights), :8])
    with pytest.raises(ValueError, match=r"image is float64 \[\d+, \d+, 3\]: expected uint8"):
        map_frames(path, tmp_path / f"b.{ending}", lambda image: image / 255)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def fail(image):
    raise ValueError("no such color")


@leaves_pipes
def test_gray_and_sound(tmp_path):
    sound = ["-f", "lavfi", "-i", "sine=duration=1", "-map", "0:v", "-map", "1:a"]
    path = make_video(tmp_path / "a.mov", *sound)
    map_frames(path, tmp_path / "b.mp4", lambda image: image[..., :1])
    about, found = video_frames(tmp_path / "b.mp4")
    assert about["audio_codec"] == "aac" and len(found) == 7
    assert found[3].mean() == pytest.approx(90, abs=4)


@leaves_pipes
def test_a_turned_video(tmp_path):
    path = make_video(tmp_path / "a.mp4")
    exe = pytest.importorskip("imageio_ffmpeg").get_ffmpeg_exe()
    command = [exe, "-v", "error", "-display_rotation", "90", "-i", path, "-c", "copy"]
    subprocess.run([*command, tmp_path / "turned.mp4"], check=True)
    map_frames(tmp_path / "turned.mp4", tmp_path / "b.mp4", lambda image: image)
    assert video_frames(tmp_path / "b.mp4")[0]["size"] == (24, 32)


@leaves_pipes
def test_what_is_no_video(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    (tmp_path / "a.mp4").write_bytes(b"not a video")
    with pytest.raises(ValueError, match=r"a\.mp4 is unreadable \(.+\): replace or remove it"):
        map_frames(tmp_path / "a.mp4", tmp_path / "b.mp4", lambda image: image)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_images_become_an_animation(tmp_path, ending):
    write_animation(tmp_path / f"a.{ending}", iter(FRAMES), milliseconds=30)
    found, durations, loop = frames(tmp_path / f"a.{ending}")
    assert np.abs(found.astype(int) - FRAMES).mean() < 12  # few colors, or lossy
    assert durations == [30, 30, 30, 240] and loop == 0


def test_large_frames_of_an_animation_shrink(tmp_path):
    write_animation(tmp_path / "a.gif", [np.full([40, 100, 1], n, np.uint8) for n in (0, 9)], 50)
    assert frames(tmp_path / "a.gif")[0].shape == (2, 20, 50, 3)


def test_what_is_no_animation(tmp_path):
    with pytest.raises(ValueError, match="frames is empty: expected at least one frame"):
        write_animation(tmp_path / "a.gif", [])
    with pytest.raises(ValueError, match=r"a\.jpg does not end in \.png or \.gif or \.webp"):
        write_animation(tmp_path / "a.jpg", FRAMES)


@pytest.mark.parametrize("ending", ["gif", "png", "webp"])
def test_frames_and_durations_that_cannot_be(tmp_path, ending):
    path, (frame, *_) = tmp_path / f"a.{ending}", FRAMES
    height, width, _ = frame.shape
    with pytest.raises(ValueError, match=f"images of {width}x{height} and .* expected one size"):
        write_animation(path, [frame, frame[1:]])
    for milliseconds in (-1, 0, 5, 10**9):
        with pytest.raises(ValueError, match=f"milliseconds is {milliseconds}: expected .* to 8"):
            write_animation(path, [frame], milliseconds=milliseconds)
    with pytest.raises(TypeError, match=r"milliseconds is 2\.5: expected an integer"):
        write_animation(path, [frame], milliseconds=2.5)
    write_animation(path, [frame, 255 - frame], milliseconds=8000)
    assert frames(path)[1][-1] == 64_000
