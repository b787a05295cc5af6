"""Animations (GIF, PNG, and WebP) and videos, processed frame by frame."""

import contextlib
import errno
import io
import itertools
import math
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from keras_gen.arguments import checked_array, checked_integer, checked_path, refuse_empty
from keras_gen.files.images import enlarged_grid, grid, rgb, to_pillow
from keras_gen.files.reading import open_regular, read_regular
from keras_gen.files.writing import replacing

ANIMATED = {".png": "PNG", ".gif": "GIF", ".webp": "WEBP"}
"""Extensions of image files that may be animations, each with its Pillow format."""
MOST_PIXELS = 2**30
"""Maximum number of pixels in all frames of an animation: 3 GiB in RGB."""
VIDEOS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")
"""Extensions of video files, compared without regard to case."""


def is_video(path: str | Path) -> bool:
    """Returns whether a file has a video extension."""
    return checked_path("path", path).suffix.lower() in VIDEOS


def is_animation(path: str | Path) -> bool:
    """Returns whether a file is a GIF, PNG, or WebP image with several frames."""
    if not checked_path("path", path).is_file():  # reading a pipe would block
        return False
    try:
        with Image.open(path, formats=tuple(ANIMATED.values())) as image:
            return getattr(image, "is_animated", False)
    except Exception:  # Broken files raise many types of errors and are not animations.
        return False


def map_frames(
    source: str | Path,
    target: str | Path,
    function: Callable[[np.ndarray], np.ndarray],
    bar: Callable[[Iterable, int], Iterable] = lambda frames, total: frames,
) -> None:
    """Applies a function to each frame of an animation or a video, one at a time.

    An animation's frame durations and number of repetitions are kept, and the animation is held in
    memory while it is written. A video is streamed, and its frame rate and sound are kept. Video
    output is H.264, which requires an even height and width. If a side is odd, a row or a column is
    dropped. Videos require the package imageio-ffmpeg.

    Args:
        source: Path of the input file. The frames are converted in the same way as images in
            `files.images.decode_image`.
        target: Path of the output file: `.gif`, `.png`, or `.webp` for an animation, and `.mp4` for
            a video. The file is written completely or not at all.
        function: Function that maps uint8 `[height, width, 3]` to uint8 `[H, W, 3]` or `[H, W, 1]`.
        bar: Function, such as `tqdm`, that accepts the frames and the number of frames, which is
            approximate for a video.

    Raises:
        ValueError: If the source cannot be read, if the target has an unsupported extension, or if
            `function` returns images of different sizes.
        OSError: If the target cannot be written.

    Example:
        >>> map_frames("cat.gif", "negative.gif", lambda image: 255 - image)    # doctest: +SKIP
    """
    moving = _map_video if is_video(source) else _map_animation
    endings = (".mp4",) if is_video(source) else tuple(ANIMATED)
    source = checked_path("source", source)
    target = checked_path("target", target)
    if target.suffix.lower() not in endings:
        raise ValueError(
            f"{source} has several frames, but the output is {target}: choose a name that ends "
            f"in {' or '.join(endings)}."
        )
    moving(source, target, function, bar)


def write_animation(
    path: str | Path, frames: Iterable[np.ndarray], side: int = 800, milliseconds: int = 250
) -> None:
    """Writes images as an animation that repeats forever, pausing on its last frame.

    Args:
        path: Path of the file, with the extension `.gif`, `.png`, or `.webp`. Another extension
            raises a ValueError. The file is written completely or not at all.
        frames: One or more uint8 images of equal size, `[height, width, 3]` or
            `[height, width, 1]`.
        side: Maximum side length in pixels; larger frames are shrunk.
        milliseconds: Duration of a frame in milliseconds, 10 to 8,000. GIF files store multiples
            of 10.

    Raises:
        TypeError: If `side` or `milliseconds` is not an integer.
        ValueError: If there are no frames, if their sizes differ, or if an argument is out of
            range.

    Example:
        >>> line = model.interpolate(digits[:1], digits[1:2], steps=30)[0]    # doctest: +SKIP
        >>> write_animation("line.gif", line)                                 # doctest: +SKIP
    """
    format = ANIMATED.get(checked_path("path", path).suffix.lower())
    if format is None:
        raise ValueError(f"{path} does not end in {' or '.join(ANIMATED)}: rename it.")
    side = checked_integer("side", side, minimum=1)
    milliseconds = checked_integer("milliseconds", milliseconds, 10, 8000)
    images = list(_of_one_size(map(to_pillow, frames)))
    refuse_empty("frames", images, f"frame for {path}")
    for image in images:
        image.thumbnail((side, side))
    first, *rest = images
    durations = [milliseconds] * len(rest) + [8 * milliseconds]
    encoded = io.BytesIO()  # see `write_image`
    first.save(encoded, format, save_all=True, append_images=rest, duration=durations, loop=0)
    with replacing(path) as file:
        file.write(encoded.getvalue())


def video_strips(videos: np.ndarray, frames: int = 8) -> np.ndarray:
    """Arranges evenly spaced frames of each video in a row; returns a single uint8 image.

    Args:
        videos: Videos, uint8 `[n, frames, height, width, 1 or 3]`.
        frames: Maximum number of frames per video.

    Example:
    ```python
    sample_grid = SampleGrid(lambda model: video_strips(model.sample(8, seed=0)), "runs/a/samples")
    ```
    """
    videos = checked_array("videos", videos)
    places = np.unique(np.linspace(0, videos.shape[1] - 1, frames).round().astype(int))
    return enlarged_grid(videos[:, places].reshape(-1, *videos.shape[2:]), len(places))


