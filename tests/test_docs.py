"""What the documentation says is so: files, links, commands with their flags, names, and code."""

import argparse
import ast
import functools
import importlib
import inspect
import json
import pkgutil
import re
import shlex
from pathlib import Path

import h5py
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import keras_gen
from all_tiny import TINY
from keras_gen import data, metrics, networks
from keras_gen.core import GenerativeModel
from keras_gen.files.images import write_image
from keras_gen.files.sounds import write_wav
from keras_gen.serving.exported import read_metadata, resolve
from keras_gen.vae import VAE
from keras_gen.workshop.cli import _parser
from keras_gen.workshop.results import read_published, read_records
from keras_gen.workshop.results.finished_runs import load_recipe
from keras_gen.workshop.run import parse, run_recipe
from processes import RECIPES, ROOT

pytestmark = pytest.mark.pages

DOCS = sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
SAVED_MODELS = sorted(path for path in (ROOT / "saved_models").iterdir() if path.is_dir())
DESCRIPTION = "docs/package.md"  # of the distribution
RESULTS = sorted(f"docs/results/{path.name}" for path in (ROOT / "docs/results").glob("*.md"))
# Their code is that of scripts, which tests/test_course.py runs.
COURSE = sorted(f"docs/course/{path.name}" for path in (ROOT / "docs/course").glob("*.md"))
PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", *DOCS]
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
FENCED = re.compile(r"```.*?```", re.DOTALL)
FOLDERS = r"\b(?:recipes|saved_models|benchmarks|keras_gen|tests|docs)/[\w./]*\w|\b[A-Z]+\.md"
each_page = pytest.mark.parametrize("page", PAGES)
each_text = pytest.mark.parametrize("page", [*PAGES, *COURSE])


@functools.cache
def read(page: str) -> str:
    """The text of a page, in which NAME stands for any recipe."""
    return re.sub(r"\bNAME\b", "vae_mnist", (ROOT / page).read_text(encoding="utf-8"))


def prose(page: str) -> str:
    """All but the Python code and addresses."""
    return re.sub(r"https?://\S+", "", CODE.sub("", read(page)))


def commands(page: str) -> list[str]:
    """The commands in code, inline and in blocks."""
    text = prose(page)
    lines = re.findall(r"`([^`\n]+)`", text)
    lines += [line for block in FENCED.findall(text) for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split("&&")]
    return sorted({p for p in parts if re.match(r"python (recipes|benchmarks)/|keras-gen ", p)})


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)", FENCED.sub("", read(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


# Text --------------------------------------------------------------------------------------------


@each_text
def test_paths(page):
    missing = {path for path in re.findall(FOLDERS, prose(page)) if not (ROOT / path).exists()}
    assert not missing


def test_paths_in_every_markdown_file():
    """As inline code, from the root, the package, or the page's own folder."""
    pages = [*ROOT.glob("*.md")]
    for folder in (".github", "docs", "saved_models"):
        pages += (ROOT / folder).rglob("*.md")
    own = {path.name for place in (ROOT / "keras_gen", ROOT / "docs") for path in place.iterdir()}
    own |= {"recipes", "saved_models", "benchmarks", "keras_gen", "tests", "docs"}
    missing = set()
    for page in pages:
        places = (ROOT, ROOT / "keras_gen", page.parent)
        text = FENCED.sub("", page.read_text(encoding="utf-8")).replace("NAME", "vae_mnist")
        for name in re.findall(r"`([\w.-]+/[\w./-]*)`", text):
            is_ours = name.split("/")[0] in own or name.endswith((".py", ".md", ".toml"))
            if is_ours and not any((place / name).exists() for place in places):
                missing.add((page.name, name))
    assert len(pages) > 50 and not missing


