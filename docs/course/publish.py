"""Publishes chapters: runs them, and writes their pages and notebooks.

  python docs/course/publish.py 04_vae
  python docs/course/publish.py --text 04_vae    only text has changed: run nothing
  python docs/course/publish.py --assignments    write the page and notebooks of assignments
  python docs/course/publish.py --svg slides 04_vae    write plots as SVG, and publish nothing

A chapter is a script with cells: `# %% [markdown]` starts a text cell, and `# %%` a code cell. The
page contains the printed output and pictures of the cells, and the hash of the script, so that a
test can detect that it is out of date. The notebook is the script without outputs. Afterward,
`keras-gen results` updates docs/course/errata.md, which collects a section of each chapter.
"""

import argparse
import base64
import contextlib
import functools
import hashlib
import inspect
import io
import json
import mimetypes
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from unittest import mock

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image, ImageChops

from keras_gen.course.exercises import EXERCISES
from keras_gen.course.grading import Exercise
from keras_gen.files.images import write_image
from keras_gen.files.writing import replacing
from keras_gen.workshop import visualize

HERE = Path(__file__).resolve().parent
GRAYS = 32  # gray levels of published gray pictures, to keep files small
COLORS = 64  # colors of published plots, including rare ones
PHOTOGRAPH = 1 << 15  # distinct colors, more than plots have
PICTURE = re.compile(r"^\[(\S+\.png)\] (.*)$")  # as printed by `show`
NAME_ON_INDEX = ""  # what `pip install` accepts, once a package index has the library
REPOSITORY = ""  # address of the published repository's root, ending in "/", once there is one
INSTALL = f"""\
# Where keras_gen is missing, install it, and keep the installed TensorFlow.
import importlib.util
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

NAME_ON_INDEX = "{NAME_ON_INDEX}"
if importlib.util.find_spec("keras_gen") is None:
    folders = [Path.cwd(), *Path.cwd().parents]
    checkouts = [str(path) for path in folders if (path / "keras_gen" / "__init__.py").is_file()]
    wheels = [str(path) for path in Path.cwd().glob("keras_generative-*.whl")]
    if not (checkouts or wheels or NAME_ON_INDEX):
        raise ModuleNotFoundError(
            f"keras_gen is not installed: expected a checkout around {{Path.cwd()}}, or a wheel in "
            "this folder. Copy the file keras_generative-*.whl here, and run this cell again."
        )
    wanted = ["-e", *checkouts[:1]] if checkouts else [max(wheels, default=NAME_ON_INDEX)]
    there = [d for d in distributions() if d.name in ("tensorflow", "keras", "numpy")]
    kept = [f"{{d.name}}=={{d.version}}" for d in there]
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *wanted, *kept], check=True)
    sys.path += checkouts[:1]  # a running process does not see editable packages
    importlib.invalidate_caches()"""
