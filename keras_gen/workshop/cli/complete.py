"""`keras-gen complete`: inpaints the missing part of an image."""

import argparse
from typing import Any

import numpy as np

from keras_gen.files.images import enlarged_grid, read_image, write_image
from keras_gen.serving import exported
from keras_gen.workshop.cli import models

# Bounds of the missing part (top, bottom, left, right), in units of half the image's side.
HALVES = {
    "lower": (1, 2, 0, 2),
    "upper": (0, 1, 0, 2),
    "left": (0, 2, 0, 1),
    "right": (0, 2, 1, 2),
}
WHITE = 128  # minimum mask value of missing pixels


def complete(options: argparse.Namespace) -> int:
    """Inpaints the missing part of an image one or more times."""
    given = [options.image] if options.mask is None else [options.image, options.mask]
    models.refuse_existing([options.out], options, given)
    path = exported.resolve(exported.find(options.models, options.model))
    image = read_image(options.image)
    mask = None if options.mask is None else read_image(options.mask)
    if mask is not None and mask.shape != image.shape:
        raise ValueError(
            f"--mask {options.mask} has {_size(mask)} pixels, but {options.image} has "
            f"{_size(image)}: pass a mask of the same size."
        )
    model = exported.load(path)
    signature = _completing(model, options.signature)
    shape = model.inputs[signature]["images"].shape
    if not options.fit and not models.fits(image, shape):
        raise ValueError(
            f"{options.image} has {_size(image)} pixels: expected {shape[2]} x {shape[1]}. Pass "
            "--fit to crop the center and resize it."
        )
    if mask is None:
        missing = half(options.missing, *shape[1:3])
    else:
        missing = models.fitted(mask, [*shape[:3], 1]) >= WHITE
    if not missing.any():
        raise ValueError(
            f"--mask {options.mask} has no white pixels: expected white where pixels are "
            "missing."
        )
    label = options.label
    if label is not None:
        label = models.numbered("--label", label, models.names_of(model.metadata)["label"])
    labels = _labels(model, signature, label)
    drawn = _drawn(model, signature, models.fitted(image, shape), missing, labels, options)
    write_image(options.out, drawn[0] if len(drawn) == 1 else enlarged_grid(drawn, len(labels)))
    columns = f", one column for each of {len(labels)} labels" if len(labels) > 1 else ""
    images = "image" if len(drawn) == 1 else "images"
    print(f"{len(drawn)} completed {images} written to {options.out}{columns}")
    return 0


def half(name: str, height: int, width: int) -> np.ndarray:
    """Returns a mask, uint8 `[h, w, 1]`, that is 1 in the named half of an image; see `HALVES`."""
    top, bottom, left, right = HALVES[name]
    mask = np.zeros([height, width, 1], np.uint8)
    rows = slice(top * height // 2, bottom * height // 2)
    columns = slice(left * width // 2, right * width // 2)
    mask[rows, columns] = 1
    return mask


def completes(asked: dict[str, Any]) -> bool:
    """Returns whether inputs are the inputs of an inpainting signature."""
    return {"images", "masks"} <= asked.keys() <= {"images", "masks", "seeds", "labels"}


def _completing(model: exported.Exported, name: str | None) -> str:
    """Returns the inpainting signature for a fixed image size: `name`, or the default if None."""
    able = [
        key
        for key in models.arrays_alone(model.inputs)
        if completes(models.asked(model, key)) and all(model.inputs[key]["images"].shape[1:3])
    ]
    if (name is not None and models.known(model, name) not in able) or not able:
        raise ValueError(
            f"{f'signature {name!r} of ' if name else ''}{model.path} does not complete images. "
            f"Signatures that do: {', '.join(able) or 'none'}."
        )
    return name or able[0]


def _labels(model: exported.Exported, signature: str, label: Any) -> list[int]:
    """Returns the requested label, or else all known labels if the signature accepts labels."""
    if "labels" not in model.inputs[signature]:
        if label is not None:
            raise ValueError(
                f"--label is {label}, but signature {signature!r} of {model.path} does not "
                "accept "
                "labels: leave --label out."
            )
        return [0]
    if label is not None:
        if not isinstance(label, int) or label < 0:
            raise ValueError(f"--label is {label}: expected an integer of at least 0.")
        return [label]
    logits = model.outputs.get("classify", {}).get("logits")
    return list(range(logits.shape[-1])) if logits is not None else [0]


def _drawn(
    model: exported.Exported,
    signature: str,
    image: np.ndarray,
    missing: np.ndarray,
    labels: list[int],
    options: argparse.Namespace,
) -> np.ndarray:
    """Returns the completed images: `options.n` per label, ordered by seed and then by label."""
    asked = models.asked(model, signature)
    if "seeds" not in asked and options.n > 1:
        raise ValueError(
            f"-n is {options.n}, but signature {signature!r} of {model.path} is deterministic "
            "and returns one completion per image: leave out -n."
        )
    count = options.n * len(labels)
    inputs = {
        "images": [image] * count,
        "masks": [missing] * count,
        "seeds": np.repeat(np.arange(options.seed, options.seed + options.n), len(labels)),
        "labels": labels * options.n,
    }
    arrays = {name: np.asarray(inputs[name], spec.dtype.name) for name, spec in asked.items()}
    return model(signature, **arrays)[models.image_outputs(model, signature)[0]]


def _size(image: np.ndarray) -> str:
    return f"{image.shape[1]} x {image.shape[0]}"
