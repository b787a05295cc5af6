"""Formats the output of the commands."""

from keras_gen.messages import printable


def print_table(rows: list[list[str]]) -> None:
    """Prints rows of cells in aligned columns."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(printable("  " + "  ".join(cells).rstrip()))