QUICK = """

# To test the code on less data and with fewer steps, write "1" instead of "0", and restart the kernel.
quick = os.environ.get("QUICK") or "0"
os.environ["QUICK"] = "" if quick == "0" else "1\""""
ASSIGNMENTS = """\
# Assignments

Each chapter has an assignment: a notebook with three to five functions to write, worth 1 to 3
points each. Each function implements a part of the chapter's methods, such as the divergence of two
normal distributions, the inverse of a coupling, or a step of Langevin dynamics. Read the chapter
first. Then open the notebook, write a function, and run the cell below it.

That cell calls `keras_gen.course.check`, which calls your function with five random inputs of
different sizes and compares your results with the library's. If they differ, it prints what is
wrong, such as a sign, a constant factor, a missing term, a transposed matrix, or an argument
without any effect. It does not print the solution. You can check a function as often as you like.

Functions receive NumPy arrays, or TensorFlow tensors where the statement mentions tensors, and return
arrays or tensors. Loops are allowed, but every function has a solution in a few lines without loops.
The last cell prints your points.

| | chapter | notebook | functions | points |
|-|-|-|-|-|
{rows}

## For teachers

**Nothing here can be graded unattended.** The answers are in
[`docs/teachers/answers.py`](../teachers/answers.py) of every checkout, which implements the
functions without the library. The wheel and the notebooks do not contain this file, but the library
in the wheel contains the correct functions, because the grader compares with them. The answers to
all questions in the chapters and in the [syllabus](syllabus.md) are below the questions. The inputs
of the grader are fixed by each exercise. So points show that a student has practiced, and they are
useful as a condition for admission to an exam, but not as a grade. All assignments together have {total} points.

To grade, add one of the following:

- **An explanation.** The student explains two functions of the notebook, chosen by you, in five
  minutes, and predicts the effect of a change, such as a wrong sign or the other direction of a
  divergence.
- **A variant.** Change the exercise so that the public answer is wrong: precisions instead of
  variances, bits instead of nats, the other direction of time, another margin, or a mask that also
  hides the nearest character. Adapt the function in `answers.py`, and compare it with submissions on
  random inputs of your own.
- **A measurement.** Choose a number in a chapter's code that no question mentions, such as a width,
  a learning rate, or a number of latents. Students predict its effect, run the chapter with three
  values and two seeds, and hand in one plot and five sentences. A rubric with 2 points each: the
  prediction has a reason; the comparison is fair (equal time or equal steps, a baseline); the plot
  has labels and shows the variation; the conclusion follows from the plot and states what it does
  not show.

To grade submitted notebooks, either execute them with `nbclient` and read the output of the last
cell, or import a student's functions and call `keras_gen.course.grade("04", vars(module))`, which
returns points by function. Inputs depend only on the exercise, so grading is reproducible.

To add an exercise, write a function in `keras_gen/course/exercises.py`: its docstring is the
statement, its body is the right answer, and the decorator lists inputs and at least five typical
mistakes, each with the sentence that a student reads. Add the answer for teachers, and run
`python docs/course/publish.py --assignments`. Tests check every answer and every mistake.
"""
# In text: a picture that a notebook contains, and a path in a link.
_EMBEDDED = re.compile(r'<img src="data:[^"]*" alt="([^"]*)" title="([^"]*)">')
_PATH = re.compile(r"(!?)(\[[^]]*\])\((?!\w+:|#)([^)\s]+)\)")


def read_cells(source: str) -> list[tuple[str, int, str]]:
    """Returns a chapter's cells: "markdown" or "code", the line before the text, and the text."""
    found: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(source.splitlines(), start=1):
        if line.startswith("# %%"):
            found.append(("markdown" if "[markdown]" in line else "code", number, []))
        elif found[-1][0] == "markdown":
            found[-1][2].append(line[2:])
        else:
            found[-1][2].append(line)
    return [(kind, number, "\n".join(lines).strip("\n")) for kind, number, lines in found]


def digest(source: str) -> str:
    """Returns the hash of a chapter, which its page contains."""
    return hashlib.sha256(source.encode()).hexdigest()


def notebook(source: str) -> str:
    """Returns the chapter as a notebook without outputs."""
    cells = [(kind, text) for kind, _, text in read_cells(source)]
    first = INSTALL.replace("import subprocess", "import os\nimport subprocess", 1) + QUICK
    return _notebook(cells, first=first)


def assignments() -> dict[Path, str]:
    """Returns the texts of the page and the notebooks of assignments, by file."""
    texts: dict[Path, str] = {}
    rows = []
    total = sum(each.level for each in EXERCISES)
    for chapter in sorted(HERE.glob("[0-9][0-9]_*.py")):
        number = chapter.stem[:2]
        if exercises := [each for each in EXERCISES if each.chapter == number]:
            path = HERE / "assignments" / f"{chapter.stem}.ipynb"
            title = chapter.read_text(encoding="utf-8").split("\n")[1].removeprefix("# # ")
            texts[path] = assignment(title, chapter.stem, exercises)
            names = ", ".join(f"`{each.name}`" for each in exercises)
            links = (
                f"[{title.partition('. ')[2]}]({chapter.stem}.md)",
                f"[{path.name}]({path.relative_to(HERE)})",
            )
            points = sum(each.level for each in exercises)
            rows.append(f"| {int(number)} | {' | '.join(links)} | {names} | {points} |")
    return texts | {
        HERE / "assignments.md": ASSIGNMENTS.format(rows="\n".join(rows), total=total)
    }


