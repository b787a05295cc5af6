"""`keras-gen sample`, and what all commands that run exports share."""

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from keras_gen.files.animations import video_grid, video_strips, write_animation
from keras_gen.files.images import enlarged_grid, luma, to_pillow, write_png
from keras_gen.files.sounds import as_int16, write_wav
from keras_gen.messages import nearest
from keras_gen.serving import exported
from keras_gen.workshop.cli.names import names_of

IMAGES = 64  # in a grid
SOUNDS = 8  # in a file
RATE = 8000  # samples a second, as all recipes of sounds have
PAUSE = 0.3  # seconds between sounds
ANY = "any"  # a label: each sample draws its own


def sample(options: argparse.Namespace) -> int:
    """Draws a grid of images, or sounds."""
    ending = options.out.suffix.lower()
    if ending not in (".png", ".gif", ".wav"):
        raise ValueError(
            f"--out is {options.out}: the grid is written as PNG, so its name ends in .png, or of "
            "videos as a GIF, in .gif; sounds are written in .wav."
        )
    names = [name for name, _ in options.set]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"--set {twice[0]} is given {len(twice)} times: give it one value.")
    refuse_existing([options.out], options)
    path = exported.resolve(exported.find(options.models, options.model))
    signature = options.signature or "sample"
    # Before the model is loaded, which takes seconds.
    conditions = _conditions(path, signature, dict(options.set))
    model = exported.load(path)
    known(model, signature)
    images, sounds = image_outputs(model, signature), sound_outputs(model, signature)
    if set(asked(model, signature)) != {"seed", "n"} or not images + sounds:
        raise ValueError(
            f"signature {signature!r} of {model.path} does not turn (seed, n) into "
            f"images or sounds: choose another one with --signature, from "
            f"{', '.join(arrays_alone(model.inputs))}."
        )

    if (ending == ".wav") != (not images):
        kind, fitting = ("images", ".png") if images else ("sounds", ".wav")
        raise ValueError(
            f"--out is {options.out}: these are {kind}, so its name ends in {fitting}."
        )
    n = options.n or (IMAGES if images else SOUNDS)
    inputs = conditions | {"seed": options.seed, "n": n}
    outputs = model(signature, **inputs)
    if images:
        _write_images(options, outputs[images[0]])
    else:
        rate = rate_of(model.metadata)
        write_wav(options.out, one_after_another(outputs[sounds[0]], rate), rate)
        print(f"{n} sounds written to {options.out}")
    return 0


def _write_images(options: argparse.Namespace, images: np.ndarray) -> None:
    ending = options.out.suffix.lower()
    if (ending == ".gif") > (images.ndim == 5):
        raise ValueError(f"--out is {options.out}: these are images, so its name ends in .png.")
    if ending == ".gif":
        write_animation(options.out, video_grid(images, options.columns), milliseconds=100)
    else:
        # Of videos, their frames.
        still = images.ndim == 4
        drawn = enlarged_grid(images, options.columns) if still else video_strips(images)
        write_png(options.out, drawn)
    # Several images each: videos, or pairs of two domains.
    kind = "samples" if images.ndim == 5 else "images"
    print(f"{len(images)} {kind} written to {options.out}")


def rate_of(metadata: dict[str, Any]) -> int:
    """How many samples a second an export's sounds have: `rate` in its metadata, or the usual."""
    return int(metadata.get("rate", RATE))


def one_after_another(sounds: np.ndarray, rate: int) -> np.ndarray:
    """Sounds `[n, samples, 1]` with pauses between them: int16 `[samples]`."""
    pause = round(PAUSE * rate)
    apart = np.pad(as_int16(sounds)[:, :, 0], [(0, 0), (0, pause)]).reshape(-1)
    return apart[: len(apart) - pause]


