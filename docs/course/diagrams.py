"""Draws the diagrams of the chapters, which diagrams.toml describes, as SVG.

  python docs/course/diagrams.py    write docs/course/diagrams/*.svg

A diagram has nodes in the columns and rows of a grid, arrows between nodes, and plates around
repeated nodes. Fills distinguish roles also in gray and for color-blind readers: gray circles are
observed variables, white circles are latent variables, blue boxes are trained networks, yellow
boxes are losses, and white boxes are data and operations. Text between dollar signs is a formula:
single letters are italic, and `_` and `^` begin indices and exponents.
"""

import html
import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
FILE = HERE / "diagrams.toml"
FOLDER = HERE / "diagrams"
COLUMN, ROW = 104, 76  # distances of the grid, in pixels
RADIUS = 21  # of a circle
LINE = 16  # height of a line of text
MARGIN = 12
# Colors that color-blind readers can distinguish (Okabe, Ito), and paler versions for fills.
BLACK, BLUE, ORANGE = "#000000", "#0072B2", "#B34700"
FILLS = {
    "observed": ("#D4D4D4", BLACK),
    "latent": ("#FFFFFF", BLACK),
    "operation": ("#FFFFFF", BLACK),
    "data": ("#FFFFFF", BLACK),
    "network": ("#D3E8F5", BLUE),
    "loss": ("#FFF0B3", ORANGE),
}
CIRCLES = ("observed", "latent", "operation")
# `a -> b` is an arrow, and `a --> b` a dashed arrow. An arrow has no head at a bend.
LINES = {
    "->": f'stroke="{BLACK}" marker-end="url(#head)"',
    "-->": f'stroke="{ORANGE}" stroke-dasharray="5 4" marker-end="url(#dashed)"',
}
ARROW = re.compile(r" (-?->) ")
HEAD = (
    '<marker id="{}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" '
    'orient="auto"><path d="M0 0L10 5L0 10z" fill="{}"/></marker>'
)
LETTER = re.compile(r"((?<![A-Za-z])[A-Za-zα-ωΑ-Ω][̂̃]?(?![A-Za-z]))")
RAISED = re.compile(r"([^_^]*)(?:([_^])(\{[^}]*\}|.))?")


class Node(NamedTuple):
    """A node: its center in pixels, its role (see `FILLS`, or "text" or "bend"), and its lines."""

    x: float
    y: float
    role: str
    lines: list[str]

    @property
    def half(self) -> tuple[float, float]:
        """Half of the width and of the height."""
        if self.role == "bend":
            return 0, 0
        width, height = max(map(width_of, self.lines)), LINE * len(self.lines)
        if self.role == "operation":
            return 13, 13
        if self.role in CIRCLES:
            return RADIUS, RADIUS
        around = (5, 2) if self.role == "text" else (10, 8)
        return width / 2 + around[0], height / 2 + around[1]

    def border(self, x: float, y: float) -> tuple[float, float]:
        """Returns the point of the border on the way to another point."""
        dx, dy = x - self.x, y - self.y
        wide, high = self.half
        if self.role in CIRCLES:
            part = wide / math.hypot(dx, dy)
        else:
            part = min(abs(wide / dx) if dx else math.inf, abs(high / dy) if dy else math.inf)
        return self.x + part * dx, self.y + part * dy


