"""`keras-gen train`, from a checkout and from a wheel in an empty folder."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from keras_gen.cli import main, recipes
from processes import ROOT, environment
from shared import fails

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
    error = fails(capsys, "train", "tox")
    assert "no recipe 'tox' in recipes, which holds: toy; did you mean toy?" in error


def test_places(home, monkeypatch):
    assert recipes.place("recipes") == ROOT / "recipes"
    assert recipes.place("saved_models") == Path("saved_models")
    monkeypatch.setattr(recipes, "CHECKOUT", home)
    assert recipes.place("nothing") == Path("nothing")


@pytest.mark.slow
def test_a_wheel_in_an_empty_folder(tmp_path):
    """As after `pip install keras-gen`; its dependencies are those of this process."""
    source, empty = tmp_path / "source", tmp_path / "empty"
    source.mkdir()
    for name in ("keras_gen", "recipes"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(wheel, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "new"], check=True)
    python, (built,) = tmp_path / "new/bin/python", tmp_path.glob("*.whl")
    install = [*pip, "--python", str(python), "install", "--no-deps", str(built)]
    subprocess.run(install, check=True)
    (site,) = (tmp_path / "new").glob("lib/*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    empty.mkdir()

    def keras_gen(*arguments):
        env = {k: v for k, v in environment().items() if k != "PYTHONPATH"}
        command = [tmp_path / "new/bin/keras-gen", *map(str, arguments)]
        result = subprocess.run(command, cwd=empty, env=env, text=True, capture_output=True)
        assert result.returncode == 0 and result.stderr == "", result.stderr
        return result.stdout

    listed = keras_gen("list")
    assert f"recipes in {tmp_path}/new/share/keras_gen/recipes: " in listed
    assert "  dcgan_fashion_mnist " in listed
    assert "exports in saved_models: none\n`keras-gen train NAME` makes one" in listed
    keras_gen("train", "dcgan_fashion_mnist", "--preset", "smoke", "--export", "saved_models")
    keras_gen("sample", "dcgan_fashion_mnist", "-n", 4, "-o", "four.png")
    assert (empty / "four.png").exists() and len(list(empty.glob("runs/*/*/metrics.json"))) == 1