def _conditions(path: Path, signature: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """The conditions that are set, as numbers or names, if the export's metadata knows them all."""
    metadata = exported.read_metadata(path)
    usual = exported.usual_values(metadata, signature)
    signatures = metadata.get("signatures", {})
    # What else is wrong with the signature is said when the model is there.
    if signature in signatures or not signatures:
        if unknown := sorted(chosen.keys() - usual.keys()):
            raise ValueError(
                f"--set {unknown[0]}: signature {signature!r} of {path} has "
                f"{', '.join(usual) or 'nothing'} to set{nearest(unknown[0], usual)}"
            )
    names = names_of(metadata)
    chosen = {name: numbered(name, value, names.get(name, ())) for name, value in chosen.items()}
    for name, value in chosen.items():
        named = isinstance(usual.get(name), str)
        if isinstance(value, str) != named and not (value == ANY and usual.get(name) == -1):
            kind = "name" if named else "number"
            raise ValueError(
                f"--set {name}={value}: {name} is a {kind}, usually {said(usual.get(name))}."
            )
        if usual.get(name) == -1 and (isinstance(value, float) or value == -1):
            raise ValueError(f"--set {name}={value}: {name} is a whole number from 0, or {ANY}.")
    return {name: -1 if value == ANY else value for name, value in chosen.items()}


def numbered(condition: str, value: Any, names: Sequence[str]) -> Any:
    """The number of a class or speaker that has this name; other values as they are."""
    if not isinstance(value, str) or value == ANY or not names:
        return value
    if value not in names:
        raise ValueError(
            f"{condition} is {value}: expected a number, or one of {', '.join(names)}"
            f"{nearest(value, names)}"
        )
    return list(names).index(value)


def said(usual: Any) -> str:
    """A condition's usual value in words: exports count labels from 0, and -1 is any of them."""
    return ANY if usual == -1 else str(usual)


def refuse_existing(
    targets: Sequence[Path], options: argparse.Namespace, sources: Sequence[Path] = ()
) -> None:
    """Refuses files that are there already, unless --overwrite is given, or are to be read."""
    existing = [target for target in targets if os.path.lexists(target)]
    if existing and not options.overwrite:
        more = f" (and {len(existing) - 1} more)" if existing[1:] else ""
        raise FileExistsError(
            f"{existing[0]}{more} is already there: choose another --out, "
            "or pass --overwrite to replace."
        )
    # `Path.resolve` raises where links lead in a circle; reading such a file says so later.
    if taken := set(map(os.path.realpath, targets)) & set(map(os.path.realpath, sources)):
        raise ValueError(f"{min(taken)} is one of the images to read: choose another --out.")


def known(model: exported.Exported, name: str) -> str:
    """The name of a signature that the model has."""
    if name not in model.inputs:
        names = arrays_alone(model.inputs)
        other = "; `keras-gen apply` takes images" if name == "sample" else ""
        raise ValueError(
            f"{model.path} has no signature {name!r}: choose one with --signature, "
            f"from {', '.join(names)}{nearest(name, names)}{other}"
        )
    return name


def arrays_alone(signatures: Iterable[str]) -> list[str]:
    """The signatures of arrays, without those of files' contents beside them."""
    return [name for name in signatures if not name.endswith(exported.SUFFIX)]


def asked(model: exported.Exported, signature: str) -> dict[str, Any]:
    """The inputs that have no usual value."""
    usual = model.defaults(signature)
    return {key: spec for key, spec in model.inputs[signature].items() if key not in usual}


def fits(image: np.ndarray, shape: Sequence[int | None]) -> bool:
    """Whether a signature of images `shape` takes the size of an image."""
    sizes = zip(image.shape[:2], shape[1:3], strict=True)
    return all(taken in (None, size) for size, taken in sizes)


def fitted(image: np.ndarray, shape: Sequence[int | None]) -> np.ndarray:
    """An RGB image as a signature of images `shape` takes it.

    If the signature takes another size, the center is cut out and resized. The image becomes gray
    if the signature's images are.
    """
    _, height, width, channels = shape
    if not fits(image, shape):
        size = (width or height or 0, height or width or 0)
        image = np.asarray(ImageOps.fit(to_pillow(image), size, Image.Resampling.LANCZOS))
    return image if channels == 3 else np.round(luma(image)).astype(np.uint8)


def image_outputs(model: exported.Exported, signature: str) -> list[str]:
    """The outputs that are images."""
    return [
        key
        for key, spec in model.outputs[signature].items()
        if spec.dtype == "uint8" and spec.shape.rank in (4, 5)
    ]


def sound_outputs(model: exported.Exported, signature: str) -> list[str]:
    """The outputs that are sounds of one channel."""
    return [
        key
        for key, spec in model.outputs[signature].items()
        if key == "waveforms" and spec.shape.rank == 3 and spec.shape[-1] == 1
    ]