@pytest.mark.parametrize("page", [*PAGES, *COURSE, "RESULTS.md", *RESULTS])
def test_links(page):
    text = FENCED.sub("", read(page))
    targets = re.findall(r"\]\(([^()\s]*)\)", text) + re.findall(r'<img src="([^"]+)"', text)
    for target in targets:
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert linked.exists(), target
        if anchor:
            assert anchor in anchors(str(linked.relative_to(ROOT))), target


def test_every_page_is_linked_from_the_first():
    linked = set(re.findall(r"\]\(([^()\s]*\.md)\)", read("README.md")))
    assert linked >= {page for page in PAGES if page not in ("README.md", DESCRIPTION)}
    assert "docs/course/README.md" in linked


def test_the_package_is_described_without_paths():
    """A package index shows neither files nor images of the repository."""
    text = FENCED.sub("", read(DESCRIPTION))
    assert all("://" in target for target in re.findall(r"\]\(([^()]*)\)", text))
    assert "<img" not in text


@each_text
def test_names_in_dots(page):
    for name in re.findall(r"`(keras_gen(?:\.\w+)+)`", prose(page)):
        pkgutil.resolve_name(name)


@pytest.mark.thorough
def test_the_tables_of_signatures_and_of_logged_names():
    table = re.findall(r"^\| (`.*?) \|.*\|$", prose("docs/serving.md"), re.MULTILINE)
    listed = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    rows = re.findall(r"^\| .*`keras_gen\.(\w+)`\)(.*)\|$", prose("docs/tasks.md"), re.MULTILINE)
    logged = {family: set(re.findall(r"`(\w+)`", names)) for family, names in rows}
    for model in (tiny.build(0) for tiny in TINY.values()):
        assert set(model.signatures()) <= listed, type(model).__name__
        family = type(model).__module__.split(".")[1]
        assert set(model.loss_names) <= logged[family], type(model).__name__


def test_the_table_of_durations():
    """The table shows the numbers that `fit` prints, which are near the published runs' steps."""
    rows = re.findall(
        r"^\| (`.*?) \| ([\d,]+) to ([\d,]+) \|.*\[(.*)\]", read("docs/which_model.md"), re.M
    )
    assert len(rows) == 5
    records = read_records(ROOT)
    for names, least, most, recipes in rows:
        limits = tuple(int(number.replace(",", "")) for number in (least, most))
        for name in re.findall(r"`(\w+)`", names):
            assert getattr(keras_gen, name).published_steps == limits, name
        steps = [run.steps for recipe in recipes.split(", ") for run in records[recipe]]
        assert 0.5 < min(steps) / limits[0] < 2 and 0.5 < max(steps) / limits[1] < 2, names


def test_each_export_stands_beside_the_terms_of_its_data():
    rows = [line.split("|") for line in read("docs/licenses.md").splitlines() if line[:2] == "| "]
    of_set = {  # by the name of the builder in the second column
        name: re.findall(r"`(\w+)`", row[4])
        for row in rows
        if len(row) == 6
        for name in re.findall(r"`([\w/]+)`", row[2])
    }
    exports = {path.name: read_metadata(resolve(path)) for path in SAVED_MODELS}
    assert {name for names in of_set.values() for name in names} <= exports.keys()
    for export, metadata in exports.items():
        for name in re.findall(r"([\w/]+)/\d+\.\d+\.\d+", metadata["data"]["name"]):
            assert export in of_set[name], (export, name)
        assert f"`{export}`" in read("docs/licenses.md")


def test_the_house_has_these_rooms():
    (house,) = re.findall(r"```\n(keras_gen/\n.*?)```", read("CONTRIBUTING.md"), re.DOTALL)
    listed = set(re.findall(r"^  (\w+)/ ", house, re.MULTILINE))
    assert listed == {path.parent.name for path in (ROOT / "keras_gen").glob("*/__init__.py")}


