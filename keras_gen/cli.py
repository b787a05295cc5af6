"""The command `keras-gen`: what can be trained, what was exported, and exports at work.

It needs the exports alone: neither Keras nor the code that trained them.
"""

import argparse
import ast
import glob
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keras_gen import exported

if TYPE_CHECKING:
    import numpy as np

READABLE = (".png", ".jpg", ".jpeg", ".bmp", ".gif")
CHECKOUT = Path(__file__).resolve().parents[1]

EXAMPLES = """\
examples:
  keras-gen list
  keras-gen apply cyclegan_monet holiday.jpg -o painting.png
  keras-gen apply cyclegan_monet "photos/*.jpg" more_photos/ -o paintings
  keras-gen sample saved_models/gan_usps/2 -n 100 --seed 7 -o digits.png

Pictures are written as PNG, never over an existing file unless --overwrite is given.
The exit code is 0 if everything was done, 1 if anything failed, 2 for a wrong command line.
"""
APPLY = """\
Runs a model that turns pictures into pictures on pictures of any size, one after another.
A picture that cannot be read or processed is named and skipped, and the exit code is then 1.
"""
SAMPLE = """\
Draws new pictures from a generative model and lays them out in a grid. The same model,
seed and number give the same pictures.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `keras-gen`.

    Args:
        argv: The command line after the program's name: that of the process unless given.

    Returns:
        The exit code: 0, or 1 if anything failed. A wrong command line exits with 2.

    Example:
        >>> main(["sample", "gan_usps", "-n", "64", "-o", "grid.png"])    # doctest: +SKIP
        0
    """
    options = _parser().parse_args(argv)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return options.run(options)
    except (OSError, ValueError) as error:
        print(f"keras-gen {options.command}: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "keras-gen",
        description="Lists recipes and exported models, and runs exported models.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], summary: str, description: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=description)
        sub.set_defaults(run=run)
        sub.add_argument(
            "--models",
            type=Path,
            default=_folder("saved_models"),
            metavar="DIR",
            help="folder of the exports, <DIR>/<name>/<version>/ (default: saved_models)",
        )
        return sub

    def runs_model(sub: argparse.ArgumentParser, out: str, signature: str) -> None:
        sub.add_argument(
            "model",
            metavar="MODEL",
            help="name of an export (its highest version is taken) or a path to one",
        )
        sub.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help=out)
        sub.add_argument("--signature", metavar="NAME", help=signature)
        sub.add_argument("--overwrite", action="store_true", help="replace existing files")

    command(
        "list",
        _list,
        "list recipes and exports",
        "Lists the recipes and the exported models, with what each was trained on and how well "
        "it does. Loads no model.",
    )

    sub = command("apply", _apply, "translate pictures with an export", APPLY)
    runs_model(
        sub,
        "a .png file for one picture, or else a folder, made if it is missing",
        "signature to run (default: serving_default if it turns pictures into pictures, "
        "else the one that does)",
    )
    sub.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=f"files ({', '.join(READABLE)}), folders of them, or quoted globs, in "
        "which ** stands for any folders",
    )

    sub = command("sample", _sample, "draw new pictures from an export", SAMPLE)
    runs_model(sub, "the .png file", "signature to run (default: sample)")
    sub.add_argument(
        "-n", type=_positive, default=64, metavar="N", help="how many pictures (default: 64)"
    )
    sub.add_argument(
        "--seed", type=_int32, default=0, metavar="SEED", help="any 32-bit integer (default: 0)"
    )
    sub.add_argument(
        "--columns",
        type=_positive,
        metavar="N",
        help="pictures in a row (default: nearly a square)",
    )
    return parser


def _list(options: argparse.Namespace) -> int:
    recipes = _folder("recipes")
    rows = [[path.stem, _summary(path)] for path in sorted(recipes.glob("[!_]*.py"))]
    print(f"recipes in {recipes}: {len(rows) or 'none'}")
    _table(rows)

    rows = []
    for name in _exports(options.models):
        for version, path in exported.versions(options.models / name).items():
            rows.append([name, str(version), *_facts(path)])
    print(f"\nexports in {options.models}: {len(rows) or 'none'}")
    if rows:
        _table([["NAME", "VERSION", "SIZE", "PARAMETERS", "DATA", "METRIC", "SIGNATURES"], *rows])
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


