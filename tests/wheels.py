"""A built wheel in an environment that has no checkout, as after `pip install keras-generative`."""

import ast
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from processes import ROOT, environment

_SETUP = (ROOT / "setup.py").read_text(encoding="utf-8")
# Names of exports in the wheel.
EXPORTS = ast.literal_eval(_SETUP.partition("\nEXPORTS = ")[2].partition("\n)")[0] + ")")


def install_wheel(folder: Path) -> Path:
    """Builds the wheel in `folder`, installs it there, and returns the `bin` of its environment.

    The environment has the dependencies of this process.
    """
    source = folder / "source"
    source.mkdir()
    for name in ("keras_gen", "recipes", "saved_models", "docs"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "setup.py", "pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source)]
    subprocess.run(wheel, check=True)
    new = folder / "new"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", new], check=True)
    (built,) = folder.glob("*.whl")
    # Also where a checkout on PYTHONPATH passes for an installed one.
    install = [*pip, "--python", str(new / "bin" / "python"), "install"]
    subprocess.run([*install, "--no-deps", "--force-reinstall", str(built)], check=True)
    (site,) = new.glob("lib/*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return new / "bin"


def outside_checkout() -> dict[str, str]:
    """Returns the variables of a process that sees no checkout and no network."""
    return {name: value for name, value in environment().items() if name != "PYTHONPATH"}
