"""The `keras-gen` command, which runs recipes and exported models.

The command also maintains the results pages. Running exports requires neither Keras nor the
training code.
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
from keras_gen.arguments import shown
from keras_gen.files.animations import VIDEOS
from keras_gen.files.images import SUFFIXES
from keras_gen.files.writing import LONGEST_NAME, place
from keras_gen.messages import out_of_memory, printable
from keras_gen.serving.tiles import SMALLEST, TILE
from keras_gen.workshop.cli import (
    apply,
    complete,
    demo,
    finding,
    listing,
    models,
    recipes,
    results,
)

# File system limits: bytes in a name, and characters in a path.
LONGEST_PATH = 4000
MOST_SAMPLES = 1_000_000
DIGITS = 10  # maximum number of digits of a 32-bit integer
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

Existing files are overwritten only with --overwrite.
The exit code is 0 on success, 1 if anything failed, and 2 for an invalid command line.
"""
LIST = """\
List recipes and exported models. Print a summary and the training time of each recipe, and whether
a trained export exists. No model is loaded.
"""
FIND = """\
Find classes, recipes, topics, metrics, glossary terms, tasks, and chapters by name, synonym, or
phrase. Print the best matches first, with their files, recipes, training times, chapters, and
pictures. No model is loaded.
"""
SHOW = """\
Describe a recipe and its export: training time, size, data and license terms, headline result, and
signatures with their default inputs. No model is loaded.
"""
TRAIN = "Run a recipe, as `python recipes/NAME.py` does, with the same flags."
APPLY = """\
Run an image-to-image model on images, animations, and videos. Large images are split into
overlapping tiles. If a file cannot be read or processed, it is reported and skipped, and the exit
code is 1.
"""
SAMPLE = """\
Generate images (in a grid), sounds (in sequence), texts, or table rows. The same model, seed, and
number of samples always give the same result. If this number exceeds the export's limit, the
samples are generated in several requests with different seeds.
"""
COMPLETE = """\
Inpaint the missing part of an image with an export that supports inpainting. Write one image, or a
grid with one row per seed. For a class-conditional model, the grid has one column per class, or a
single column with --label.
"""
DEMO = """\
Serve a web page for translating or reconstructing images, generating samples, and exploring latent
space. The page downloads nothing. Requires `pip install "keras-generative[demo]"`.
"""
NEW = """\
Create a folder with a model class of your own, a recipe that trains and evaluates the model, and
tests. The generated tests pass; replace the example with your method.
"""
PUBLISH = """\
Write the results of exports to recipes/results/<recipe>.json. Runs that differ only in their seed
share rows on the results pages, which show the median run and the standard deviation. An earlier
run of the same command is replaced.
"""
RESULTS = """\
Generate RESULTS.md, one page per family in docs/results, docs/topics.md, the syllabus and its
companion pages in docs/course, and the marked block in README.md from the recipes. Works only in a
checkout of this project.
"""
REPRODUCE = """\
Rerun the command behind published results in a new folder, and compare every metric. The exit code
is 1 if a metric is outside the recipe's stated tolerance. The time of each published command is
printed first. If the data of the published run are not available, the new run stops early.
"""