def _table(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  " + "  ".join(cells).rstrip())


def _apply(options: argparse.Namespace) -> int:
    paths = _pictures(options.images)
    targets = _targets(paths, options.out)
    _keep_existing(targets, options)
    if taken := {target.resolve() for target in targets} & {path.resolve() for path in paths}:
        raise ValueError(f"{min(taken)} is one of the pictures to read: choose another --out.")
    model = _load(options)
    signature = _translator(model, options.signature)
    (name,), (output,) = model.inputs[signature], _image_outputs(model, signature)[:1]

    from tqdm import tqdm

    from keras_gen.images import read_image, write_png

    failed = 0
    pairs = list(zip(paths, targets, strict=True))
    for path, target in tqdm(pairs, unit="picture", disable=None):  # no bar in a log file
        try:
            write_png(target, _run(model, signature, output, **{name: read_image(path)[None]})[0])
        except (OSError, ValueError) as error:
            failed += 1
            tqdm.write(f"keras-gen apply: skipped {path}: {error}", file=sys.stderr)
    print(
        f"{len(paths) - failed} of {len(paths)} pictures written to {options.out}"
        + (f"; {failed} failed" if failed else "")
    )
    return 1 if failed else 0


def _sample(options: argparse.Namespace) -> int:
    if options.out.suffix.lower() != ".png":
        raise ValueError(
            f"--out is {options.out}: the grid is written as PNG, so its name ends in .png."
        )
    _keep_existing([options.out], options)
    model = _load(options)
    signature = _known(model, options.signature or "sample")
    outputs = _image_outputs(model, signature)
    if set(model.inputs[signature]) != {"seed", "n"} or not outputs:
        raise ValueError(
            f"signature {signature!r} of {model.path} does not turn (seed, n) into "
            f"pictures: choose another one with --signature, from "
            f"{', '.join(model.inputs)}."
        )

    from keras_gen.images import grid, write_png

    images = _run(model, signature, outputs[0], seed=options.seed, n=options.n)
    write_png(options.out, grid(images, options.columns))
    print(f"{len(images)} pictures written to {options.out}")
    return 0


def _pictures(patterns: Sequence[str]) -> list[Path]:
    """The files meant by files, folders and globs, each once."""
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
            if file == path or file.suffix.lower() in READABLE
        ]
        if not matches:
            raise FileNotFoundError(
                f"no picture matches {pattern!r}: expected files, folders or "
                f"globs of {', '.join(READABLE)}."
            )
        found.update(dict.fromkeys(matches))
    return list(found)


def _targets(paths: list[Path], out: Path) -> list[Path]:
    """Where each picture goes."""
    suffix = out.suffix.lower()
    if not out.is_dir() and suffix in READABLE:
        if suffix != ".png":
            raise ValueError(
                f"--out is {out}: pictures are written as PNG, so its name ends in "
                ".png, or it is a folder."
            )
        if len(paths) > 1:
            raise ValueError(
                f"--out is the file {out} and there are {len(paths)} pictures: give a folder."
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


def _load(options: argparse.Namespace) -> exported.Exported:
    for path in (Path(options.model), options.models / options.model):
        if path.is_dir():
            return exported.load(path)
    known = ", ".join(_exports(options.models)) or "none"
    raise FileNotFoundError(
        f"there is no model {options.model!r}, neither as a path nor in "
        f"{options.models}, which holds: {known}."
    )


def _translator(model: exported.Exported, name: str | None) -> str:
    """The signature, `name` unless None, that turns pictures into pictures."""
    able = [
        key
        for key, inputs in model.inputs.items()
        if [_is_image(spec) for spec in inputs.values()] == [True] and _image_outputs(model, key)
    ]
    if (name is not None and _known(model, name) not in able) or not able:
        raise ValueError(
            f"{f'signature {name!r} of ' if name else ''}{model.path} does not turn "
            f"pictures into pictures; those that do: {', '.join(able) or 'none'}."
        )
    if name is None and "serving_default" not in able and len(able) > 1:
        raise ValueError(
            f"{model.path} has several signatures that turn pictures into pictures: "
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


def _run(model: exported.Exported, signature: str, output: str, **inputs: Any) -> "np.ndarray":
    import tensorflow as tf

    try:
        return model(signature, **inputs)[output]
    except tf.errors.OpError as error:
        message = error.message.strip().splitlines()[0][:200]
        raise ValueError(f"signature {signature!r} of {model.path} failed: {message}") from error


def _image_outputs(model: exported.Exported, signature: str) -> list[str]:
    return [
        key
        for key, spec in model.outputs[signature].items()
        if spec.dtype == "uint8" and spec.shape.rank == 4
    ]


def _is_image(spec: Any) -> bool:
    return spec.dtype == "uint8" and spec.shape.rank == 4 and spec.shape[-1] == 3


def _exports(models: Path) -> list[str]:
    """Names of the exports in folder `models`."""
    if not models.is_dir():
        return []
    return sorted(path.name for path in models.iterdir() if exported.versions(path))


def _folder(name: str) -> Path:
    """`name` in the working directory, or else beside the package in its checkout."""
    beside = CHECKOUT / name
    return Path(name) if Path(name).is_dir() or not beside.is_dir() else beside


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _int32(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 2**31
    if not -(2**31) <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a 32-bit integer")
    return value


if __name__ == "__main__":
    sys.exit(main())
