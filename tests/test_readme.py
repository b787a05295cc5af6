"""What README.md names is there: files, commands with their flags, and what the code imports."""

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest

from keras_gen.cli import _parser
from keras_gen.results.runs import load_recipe
from keras_gen.run import parse

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CODE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
PATHS = sorted(set(re.findall(r"(?:recipes|saved_models|benchmarks)/[\w./]*\w|\b[A-Z]+\.md", TEXT)))
COMMANDS = sorted(
    {
        command.strip()
        for line in re.findall(r"`([^`\n]+)`", TEXT) + re.findall(r"^[^`|#].*$", TEXT, re.MULTILINE)
        for command in line.split("&&")
        if re.match(r"\s*(python (recipes|benchmarks)/|keras-gen )", command)
    }
)


@pytest.mark.parametrize("path", PATHS)
def test_paths(path):
    assert (ROOT / path).exists()


@pytest.mark.parametrize("command", [c for c in COMMANDS if " recipes/" in c])
def test_recipes_take_the_flags(command):
    script, *flags = shlex.split(command)[1:]
    recipe = load_recipe(ROOT, Path(script).stem)
    assert parse(recipe.Settings, recipe.PRESETS, "", flags).preset


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("keras-gen ")])
def test_the_command_line_takes_the_flags(command):
    assert _parser().parse_args(shlex.split(command)[1:])


@pytest.mark.parametrize("code", CODE)
def test_code_imports_what_there_is(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            missing = [name.name for name in node.names if not hasattr(module, name.name)]
            assert not missing, f"{node.module} has no {missing}"


def test_something_was_found():
    assert len(CODE) > 1 and len(COMMANDS) > 5
