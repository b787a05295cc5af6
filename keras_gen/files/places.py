"""Locations of recipes and exports: next to the package, or inside a built one."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def place(name: str) -> Path:
    """Returns the folder `name` in the working directory, in the package, or next to it.

    A built package ships some folders (see setup.py); a checkout has them next to the package.
    """
    for path in (Path(name), PACKAGE / "shipped" / name, PACKAGE.parent / name):
        if path.is_dir():
            return path
    return Path(name)
