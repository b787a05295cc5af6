"""Where recipes and exports lie: beside the package, or inside a built one."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def place(name: str) -> Path:
    """The folder `name` in the working directory, as shipped in the package, or beside it.

    A built package ships some folders (see setup.py); a checkout has them beside the package.
    """
    for path in (Path(name), PACKAGE / "shipped" / name, PACKAGE.parent / name):
        if path.is_dir():
            return path
    return Path(name)
