"""Cards of methods: one A5 page each, with the formula, the training step, and a result."""

import io
import itertools
import re
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from PIL import Image

from keras_gen.files.writing import replacing
from keras_gen.workshop.results import words
from keras_gen.workshop.results.algorithms import figure_of
from keras_gen.workshop.results.course_pages import citations
from keras_gen.workshop.site.methods import Methods
from keras_gen.workshop.site.sources import path_of, summary_of

WIDTH, HEIGHT = 420, 595  # size of A5 paper, in points
MARGIN = 32
TEXT, FORMULA = 9, 13  # font sizes, in points
SPACING = 1.4  # distance between lines, relative to the size of the text
GRAY = "#555555"
# LaTeX that matplotlib does not render, and its replacements.
_REPLACED = {
    r"\\begin\{pmatrix\}(.*?)\\\\(.*?)\\end\{pmatrix\}": r"\\left(\1,\\; \2\\right)",
    r"\\mathop\{(\\mathrm\{[^{}]*\})\}": r"\1",
    r"\\text\{\s*([^{}]*?)\s*\}": r"\\;\\mathrm{\1}\\;",
    r"\\[Bb]ig(?![a-z])": "",
    r"\\tfrac": r"\\frac",
    r"\\([ln])e\b": r"\\\1eq",
    r"(\\prod_\w)": r"\\;\1\\;",
}
# Brackets in a formula, and signs before which a line may end if no bracket is open. The bars in
# KL(p || q) do not count as brackets.
_BRACKET = re.compile(r"\\,\\\|\\,|\\left|\\right|\\\||[{(\[\])}]| [+-] ")
_OPENS = {"\\left": 1, "\\right": -1} | dict.fromkeys("{([", 1) | dict.fromkeys("})]", -1)
_WORD = re.compile(r"(?:\$[^$]*\$|\S)+")
_MARKUP = re.compile(r"\[([^]]*)\]\([^)]*\)|[`*]")


