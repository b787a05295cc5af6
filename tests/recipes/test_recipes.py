"""Every recipe from its command line to the images that its export makes."""

import csv
import importlib.util
import json
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from forked import keras_gen, run, run_afresh
from keras_gen.data import load_tfds, offline_unpaired, people_table
from keras_gen.files.images import read_image, write_png
from keras_gen.serving.exported import SUFFIX, load
from keras_gen.workshop.run import folder, run_recipe
from processes import RECIPES, ROOT, environment, event_steps

OFFLINE = "Using a small offline sample instead of the real data, because "
# Recipes whose data are drawn at run time.
DRAWN = (
    "densities_plane",
    "disentanglement_factors",
    "f_gan_line",
    "flow_matching_plane",
    "flow_matching_series_oscillations",
    "gan_fields",
    "gan_modes",
    "gan_one_dimension",
    "pix2pix_video_drawn_dancers",
    "recurrent_autoencoder_oscillations",
    "reflow_plane",
    "talking_heads_drawn_faces",
    "vae_series_oscillations",
    "wgan_distances",
)
LISTED = "vae_mnist"
LOADED = (  # one recipe for every way to load data
    "blind_representations_adult",
    "convolutional_vae_celeb_a",
    "cyclegan_monet",
    "document_autoencoder_reuters",
    "embeddings_mnist",
    "vae_mnist",
    "vq_vae_spoken_digit",
)
USED = (  # one recipe for every kind of export
    "adversarial_examples_mnist",
    "blind_representations_adult",
    "blind_representations_mnist",
    "conditional_vae_quarters_mnist",
    "cyclegan_monet",
    "document_autoencoder_reuters",
    "pix2pix_edges",
    "talking_heads_drawn_faces",
    "vae_mnist",
    "vae_series_oscillations",
    "vq_vae_spoken_digit",
    "waveglow_spoken_digit",
)


