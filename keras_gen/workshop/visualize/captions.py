"""Text in images: captions and pages of text."""

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gen.arguments import refuse_empty
from keras_gen.files.images import LARGEST_IMAGE, READABLE_WIDTH, as_shown, to_pillow
from keras_gen.workshop.visualize.plots import new_figure, pixels

_GAP = 4  # number of white pixels around an image
_LETTERS = 16  # height of the letters in pixels
_LINE = 16  # maximum number of characters in a line of a row's name


def captioned(
    rows: Iterable[np.ndarray],
    row_names: Sequence[str] = (),
    column_names: Sequence[str] = (),
    width: int = READABLE_WIDTH,
) -> np.ndarray:
    """Arranges images in named rows and columns, and scales them to a readable size.

    All images are scaled to the same width. Small images are enlarged by an integer factor, so that
    each pixel becomes a square; images that are too wide are downscaled.

    Args:
        rows: Images of each row, uint8 `[n, height, width, channels]`. Rows may differ in the
            number and size of images. Images that do not have 1 or 3 channels are converted by
            `keras_gen.files.images.as_shown`.
        row_names: Names of the rows, if any.
        column_names: Names of the columns, if any.
        width: Maximum width of the picture in pixels.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there are no images, if a row is not uint8 `[n, height, width, channels]`, or
            if the number of names differs from the number of rows or columns.

    Example: `captioned([digits, model.reconstruct(digits)], ["image", "reconstruction"])`.
    """
    rows = [np.asarray(row) for row in rows]
    columns = max((len(row) for row in rows), default=0)
    found = [f"{row.dtype} {list(row.shape)}" for row in rows]
    if not columns or any(
        row.dtype != np.uint8 or row.ndim != 4 or not row.size for row in rows
    ):
        raise ValueError(
            f"rows contains {', '.join(found) or 'no images'}: expected uint8 [n, height, width, "
            "channels], with at least one image in each."
        )
    for names, count, kind in ((row_names, len(rows), "row"), (column_names, columns, "column")):
        if len(names) not in (0, count):
            raise ValueError(
                f"There are {len(names)} {kind}_names for {count} {kind}s: expected one name per "
                f"{kind}, or none."
            )
    rows = [as_shown(row) for row in rows]
    font = _font()
    left_texts = ["\n".join(textwrap.wrap(name, _LINE)) for name in row_names]
    left = max((_size(text, font)[0] + 2 * _GAP for text in left_texts), default=0)
    cell = _cell_width(rows, columns, width - left)
    letter = _size("n", font)[0]
    above_texts = [
        "\n".join(textwrap.wrap(name, max(cell // letter, 1))) for name in column_names
    ]
    top = max((_size(text, font)[1] + _GAP for text in above_texts), default=0)

    heights = [max(round(row.shape[1] * cell / row.shape[2]), 1) for row in rows]
    size = left + columns * (cell + _GAP) + _GAP, top + sum(heights) + _GAP * (len(rows) + 1)
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for column, text in enumerate(above_texts):
        middle = left + _GAP + column * (cell + _GAP) + cell / 2
        pen.text((middle, top), text, "black", font, anchor="md", align="center")
    y = top + _GAP
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        if left_texts:
            place = left - _GAP, y + height / 2
            pen.text(place, left_texts[number], "black", font, anchor="rm", align="right")
        for column, image in enumerate(row):
            x = left + _GAP + column * (cell + _GAP)
            picture.paste(_resized(image, cell, height), (x, y))
        y += height + _GAP
    return np.array(picture)


def _cell_width(rows, columns, width) -> int:
    """Returns the width at which all columns fit; the scale of the widest image is an integer."""
    widest = max(row.shape[2] for row in rows)
    longest = max(max(row.shape[1:3]) for row in rows)
    room = (width - _GAP) // columns - _GAP
    scale = min(room / widest, max(LARGEST_IMAGE / longest, 1))
    return max(widest * int(scale) if scale >= 1 else int(widest * scale), 1)


def _resized(image, width, height):
    whole = width % image.shape[1] == 0 and height % image.shape[0] == 0
    way = Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS
    return to_pillow(image).resize((width, height), way)


def _font():
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / "DejaVuSans.ttf"), _LETTERS)


def _size(text, font) -> tuple[int, int]:
    """Returns the width and height of lines of text in pixels, rounded up."""
    pen = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    left, top, right, bottom = pen.multiline_textbbox((0, 0), text, font)
    return int(right - left) + 1, int(bottom - min(top, 0)) + 1


COLUMNS = 100  # maximum number of characters in a line


def text_page(texts: Iterable[str]) -> np.ndarray:
    """Arranges texts one below the other, each wrapped at 100 characters.

    Args:
        texts: One or more strings.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        ValueError: If there is no text.

    Example: `write_image("texts.png", text_page(model.sample(4, seed=0)))`.
    """
    lines: list[str] = []
    for text in texts:
        for line in str(text).split("\n"):
            lines += textwrap.wrap(line, COLUMNS) or [""]
        lines.append("")
    refuse_empty("texts", lines, "text")
    height = 0.165 * len(lines) + 0.2
    figure = new_figure(0.08 * COLUMNS + 0.3, height)
    # Dollar signs are escaped, because matplotlib would interpret them as the beginning of a
    # formula.
    page = "\n".join(lines).replace("$", r"\$")
    figure.text(
        0.01, 1 - 0.1 / height, page, family="monospace", fontsize=9, va="top", linespacing=1.3
    )
    return pixels(figure)