def write_cards(methods: Methods, path: Path) -> None:
    """Writes a PDF with one page per method.

    Args:
        methods: Contents of the methods' pages.
        path: PDF to write. An existing file is replaced when all pages are complete.

    Raises:
        OSError: If the file cannot be written.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: expected the path of a PDF.")
    written = io.BytesIO()
    with PdfPages(written, metadata={"Title": "Methods", "CreationDate": None}) as pdf:
        for family, names in methods.families.items():
            for name in names:
                pdf.savefig(card(methods, family, name))
    with replacing(path) as file:
        file.write(written.getvalue())


def card(methods: Methods, family: str, name: str) -> Figure:
    """Returns the card of a class."""
    definition = methods.classes[name]
    algorithm = methods.algorithms[name]
    recipes = methods.recipes_of(name)
    page = _Page()
    page.write(methods.title(family), TEXT, color=GRAY)
    page.write(name, 20, weight="bold")
    page.write(summary_of(definition), TEXT)
    page.y -= 14
    for equation in equations(algorithm.formula):
        page.write_formula(equation)
    for number, step in enumerate(algorithm.steps, 1):
        page.write(step, TEXT, indent=14, label=f"{number}")
    below = {"When to use": algorithm.use} | _result(methods, name, recipes)
    below["Paper"] = "; ".join(citations(methods.root / path_of(definition), name))
    lines = [page.wrapped(text, TEXT, indent=76) for text in below.values()]
    bottom = MARGIN + SPACING * TEXT * sum(map(len, lines))
    for picture in methods.shown_pictures(recipes)[:1]:
        page.show(methods.root / picture.path, bottom + 10)
    page.y = bottom
    for label, text in below.items():
        page.write(text, TEXT, indent=76, label=label)
    return page.figure


def _result(methods: Methods, name: str, recipes: list[str]) -> dict[str, str]:
    """Returns the result of the first recipe and its baseline, by title."""
    if not recipes or recipes[0] not in methods.groups:
        return {}
    algorithm = methods.algorithms[name]
    group = algorithm.group_of(methods.groups[recipes[0]])
    metric, entry = figure_of(group, algorithm.figure)
    paper = words.paper_value(entry)
    result = f"{metric}: {words.value(entry)}" + (f"; paper: {paper}" if paper else "")
    return {"Result": f"{result} ({recipes[0]})", "Baseline": words.baseline(entry)}


def equations(formula: str) -> list[str]:
    """Returns the equations of a formula in the part of LaTeX that matplotlib renders."""
    formula = formula.strip()
    for pattern, replacement in _REPLACED.items():
        formula = re.sub(pattern, replacement, formula)
    return re.split(r"\s*\\q?quad\s*", formula)


def terms_of(equation: str) -> list[str]:
    """Returns an equation in parts that begin with a sign outside of all brackets."""
    depth = 0
    norm = 1  # change of the depth at the next bracket of a norm
    starts = [0]
    for found in _BRACKET.finditer(equation):
        if found[0] == "\\|":
            depth += norm
            norm = -norm
        elif found[0] in (" + ", " - ") and not depth:
            starts.append(found.start())
        depth += _OPENS.get(found[0], 0)
    return [equation[a:b] for a, b in itertools.pairwise([*starts, len(equation)])]


class _Page:
    """A page, and the height `y` above its lower edge that is still free, in points."""

    def __init__(self):
        self.figure = Figure(figsize=(WIDTH / 72, HEIGHT / 72), dpi=72)
        self.y = HEIGHT - MARGIN
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()

    def size(self, text: str, size: float) -> np.ndarray:
        """Returns the width, the height, and the descent of a text in points."""
        font = FontProperties(size=10 * size)  # larger than shown, because sizes are rounded
        measured = self._renderer.get_text_width_height_descent(text, font, "$" in text)
        return np.divide(measured, 10)

    def wrapped(self, text: str, size: float, indent: float = 0) -> list[str]:
        """Returns the lines of a text without its markup; formulas stay whole."""
        lines: list[str] = []
        left = 0.0
        for word in _WORD.findall(_MARKUP.sub(r"\1", text)):
            wide, _, _ = self.size(word, size)
            if wide > left:
                lines.append("")
                left = WIDTH - 2 * MARGIN - indent
            lines[-1] += f"{word} "
            left -= wide + 0.33 * size
        return lines

    def write(self, text: str, size: float, indent: float = 0, label: str = "", **style) -> None:
        """Writes a text, with a bold label in front of its first line, and moves down."""
        for number, line in enumerate(self.wrapped(text, size, indent)):
            self.y -= SPACING * size
            self._draw(MARGIN + indent, line, size, **style)
            if number == 0:
                self._draw(MARGIN, label, size, weight="bold")

    def write_formula(self, equation: str) -> None:
        """Writes an equation in as few lines as possible, and moves down."""
        lines = [""]
        for term in terms_of(equation):
            if lines[-1] and self.size(f"${lines[-1]}{term}$", FORMULA)[0] > WIDTH - 2 * MARGIN:
                lines.append(r"\quad")
            lines[-1] += term
        for line in lines:
            width, height, descent = self.size(f"${line}$", FORMULA)
            scale = min(1, (WIDTH - 2 * MARGIN) / width)
            self.y -= scale * height
            self._draw(MARGIN, f"${line}$", scale * FORMULA, lift=scale * descent)
            self.y -= 8

    def show(self, path: Path, bottom: float) -> None:
        """Shows a picture as large as possible above a height."""
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
        rows, columns, _ = pixels.shape
        free = self.y - 10 - bottom
        scale = min((WIDTH - 2 * MARGIN) / columns, free / rows)
        wide = scale * columns
        high = scale * rows
        left = (WIDTH - wide) / 2
        low = bottom + (free - high) / 2
        place = (left / WIDTH, low / HEIGHT, wide / WIDTH, high / HEIGHT)
        axes = self.figure.add_axes(place)
        axes.imshow(pixels, interpolation="none")
        axes.set_axis_off()

    def _draw(self, x: float, text: str, size: float, lift: float = 0, **style) -> None:
        self.figure.text(x / WIDTH, (self.y + lift) / HEIGHT, text, size=size, **style)
