"""The command `keras-gen`: runs recipes and exported models, and keeps the pages of results.

Running exports needs the exports alone: neither Keras nor the code that trained them.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_gen.cli import apply, demo, models, recipes, results
from keras_gen.media.animations import VIDEOS
from keras_gen.media.images import SUFFIXES
from keras_gen.sentences import out_of_memory
from keras_gen.serving.tiles import SMALLEST, TILE

LARGEST_GRID = 10_000  # images, which are drawn at once
LARGEST_PORT = 65_535
EXAMPLES = """\
examples:
  keras-gen list
  keras-gen train vae_mnist --preset smoke
  keras-gen apply cyclegan_monet holiday.jpg -o painting.jpg
  keras-gen apply cyclegan_monet "photos/*.jpg" more_photos/ -o paintings
  keras-gen apply cyclegan_monet waves.gif -o painted.gif
  keras-gen sample saved_models/gan_usps/2 -n 100 --seed 7 -o digits.png
  keras-gen sample digits_by_class --set label=3 -o threes.png
  keras-gen demo
  keras-gen reproduce vae_mnist --preset cpu

Existing files are kept unless --overwrite is given.
The exit code is 0 if everything was done, 1 if anything failed, 2 for a wrong command line.
"""
TRAIN = """\
Runs a recipe: trains, draws, measures and exports, with all that it writes below the working
directory. The same as `python recipes/NAME.py`, and with the same flags.
"""
APPLY = """\
Runs a model that turns images into images on images of any size, one after another; on an animated
GIF, PNG or WebP, or on a video, frame by frame. Large images are cut into tiles that overlap. What
cannot be read or processed is named and skipped, and the exit code is then 1.
"""
SAMPLE = """\
Draws new images from a generative model and lays them out in a grid. The same model,
seed and number give the same images.
"""
DEMO = """\
Serves a page for the browser on which exports are tried: images are translated or reconstructed,
samples are drawn, latents are moved. What an export offers follows from its signatures. The page
loads nothing from elsewhere, and an export is loaded when it is first used. Needs
`pip install "keras-gen[demo]"`.
"""
PUBLISH = """\
Writes what exports reached into recipes/results/<recipe>.json. Runs that differ in their seed only
share their lines on the pages: the median run, and the standard deviation. A run of the same
command is replaced.
"""
RESULTS = """\
Writes RESULTS.md, a page for each family in docs/results, and the block of README.md between its
two marks, from recipes/results.
"""
REPRODUCE = """\
Runs the command behind published results again, in a new folder, and compares each figure. The exit
code is 1 if one is outside the tolerance that the recipe states.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `keras-gen`.

    Args:
        argv: The command line after the program's name. Default: that of the process.

    Returns:
        The exit code: 0, or 1 if anything failed. A wrong command line exits with 2.

    Example:
        >>> main(["sample", "gan_usps", "-n", "64", "-o", "grid.png"])    # doctest: +SKIP
        0
    """
    options = _parser().parse_args(argv)
    if argv is None and options.command in ("apply", "sample", "demo"):
        # Else TensorFlow imports Keras, and that half of what is installed, for nothing. Only in a
        # process of its own, as this would take Keras from whatever else runs in it.
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    try:
        return options.run(options)
    except Exception as error:
        sentence = out_of_memory(error) or error
        if sentence is error and not isinstance(error, OSError | ValueError):
            raise
        print(f"keras-gen {options.command}: {sentence}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "keras-gen",
        description="Runs recipes and exported models, and keeps the pages of results.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], summary: str, description: str
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=summary, description=description)
        sub.set_defaults(run=run)
        return sub

    command(
        "list",
        models.list_models,
        "list recipes and exports",
        "Lists the recipes and the exported models, with what each was trained on and how well "
        "it does. Loads no model.",
    )

    sub = command("train", recipes.train, "run a recipe", TRAIN)
    sub.add_argument("recipe", metavar="NAME", help="name of a recipe, which `list` shows")
    sub.add_argument(
        "flags", nargs=argparse.REMAINDER, metavar="...", help="flags of the recipe, such as --help"
    )

    sub = command("apply", apply.apply, "translate images with an export", APPLY)
    _runs_model(
        sub,
        "a file for one image, in the format that its ending tells (.mp4 for a video), or else a "
        "folder, made if it is missing, of PNG images; there animations keep their format",
        "signature to run (default: serving_default if it turns images into images, "
        "else the one that does)",
    )
    sub.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=f"files ({', '.join(SUFFIXES)}), folders of them, or quoted globs, in "
        f"which ** stands for any folders; videos ({', '.join(VIDEOS)}) by name or glob",
    )
    sub.add_argument(
        "--tile",
        type=_tile,
        default=TILE,
        metavar="PIXELS",
        help=f"side of the tiles of large images, {SMALLEST} or more; 0 never cuts "
        f"(default: {TILE})",
    )

    sub = command("sample", models.sample, "draw new images from an export", SAMPLE)
    _runs_model(sub, "the .png file", "signature to run (default: sample)")
    sub.add_argument(
        "-n", type=_grid, default=64, metavar="N", help="how many images (default: 64)"
    )
    sub.add_argument(
        "--seed", type=_int32, default=0, metavar="SEED", help="any 32-bit integer (default: 0)"
    )
    sub.add_argument(
        "--columns",
        type=_positive,
        metavar="N",
        help="images in a row (default: nearly a square)",
    )

    sub.add_argument(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a condition of the model, such as label=3 or temperature=0.9; may be given again",
    )

    sub = command("demo", demo.demo, "try exports on a page in the browser", DEMO)
    sub.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        help="folder of exports, or of one (default: saved_models)",
    )
    sub.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address to listen at; 0.0.0.0 lets other machines in (default: 127.0.0.1)",
    )
    sub.add_argument(
        "--port",
        type=_port,
        default=demo.PORT,
        metavar="N",
        help=f"port to listen on; 0 takes a free one (default: {demo.PORT})",
    )
    sub.add_argument(
        "--max-megabytes",
        type=_positive,
        default=20,
        metavar="N",
        help="size of the largest file that is taken (default: 20)",
    )

    sub = command("publish", results.publish, "add exports to the pages of results", PUBLISH)
    sub.add_argument(
        "exports",
        nargs="+",
        metavar="MODEL",
        help="name of an export (its highest version is taken) or a path to one",
    )
    sub.add_argument(
        "--note",
        metavar="TEXT",
        help="why a figure is worse than the paper's, or what else must be known (default: the "
        "note of the run that is replaced)",
    )

    sub = command("results", results.results, "write the pages of results", RESULTS)
    sub.add_argument(
        "--check",
        action="store_true",
        help="write nothing; the exit code is 1 if a file differs from the published runs",
    )

    sub = command("reproduce", results.reproduce, "run a published command again", REPRODUCE)
    sub.add_argument("recipe", metavar="NAME", help="name of a recipe with published runs")
    sub.add_argument(
        "--preset",
        metavar="PRESET",
        help="which published command (default: the one that took the fewest minutes)",
    )
    sub.add_argument(
        "--output",
        type=Path,
        metavar="DIR",
        help="new folder of all that the run writes (default: runs/reproduce/NAME-TIME)",
    )

    for name in ("list", "apply", "sample", "publish"):
        commands.choices[name].add_argument(
            "--models",
            type=Path,
            default=recipes.place("saved_models"),
            metavar="DIR",
            help="folder of the exports, <DIR>/<name>/<version>/ (default: saved_models)",
        )
    for name in ("publish", "results", "reproduce"):
        commands.choices[name].add_argument(
            "--root",
            type=Path,
            default=Path(),
            metavar="DIR",
            help="the repository, which holds recipes/ (default: the working directory)",
        )
    return parser


def _runs_model(sub: argparse.ArgumentParser, out: str, signature: str) -> None:
    sub.add_argument(
        "model",
        metavar="MODEL",
        help="name of an export (its highest version is taken) or a path to one",
    )
    sub.add_argument("-o", "--out", type=Path, required=True, metavar="OUT", help=out)
    sub.add_argument("--signature", metavar="NAME", help=signature)
    sub.add_argument("--overwrite", action="store_true", help="replace existing files")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive integer")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > LARGEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to {LARGEST_PORT}")
    return int(text)


def _grid(text: str) -> int:
    if _positive(text) > LARGEST_GRID:
        raise argparse.ArgumentTypeError(
            f"{text} images are more than the {LARGEST_GRID} of one grid: draw several with other "
            "seeds"
        )
    return int(text)


def _tile(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < SMALLEST:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor {SMALLEST} or more")
    return int(text)


def _int32(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 2**31
    if not -(2**31) <= value < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is not a 32-bit integer")
    return value


def _setting(text: str) -> tuple[str, int | float]:
    name, _, value = text.partition("=")
    try:
        return name, int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as label=3") from None