MODEL = "path of an export, or its name, which selects the highest version"
MODELS = "folder of exports, each in DIR/NAME/VERSION (default: saved_models)"
ROOT = "repository with a recipes/ folder (default: the working directory)"
RECIPES = "folder that contains recipes/ (default: the working directory, or the installed copy)"
IMAGES = f"""\
image files ({", ".join(SUFFIXES)}), folders, or quoted globs, in which ** matches any number of
folders; videos ({", ".join(VIDEOS)}) only by name or glob
"""
OUT = """\
output file for a single image or video (the extension sets the format, such as .mp4), or output
folder (created if missing); in a folder, images are saved as PNG and animations in their own format
"""
FIT = "if the model has a fixed input size, crop the center of each image and resize it"
CUT = "if the model has a fixed input size, split larger images into tiles and blend the results"
TILES = f"""\
tile size in pixels for large images, at least {SMALLEST}; 0 disables tiling (default: {TILE})
"""
LABEL = "name of a class, or its number, starting at 0 (default: all classes)"
MASK = "mask of the same size as the image, white where pixels are missing; overrides --missing"
MISSING = f"missing half of the image: {', '.join(complete.HALVES)} (default: lower)"
CONDITION = (
    "condition for sampling, such as label=3, label=Bag, label=any, or steps=20; may be repeated"
)
FOLDERS = "name of an export, or folder of one or more exports (default: all in --models)"
HOST = "address to listen on; 0.0.0.0 lets other machines connect (default: 127.0.0.1)"
PORT = f"port to listen on; 0 chooses a free port (default: {demo.PORT})"
MEGABYTES = "maximum upload size in megabytes (default: 20)"
NOTE = """\
reason that a metric is worse than in the paper, or another remark (default: the note of the
replaced run)
"""
OUTPUT = "new folder for everything that the run writes (default: runs/reproduce/NAME-TIME)"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `keras-gen`.

    Args:
        argv: Command-line arguments without the program name. If None, uses `sys.argv`.

    Returns:
        The exit code: 0 on success, 1 on failure. For an invalid command line, the process exits
        with code 2.

    Example:
        >>> main(["sample", "vae_mnist", "-n", "64", "-o", "grid.png"])    # doctest: +SKIP
        0
    """
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:  # if a shell requests completions, the process ends here
        import argcomplete

        argcomplete.autocomplete(parser)
    options = parser.parse_args(argv)
    if argv is None and options.command in ("apply", "complete", "sample", "demo"):
        # This setting keeps TensorFlow from importing Keras, which needlessly imports many
        # installed packages. It is used only if the command has its own process, because no
        # other code in the process could use Keras.
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    try:
        return options.run(options)
    except BrokenPipeError:  # the reader closed the pipe, as in `keras-gen list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        sentence = out_of_memory(error) or error
        if sentence is error and not isinstance(error, OSError | ValueError):
            raise
        print(printable(f"keras-gen {options.command}: {sentence}"), file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "keras-gen",
        description="Run recipes and exported models, and maintain the results pages.",
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

    add = command("show", listing.show, "describe a recipe or an export", SHOW)
    add("name", type=_named, metavar="NAME", help="name of a recipe or an export")
    _add_models(add)

    add = command("train", recipes.train, "run a recipe", TRAIN)
    recipe = add("recipe", metavar="NAME", help="name of a recipe (see `list`)")
    recipe.completer = lambda **_: recipes.recipes()
    add(
        "flags",
        nargs=argparse.REMAINDER,
        metavar="...",
        help="flags of the recipe, such as --help",
    )

    add = command("apply", apply.apply, "translate images with an export", APPLY)
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add("images", nargs="+", type=_named, metavar="IMAGE", help=IMAGES)
    add("-o", "--out", type=_path, required=True, metavar="OUT", help=OUT)
    add("--signature", metavar="NAME", help="image-to-image signature to run")
    add("--overwrite", action="store_true", help="replace existing files")
    add("--fit", action="store_true", help=FIT)
    add("--cut", action="store_true", help=CUT)
    add("--tile", type=_tile, default=TILE, metavar="PIXELS", help=TILES)
    _add_models(add)

    add = command(
        "sample", models.sample, "generate images, sounds, texts, or table rows", SAMPLE
    )
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add(
        "-o",
        "--out",
        type=_path,
        required=True,
        metavar="OUT",
        help="output file: .png, .gif for videos, .wav for sounds, .txt for texts (separated by "
        "blank lines), or .csv for table rows",
    )
    add("--signature", metavar="NAME", help="signature to run (default: sample)")
    add("--overwrite", action="store_true", help="replace an existing file")
    add(
        "-n",
        type=_samples,
        metavar="N",
        help="number of samples (default: 64, or 8 for sounds and texts)",
    )
    add(
        "--seed",
        type=_seed,
        default=0,
        metavar="SEED",
        help="random seed, 0 to 2147483647 (default: 0)",
    )
    add(
        "--columns",
        type=_positive,
        metavar="N",
        help="number of images per row (default: a nearly square grid)",
    )
    add(
        "--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", help=CONDITION
    )
    _add_models(add)

    add = command(
        "complete", complete.complete, "inpaint the missing part of an image", COMPLETE
    )
    add("model", type=_named, metavar="MODEL", help=MODEL)
    add("image", type=_path, metavar="IMAGE", help="image to complete")
    add("-o", "--out", type=_path, required=True, metavar="OUT", help="output image file")
    add("--missing", choices=complete.HALVES, default="lower", metavar="HALF", help=MISSING)
    add("--mask", type=_path, metavar="IMAGE", help=MASK)
    add("--label", metavar="LABEL", help=LABEL)
    add(
        "-n",
        type=_grid,
        default=1,
        metavar="N",
        help="number of completions per class (default: 1)",
    )
    add(
        "--seed",
        type=_seed,
        default=0,
        metavar="SEED",
        help="seed of the first completion (default: 0)",
    )
    add("--fit", action="store_true", help=FIT)
    add("--signature", metavar="NAME", help="inpainting signature to run")
    add("--overwrite", action="store_true", help="replace an existing file")
    _add_models(add)

    add = command("demo", demo.demo, "try exports in a web browser", DEMO)
    add("folders", nargs="*", type=_named, metavar="MODEL", help=FOLDERS)
    add("--host", default="127.0.0.1", metavar="ADDRESS", help=HOST)
    add("--port", type=_port, default=demo.PORT, metavar="N", help=PORT)
    add("--max-megabytes", type=_positive, default=20, metavar="N", help=MEGABYTES)
    _add_models(add)

    add = command("new", recipes.new, "create a project for your own model", NEW)
    add(
        "name",
        type=_named,
        metavar="NAME",
        help="module name, such as my_model (the class is then MyModel)",
    )
    add("--folder", type=_path, metavar="DIR", help="new folder (default: ./NAME)")

    add = command("publish", results.publish, "add exports to the published results", PUBLISH)
    add("exports", nargs="+", type=_named, metavar="MODEL", help=MODEL)
    add("--note", metavar="TEXT", help=NOTE)
    _add_models(add)
    _add_root(add)

    add = command("results", results.results, "generate the results pages", RESULTS)
    add(
        "--check",
        action="store_true",
        help="write nothing; exit with code 1 if a file is outdated",
    )
    _add_root(add)

    add = command("reproduce", results.reproduce, "rerun a published command", REPRODUCE)
    add("recipe", type=_named, metavar="NAME", help="name of a recipe with published runs")
    add(
        "--preset",
        metavar="PRESET",
        help="preset of the published command (default: preset of the quickest command)",
    )
    add("--output", type=_path, metavar="DIR", help=OUTPUT)
    add("--root", type=_folder, metavar="DIR", help=RECIPES)
    return parser


def _version() -> str:
    """Returns the versions of this library and its dependencies without importing them."""
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
    """An argparse type that accepts only valid file names and paths."""
    longest = max(len(os.fsencode(part)) for part in text.split(os.sep))
    if not text or "\0" in text or longest > LONGEST_NAME or len(text) > LONGEST_PATH:
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} has {len(text)} characters: expected a nonempty name or path "
            f"without NUL and with at most {LONGEST_NAME} bytes per file name"
        )
    return text


def _path(text: str) -> Path:
    return Path(_named(text))


def _folder(text: str) -> Path:
    if not os.path.isdir(_named(text)):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a folder")
    return Path(text)


def _integer(lowest: int, highest: int | None, wanted: str) -> Callable[[str], int]:
    """Returns an argparse type for integers in a range."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = lowest - 1
        if value < lowest or (highest is not None and value > highest):
            raise argparse.ArgumentTypeError(f"{shown(text)} is not {wanted}")
        return value

    return read


_positive = _integer(1, None, "a positive integer")
_port = _integer(0, 65_535, "a port from 0 to 65535")
_seed = _integer(0, 2**31 - 1, "an integer from 0 to 2147483647")
_grid = _integer(1, models.LARGEST_GRID, f"a number from 1 to {models.LARGEST_GRID}")
_samples = _integer(1, MOST_SAMPLES, f"a number from 1 to {MOST_SAMPLES}")


def _tile(text: str) -> int:
    if not text.isdecimal() or len(text) > DIGITS or 0 < int(text) < SMALLEST:
        raise argparse.ArgumentTypeError(f"{shown(text)} is neither 0 nor at least {SMALLEST}")
    return int(text)


def _setting(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not name or not value:
        raise argparse.ArgumentTypeError(
            f"{shown(text)} is not in the form NAME=VALUE, such as label=3, label=any, or "
            "solver=heun"
        )
    return name, value