def assignment(title: str, chapter: str, exercises: list[Exercise]) -> str:
    """Returns the notebook with the exercises of a chapter."""
    number = chapter[:2]
    intro = (
        f"# Assignment for chapter {title}\n\nWrite the functions below. The cell after each function "
        "compares it with the library and prints what is wrong. The functions are parts of [the "
        f"chapter](../{chapter}.md), and [Assignments](../assignments.md) explains the grader."
    )
    imports = "import numpy as np\nimport tensorflow as tf\n\nfrom keras_gen import course"
    cells = [("markdown", intro), ("code", imports)]
    for place, each in enumerate(exercises, start=1):
        points = "1 point" if each.level == 1 else f"{each.level} points"
        parameters = inspect.signature(each.reference)
        cells += [
            (
                "markdown",
                f"## {place}. `{each.name}`, {points}\n\n{inspect.getdoc(each.reference)}",
            ),
            ("code", f"def {each.name}{parameters}:\n    raise NotImplementedError"),
            ("code", f'course.check("{number}", "{each.name}", {each.name})'),
        ]
    cells += [("markdown", "## Points"), ("code", f'course.grade("{number}", globals())')]
    return _notebook(cells, "docs/course/assignments/")


def _notebook(
    cells: list[tuple[str, str]], folder: str = "docs/course/", first: str = INSTALL
) -> str:
    """Returns a notebook in a folder of the repository; its first cell installs the library."""
    parts = [_cell("code", first), *(_cell(*cell, folder) for cell in cells)]
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": python, "language_info": {"name": "python"}}
    content = {"cells": parts, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4}
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, text: str, folder: str = "") -> dict:
    if kind == "markdown":
        text = _PATH.sub(functools.partial(_reachable, folder), text)
    cell = {"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell if kind == "markdown" else cell | {"execution_count": None, "outputs": []}


def _reachable(folder: str, found: re.Match) -> str:
    """Embeds a picture, so that a notebook shows it anywhere, and completes the path of a link.

    The picture is HTML, because some notebook editors refuse embedded SVG in Markdown.
    """
    picture, label, path = found.groups()
    if picture:
        kind, _ = mimetypes.guess_type(path)
        data = base64.b64encode((HERE / path).read_bytes()).decode()
        return f'<img src="data:{kind};base64,{data}" alt="{label[1:-1]}" title="{path}">'
    if not REPOSITORY:
        return found[0]
    return f"{label}({urllib.parse.urljoin(REPOSITORY + folder, path)})"


def page(name: str, source: str, pictures: Path) -> str:
    """Runs a chapter in the working directory; returns its page and writes its pictures."""
    script = HERE / f"{name}.py"
    names = {"__name__": "__main__"}
    parts = [_first_line(name, source)]
    for kind, line, text in read_cells(source):
        if kind == "markdown":
            parts.append(text)
            continue
        parts.append(f"```python\n{text}\n```")
        printed = io.StringIO()
        # Keep the script's line numbers, where TensorFlow looks for functions.
        code = compile("\n" * line + text, script, "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        parts += _shown(printed.getvalue(), pictures)
        sys.stderr.write(f"{printed.getvalue()}--- {time.process_time():.0f} s of one core\n")
    links = f"[This chapter as a script]({name}.py), and [as a notebook]({name}.ipynb)."
    parts.insert(2, links)
    return "\n\n".join(parts) + "\n"


def _shown(printed: str, pictures: Path) -> list[str]:
    """Returns the printed output of a cell as text blocks and pictures."""
    parts: list[str] = []
    lines: list[str] = []
    for line in [*printed.splitlines(), None]:
        found = PICTURE.match(line or "")
        if line is not None and not found:
            lines.append(line)
            continue
        if text := "\n".join(lines).strip("\n"):
            parts.append(f"```text\n{text}\n```")
        lines = []
        if found:
            path, caption = found.groups()
            published = _publish_picture(Path(path), pictures)
            parts.append(f"![{caption}]({pictures.name}/{published})\n\n*{caption}*")
    return parts


def _publish_picture(path: Path, pictures: Path) -> str:
    """Saves a picture at its size, a plot with few colors, and returns the name of its file."""
    with Image.open(path) as image:
        colored = image.convert("RGB")
    gray = colored.convert("L")
    if colored.getcolors(PHOTOGRAPH) is None:
        colored.save(pictures / f"{path.stem}.jpg", quality=85, subsampling=0, optimize=True)
        return f"{path.stem}.jpg"
    if ImageChops.difference(colored, gray.convert("RGB")).getbbox() is None:
        few = gray.quantize(GRAYS)
    else:
        few = colored.quantize(COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(pictures / path.name, optimize=True)
    return path.name


def publish(name: str) -> None:
    """Writes a chapter's page, pictures, and notebook after all of it has run."""
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        pictures = Path(folder, name)
        pictures.mkdir()
        with contextlib.chdir(folder):
            text = page(name, source, pictures)
        shutil.rmtree(HERE / name, ignore_errors=True)
        shutil.copytree(pictures, HERE / name)
    _write(name, text, source)


def slides(name: str, folder: Path) -> None:
    """Runs a chapter, and writes its diagrams and plots as SVG and its other pictures as PNG."""
    last: list[Figure] = []
    draw = FigureCanvasAgg.draw

    def remember(canvas: FigureCanvasAgg) -> None:
        last[:] = [canvas.figure]
        draw(canvas)

    def save(image: np.ndarray | Figure, stem: str, caption: str) -> None:
        path = folder / f"{name}_{stem}"
        if isinstance(image, Figure):
            image.savefig(f"{path}.svg")
        elif last and last[0].canvas.get_width_height() == image.shape[1::-1]:
            last.pop().savefig(f"{path}.svg")
        else:
            write_image(f"{path}.png", image)
        print(caption)

    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for path in HERE.glob(f"diagrams/{name[:2]}_*.svg"):
        shutil.copy(path, folder)
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    with (
        tempfile.TemporaryDirectory() as empty,
        contextlib.chdir(empty),
        mock.patch.object(FigureCanvasAgg, "draw", remember),
        mock.patch.object(visualize, "show", save),
    ):
        page(name, source, folder)


def publish_text(name: str) -> None:
    """Rewrites the page and notebook of a chapter whose code has not changed since its run.

    Raises:
        ValueError: If the code has changed, or a cell's text is not on the page exactly once.
    """
    source = (HERE / f"{name}.py").read_text(encoding="utf-8")
    text = (HERE / f"{name}.md").read_text(encoding="utf-8")
    _, *before = json.loads((HERE / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    after = read_cells(source)
    has_run = ["".join(cell["source"]) for cell in before if cell["cell_type"] == "code"]
    code = [text_of for kind, _, text_of in after if kind == "code"]
    if code != has_run or len(after) != len(before):
        raise ValueError(
            f"The code or cells of {name} differ from its page: publish without --text."
        )
    for cell, (kind, _, new) in zip(before, after, strict=True):
        if kind == "code":
            continue
        old = _EMBEDDED.sub(r"![\1](\2)", "".join(cell["source"]))
        if text.count(old) != 1:
            raise ValueError(
                f"{name}.md contains a cell's text {text.count(old)} times: expected once. Publish "
                f"without --text. The text begins {old[:60]!r}."
            )
        text = text.replace(old, new)
    _, _, rest = text.partition("\n")
    _write(name, f"{_first_line(name, source)}\n{rest}", source)


def _first_line(name: str, source: str) -> str:
    return f"<!-- {name}.py as run by publish.py, sha256 {digest(source)} -->"


def _write(name: str, text: str, source: str) -> None:
    for ending, content in ((".md", text), (".ipynb", notebook(source))):
        with replacing(HERE / f"{name}{ending}") as file:
            file.write(content.encode())


if __name__ == "__main__":
    os.environ.pop("QUICK", None)  # publish the full run
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--text", action="store_true", help="update only the text, without running code"
    )
    parser.add_argument(
        "--assignments", action="store_true", help="write the assignments of all chapters"
    )
    parser.add_argument(
        "--svg", type=Path, metavar="FOLDER", help="write slides to FOLDER, and publish nothing"
    )
    parser.add_argument("chapters", nargs="*", help="chapters to publish, such as 04_vae")
    told = parser.parse_args()
    if told.assignments:
        for file, text in assignments().items():
            with replacing(file) as written:
                written.write(text.encode())
    for chapter in told.chapters:
        if told.svg:
            slides(chapter, told.svg)
        else:
            (publish_text if told.text else publish)(chapter)
