"""The command `keras-gen`: runs recipes and exported models, and keeps the pages of results.

Running exports needs the exports alone: neither Keras nor the code that trained them.
"""

import argparse
import contextlib
import importlib.metadata
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import keras_gen
import keras_gen.workshop.interrupts
from keras_gen.files.animations import VIDEOS
from keras_gen.files.images import SUFFIXES
from keras_gen.files.places import place
from keras_gen.messages import out_of_memory
from keras_gen.serving.tiles import SMALLEST, TILE
from keras_gen.workshop.cli import (
    apply,
    complete,
    demo,
    finding,
    listing,
    models,
    new,
    recipes,
    results,
)

LARGEST_GRID = 10_000  # images, which are drawn at once
# What file systems take: bytes of a name, and characters of a path.
LONGEST_NAME, LONGEST_PATH = 255, 4000
EXAMPLES = """\
examples:
  keras-gen list
  keras-gen find CycleGAN
  keras-gen find "mode collapse"
  keras-gen show vae_mnist
  keras-gen train vae_mnist --preset smoke
  keras-gen apply cyclegan_monet holiday.jpg -o painting.jpg
  keras-gen apply cyclegan_monet "photos/*.jpg" more_photos/ -o paintings
  keras-gen apply cyclegan_monet waves.gif -o painted.gif
  keras-gen apply vae_mnist photo.jpg --fit -o digit.png
  keras-gen sample saved_models/dcgan_fashion_mnist/1 -n 100 --seed 7 -o clothes.png
  keras-gen sample conditional_gan_mnist --set label=3 -o threes.png
  keras-gen complete gated_pixel_cnn_mnist half.png --label 3 -o whole.png
  keras-gen sample wavenet_spoken_digit -n 4 -o digits.wav
  keras-gen demo
  keras-gen reproduce vae_mnist --preset cpu
  keras-gen new my_model

Existing files are kept unless --overwrite is given.
The exit code is 0 if everything was done, 1 if anything failed, 2 for a wrong command line.
"""
LIST = """\
Lists the recipes and the exported models: what each does, how long its training takes, and whether
an export is there. Loads no model.
"""
FIND = """\
Find classes, recipes, topics, metrics, glossary terms, tasks, and chapters by their names, by other
words for them, or by phrases. Print the best matches first, with their files, recipes, training
times, chapters, and pictures. Load no model.
"""
SHOW = """\
Says what is known of a recipe and its export: minutes, size, data and their terms, the figure that
the export reached, and its signatures with what can be set. Loads no model.
"""
TRAIN = "Runs a recipe: the same as `python recipes/NAME.py`, and with the same flags."
APPLY = """\
Runs a model that turns images into images, on images, animations and videos. Large images are cut
into tiles that overlap. Files that cannot be read or processed are named and skipped, and the exit
code is then 1.
"""
SAMPLE = """\
Draws new images from a generative model in a grid, or new sounds, one after another. The same
model, seed and number give the same ones.
"""
COMPLETE = """\
Draws what is missing of an image, with an export that can: one image, or a grid of several, a row
for each seed. Of a model of classes there is a column for each class, or for one by --label.
"""
DEMO = """\
Serves a page for the browser: images are translated or reconstructed, samples are drawn, latents
are moved. The page loads nothing from elsewhere. Needs `pip install "keras-generative[demo]"`.
"""
NEW = """\
Writes a folder with a model class of your own, a recipe that trains and measures it, and its tests,
which pass as they are: to be changed into your method.
"""
PUBLISH = """\
Writes what exports reached into recipes/results/<recipe>.json. Runs that differ in their seed only
share their lines on the pages: the median run, and the standard deviation. A run of the same
command is replaced.
"""
RESULTS = """\
Writes RESULTS.md, a page for each family in docs/results, docs/topics.md, and the block of
README.md between its two marks, from recipes: only in a checkout of this project.
"""
REPRODUCE = """\
Runs the command behind published results again, in a new folder, and compares each figure. The exit
code is 1 if one is outside the tolerance that the recipe states. It begins with the minutes of each
published command, and ends early without the published data.
"""


