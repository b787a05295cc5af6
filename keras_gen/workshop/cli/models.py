"""`keras-gen sample`, and helpers shared by all commands that run exports."""

import argparse
import contextlib
import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from keras_gen.files.animations import video_grid, video_strips, write_animation
from keras_gen.files.images import enlarged_grid, luma, to_pillow, write_png
from keras_gen.files.sounds import as_int16, write_wav
from keras_gen.files.writing import replacing
from keras_gen.messages import nearest
from keras_gen.serving import exported
from keras_gen.serving.exported import data_of

# Default number of samples, and extensions of the files in which they are written.
KINDS = {
    "images": (64, (".png", ".gif")),
    "sounds": (8, (".wav",)),
    "texts": (8, (".txt",)),
    "rows": (64, (".csv",)),
}
LARGEST_GRID = 10_000  # maximum number of images or sounds in memory at once
RATE = 8000  # samples per second, as in all audio recipes
PAUSE = 0.3  # seconds of silence between sounds
ANY = "any"  # label value: each sample gets a random label
DIGITS = tuple("0123456789")
# Class names of the datasets, in the order of their labels.
CLASSES = {
    "fashion_mnist": (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    "mnist": DIGITS,
    "usps": DIGITS,
}
SPEAKERS = {"spoken_digit": ("George", "Jackson", "Nicolas", "Theo", "Yweweler")}
# Names of the values of each condition, by dataset.
NAMES: Mapping[str, Mapping[str, Sequence[str]]] = {"label": CLASSES, "speaker": SPEAKERS}


def sample(options: argparse.Namespace) -> int:
    """Generates a grid of images, sounds, texts, or rows of a table."""
    ending = options.out.suffix.lower()
    if not any(ending in endings for _, endings in KINDS.values()):
        raise ValueError(
            f"--out is {options.out}: expected a name that ends in .png for a grid of images, in "
            ".gif for videos, in .wav for sounds, in .txt for texts, or in .csv for rows of a "
            "table."
        )
    names = [name for name, _ in options.set]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"--set {twice[0]} was passed {len(twice)} times: pass it once.")
    refuse_existing([options.out], options)
    path = exported.resolve(exported.find(options.models, options.model))
    signature = options.signature or "sample"
    # Conditions are checked before the model is loaded, because loading takes seconds.
    conditions = _conditions(path, signature, dict(options.set))
    model = exported.load(path)
    known(model, signature)
    found = _generated(model, signature)
    if found is None:
        able = [name for name in arrays_alone(model.inputs) if _generated(model, name)]
        raise ValueError(
            f"signature {signature!r} of {model.path} does not generate images, sounds, texts, or "
            "rows with named columns from (seed, n). Signatures that do: "
            f"{', '.join(able) or 'none'}."
        )
    kind, output = found
    usual, endings = KINDS[kind]
    if ending not in endings:
        raise ValueError(
            f"--out is {options.out}: the model generates {kind}. Choose a name that ends in "
            f"{endings[0]}."
        )
    n = options.n or usual
    if kind in ("images", "sounds") and n > LARGEST_GRID:
        raise ValueError(f"-n is {n}: expected 1 to {LARGEST_GRID} {kind} per file.")
    inputs = conditions | {"seed": options.seed, "n": n}
    parts = [model(signature, **part)[output] for part in _requests(model, signature, inputs)]
    values = np.concatenate(parts)
    if kind == "images":
        _write_images(options, values)
        return 0
    if kind == "sounds":
        rate = rate_of(model.metadata)
        write_wav(options.out, one_after_another(values, rate), rate)
    elif kind == "texts":
        with replacing(options.out) as file:
            file.write(b"\n\n".join(values) + b"\n")
    else:
        _write_rows(options.out, model.metadata["columns"][output], values)
    print(f"{n} {kind} written to {options.out}")
    return 0


def _generated(model: exported.Exported, signature: str) -> tuple[str, str] | None:
    """Returns the type of data that a signature generates from (seed, n), and its output's name."""
    if set(asked(model, signature)) != {"seed", "n"}:
        return None
    columns = model.metadata.get("columns", {})
    outputs = {
        "images": image_outputs(model, signature),
        "sounds": sound_outputs(model, signature),
        "texts": [
            name
            for name, spec in model.outputs[signature].items()
            if spec.dtype == "string" and spec.shape.rank == 1
        ],
        "rows": [name for name in model.outputs[signature] if name in columns],
    }
    return next(((kind, names[0]) for kind, names in outputs.items() if names), None)


