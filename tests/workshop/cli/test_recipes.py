"""`keras-gen train`, from a checkout and from a wheel in an empty folder."""

import importlib.util
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_gen.files import writing
from keras_gen.files.images import read_image, write_png
from keras_gen.serving import exported
from keras_gen.workshop.cli import main
from processes import RECIPES, ROOT
from wheels import EXPORTS, install_wheel, outside_checkout

RECIPE = """import sys
print(__name__, sys.argv[1:])
if "--fail" in sys.argv:
    raise SystemExit(1)
"""


def test_trains_as_python_does(home, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["keras-gen"])
    (home / "recipes").mkdir()
    (home / "recipes" / "toy.py").write_text(RECIPE)
    assert main(["train", "toy", "--preset", "smoke", "--help"]) == 0
    assert capsys.readouterr().out == "__main__ ['--preset', 'smoke', '--help']\n"
    with pytest.raises(SystemExit, match="1"):
        main(["train", "toy", "--fail"])


def test_places(home, monkeypatch):
    assert writing.place("recipes") == ROOT / "recipes"
    assert writing.place("saved_models") == Path("saved_models")
    monkeypatch.setattr(writing, "PACKAGE", home / "keras_gen")
    assert writing.place("recipes") == Path("recipes")
    (home / "keras_gen" / "shipped" / "recipes").mkdir(parents=True)
    assert writing.place("recipes") == home / "keras_gen" / "shipped" / "recipes"


@pytest.mark.slow
def test_a_wheel_in_an_empty_folder(tmp_path):
    """As after `pip install keras-generative`; its dependencies are those of this process."""
    bin_folder, empty = install_wheel(tmp_path), tmp_path / "empty"
    (site,) = bin_folder.parent.glob("lib/*/site-packages")
    empty.mkdir()

    def started(*arguments):
        command = [bin_folder / "keras-gen", *map(str, arguments)]
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return subprocess.Popen(command, cwd=empty, env=outside_checkout(), text=True, **pipes)

    def keras_gen(*arguments, code=0):
        process = started(*arguments)
        out, err = process.communicate()
        assert process.returncode == code and bool(err) == bool(code), err
        return out + err

    share = site / "keras_gen" / "shipped"
    newest = {exported.resolve(ROOT / "saved_models" / name) for name in EXPORTS}
    held = {file.parent for file in (share / "saved_models").rglob("saved_model.pb")}
    assert {str(path.relative_to(share)) for path in held} == {
        str(path.relative_to(ROOT)) for path in newest
    }
    assert sum(file.stat().st_size for file in share.rglob("*.*")) < 24 * 2**20
    counted = f"{len(RECIPES)} recipes in {share}/recipes, {len(EXPORTS)} exports in {share}/"
    assert " ".join(keras_gen("list").split()).startswith(counted)
    assert "NLL, 5,000" in keras_gen("show", "vae_mnist")
    assert f"{share}/docs/course/04_vae.md" in "".join(keras_gen("find", "VAE").split())
    write_png(empty / "photo.png", np.zeros([40, 30, 3], "uint8"))
    keras_gen("apply", "cyclegan_monet", "photo.png", "-o", "painting.png")
    assert read_image(empty / "painting.png").shape == (40, 30, 3)
    for name in ("vae_mnist", "dcgan_fashion_mnist", "conditional_gan_mnist"):
        keras_gen("sample", name, "-n", 4, "-o", f"{name}.png")
        assert (empty / f"{name}.png").exists()
    if importlib.util.find_spec("gradio"):
        demo = started("demo", "--port", 0)
        assert demo.stdout.readline().startswith(f"serving {len(EXPORTS)} exports at http://")
        demo.terminate()
        demo.communicate()

    assert "does not contain the folder recipes" in keras_gen("results", code=1)
    assert not list(empty.glob("*.md"))
    said = keras_gen("reproduce", "vae_mnist", "--preset", "none", code=1)
    assert "no published run of vae_mnist has the preset 'none': choose one of " in said
    said = keras_gen("train", "dcgan_fashion_mnist", "--preset", "smoke").splitlines()
    (draw,) = (line for line in said if line.startswith("sample: keras-gen "))
    keras_gen(*shlex.split(draw)[2:])
    assert (empty / "samples.png").exists() and len(list(empty.glob("runs/*/*/metrics.json"))) == 1
