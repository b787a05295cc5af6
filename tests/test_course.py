"""The scripts of the course run, and its pages, notebooks, and tables match the scripts."""

import base64
import functools
import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from forked import run_script
from keras_gen.files.images import read_image, write_image
from processes import RECIPES, ROOT, environment
from wheels import EXPORTS, install_wheel, outside_checkout

pytestmark = pytest.mark.pages

COURSE = ROOT / "docs" / "course"
CHAPTERS = sorted(path.stem for path in COURSE.glob("[0-9][0-9]_*.py"))
EXECUTE = """
import nbclient, nbformat
book = nbformat.read("book.ipynb", 4)
nbclient.NotebookClient(book, timeout=600, kernel_name="python3").execute()
print(book.cells[-1].outputs[0].text)
"""
LARGEST = 130_000  # bytes of a picture
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS)


@pytest.fixture
def publish(monkeypatch):
    monkeypatch.syspath_prepend(str(COURSE))
    return importlib.import_module("publish")


def read(name: str) -> str:
    return (COURSE / name).read_text(encoding="utf-8")


@pytest.mark.thorough
@each_chapter
def test_page_and_notebook_are_of_the_script_as_it_is(chapter, publish):
    source = read(f"{chapter}.py")
    assert publish.digest(source) in read(f"{chapter}.md").splitlines()[0], (
        f"docs/course/{chapter}.md is of another script: run docs/course/publish.py {chapter}"
    )
    assert read(f"{chapter}.ipynb") == publish.notebook(source), (
        f"docs/course/{chapter}.ipynb is out of date: run docs/course/publish.py --text {chapter}"
    )


@each_chapter
def test_a_notebook_holds_the_cells_without_outputs(chapter):
    first, *cells = json.loads(read(f"{chapter}.ipynb"))["cells"]
    assert '"pip", "install"' in "".join(first["source"])
    text = "".join("".join(cell["source"]) for cell in cells)
    lines = [line for line in read(f"{chapter}.py").splitlines() if not line.startswith("#")]
    assert all(line in text for line in lines)
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.thorough
@each_chapter
def test_a_page_has_its_pictures_questions_and_a_table(chapter):
    page = read(f"{chapter}.md")
    pictures = re.findall(rf"^!\[(.+)\]\(({chapter}/\w+\.(?:png|jpg))\)$", page, re.MULTILINE)
    files = {f"{chapter}/{path.name}" for path in (COURSE / chapter).iterdir()}
    assert {path for _, path in pictures} == files
    assert len(pictures) >= 4
    for _, path in pictures:
        assert (COURSE / path).stat().st_size < LARGEST, path
        assert read_image(COURSE / path).shape[1] <= 1100, path
    assert page.count('<details markdown="1">') == page.count("</details>") >= 3
    assert len(rows_of(page)) >= 3


def rows_of(page: str) -> list[list[str]]:
    """The cells of the table at the end: topic, class, recipe, result, paper."""
    table = page.partition("| topic | class | recipe | result | paper |\n|-|-|-|-|-|\n")[2]
    return [line.strip("| ").split(" | ") for line in table.splitlines() if line]


@each_chapter
def test_the_table_names_what_there_is_and_figures_that_are_published(chapter):
    import keras_gen

    results = "\n".join(path.read_text() for path in (ROOT / "docs" / "results").glob("*.md"))
    for _, classes, recipe, figure, _ in rows_of(read(f"{chapter}.md")):
        for name in re.findall(r"`(\w+)`", classes):
            assert name in keras_gen.__all__, name
        (name,) = re.findall(r"^\[(\w+)\]\(\.\./\.\./recipes/\1\.py\)$", recipe)
        assert name in RECIPES
        section = results.partition(f"**`{name} ")[2].partition("\n**`")[0]
        section = section.partition("\n## ")[0]
        for number in re.findall(r"\d[\d,]*\.\d+|\d[\d,]+", figure):
            assert number in section, f"{name} publishes no figure {number}"