def _requests(
    model: exported.Exported, signature: str, inputs: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    """Splits a request for n samples into requests that the export accepts.

    The first request has the given seed. The seeds of all other requests are derived from it.
    """
    limits, largest = (model.metadata.get(key, {}) for key in ("limits", "largest_request_of"))
    most = limits.get(signature, {}).get("n", (1, inputs["n"]))[1]
    total = largest.get(signature, {}).get("steps")
    steps = (model.defaults(signature) | inputs).get("steps")
    if total and isinstance(steps, int):
        most = max(1, min(most, total // max(1, steps)))
    random = np.random.default_rng(inputs["seed"])
    for start in range(0, inputs["n"], most):
        seed = int(random.integers(2**31)) if start else inputs["seed"]
        yield inputs | {"seed": seed, "n": min(most, inputs["n"] - start)}


def _write_rows(path: Path, columns: Sequence[dict[str, Any]], rows: np.ndarray) -> None:
    """Writes rows of strings or numbers, `[n, columns]`, to a CSV file with a header."""
    texts = np.vectorize(bytes.decode, otypes=[object])(rows) if rows.dtype == object else rows
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow([column["name"] for column in columns])
    writer.writerows(texts.tolist())
    with replacing(path) as file:
        file.write(lines.getvalue().encode())


def _write_images(options: argparse.Namespace, images: np.ndarray) -> None:
    ending = options.out.suffix.lower()
    if (ending == ".gif") > (images.ndim == 5):
        raise ValueError(
            f"--out is {options.out}: the model generates images. Choose a name that ends in "
            ".png."
        )
    if ending == ".gif":
        write_animation(options.out, video_grid(images, options.columns), milliseconds=100)
    else:
        # Videos are written as strips of frames.
        still = images.ndim == 4
        drawn = enlarged_grid(images, options.columns) if still else video_strips(images)
        write_png(options.out, drawn)
    # Samples with several images are videos, or pairs from two domains.
    kind = "samples" if images.ndim == 5 else "images"
    print(f"{len(images)} {kind} written to {options.out}")


def names_of(metadata: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Returns the names, in order, of an export's labels and speakers, if known."""
    # A model has one set of classes, whether they are called labels or speakers.
    if names := metadata.get("class_names"):
        return dict.fromkeys(NAMES, names)
    # If there are several datasets (`mnist/3.0.1 and ...`), the first one determines the names.
    data = data_of(metadata).partition("/")[0]
    return {condition: sets.get(data, ()) for condition, sets in NAMES.items()}


def rate_of(metadata: dict[str, Any]) -> int:
    """Returns an export's sampling rate in Hz, from `rate` in its metadata or by default."""
    return int(metadata.get("rate", RATE))


def one_after_another(sounds: np.ndarray, rate: int) -> np.ndarray:
    """Joins sounds `[n, samples, 1]` with pauses between them, and returns int16 `[samples]`."""
    pause = round(PAUSE * rate)
    apart = np.pad(as_int16(sounds)[:, :, 0], [(0, 0), (0, pause)]).reshape(-1)
    return apart[: len(apart) - pause]


def _conditions(path: Path, signature: str, chosen: dict[str, str]) -> dict[str, Any]:
    """Checks conditions against the export's metadata, and returns them as numbers or texts."""
    metadata = exported.read_metadata(path)
    usual = exported.usual_values(metadata, signature)
    signatures = metadata.get("signatures", {})
    # Other problems with the signature are reported once the model is loaded.
    if signature in signatures or not signatures:
        if unknown := sorted(chosen.keys() - usual.keys()):
            raise ValueError(
                f"--set {unknown[0]}: signature {signature!r} of {path} accepts "
                f"{', '.join(usual) or 'no conditions'}{nearest(unknown[0], usual)}"
            )
    names = names_of(metadata)
    return {
        name: _value(name, text, usual.get(name), names.get(name, ()))
        for name, text in chosen.items()
    }


def _value(name: str, text: str, usual: Any, names: Sequence[str]) -> Any:
    """Returns the value, a number or a text, of a condition whose default is `usual`."""
    if isinstance(usual, str):
        return text
    value = numbered(name, text, names)
    if value == ANY and usual == -1:
        return -1
    if isinstance(value, str):
        raise ValueError(
            f"--set {name}={text}: expected a number. The default is {said(usual)}."
        )
    if usual == -1 and (isinstance(value, float) or value < 0):
        raise ValueError(f"--set {name}={text}: expected an integer of at least 0, or {ANY}.")
    return value


def numbered(condition: str, text: str, names: Sequence[str]) -> int | float | str:
    """Returns the number of the class or speaker that a text names, or else the text's number.

    If the classes have no names, a text that is not a number is returned unchanged.
    """
    if text in names:
        return list(names).index(text)
    with contextlib.suppress(ValueError):
        return int(text) if text.lstrip("-").isdecimal() else float(text)
    if text == ANY or not names:
        return text
    raise ValueError(
        f"{condition} is {text}: expected a number, or one of {', '.join(names)}"
        f"{nearest(text, names)}"
    )


def said(usual: Any) -> str:
    """Describes a condition's default value. Labels start at 0, and -1 means any label."""
    return ANY if usual == -1 else str(usual)


def refuse_existing(
    targets: Sequence[Path], options: argparse.Namespace, sources: Sequence[Path] = ()
) -> None:
    """Rejects targets that are also sources, and without --overwrite, existing targets."""
    existing = [target for target in targets if os.path.lexists(target)]
    if existing and not options.overwrite:
        more = f" (and {len(existing) - 1} more)" if existing[1:] else ""
        raise FileExistsError(
            f"{existing[0]}{more} already exists: choose another --out, "
            "or pass --overwrite to replace it."
        )
    # Use `os.path.realpath`, because `Path.resolve` raises an error for circular links, which are
    # reported later when the file is read.
    if taken := set(map(os.path.realpath, targets)) & set(map(os.path.realpath, sources)):
        raise ValueError(f"{min(taken)} is one of the input images: choose another --out.")


def known(model: exported.Exported, name: str) -> str:
    """Returns the name of a signature if the model has the signature; otherwise raises an error."""
    if name not in model.inputs:
        names = arrays_alone(model.inputs)
        other = "; to process images, use `keras-gen apply`" if name == "sample" else ""
        raise ValueError(
            f"{model.path} has no signature {name!r}: choose one with --signature, "
            f"from {', '.join(names)}{nearest(name, names)}{other}"
        )
    return name


def arrays_alone(signatures: Iterable[str]) -> list[str]:
    """Returns the signatures that accept arrays, and omits variants that accept file contents."""
    return [name for name in signatures if not name.endswith(exported.SUFFIX)]


def asked(model: exported.Exported, signature: str) -> dict[str, Any]:
    """Returns the inputs of a signature that have no default value."""
    usual = model.defaults(signature)
    return {key: spec for key, spec in model.inputs[signature].items() if key not in usual}


def fits(image: np.ndarray, shape: Sequence[int | None]) -> bool:
    """Returns whether an image has the size that a signature with input `shape` accepts."""
    sizes = zip(image.shape[:2], shape[1:3], strict=True)
    return all(taken in (None, size) for size, taken in sizes)


def fitted(image: np.ndarray, shape: Sequence[int | None]) -> np.ndarray:
    """Prepares an RGB image for a signature with image input `shape`.

    If the signature expects another size, the center is cropped and resized. The image is converted
    to grayscale if the signature expects a single channel.
    """
    _, height, width, channels = shape
    if not fits(image, shape):
        size = (width or height or 0, height or width or 0)
        image = np.asarray(ImageOps.fit(to_pillow(image), size, Image.Resampling.LANCZOS))
    return image if channels == 3 else np.round(luma(image)).astype(np.uint8)


def image_outputs(model: exported.Exported, signature: str) -> list[str]:
    """Returns the outputs of a signature that are images."""
    return [
        key
        for key, spec in model.outputs[signature].items()
        if spec.dtype == "uint8" and spec.shape.rank in (4, 5)
    ]


def sound_outputs(model: exported.Exported, signature: str) -> list[str]:
    """Returns the outputs of a signature that are mono sounds."""
    return [
        key
        for key, spec in model.outputs[signature].items()
        if key == "waveforms" and spec.shape.rank == 3 and spec.shape[-1] == 1
    ]
