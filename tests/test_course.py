"""The scripts of the course run, and its pages, notebooks, and tables match the scripts."""

import importlib
import json
import re

import pytest

from keras_gen.files.images import read_image
from processes import RECIPES, ROOT, environment, run_script

pytestmark = pytest.mark.pages

COURSE = ROOT / "docs" / "course"
CHAPTERS = sorted(path.stem for path in COURSE.glob("[0-9][0-9]_*.py"))
LARGEST = 100_000  # bytes of a picture
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
    assert read(f"{chapter}.ipynb") == publish.notebook(source)


@each_chapter
def test_a_notebook_holds_the_cells_without_outputs(chapter):
    first, *cells = json.loads(read(f"{chapter}.ipynb"))["cells"]
    assert "%pip install" in "".join(first["source"])
    text = "".join("".join(cell["source"]) for cell in cells)
    lines = [line for line in read(f"{chapter}.py").splitlines() if not line.startswith("#")]
    assert all(line in text for line in lines)
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.thorough
@each_chapter
def test_a_page_has_its_pictures_questions_and_a_table(chapter):
    page = read(f"{chapter}.md")
    pictures = re.findall(rf"^!\[(.+)\]\(({chapter}/\w+\.png)\)$", page, re.MULTILINE)
    files = {f"{chapter}/{path.name}" for path in (COURSE / chapter).iterdir()}
    assert {path for _, path in pictures} == files
    assert len(pictures) >= 4
    for _, path in pictures:
        assert (COURSE / path).stat().st_size < LARGEST, path
        assert read_image(COURSE / path).shape[1] <= 1100, path
    assert page.count('<details markdown="1">') == page.count("</details>") == 3
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
    drawn = {path.name for path in (tmp_path / "runs" / "course").iterdir()}
    assert drawn == {path.name for path in (COURSE / chapter).iterdir()}


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
