"""Changes the library in one place at a time, and names the changes that no nearby test notices.

    python tests/mutations.py              all mutations in tests/mutations.toml
    python tests/mutations.py gan vae/m2   mutations of files whose paths contain one of these words

It fails if more than one in twenty survives, or if a text of the table is not found exactly once.
"""

import compileall
import os
import shutil
import signal
import sys
import tempfile
import tomllib
from pathlib import Path

import keras  # noqa: F401  # each run starts from a process that has imported what takes seconds
import pytest
import tensorflow as tf  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]
# What plain `pytest` runs, and that of the rooms that it leaves out.
TESTS = ["-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not (slow or thorough or pages)"]
SECONDS = 300  # after which a run has failed
LEAST = 0.95  # fraction of mutations that tests must notice


def mutations(words) -> list[tuple]:
    """Returns file, old text, new text, line, and tests of each mutation."""
    found = []
    for file, entry in tomllib.loads((ROOT / "tests/mutations.toml").read_text()).items():
        source = (ROOT / "keras_gen" / file).read_text()
        for old, new in entry["mutations"]:
            if source.count(old) != 1:
                count = source.count(old)
                raise SystemExit(
                    f"{file} has the text {old!r} {count} times: expected once. Update the table."
                )
            line = source[: source.index(old)].count("\n") + 1
            if not words or any(word in file for word in words):
                found.append((file, old, new, line, entry["tests"]))
    return found


def noticed(copy: Path, file: str, old: str, new: str, tests: list[str]) -> bool:
    """Whether a test fails once `old` is `new`."""
    target = copy / "keras_gen" / file
    target.write_text(target.read_text().replace(old, new))
    compile(target.read_text(), target, "exec")
    child = os.fork()
    if not child:
        run(copy, [f"tests/{test}" for test in tests])
    _, status = os.waitpid(child, 0)
    shutil.copy2(ROOT / "keras_gen" / file, target)
    code = os.waitstatus_to_exitcode(status)
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise SystemExit(f"{', '.join(tests)} of {file} ran no test: {(copy / 'log').read_text()}")
    return code != pytest.ExitCode.OK


def run(copy: Path, tests: list[str]) -> None:
    """Runs tests of a copy, and ends the process."""
    log = os.open(copy / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    signal.alarm(SECONDS)
    os.chdir(copy)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    os._exit(pytest.main([*TESTS, *tests]))


def main(words) -> int:
    """Tries the mutations, and prints the survivors."""
    chosen = mutations(words)
    survivors = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        for path in ROOT.iterdir():
            if path.name in ("keras_gen", "tests"):
                shutil.copytree(path, copy / path.name)
            elif path.name != ".git":
                (copy / path.name).symlink_to(path)
        compileall.compile_dir(copy / "keras_gen", quiet=1)
        for file, old, new, line, tests in chosen:
            if not noticed(copy, file, old, new, tests):
                survivors += 1
                print(f"survived: keras_gen/{file}:{line}: {old} -> {new}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mutations were noticed")
    return int(survivors > (1 - LEAST) * len(chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