def check_folder(out, recipe):
    """What a finished run leaves behind."""
    config = json.loads((out / "config.json").read_text())
    metrics = json.loads((out / "metrics.json").read_text())
    with open(out / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = config["epochs"]
    assert [row["epoch"] for row in rows] == [str(n + 1) for n in range(epochs)]
    losses = [name for name in rows[0] if name.endswith("loss")]
    assert losses and all(np.isfinite(float(row[name])) for row in rows for name in losses)
    for name in losses:
        assert event_steps(out, f"epoch_{name}") == list(range(epochs))
    assert metrics["steps"] == epochs * config["steps_per_epoch"]
    assert all(np.isfinite(v) for v in metrics.values() if isinstance(v, float))
    for image in (
        "losses.png",
        "sample_grid.png",
        *(f"samples/epoch-{n + 1:04d}.png" for n in range(2)),
    ):
        assert read_image(out / image).std() > 0
    assert len(list((out / "checkpoints").glob("state-*.npz"))) == 2
    assert not list(out.rglob("*.tmp")) and not (out / ".lock").exists()
    assert (out / "export" / recipe / "1" / "saved_model.pb").exists()


def use_export(out, recipe, cwd):
    """Calls all signatures of the export, and makes an image with it by a command."""
    models = out / "export"
    if recipe == LISTED:
        listed = keras_gen("list", "--models", models, cwd=cwd)
        (line,) = (line for line in listed.stdout.splitlines() if recipe in line.split())
        # A slow run shows its minutes too.
        assert listed.returncode == 0 and re.search(r" export( of \d+ minutes)?$", line)
    model = load(models / recipe)
    for name, signature in model.metadata["signatures"].items():
        if name.endswith(SUFFIX):
            continue
        asked = signature["inputs"].keys() - model.metadata["defaults"].get(name, {}).keys()
        inputs = {key: example(key, signature["inputs"][key]) for key in asked}
        for key, values in model(name, **inputs).items():
            shape = signature["outputs"][key]["shape"]
            assert all(size in (None, f) for size, f in zip(shape, values.shape, strict=True)), key
            assert values.dtype == object or np.isfinite(values.astype(float)).all(), (name, key)
    signatures = model.metadata["signatures"]
    drawn = signatures.get("sample", {"outputs": {}})["outputs"]
    first = signatures[model.metadata["default_signature"]]
    shapes = [spec["shape"] for part in ("inputs", "outputs") for spec in first[part].values()]
    if "images" in drawn and "condition" not in signatures["sample"]["inputs"]:
        made = keras_gen("sample", models / recipe, "-n", 4, "-o", "grid.png", cwd=cwd)
        assert made.returncode == 0, made.stderr
        assert read_image(cwd / "grid.png").shape[0] > 2 * 28
    elif [len(shape) for shape in shapes] == [4, 4]:
        # Of any size, unless the network takes one only.
        height, width = (side or 33 + 17 * axis for axis, side in enumerate(shapes[0][1:3]))
        photo = np.random.default_rng(0).integers(0, 256, [height, width, 3], np.uint8)
        write_png(cwd / "photo.png", photo)
        made = keras_gen("apply", models / recipe, "photo.png", "-o", "painted.png", cwd=cwd)
        assert made.returncode == 0, made.stderr
        found = read_image(cwd / "painted.png").shape
        factor = found[0] // height
        assert found == (factor * height, factor * width, 3)


def example(name: str, spec: dict) -> np.ndarray:
    """Values that an input of a signature takes: two examples, or one number."""
    usual = (2, 33, 50) if spec["dtype"] == "uint8" else (2, 64, 64)
    shape = [size or usual[axis] for axis, size in enumerate(spec["shape"])]
    if spec["dtype"] == "string":
        rows = people_table().test_rows[:2].astype(object)
        return rows if len(shape) == 2 else np.array(["A classifier of digits.", ""], object)
    if spec["dtype"] == "uint8":
        levels = 256 if len(shape) > 3 and name != "masks" else 2
        return np.random.default_rng(0).integers(0, levels, shape, np.uint8)
    return np.full(shape, {"n": 2}.get(name, 1), spec["dtype"])


def each_recipe() -> list:
    """Every recipe for `parametrize`: one is quick, and one of each type is not slow."""
    marks = {recipe: pytest.mark.thorough for recipe in USED} | {LISTED: ()}
    return [pytest.param(r, marks=marks.get(r, pytest.mark.slow)) for r in RECIPES]


@pytest.mark.parametrize("recipe", each_recipe())
def test_without_data_and_network(recipe, tmp_path):
    result = (run_afresh if recipe == LISTED else run)(recipe, "--preset", "smoke", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    (out,) = (tmp_path / "runs" / recipe).iterdir()
    check_folder(out, recipe)
    lines = result.stdout.splitlines()
    warnings = [number for number, line in enumerate(lines) if line.startswith(OFFLINE)]
    if recipe in DRAWN:
        assert not warnings
    else:
        assert len(warnings) == 2 and "not prepared in no_data" in lines[warnings[0]]
        assert (
            warnings[0]
            < next(n for n, line in enumerate(lines) if line.startswith("  epoch 1 of 2"))
            and warnings[1] > len(lines) - 7
        )
    assert not (tmp_path / "saved_models").exists() and not (tmp_path / "no_data").exists()
    if recipe in USED:
        use_export(out, recipe, tmp_path)


@pytest.fixture(scope="session")
def prepared(shared_data, tmp_path_factory):
    """The prepared data sets, and those made of files by hand if they are not among them."""
    folder = tmp_path_factory.mktemp("prepared")
    for path in Path(os.environ["TFDS_DATA_DIR"]).iterdir():
        (folder / path.name).symlink_to(path.resolve())
    for name, feature in (("adult", "label"), ("usps", "image"), ("reuters", "text")):
        load_tfds(name, "test", features=feature, data_dir=folder, manual_dir=shared_data / name)
    return folder


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize("recipe", LOADED)
def test_with_data(recipe, tmp_path, prepared, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    result = run(recipe, "--preset", "smoke", "--output", "out", cwd=tmp_path, data=True)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "" and OFFLINE not in result.stdout
    check_folder(tmp_path / "out", recipe)


@pytest.fixture
def images(tmp_path):
    """Two folders of eight images of all sizes each, one file of which is broken."""
    sample = offline_unpaired(40, n_train=8, n_test=1)
    for name, key in (("photos", "photo_train"), ("paintings", "painting_train")):
        for number, image in enumerate(sample[key].arrays()):
            write_png(tmp_path / name / f"{number}.png", image[: 20 + 2 * number])
    return tmp_path


@pytest.fixture
def cyclegan(images, monkeypatch):
    """The recipe in this process, without data and network, beside the images."""
    monkeypatch.chdir(images)
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TF_CONFIG", raising=False)
    spec = importlib.util.spec_from_file_location("recipe", ROOT / "recipes" / "cyclegan_monet.py")
    recipe = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "recipe", recipe)
    spec.loader.exec_module(recipe)
    yield lambda *flags: run_recipe(recipe.main, recipe.Settings, recipe.PRESETS, flags)
    for held in list(folder._held):
        folder.leave_folder(held)


@pytest.mark.slow
def test_own_folders(images):
    (images / "photos" / "broken.png").write_bytes(b"no image")
    flags = ["--preset", "smoke", "--photos", "photos", "--paintings", "paintings"]
    result = run("cyclegan_monet", *flags, "--output", "out", "--classifier-steps", 2, cwd=images)
    # One of nine is more than the share that may be broken.
    assert result.returncode == 1 and "broken.png" in result.stderr.splitlines()[-1]
    assert not (images / "out").exists()
    (images / "photos" / "broken.png").unlink()
    result = run("cyclegan_monet", *flags, "--output", "out", "--classifier-steps", 2, cwd=images)
    assert result.returncode == 0, result.stderr
    parts = "train_x 4 examples, train_y 4 examples, test_x 4 examples, test_y 4 examples"
    assert f" on 8 images: {parts}\n" in result.stdout
    assert OFFLINE not in result.stdout
    check_folder(images / "out", "cyclegan_monet")


SMALL = [  # flags, fewest images that they work with
    ("convolutional_vae_celeb_a", ["--batch-size", 2, "--held-out", 1], 6),
    ("dcgan_celeb_a", [], 50),
    ("denoising_autoencoder_mnist", ["--batch-size", 2, "--steps-per-epoch", 5], 50),
    ("glow_celeb_a", ["--held-out", 2], 50),
    ("vae_mnist", ["--batch-size", 2], 6),
    ("vq_vae_2_celeb_a", ["--batch-size", 1, "--held-out", 1], 6),
]


def own_images(folder, count):
    """Images of four classes, all different."""
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 256, (34, 32 + number % 5, 3), np.uint8)
        write_png(folder / "abcd"[number % 4] / f"{number}.png", image)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "flags", "needed"), SMALL)
