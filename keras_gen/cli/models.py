"""`keras-gen list`, `apply` and `sample`: exports listed and run."""

import argparse
import ast
import glob
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_gen.cli.text import print_table
from keras_gen.images import SUFFIXES, grid, luma, read_image, write_png
from keras_gen.sentences import refusal
from keras_gen.serving import exported

CHECKOUT = Path(__file__).resolve().parents[2]


def list_models(options: argparse.Namespace) -> int:
    """Prints the recipes and the exports."""
    recipes = folder("recipes")
    rows = [[path.stem, _summary(path)] for path in sorted(recipes.glob("[!_]*.py"))]
    print(f"recipes in {recipes}: {len(rows) or 'none'}")
    print_table(rows)

    rows = []
    for name in _exports(options.models):
        for version, path in exported.versions(options.models / name).items():
            rows.append([name, str(version), *_facts(path)])
    print(f"\nexports in {options.models}: {len(rows) or 'none'}")
    if rows:
        print_table(
            [["NAME", "VERSION", "SIZE", "PARAMETERS", "DATA", "METRIC", "SIGNATURES"], *rows]
        )
    return 0


def _summary(recipe: Path) -> str:
    try:
        doc = ast.get_docstring(ast.parse(recipe.read_bytes()))
    except (SyntaxError, ValueError) as error:
        return f"(not valid Python: {error})"
    return doc.splitlines()[0] if doc else ""


def _facts(path: Path) -> list[str]:
    """Size, parameters, data, headline metric and signatures of one export."""
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 2**20
    try:
        metadata = exported.read_metadata(path)
        networks, data, metrics = (
            metadata.get(key) or {} for key in ("networks", "data", "metrics")
        )
        parameters = f"{sum(network['parameters'] for network in networks.values()):,}"
        headline = next(
            (
                f"{key} {value:.4g}"
                for key, value in metrics.items()
                if isinstance(value, int | float)
            ),
            "",
        )
        return [
            f"{size:.1f} MiB",
            parameters if networks else "",
            str(data.get("name", "") if isinstance(data, dict) else data),
            headline,
            ", ".join(metadata.get("signatures", {})),
        ]
    except (ValueError, TypeError, KeyError, AttributeError):
        return [f"{size:.1f} MiB", "(unreadable metadata)", "", "", ""]


def apply(options: argparse.Namespace) -> int:
    """Translates images."""
    paths = _images(options.images)
    targets = _targets(paths, options.out)
    _keep_existing(targets, options)
    if taken := {target.resolve() for target in targets} & {path.resolve() for path in paths}:
        raise ValueError(f"{min(taken)} is one of the images to read: choose another --out.")
    model = exported.load(find(options.models, options.model))
    signature = _translator(model, options.signature)
    ((name, spec),) = _asked(model, signature).items()
    usual = _defaults(model, signature)
    (output,) = _image_outputs(model, signature)[:1]

    from tqdm import tqdm

    failed = 0
    pairs = list(zip(paths, targets, strict=True))
    for path, target in tqdm(pairs, unit="image", disable=None):  # no bar in a log file
        try:
            image = _fitting(read_image(path), spec.shape)
            inputs = usual | {name: image[None]}
            write_png(target, _run(model, signature, output, **inputs)[0])
        except (OSError, ValueError) as error:
            failed += 1
            tqdm.write(f"keras-gen apply: skipped {path}: {error}", file=sys.stderr)
    print(
        f"{len(paths) - failed} of {len(paths)} images written to {options.out}"
        + (f"; {failed} failed" if failed else "")
    )
    return 1 if failed else 0


def sample(options: argparse.Namespace) -> int:
    """Draws a grid of images."""
    if options.out.suffix.lower() != ".png":
        raise ValueError(
            f"--out is {options.out}: the grid is written as PNG, so its name ends in .png."
        )
    _keep_existing([options.out], options)
    model = exported.load(find(options.models, options.model))
    signature = _known(model, options.signature or "sample")
    outputs, told = _image_outputs(model, signature), dict(options.set)
    usual = _defaults(model, signature)
    if unknown := sorted(told.keys() - usual.keys()):
        raise ValueError(
            f"--set {unknown[0]}: signature {signature!r} of {model.path} has "
            f"{', '.join(usual) or 'nothing'} to set."
        )
    if set(_asked(model, signature)) != {"seed", "n"} or not outputs:
        raise ValueError(
            f"signature {signature!r} of {model.path} does not turn (seed, n) into "
            f"images: choose another one with --signature, from "
            f"{', '.join(model.inputs)}."
        )

    inputs = usual | told | {"seed": options.seed, "n": options.n}
    images = _run(model, signature, outputs[0], **inputs)
    write_png(options.out, grid(images, options.columns))
    print(f"{len(images)} images written to {options.out}")
    return 0