@pytest.mark.thorough
@each_chapter
def test_a_chapter_runs_quickly(chapter, tmp_path):
    env = environment() | {"QUICK": "1"}
    done = run_script(COURSE / f"{chapter}.py", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stderr
    drawn = {path.stem for path in (tmp_path / "runs" / "course" / chapter).iterdir()}
    assert drawn == {path.stem for path in (COURSE / chapter).iterdir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The `bin` of an environment with the wheel only, where no checkout is found."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*CHAPTERS, "assignments/04_vae"])
def test_a_notebook_runs_where_the_wheel_alone_is_installed(name, installed, publish, tmp_path):
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    book = json.loads(read(f"{name}.ipynb"))
    book["cells"].append(publish._cell("code", "import keras_gen; print(keras_gen.__file__)"))
    Path(tmp_path, "book.ipynb").write_text(json.dumps(book))
    env = outside_checkout() | {"QUICK": "1"}
    command = [installed / "python", "-c", EXECUTE]
    done = subprocess.run(command, cwd=tmp_path, env=env, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert Path(done.stdout.strip()).is_relative_to(installed.parent)


def test_the_wheel_has_the_exports_that_chapters_load():
    scripts = "".join(read(f"{chapter}.py") for chapter in CHAPTERS)
    loaded = set(re.findall(r'(?:load|pretrained)\(\s*"(\w+)"', scripts))
    assert len(loaded) >= 6 and loaded <= set(EXPORTS)


def install_cell(publish, monkeypatch, folder, **constants):
    """Runs the first cell in a folder where keras_gen is missing; returns what pip installs."""
    commands: list = []
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append(command))
    cell = publish.INSTALL
    for name, value in constants.items():
        assert cell.count(f'\n{name} = ""') == 1
        cell = cell.replace(f'\n{name} = ""', f'\n{name} = "{value}"')
    exec(cell, {})
    ((_, _, _, _, _, *wanted),) = commands
    assert f"keras=={keras.__version__}" in wanted
    return [name for name in wanted if "==" not in name]


def test_the_first_cell_installs_a_checkout_a_wheel_or_a_name(publish, monkeypatch, tmp_path):
    checkout, wheel, empty = (tmp_path / name for name in ("checkout", "wheel", "empty"))
    for folder in (checkout / "keras_gen", checkout / "docs" / "course", wheel, empty):
        folder.mkdir(parents=True)
    (checkout / "keras_gen" / "__init__.py").touch()
    (wheel / "keras_generative-0.1.0-py3-none-any.whl").touch()
    run = functools.partial(install_cell, publish, monkeypatch)
    assert run(checkout / "docs" / "course") == ["-e", str(checkout)]
    assert str(checkout) in sys.path
    assert run(wheel) == [str(wheel / "keras_generative-0.1.0-py3-none-any.whl")]
    assert run(empty, NAME_ON_INDEX="keras-generative") == ["keras-generative"]
    with pytest.raises(ModuleNotFoundError, match=r"keras_gen is not installed: .* Copy the file"):
        run(empty)


@pytest.mark.parametrize(
    ("value", "quick"), [(None, False), ("", False), ("0", False), ("1", True)]
)
def test_the_first_cell_turns_quick_mode_on_and_off(publish, monkeypatch, value, quick):
    monkeypatch.delenv("QUICK", raising=False)
    if value is not None:
        monkeypatch.setenv("QUICK", value)
    (cell, *_) = json.loads(publish.notebook("# %%\n1"))["cells"]
    exec("".join(cell["source"]), {})
    assert bool(os.environ.get("QUICK")) == quick
    read_by_chapters = 'QUICK = bool(os.environ.get("QUICK"))'
    assert all(read_by_chapters in read(f"{chapter}.py") for chapter in CHAPTERS)


def test_a_notebook_contains_pictures_and_absolute_links(publish, monkeypatch):
    monkeypatch.setattr(publish, "REPOSITORY", "https://host/keras_gen/")
    path = "04_vae/codes.png"
    text = f"![Codes.]({path})\n# [A](04_vae.md), [B](../../RESULTS.md#c), [D](#e)"
    source = f"# %% [markdown]\n# {text}"
    ((_, cell),) = [json.loads(publish.notebook(source))["cells"]]
    picture, links = "".join(cell["source"]).splitlines()
    data = base64.b64encode((COURSE / path).read_bytes()).decode()
    assert picture == f'<img src="data:image/png;base64,{data}" alt="Codes." title="{path}">'
    root = publish.REPOSITORY
    assert links == f"[A]({root}docs/course/04_vae.md), [B]({root}RESULTS.md#c), [D](#e)"


def test_the_assignments_are_of_the_exercises_as_they_are(publish):
    texts = publish.assignments()
    assert {path.name for path in texts} == {
        "assignments.md",
        *(path.name for path in (COURSE / "assignments").iterdir()),
    }
    for path, text in texts.items():
        assert path.read_text(encoding="utf-8") == text, (
            f"{path} is out of date: run docs/course/publish.py --assignments"
        )


def test_an_assignment_runs_before_and_after_it_is_solved(capsys):
    cells = json.loads(read("assignments/04_vae.ipynb"))["cells"]
    _, *code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict = {}
    for cell in code:
        exec(cell, names)
    assert "kl: is not written yet.\n" in capsys.readouterr().out
    exec((ROOT / "docs" / "teachers" / "answers.py").read_text(), names)
    exec(code[-1], names)
    assert capsys.readouterr().out.endswith("8 of 8 points\n")


def test_a_photograph_keeps_its_colors(publish, tmp_path):
    photograph = load_sample_image("china.jpg")
    write_image(tmp_path / "run" / "a.png", photograph)
    assert publish._publish_picture(tmp_path / "run" / "a.png", tmp_path) == "a.jpg"
    published = read_image(tmp_path / "a.jpg").astype(float)
    assert np.sqrt(np.mean((published - photograph) ** 2)) < 8


def test_the_index_names_all_chapters():
    index = read("README.md")
    assert all(f"]({chapter}.md)" in index for chapter in CHAPTERS)
    assert len(re.findall(r"^\| \d+ \|", index, re.MULTILINE)) == len(CHAPTERS)


def test_a_page_shows_what_its_cells_print_and_draw(publish, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(publish, "HERE", tmp_path)
    source = (
        "# %% [markdown]\n# # Title\n\n# %%\nimport numpy as np\n"
        "from keras_gen.workshop.visualize import show\n\n"
        'print("before")\nshow(np.zeros((4, 4, 3), "uint8"), "black", "A black square.")\n'
        'print("after")\n'
    )
    (tmp_path / "01_a.py").write_text(source)
    publish.publish("01_a")
    parts = (tmp_path / "01_a.md").read_text().split("\n\n")
    assert publish.digest(source) in parts[0]
    assert parts[1] == "# Title"
    assert parts[-4:] == [
        "```text\nbefore\n```",
        "![A black square.](01_a/black.png)",
        "*A black square.*",
        "```text\nafter\n```\n",
    ]
    assert read_image(tmp_path / "01_a" / "black.png").max() == 0


def test_changed_text_is_published_without_a_run(publish, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "HERE", tmp_path)
    source = "# %% [markdown]\n# # Title\n\n# %%\nprint(1)\n\n\n# %% [markdown]\n# So it is 1.\n"
    (tmp_path / "01_a.py").write_text(source)
    publish.publish("01_a")
    changed = source.replace("So it is 1.", "It is one.")
    (tmp_path / "01_a.py").write_text(changed)
    publish.publish_text("01_a")
    page = (tmp_path / "01_a.md").read_text()
    assert publish.digest(changed) in page.splitlines()[0]
    assert page.endswith("```text\n1\n```\n\nIt is one.\n")
    assert (tmp_path / "01_a.ipynb").read_text() == publish.notebook(changed)
    (tmp_path / "01_a.py").write_text(changed.replace("print(1)", "print(2)"))
    with pytest.raises(ValueError, match="The code or cells of 01_a differ from its page"):
        publish.publish_text("01_a")
    assert (tmp_path / "01_a.md").read_text() == page


def test_slides_have_plots_and_diagrams_as_svg(publish, tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "HERE", tmp_path)
    (tmp_path / "01_a.py").write_text(
        "# %%\nimport numpy as np\n"
        "from keras_gen.workshop.visualize import line_plot, new_figure, show\n\n"
        'show(new_figure(1, 1), "figure", "A figure.")\n'
        'show(line_plot({"a": [(0, 1), (1, 2)]}, "x", "y"), "plot", "A plot.")\n'
        'show(np.zeros((4, 4, 3), "uint8"), "black", "A black square.")\n'
    )
    (tmp_path / "diagrams").mkdir()
    (tmp_path / "diagrams" / "01_b.svg").touch()
    publish.slides("01_a", tmp_path / "slides")
    names = {path.name for path in (tmp_path / "slides").iterdir()}
    assert names == {"01_b.svg", "01_a_figure.svg", "01_a_plot.svg", "01_a_black.png"}
    assert not (tmp_path / "01_a.md").exists()
