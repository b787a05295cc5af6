"""The command lines of recipes, answered from their files before anything heavy is imported."""

import os
import sys

import pytest

from keras_gen.workshop.results.finished_runs import load_recipe
from keras_gen.workshop.run.outline import answer, answer_program, read_outline
from processes import RECIPES, ROOT, environment, python

RECIPE = '''
"""What it does."""

from keras_gen.workshop.run import Run, RunSettings, run_recipe

import dataclasses

import nothing_of_that_name

LARGE = 3
LARGE += 4
nothing_of_that_name.start()


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    width: int = LARGE  # How wide
    other: float = 0.5  # A field that is called as a function of the file


PRESETS = {"smoke": dict(width=1), "cpu": {}, "paper": dict(epochs=3)}


def other():
    return nothing_of_that_name.other


def main(run: Run, s: Settings):
    nothing_of_that_name.train(s)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
'''


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "toy.py"
    path.write_text(RECIPE)
    return path


def test_only_what_the_flags_need_is_executed(recipe):
    outline = read_outline(recipe)
    assert outline.description == "What it does."
    assert outline.settings().width == 7
    assert outline.presets["paper"] == {"epochs": 3}


def test_other_programs_are_left_alone(tmp_path):
    path = tmp_path / "other.py"
    path.write_text("Settings = PRESETS = main = 3\nprint(Settings)\n")
    assert read_outline(path) is None
    path.write_text("")
    assert read_outline(path) is None
    # The settings need an import that takes time.
    settings = "import keras\nSettings = keras.Settings\nPRESETS = {}\n"
    path.write_text(settings + "run_recipe(main, Settings, PRESETS)\n")
    assert read_outline(path) is None


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--help"], 0, "How wide (default: 7)"),
        (["--help", "--preset", "smoke"], 0, "How wide (default: 1)"),
        (["--widht", "3"], 2, "--widht is not a flag of this recipe"),
        (
            ["--preset", "cpu", "--width", "0"],
            2,
            "--width is 0: expected an integer of at least 1.",
        ),
        (["--preset", "cpu", "--width", "wide"], 2, "--width is 'wide': expected an integer of"),
    ],
)
def test_help_and_wrong_flags_are_answered(recipe, capsys, flags, code, said):
    with pytest.raises(SystemExit) as ended:
        answer(recipe, flags)
    assert ended.value.code == code
    assert said in " ".join("".join(capsys.readouterr()).split())


def test_right_flags_are_left_to_the_run(recipe):
    answer(recipe, ["--preset", "cpu", "--width", "3"])


def test_a_config_that_cannot_be_read_is_left_to_the_run(recipe, tmp_path, monkeypatch):
    """Which tells it in one sentence."""
    os.mkfifo(tmp_path / "pipe.json")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(recipe), raising=False)
    for path in (tmp_path / "pipe.json", tmp_path / "nowhere.json"):
        monkeypatch.setattr(sys, "argv", ["toy.py", "--config", str(path)])
        with pytest.raises(OSError):
            answer(recipe)
        answer_program_from("__main__")


def answer_program_from(module):
    exec("answer_program()", {"__name__": module, "answer_program": answer_program})


def test_only_the_recipe_itself_is_answered_and_no_module_that_it_imports(recipe, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(recipe), raising=False)
    monkeypatch.setattr(sys, "argv", ["toy.py", "--help"])
    answer_program_from("a_module")
    with pytest.raises(SystemExit):
        answer_program_from("__main__")


def test_every_recipe_has_an_outline():
    """Read in a process without Keras; the first import of each is what answers."""
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['keras', 'tensorflow', 'sklearn']))\n"
        "from pathlib import Path; from keras_gen.workshop.run.outline import read_outline\n"
        "for path in sys.argv[1:]: assert read_outline(Path(path)).presets.keys(), path\n"
    )
    paths = [ROOT / "recipes" / f"{name}.py" for name in RECIPES]
    done = python("-c", code, *paths)
    assert done.returncode == 0, done.stderr


def test_the_outline_is_the_recipes_own():
    outline = read_outline(ROOT / "recipes" / "vae_mnist.py")
    recipe = load_recipe(ROOT, "vae_mnist")
    assert outline.presets == recipe.PRESETS
    assert vars(outline.settings()) == vars(recipe.Settings())


@pytest.mark.parametrize(
    ("program", "flags"),
    [
        ([str(ROOT / "recipes" / "vae_mnist.py")], ["--help"]),
        (["-m", "keras_gen.workshop.cli", "train", "vae_mnist"], ["--help"]),
        (
            ["-m", "keras_gen.workshop.cli", "train", "vae_mnist"],
            ["--preset", "smoke", "--epochs", "0"],
        ),
    ],
)
def test_programs_answer_without_tensorflow(tmp_path, program, flags):
    for package in ("tensorflow", "keras"):
        (tmp_path / f"{package}.py").write_text("raise AssertionError('imported')")
    env = environment()
    env["PYTHONPATH"] = f"{tmp_path}:{env['PYTHONPATH']}"
    done = python(*program, *flags, env=env, cwd=ROOT)
    assert done.returncode == (0 if flags == ["--help"] else 2), done.stderr
    assert "vae_mnist.py" in done.stdout + done.stderr