def read_diagrams() -> dict[str, dict]:
    """Returns the diagrams by name."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def nodes_of(diagram: Mapping) -> dict[str, Node]:
    """Returns the nodes of a diagram by name. The text of a node is its name by default."""
    nodes = {}
    for name, (column, row, role, *text) in diagram["nodes"].items():
        lines = (text or [f"${name}$"])[0].split("\n")
        nodes[name] = Node(COLUMN * column, ROW * row, role, lines)
    return nodes


def arrows_of(diagram: Mapping) -> Iterator[tuple[str, str, str, str]]:
    """Yields the start, the type, the end, and the label of each arrow.

    The label of a chain belongs to the arrow in its middle.
    """
    for chain in diagram["arrows"]:
        path, _, label = chain.partition(": ")
        names = ARROW.split(path)
        middle = len(names) // 4
        for place in range(len(names) // 2):
            yield *names[2 * place : 2 * place + 3], label if place == middle else ""


def draw(diagram: Mapping) -> str:
    """Returns a diagram as SVG."""
    nodes = nodes_of(diagram)
    boxes = [(node.x, node.y, *node.half) for node in nodes.values()]
    parts = []
    for label, *inside in diagram.get("plates", ()):
        x, y, wide, high = _around([(*nodes[name][:2], *nodes[name].half) for name in inside])
        wide, high = wide + 14, high + 18
        boxes.append((x, y + 4, wide, high))
        corner = x - wide + 8, y + high - 2
        style = f'fill="none" stroke="{BLACK}"'
        parts += [_box(*boxes[-1], style, 6), _text(*corner, [label], "start")]
    for start, kind, end, label in arrows_of(diagram):
        a, b = nodes[start], nodes[end]
        (x1, y1), (x2, y2) = a.border(b.x, b.y), b.border(a.x, a.y)
        style = LINES[kind].partition(" marker")[0] if b.role == "bend" else LINES[kind]
        parts.append(
            f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke-width="1.4" {style}/>'
        )
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        if label:
            wide = width_of(label) / 2
            x, y = (x, y - 10) if abs(x1 - x2) > abs(y1 - y2) else (x + 8 + wide, y)
            parts.append(_text(x, y + 4, [label]))
            boxes.append((x, y, wide, 6))
    parts += [_shape(node) for node in nodes.values()]
    x, y, wide, high = _around(boxes)
    wide, high = wide + MARGIN, high + MARGIN
    view = f"{x - wide:.0f} {y - high:.0f} {2 * wide:.0f} {2 * high:.0f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{view}" width="{2 * wide:.0f}" '
            f'height="{2 * high:.0f}" role="img" font-family="Helvetica, Arial, sans-serif" '
            'font-size="13">',
            f"<title>{html.escape(diagram['alt'])}</title>",
            f"<defs>{HEAD.format('head', BLACK)}{HEAD.format('dashed', ORANGE)}</defs>",
            _box(x, y, wide, high, 'fill="#FFFFFF"', 6),  # legible on dark pages
            *filter(None, parts),
            "</svg>\n",
        ]
    )


def _around(boxes: list) -> tuple[float, float, float, float]:
    """Returns the center and half of the size of the smallest box around others."""
    left, right = min(x - w for x, _, w, _ in boxes), max(x + w for x, _, w, _ in boxes)
    top, bottom = min(y - h for _, y, _, h in boxes), max(y + h for _, y, _, h in boxes)
    return (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2


def _shape(node: Node) -> str:
    wide, high = node.half
    middle = node.y - LINE * (len(node.lines) - 1) / 2 + 4.5
    text = "" if node.role == "bend" else _text(node.x, middle, node.lines)
    if node.role not in FILLS:
        return text
    fill, stroke = FILLS[node.role]
    style = f'fill="{fill}" stroke="{stroke}" stroke-width="1.4"'
    if node.role in CIRCLES:
        return f'<circle cx="{node.x:.1f}" cy="{node.y:.1f}" r="{wide:.1f}" {style}/>{text}'
    return _box(node.x, node.y, wide, high, style, 2 if node.role == "data" else 8) + text


def _box(x: float, y: float, wide: float, high: float, style: str, radius: int) -> str:
    size = f'width="{2 * wide:.1f}" height="{2 * high:.1f}"'
    return f'<rect x="{x - wide:.1f}" y="{y - high:.1f}" {size} rx="{radius}" {style}/>'


def _text(x: float, y: float, lines: list[str], anchor: str = "middle") -> str:
    start = f'<text x="{x:.1f}" text-anchor="{anchor}" y='
    return "".join(
        f'{start}"{y + LINE * number:.1f}">{_formatted(line)}</text>'
        for number, line in enumerate(lines)
    )


def _formatted(line: str) -> str:
    """Returns a line with its formulas as SVG."""
    parts = []
    before = 0
    for text, shift, style in _pieces(line):
        moved = f' dy="{shift - before}"' if shift != before else ""
        font = f' font-family="Times, serif" font-style="{style}"' if style else ""
        size = f' font-size="{10 if shift else 14}"' if style else ""
        parts.append(f"<tspan{moved}{font}{size}>{html.escape(text, quote=False)}</tspan>")
        before = shift
    return "".join(parts)


def _pieces(line: str) -> Iterator[tuple[str, int, str]]:
    """Yields texts, how far each is below the line, and the font style of formulas."""
    for number, part in enumerate(line.split("$")):
        if number % 2 == 0:
            yield from [(part, 0, "")] if part else []
            continue
        for plain, mark, raised in RAISED.findall(part):
            for text, shift in ((plain, 0), (raised.strip("{}"), 4 if mark == "_" else -5)):
                for place, letters in enumerate(LETTER.split(text)):
                    if letters:
                        yield letters, shift, "italic" if place % 2 else "normal"


def width_of(line: str) -> float:
    """Returns the approximate width of a line in pixels."""
    return sum(len(text) * (5 if shift else 6.9) for text, shift, _ in _pieces(line))


def write() -> None:
    """Writes all diagrams."""
    FOLDER.mkdir(exist_ok=True)
    for name, diagram in read_diagrams().items():
        (FOLDER / f"{name}.svg").write_text(draw(diagram), encoding="utf-8")


if __name__ == "__main__":
    write()
