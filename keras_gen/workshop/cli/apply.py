"""`keras-gen apply`: runs an export on images, animations, and videos."""

import argparse
import functools
import glob
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.files.animations import ANIMATED, VIDEOS, is_animation, is_video, map_frames
from keras_gen.files.images import SUFFIXES, read_image, write_image
from keras_gen.messages import printable
from keras_gen.serving import exported
from keras_gen.serving.tiles import Tiled, in_tiles_of_one_size
from keras_gen.workshop.cli import models


def apply(options: argparse.Namespace) -> int:
    """Translates images."""
    if options.fit and options.cut:
        raise ValueError(
            "--fit and --cut are both set, but they handle other image sizes in different ways: "
            "use only one of them."
        )
    paths = _images(options.images)
    targets = _targets(paths, options.out)
    models.refuse_existing(targets, options, paths)
    model = exported.load(exported.find(options.models, options.model))
    signature = _translator(model, options.signature)

    from tqdm import tqdm

    bar = functools.partial(tqdm, disable=None)  # hides the bar if the output is not a terminal
    tiles = functools.partial(bar, unit="tile", leave=False)
    frames = functools.partial(bar, unit="frame", leave=False)

    def say(text: str) -> None:
        tqdm.write(f"keras-gen apply: {text}", file=sys.stderr)

    translate = _function(model, signature, options, say)
    failed = 0
    for path, target in bar(list(zip(paths, targets, strict=True)), unit="image"):
        try:
            if is_video(path) or is_animation(path):
                map_frames(
                    path, target, translate, lambda items, count: frames(items, total=count)
                )
            else:
                write_image(target, translate(read_image(path), tiles))
        except (OSError, ValueError) as error:
            failed += 1
            say(printable(f"skipped {path}: {error}"))
    print(
        f"{len(paths) - failed} of {len(paths)} images written to {options.out}"
        + (f"; {failed} failed" if failed else "")
    )
    return 1 if failed else 0


def _translator(model: exported.Exported, name: str | None) -> str:
    """Returns the image-to-image signature to run: `name`, or the default if `name` is None."""
    able = [
        key
        for key in model.inputs
        if [_is_image(spec) for spec in models.asked(model, key).values()] == [True]
        and models.image_outputs(model, key)
    ]
    if (name is not None and models.known(model, name) not in able) or not able:
        raise ValueError(
            f"{f'signature {name!r} of ' if name else ''}{model.path} does not map images to "
            f"images. Signatures that do: {', '.join(able) or 'none'}."
        )
    if name is None and "serving_default" not in able and len(able) > 1:
        raise ValueError(
            f"{model.path} has several signatures that map images to images: choose one with "
            f"--signature, from {', '.join(able)}."
        )
    return name or ("serving_default" if "serving_default" in able else able[0])


def _function(
    model: exported.Exported,
    signature: str,
    options: argparse.Namespace,
    say: Callable[[str], None],
) -> Callable[..., np.ndarray]:
    """Wraps a signature in a function of an image and a progress bar.

    The image is RGB and may have any size. The progress bar counts tiles.
    """
    ((name, spec),) = models.asked(model, signature).items()
    output = models.image_outputs(model, signature)[0]
    high, wide = spec.shape[1:3]

    def network(image: np.ndarray) -> np.ndarray:
        return model(signature, **{name: image[None]})[output][0]

    def of_one_size(image: np.ndarray, *bar) -> np.ndarray:
        if options.cut:
            colored = models.fitted(image, (None, None, None, spec.shape[-1]))
            tall, broad = image.shape[:2]
            return in_tiles_of_one_size(network, colored, high or tall, wide or broad, *bar)
        if not options.fit and not models.fits(image, spec.shape):
            raise ValueError(
                f"the image has width {image.shape[1]} and height {image.shape[0]}: expected "
                f"width {wide or 'any'} and height {high or 'any'}. Pass --fit to crop the "
                "center and "
                "resize it, or --cut to split the image into tiles."
            )
        return network(models.fitted(image, spec.shape))

    if high or wide:
        return of_one_size
    tiled = Tiled(network, _tile(model, spec.shape[-1], options.tile), say)
    return lambda image, *bar: tiled(models.fitted(image, spec.shape), *bar)


def _tile(model: exported.Exported, channels: int, asked: int) -> int:
    """Returns the requested tile size, or else the export's maximum size; 0 means no tiles."""
    most = model.metadata.get("largest_request", {}).get("elements")
    return min(asked, math.isqrt(most // channels)) if most else asked


def _images(patterns: Sequence[str]) -> list[Path]:
    """Returns the image files, without duplicates, that paths, folders, and globs refer to."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        names = [path] if path.exists() else sorted(glob.glob(pattern, recursive=True))
        matches: list[Path] = []
        for match in map(Path, names):
            if match.is_dir():
                # Videos in folders are skipped, because processing them takes a long time.
                inside = sorted(match.iterdir())
                matches += [file for file in inside if file.suffix.lower() in SUFFIXES]
            elif match == path or match.suffix.lower() in SUFFIXES + VIDEOS:
                matches.append(match)
        if not matches:
            raise FileNotFoundError(
                f"no image matches {pattern!r}: expected files, folders, or "
                f"globs of {', '.join(SUFFIXES)}."
            )
        found.update(dict.fromkeys(matches))
    return list(found)


def _targets(paths: list[Path], out: Path) -> list[Path]:
    suffix = out.suffix.lower()
    if not out.is_dir() and suffix:
        if len(paths) > 1:
            raise ValueError(
                f"--out is the file {out}, but there are {len(paths)} images: pass a folder. A "
                "folder with a dot in its name must already exist."
            )
        if suffix not in (endings := _endings(paths[0])):
            raise ValueError(
                f"--out is {out}: expected a file name that ends in {' or '.join(endings)} for "
                f"{paths[0]}, or a folder. A folder with a dot in its name must already exist."
            )
        return [out]
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out is {out}, an existing file: pass an image file or a folder.")
    targets: dict[Path, Path] = {}
    for path in paths:
        suffix = path.suffix.lower()
        endings = _endings(path)
        if endings == SUFFIXES or suffix not in endings:  # only animations keep their format
            suffix = endings[0]
        target = out / f"{path.stem}{suffix}"
        if target in targets:
            raise ValueError(
                f"{targets[target]} and {path} would both be written to {target}: write them "
                "to separate folders."
            )
        targets[target] = path
    return list(targets)


def _endings(path: Path) -> tuple[str, ...]:
    """Returns possible extensions for the output of a file, with the default extension first."""
    if is_video(path):
        return (".mp4",)
    return tuple(ANIMATED) if is_animation(path) else SUFFIXES


def _is_image(spec: Any) -> bool:
    return spec.dtype == "uint8" and spec.shape.rank == 4 and spec.shape[-1] in (1, 3)