def test_the_first_screens_of_the_readme():
    text = read("README.md")
    assert len(text.encode()) <= 13_000
    lines = text.partition("\n|")[0].splitlines()
    assert lines[0] == "# keras_gen" and len(lines) <= 70  # two screens before any table
    first = "\n".join(lines[:20])
    versions = re.findall(r":: Python :: (3\.\d+)", read("setup.cfg"))
    python = f"Python {versions[0]}–{versions[-1]}"
    for part in ("<img src=", "pip install -e .", ".whl", f"![{python}]"):
        assert part in first, part
    assert all("://" not in target for target in re.findall(r"!\[[^]]*\]\(([^)]*)\)", text))


def test_the_address_of_the_clone_is_to_be_replaced_once():
    assert sum(read(page).count("ADDRESS_OF") for page in [*PAGES, *COURSE]) == 1
    assert read("README.md").count("ADDRESS_OF_THIS_PAGE") == 1


def test_names_of_baselines_come_from_the_results():
    figures = re.findall(r'^figure = "(.*)"$', read("docs/families.toml"), re.MULTILINE)
    assert figures
    for figure in figures:  # a name before the number would be typed
        assert figure.count("{baseline:") == len(re.findall(r"(?:\(|; )\{baseline:", figure)) == 1


def test_something_was_found():
    assert sum(len(commands(page)) for page in PAGES) > 15
    assert sum(len(CODE.findall(read(page))) for page in PAGES) > 12


# Commands ----------------------------------------------------------------------------------------


@each_page
def test_commands_take_their_flags(page):
    for command in commands(page):
        first, *words = shlex.split(command, comments=True)
        if first == "keras-gen":
            assert _parser().parse_args(words), command
        elif words[0].startswith("recipes/"):
            recipe = load_recipe(ROOT, Path(words[0]).stem)
            assert parse(recipe.Settings, recipe.PRESETS, "", words[1:]).preset, command


def flags() -> set[str]:
    """The flags of all recipes and of the command line."""
    settings = [load_recipe(ROOT, recipe).Settings for recipe in RECIPES]
    found = {f"--{name.replace('_', '-')}" for s in settings for name in s.__dataclass_fields__}
    (commands,) = (a for a in _parser()._actions if isinstance(a, argparse._SubParsersAction))
    for command in commands.choices.values():
        found |= {flag for action in command._actions for flag in action.option_strings}
    return found


def test_flags_that_stand_alone():
    named = {flag for page in PAGES for flag in re.findall(r"`(--[\w-]+)", prose(page))}
    assert named and named <= flags()


# Code --------------------------------------------------------------------------------------------


@each_page
def test_code_imports_what_there_is(page):
    for code in CODE.findall(read(page)):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(node.module)
                missing = [name.name for name in node.names if not hasattr(module, name.name)]
                assert not missing, f"{node.module} has no {missing}"


WIDE = ("dcgan_generator", "dcgan_discriminator", "patch_discriminator", "resnet_generator")


def images(*shape) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def small_images(name, labels=False):
    source = data.Source((images(1000, 28, 28, 1), np.arange(1000) % 10))
    source = source if labels else source.map(lambda image, label: image)
    return data.Split(source, source.take(100))


real_folder = data.image_folder


def image_folder(path, size, **labels):
    if Path(path).is_dir():
        return real_folder(path, size, **labels)
    return data.Source(images(64, size, size, 3))


def pairs(*folders, size, left="source", factor=1, unmatched="refuse"):
    small = size // factor
    return data.Source((images(4, small, small, 3), images(4, size, size, 3)))


def narrow(build):
    """The same network with few filters and blocks."""
    size = {"filters": 4, "blocks": 1}
    fixed = {name: size[name] for name in size.keys() & inspect.signature(build).parameters}
    return lambda *args, **options: build(*args, **options | fixed)


fit = GenerativeModel.fit