MODEL = "name of an export (its highest version is taken) or a path to one"
MODELS = "folder of the exports, <DIR>/<name>/<version>/ (default: saved_models)"
ROOT = "the repository, which holds recipes/ (default: the working directory)"
RECIPES = (
    "folder that holds recipes/ (default: the working directory, or where they are installed)"
)
IMAGES = f"""\
files ({", ".join(SUFFIXES)}), folders of them, or quoted globs, in which ** stands for any folders;
videos ({", ".join(VIDEOS)}) by name or glob
"""
OUT = """\
a file for one image, in the format of its ending (.mp4 for a video), or else a folder, made if it
is missing, of PNG images; there animations keep their format
"""
FIT = "if the model takes one size, cut out the center of each image and resize it"
CUT = "if the model takes one size, cut larger images into tiles of it that fade into each other"
TILES = f"side of the tiles of large images, {SMALLEST} or more; 0 never cuts (default: {TILE})"
LABEL = "the class: a number from 0, or its name (default: each of them)"
MASK = "an image of the same size, white where pixels are missing, in place of --missing"
MISSING = f"the half that is missing: {', '.join(complete.HALVES)} (default: lower)"
CONDITION = (
    "a condition of the model, such as label=3, label=Bag, label=any or steps=20; may be given "
    "again"
)
FOLDERS = "name of an export, or a folder of one or of several (default: all of --models)"
HOST = "address to listen at; 0.0.0.0 lets other machines in (default: 127.0.0.1)"
PORT = f"port to listen on; 0 takes a free one (default: {demo.PORT})"
MEGABYTES = "size of the largest file that is taken (default: 20)"
NOTE = """\
why a figure is worse than the paper's, or what else must be known (default: the note of the row
that is replaced)
"""
OUTPUT = "new folder of all that the run writes (default: runs/reproduce/NAME-TIME)"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `keras-gen`.

    Args:
        argv: The command line after the program's name. Default: that of the process.

    Returns:
        The exit code: 0, or 1 if anything failed. A wrong command line exits with 2.

    Example:
        >>> main(["sample", "vae_mnist", "-n", "64", "-o", "grid.png"])    # doctest: +SKIP
        0
    """
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # a shell asks what may come next, and the process ends
        import argcomplete

        argcomplete.autocomplete(parser)
    options = parser.parse_args(argv)
    if argv is None and options.command in ("apply", "complete", "sample", "demo"):
        # Else TensorFlow imports Keras, and that half of what is installed, for nothing. Only in a
        # process of its own, as this would take Keras from whatever else runs in it.
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    try:
        return options.run(options)
    except BrokenPipeError:  # the reader has seen enough, as in `keras-gen list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
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
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable, summary: str, description: str) -> Callable:
        sub = commands.add_parser(name, help=summary, description=description)
        sub.set_defaults(run=run)
        return sub.add_argument

    add = command("list", listing.list_models, "list recipes and exports", LIST)
    _add_models(add)

    add = command("find", finding.find, "find a method, a metric, or a topic", FIND)
    add("words", nargs="+", metavar="WORD", help='words such as VAE, FID, or "mode collapse"')
    _add_models(add)

    add = command("show", listing.show, "say more about one of them", SHOW)
    add("name", type=_named, metavar="NAME", help="name of a recipe or an export")
    _add_models(add)

    add = command("train", recipes.train, "run a recipe", TRAIN)
    recipe = add("recipe", metavar="NAME", help="name of a recipe, which `list` shows")
    recipe.completer = lambda **_: recipes.recipes()
    add("flags", nargs=argparse.REMAINDER, metavar="...", help="flags of it, such as --help")

    add = command("apply", apply.apply, "translate images with an export", APPLY)
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add("images", nargs="+", type=_named, metavar="IMAGE", help=IMAGES)
    add("-o", "--out", type=_path, required=True, metavar="OUT", help=OUT)
    add("--signature", metavar="NAME", help="signature that turns images into images")
    add("--overwrite", action="store_true", help="replace existing files")
    add("--fit", action="store_true", help=FIT)
    add("--cut", action="store_true", help=CUT)
    add("--tile", type=_tile, default=TILE, metavar="PIXELS", help=TILES)
    _add_models(add)

    add = command("sample", models.sample, "draw new images from an export", SAMPLE)
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add(
        "-o",
        "--out",
        type=_path,
        required=True,
        metavar="OUT",
        help="the file: .png, of sounds .wav",
    )
    add("--signature", metavar="NAME", help="signature to run (default: sample)")
    add("--overwrite", action="store_true", help="replace an existing file")
    add("-n", type=_grid, metavar="N", help="how many (default: 64 images, or 8 sounds)")
    add("--seed", type=_int32, default=0, metavar="SEED", help="any 32-bit integer (default: 0)")
    add(
        "--columns",
        type=_positive,
        metavar="N",
        help="images in a row (default: nearly a square)",
    )
    add(
        "--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", help=CONDITION
    )
    _add_models(add)

    add = command("complete", complete.complete, "draw what is missing of an image", COMPLETE)
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add("image", type=_path, metavar="IMAGE", help="an image file")
    add("-o", "--out", type=_path, required=True, metavar="OUT", help="the image file to write")
    add("--missing", choices=complete.HALVES, default="lower", metavar="HALF", help=MISSING)
    add("--mask", type=_path, metavar="IMAGE", help=MASK)
    add("--label", type=_label, metavar="LABEL", help=LABEL)
    add("-n", type=_grid, default=1, metavar="N", help="how many of a class (default: 1)")
    add("--seed", type=_int32, default=0, metavar="SEED", help="of the first one (default: 0)")
    add("--fit", action="store_true", help=FIT)
    add("--signature", metavar="NAME", help="signature that completes images")
    add("--overwrite", action="store_true", help="replace an existing file")
    _add_models(add)

    add = command("demo", demo.demo, "try exports on a page in the browser", DEMO)
    add("folders", nargs="*", type=_named, metavar="MODEL", help=FOLDERS)
    add("--host", default="127.0.0.1", metavar="ADDRESS", help=HOST)
    add("--port", type=_port, default=demo.PORT, metavar="N", help=PORT)
    add("--max-megabytes", type=_positive, default=20, metavar="N", help=MEGABYTES)
    _add_models(add)

    add = command("new", new.new, "start a model of your own", NEW)
    add(
        "name",
        type=_named,
        metavar="NAME",
        help="of the module, such as my_model; the class is MyModel",
    )
    add("--folder", type=_path, metavar="DIR", help="new folder (default: ./NAME)")

    add = command("publish", results.publish, "add exports to the pages of results", PUBLISH)
    add("exports", nargs="+", type=_named, metavar="MODEL", help=MODEL)
    add("--note", metavar="TEXT", help=NOTE)
    _add_models(add)
    _add_root(add)

    add = command("results", results.results, "write the pages of results", RESULTS)
    add("--check", action="store_true", help="write nothing; exit with 1 if a file differs")
    _add_root(add)

    add = command("reproduce", results.reproduce, "run a published command again", REPRODUCE)
    add("recipe", type=_named, metavar="NAME", help="name of a recipe with published runs")
    add("--preset", metavar="PRESET", help="which published command (default: the quickest)")
    add("--output", type=_path, metavar="DIR", help=OUTPUT)
    add("--root", type=_folder, metavar="DIR", help=RECIPES)
    return parser


def _version() -> str:
    """The versions of this library and of what it runs on, which are not imported for that."""
    versions = [f"keras_gen {keras_gen.__version__}"]
    for package in ("tensorflow", "keras"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{package} {importlib.metadata.version(package)}")
    return ", ".join(versions)


def _add_models(add: Callable) -> None:
    folder = place("saved_models")
    add("--models", type=_folder, default=folder, metavar="DIR", help=MODELS)


def _add_root(add: Callable) -> None:
    add("--root", type=_folder, default=Path(), metavar="DIR", help=ROOT)


def _named(text: str) -> str:
    """A type of arguments: names and paths that a file can have."""
    longest = max(len(os.fsencode(part)) for part in text.split(os.sep))
    if not text or "\0" in text or longest > LONGEST_NAME or len(text) > LONGEST_PATH:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} has {len(text)} characters: expected a name or path of at least 1, "
            f"without NUL, and with at most {LONGEST_NAME} bytes per file name"
        )
    return text


def _path(text: str) -> Path:
    return Path(_named(text))


def _folder(text: str) -> Path:
    if not os.path.isdir(_named(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return Path(text)


def _integer(lowest: int, highest: int | None, wanted: str) -> Callable[[str], int]:
    """A type of arguments: integers in a range."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest or (highest is not None and value > highest):
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return value

    return read


_positive = _integer(1, None, "a positive integer")
_port = _integer(0, 65_535, "a port, 0 to 65535")
_int32 = _integer(-(2**31), 2**31 - 1, "a 32-bit integer")
_grid = _integer(1, LARGEST_GRID, f"from 1 to {LARGEST_GRID} images, as one grid holds")


def _tile(text: str) -> int:
    if not text.isdecimal() or 0 < int(text) < SMALLEST:
        raise argparse.ArgumentTypeError(f"{text!r} is neither 0 nor {SMALLEST} or more")
    return int(text)


def _label(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _setting(text: str) -> tuple[str, int | float | str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not NAME=VALUE, such as label=3, label=any or solver=heun"
        )
    try:
        return name, int(value) if value.lstrip("-").isdecimal() else float(value)
    except ValueError:
        return name, value
