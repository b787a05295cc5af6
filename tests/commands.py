"""What tests of commands and of other processes need."""

import os
import subprocess
import sys
from pathlib import Path

from keras_gen.files.writing import partial_path
from keras_gen.workshop.cli import main
from processes import python


def left_by_a_killed_process(path: Path, content: bytes = b"half") -> Path:
    """Writes what a process that was killed leaves of what was to become `path`."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    own = partial_path(path)
    partial = own.with_name(own.name.replace(f".{os.getpid()}.", f".{dead.pid}."))
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(content)
    return partial


def fails(capsys, *arguments):
    """Runs a `keras-gen` command that must fail, and returns the one line it says."""
    capsys.readouterr()
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"keras-gen {arguments[0]}: ")
    return error


def written(folder: Path) -> dict[Path, int]:
    """When each file and folder below a folder was written."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*")}


def run_without(*arguments, packages):
    """Runs the command in a fresh process in which some packages cannot be imported."""
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({packages!r}.split()))\n"
        "from keras_gen.workshop.cli import main; sys.exit(main())"
    )
    return python("-c", script, *arguments)