def short_fit(model, *batch, epochs=1, steps_per_epoch=None, batch_size=None, **kwargs):
    """One step on two examples."""
    if isinstance(batch[0], tf.data.Dataset):
        two = batch[0].unbatch().batch(2).take(1)
        batch = (two.apply(tf.data.experimental.assert_cardinality(1)),)
    elif isinstance(batch[0], data.Source):
        batch = (batch[0].take(2),)
    else:
        batch = tf.nest.map_structure(lambda part: part[:2], batch)
    return fit(model, *batch, **kwargs | {"verbose": 0})


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working directory with what pages find there, and small data and networks."""
    latents = dict(latent_dim=2, hidden=(4,))
    encoder = networks.mlp_encoder(heads=("mean", "log_variance"), **latents)
    VAE(encoder, networks.mlp_decoder(**latents)).save(tmp_path / "vae.keras")
    (tmp_path / "saved_models").symlink_to(ROOT / "saved_models")
    for name in ("cats/tabby.png", "cats/black.jpg", "dogs/poodle.webp", "dogs/pug.bmp"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        write_image(tmp_path / "photos" / name, images(40, 60, 3))
    write_image(tmp_path / "half.png", images(28, 28))
    scan = images(32, 64).view("uint16") // 16  # of 12 bits
    for folder, pixels in (("icons", images(40, 60, 4)), ("scans", scan)):
        (tmp_path / folder).mkdir()
        for number in range(10):
            Image.fromarray(pixels).save(tmp_path / folder / f"{number}.png")
    write_wav(tmp_path / "sounds" / "a.wav", np.ones((300, 1), "int16"), rate=8000)
    (tmp_path / "book.txt").write_text("The cat sat.\nThe dog ran.\n")
    np.save(tmp_path / "images.npy", images(4, 28, 28, 1))
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["images"] = images(4, 28, 28, 1)
    monkeypatch.chdir(tmp_path)
    extractor = functools.partial(metrics.trained_extractor, steps=1, cache=tmp_path)
    monkeypatch.setattr(data, "small_images", small_images)
    monkeypatch.setattr(data, "image_folder", image_folder)
    monkeypatch.setattr(data, "side_by_side", pairs)
    monkeypatch.setattr(data, "paired_folders", pairs)
    monkeypatch.setattr(metrics, "trained_extractor", extractor)
    for name in WIDE:
        monkeypatch.setattr(networks, name, narrow(getattr(networks, name)))
    return tmp_path


def with_code() -> list:
    """The pages whose blocks of code run one after the other; two have many models."""
    pages = [page for page in ("README.md", *DOCS) if CODE.search(read(page))]
    many = ("docs/guide.md", "docs/tasks.md")
    return [pytest.param(p, marks=pytest.mark.slow) if p in many else p for p in pages]


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore:.* does not contain the weights of discriminator")
@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated")
@pytest.mark.parametrize("page", with_code())
def test_code_runs(page, home, monkeypatch):
    monkeypatch.setattr(GenerativeModel, "fit", short_fit)
    names: dict = {}
    for number, code in enumerate(CODE.findall(read(page)), 1):
        file = home / f"block_{number}.py"  # where TensorFlow looks for the source of functions
        file.write_text(code)
        exec(compile(code, file, "exec"), names)


@pytest.mark.thorough
def test_the_recipe_to_be_added_runs(home):
    name, text = "vae_fashion_mnist", read("CONTRIBUTING.md")
    (home / "recipes" / "results").mkdir(parents=True)
    for path, block in ((f"{name}.py", "python"), (f"results/{name}.toml", "toml")):
        (code,) = re.findall(rf"```{block}\n(.*?)```", text, re.DOTALL)
        (home / "recipes" / path).write_text(code)
    recipe = load_recipe(home, name)
    flags = ["--preset", "smoke", "--output", str(home / "run")]
    run_recipe(recipe.main, recipe.Settings, recipe.PRESETS, flags)
    measured = json.loads((home / "run" / "metrics.json").read_text())
    assert read_published(home, name).measured(measured)["negative_elbo"] > 0
    assert (home / "run" / "reconstructions.png").exists()
    assert read_metadata(home / "run" / "export" / name / "1")["default_signature"] == "sample"
