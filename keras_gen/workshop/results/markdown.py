"""Tables and anchors of Markdown pages."""


def header(*columns: str) -> str:
    """Returns the first two lines of a table."""
    return "\n".join([line(*columns), "|" + "-|" * len(columns)])


def line(*cells: str) -> str:
    """Returns a line of a table, with each text escaped so that it stays in its cell."""
    plain = (" ".join(cell.split()).replace("|", "\\|") for cell in cells)
    return "|" + "|".join(f" {cell} " if cell else " " for cell in plain) + "|"


def anchor(heading: str) -> str:
    """Returns the anchor of a heading."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")