def video_grid(videos: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Arranges videos in a grid within a single video, uint8 `[frames, height, width, 3]`.

    Args:
        videos: Videos, uint8 `[n, frames, height, width, 1 or 3]`.
        columns: Number of videos per row. If None, the grid is nearly square.

    Example:
    ```python
    write_animation("videos.gif", video_grid(model.sample(25, seed=0)), milliseconds=100)
    ```
    """
    return np.stack([grid(frame, columns) for frame in np.swapaxes(videos, 0, 1)])


def _of_one_size(frames: Iterable[Image.Image]) -> Iterator[Image.Image]:
    """Yields the frames, and rejects the first one that differs in size from the previous ones."""
    sizes = []
    for frame in frames:
        sizes.append("x".join(map(str, frame.size)))
        if sizes[-1] != sizes[0]:
            raise ValueError(
                f"frames contains images of {sizes[0]} and {sizes[-1]} pixels: expected one size. "
                "Resize the frames."
            )
        yield frame


def _map_animation(source: Path, target: Path, function: Callable, bar: Callable) -> None:
    format = ANIMATED[target.suffix.lower()]
    durations: list[float] = []  # filled while the frames are written

    def translated() -> Iterator[Image.Image]:
        for index in bar(range(count), count):
            with _reading(source):
                animation.seek(index)
                image = rgb(animation)
                durations.append(animation.info.get("duration", 0))
            yield to_pillow(function(image))

    with contextlib.ExitStack() as stack:
        with _reading(source):
            _require_end(source)
            animation = stack.enter_context(Image.open(source, formats=tuple(ANIMATED.values())))
            count = getattr(animation, "n_frames", 1)
            loop = animation.info.get("loop")
            pixels = count * math.prod(animation.size)
            if pixels > MOST_PIXELS:
                raise ValueError(
                    f"its frames have {pixels:,} pixels: expected at most {MOST_PIXELS:,}"
                )
        if loop is None and format != "GIF":  # a GIF without a loop count is played once
            loop = 1
        options = {} if loop is None else {"loop": loop}
        frames = _of_one_size(translated())
        first = next(frames)
        # For formats other than GIF, Pillow iterates over the frames twice, which requires a list.
        rest = frames if format == "GIF" else list(frames)
        options |= {
            "save_all": True,
            "append_images": rest,
            "duration": durations,
            "quality": 95,
        }
        encoded = io.BytesIO()
        first.save(encoded, format, **options)
        with replacing(target) as file:
            file.write(encoded.getvalue())


def _require_end(source: Path) -> None:
    """Rejects a GIF that was truncated between frames, which Pillow reads as a shorter GIF."""
    contents = read_regular(source)
    if contents.startswith(b"GIF") and not contents.rstrip(b"\0\r\n").endswith(b";"):
        raise ValueError("it was truncated: its end marker is missing")


def _map_video(source: Path, target: Path, function: Callable, bar: Callable) -> None:
    try:
        from imageio_ffmpeg import get_ffmpeg_exe, read_frames
    except ImportError:
        raise ValueError(
            f"{source} is a video, which requires the package imageio-ffmpeg: run pip install "
            '"keras-generative[video]".'
        ) from None
    with _reading(source), open_regular(source):
        pass  # checks the source first, because ffmpeg would block if it is a pipe
    with contextlib.closing(read_frames(str(source))) as stream:
        with _reading(source):
            about = next(stream)
            width, height = about["size"]
            fps = about["fps"]
            count = round(fps * about["duration"])

        def translated() -> Iterator[Image.Image]:
            for frame in bar(_read(stream, source), count):
                image = function(np.frombuffer(frame, np.uint8).reshape(height, width, 3))
                yield to_pillow(image).convert("RGB")

        frames = _of_one_size(translated())
        first = next(frames, None)
        if first is None:
            raise ValueError(f"{source} is a video without frames: replace or remove it.")
        with replacing(target) as file:
            command = [get_ffmpeg_exe(), "-v", "error", "-y"]
            command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-r", str(fps)]
            command += ["-s", f"{first.width}x{first.height}", "-i", "-"]
            command += [
                "-i",
                str(source),
                "-map",
                "0:v",
                "-map",
                "1:a?",
            ]  # includes arguments for the sound, if there is any
            command += ["-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2", "-pix_fmt", "yuv420p"]
            command += ["-c:v", "libx264", "-crf", "18", "-f", "mp4", file.name]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
                assert process.stdin
                for frame in itertools.chain([first], frames):
                    process.stdin.write(frame.tobytes())
            if process.returncode:
                raise OSError(errno.EIO, f"ffmpeg exited with code {process.returncode}")


def _read(stream: Iterator[bytes], source: Path) -> Iterator[bytes]:
    with _reading(source):
        yield from stream


@contextlib.contextmanager
def _reading(source: Path) -> Iterator[None]:
    """Adds the file name to the errors, of many types, that broken files raise."""
    try:
        yield
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise ValueError(f"{source} is unreadable ({reason}): replace or remove it.") from error