def test_few_images_of_ones_own_reach_the_end_or_are_refused(name, flags, needed, tmp_path):
    flags = ["--preset", "smoke", "--images", "my images", *flags, "--output", "out"]
    own_images(tmp_path / "my images", needed)
    result = run(name, *flags, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    check_folder(tmp_path / "out", name)
    shutil.rmtree(tmp_path / "out")
    # No published model, and what is advised is on the same images.
    lines = result.stdout.splitlines()
    advised = [line for line in lines if "python recipes/" in line]
    assert all("--images 'my images'" in line for line in advised)
    assert not any("published model" in line for line in lines)

    shutil.rmtree(tmp_path / "my images" / "a")
    result = run(name, *flags, cwd=tmp_path)
    (sentence,) = result.stderr.splitlines()
    assert result.returncode == 1 and "training:" not in result.stdout
    assert "expected at least 6 images" in sentence or (
        f"Provide at least {needed} images" in sentence
    )
    assert not list(tmp_path.glob("out/config.json"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (
            ["--photos", "photos"],
            2,
            "Only one of --photos and --paintings is set: expected both or neither.",
        ),
        (
            ["--photos", "photos", "--paintings", "empty"],
            1,
            "empty is empty: expected files that end in",
        ),
        (["--photos", "photos", "--paintings", "few"], 1, "at least 6 images"),
        (["--image-size", "20"], 1, "too small"),
        (
            ["--image-size", "40"],
            2,
            "--load-size is 32: expected at least --image-size, which is 40.",
        ),
        (["--image-size", "34"], 2, "--image-size is 34: expected a multiple of 4."),
    ],
)
def test_mistakes_of_users(images, flags, code, sentence, cyclegan, capsys):
    (images / "empty").mkdir()
    for number in range(3):
        write_png(images / "few" / f"{number}.png", np.zeros([9, 9, 3], np.uint8))
    with pytest.raises(SystemExit) as end:
        cyclegan("--preset", "smoke", *flags)
    lines = capsys.readouterr().err.splitlines()
    assert end.value.code == code and sentence in lines[-1], lines
    assert len(lines) == code  # exit code 2 comes with a line on usage


@pytest.mark.slow
def test_a_full_disk_loses_nothing(tmp_path):
    """A limit that the system sets for one process stands in for the disk's."""
    flags = ["--preset", "smoke", "--output", "out", "--deterministic"]
    assert run("vae_mnist", *flags, "--epochs", 4, cwd=tmp_path).returncode == 0
    whole = tmp_path / "whole"
    (tmp_path / "out").rename(whole)
    size = (whole / "checkpoints" / "state-000004.npz").stat().st_size  # each is a bit larger

    def limited():
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 1, resource.RLIM_INFINITY))

    result = run_afresh("vae_mnist", *flags, "--epochs", 4, cwd=tmp_path, preexec_fn=limited)
    assert result.returncode == 1
    sentence = "error: Cannot write out/checkpoints/state-000004.npz (File too large): choose"
    assert result.stderr.splitlines()[-1].startswith(sentence)
    assert sorted(path.name for path in (tmp_path / "out" / "checkpoints").iterdir()) == [
        "state-000002.npz", "state-000003.npz",
    ]  # fmt: skip
    result = run("vae_mnist", *flags, "--epochs", 4, "--resume", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out/history.csv").read_text() == (whole / "history.csv").read_text()


def test_each_describes_itself_and_has_no_class_but_its_settings():
    """The docstring names the paper, both commands, device and minutes, and the data."""
    for recipe in RECIPES:
        text = (ROOT / "recipes" / f"{recipe}.py").read_text()
        doc = text.split('"""')[1]
        for words in ("", "--preset smoke"):
            assert f"python recipes/{recipe}.py {words}" in doc, recipe
        for words in ("two CPU cores", "minute", "\nData: "):
            assert words in doc, recipe
        settings = r"class Settings\((RunSettings|ShortStepSettings)\):"
        code = re.sub(settings, "", text.replace(doc, ""))
        assert not re.search(r"^ *class ", code, re.MULTILINE), recipe
        # The help of a setting is found next to it or below it only if the setting is one line.
        for line in text.split("class Settings(")[1].split("\n\n")[0].splitlines()[1:]:
            assert not re.search(r"^    \w+: .*\($", line), (recipe, line)
