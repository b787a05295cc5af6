"""The tiny instances of all families, by the names of their classes."""

import importlib
from pathlib import Path

TINY = {}
for _path in sorted((Path(__file__).parent / "instances").glob("*.py")):
    TINY |= importlib.import_module(f"instances.{_path.stem}").TINY