def _images(patterns: Sequence[str]) -> list[Path]:
    """The image files that files, folders and globs name, each once."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        matches = (
            [path]
            if path.exists()
            else [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]
        )
        matches = [
            file
            for match in matches
            for file in (sorted(match.iterdir()) if match.is_dir() else [match])
            if file == path or file.suffix.lower() in SUFFIXES
        ]
        if not matches:
            raise FileNotFoundError(
                f"no image matches {pattern!r}: expected files, folders or "
                f"globs of {', '.join(SUFFIXES)}."
            )
        found.update(dict.fromkeys(matches))
    return list(found)


def _targets(paths: list[Path], out: Path) -> list[Path]:
    """Where each image goes."""
    suffix = out.suffix.lower()
    if not out.is_dir() and suffix in SUFFIXES:
        if suffix != ".png":
            raise ValueError(
                f"--out is {out}: images are written as PNG, so its name ends in "
                ".png, or it is a folder."
            )
        if len(paths) > 1:
            raise ValueError(
                f"--out is the file {out} and there are {len(paths)} images: give a folder."
            )
        return [out]
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out is {out}, an existing file: give a .png file or a folder.")
    targets: dict[Path, Path] = {}
    for path in paths:
        target = out / f"{path.stem}.png"
        if target in targets:
            raise ValueError(
                f"{targets[target]} and {path} would both become {target}: run them "
                "into separate folders."
            )
        targets[target] = path
    return list(targets)


def _keep_existing(targets: list[Path], options: argparse.Namespace) -> None:
    existing = [target for target in targets if target.exists()]
    if existing and not options.overwrite:
        more = f" (and {len(existing) - 1} more)" if existing[1:] else ""
        raise FileExistsError(
            f"{existing[0]}{more} is already there: choose another --out, "
            "or pass --overwrite to replace."
        )


def find(models: Path, model: str) -> Path:
    """The folder that MODEL names: a path, or a name in the folder `models`."""
    for path in (Path(model), models / model):
        if path.is_dir():
            return path
    known = ", ".join(_exports(models)) or "none"
    raise FileNotFoundError(
        f"there is no model {model!r}, neither as a path nor in {models}, which holds: {known}."
    )


def _translator(model: exported.Exported, name: str | None) -> str:
    """The signature, `name` unless None, that turns images into images."""
    able = [
        key
        for key in model.inputs
        if [_is_image(spec) for spec in _asked(model, key).values()] == [True]
        and _image_outputs(model, key)
    ]
    if (name is not None and _known(model, name) not in able) or not able:
        raise ValueError(
            f"{f'signature {name!r} of ' if name else ''}{model.path} does not turn "
            f"images into images; those that do: {', '.join(able) or 'none'}."
        )
    if name is None and "serving_default" not in able and len(able) > 1:
        raise ValueError(
            f"{model.path} has several signatures that turn images into images: "
            f"choose one with --signature, from {', '.join(able)}."
        )
    return name or ("serving_default" if "serving_default" in able else able[0])


def _known(model: exported.Exported, name: str) -> str:
    if name not in model.inputs:
        raise ValueError(
            f"{model.path} has no signature {name!r}: choose one with --signature, "
            f"from {', '.join(model.inputs)}."
        )
    return name


def _run(model: exported.Exported, signature: str, output: str, **inputs: Any) -> np.ndarray:
    import tensorflow as tf

    try:
        return model(signature, **inputs)[output]
    except tf.errors.OpError as error:
        message = refusal(error.message) or error.message.strip().splitlines()[0][:200]
        raise ValueError(f"signature {signature!r} of {model.path} failed: {message}") from error


def _defaults(model: exported.Exported, signature: str) -> dict[str, Any]:
    """The usual values of inputs that may be left out."""
    default = model.metadata.get("default_signature")
    name = default if signature == "serving_default" else signature
    return dict(model.metadata.get("defaults", {}).get(name, {}))


def _asked(model: exported.Exported, signature: str) -> dict[str, Any]:
    """The inputs that have no usual value."""
    usual = _defaults(model, signature)
    return {key: spec for key, spec in model.inputs[signature].items() if key not in usual}


def _image_outputs(model: exported.Exported, signature: str) -> list[str]:
    return [
        key
        for key, spec in model.outputs[signature].items()
        if spec.dtype == "uint8" and spec.shape.rank == 4
    ]


def _is_image(spec: Any) -> bool:
    return spec.dtype == "uint8" and spec.shape.rank == 4 and spec.shape[-1] in (1, 3)


def _fitting(image: np.ndarray, shape: Sequence[int | None]) -> np.ndarray:
    """An RGB image as a signature of images `shape` takes it: gray, if those are."""
    (height, width), (high, wide) = image.shape[:2], shape[1:3]
    if high not in (None, height) or wide not in (None, width):
        raise ValueError(
            f"it is {width} pixels wide and {height} high, and the model takes {wide or 'any'} by "
            f"{high or 'any'}: resize or crop it."
        )
    if shape[-1] == 3:
        return image
    return np.round(luma(image)).astype(np.uint8)


def _exports(models: Path) -> list[str]:
    """Names of the exports in folder `models`."""
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if exported.versions(path))


def folder(name: str) -> Path:
    """`name` in the working directory, or else beside the package in its checkout."""
    beside = CHECKOUT / name
    return Path(name) if Path(name).is_dir() or not beside.is_dir() else beside
