"""Which test files a change reaches, by static imports: what `pytest --changed BASE` runs."""

import ast
import re
import subprocess
from collections.abc import Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

# A change of one of these reaches tests in ways that no import shows.
EVERYWHERE = (
    "tests/conftest.py",
    "tests/changed.py",
    "tests/seeding.py",
    "setup.cfg",
    "pyproject.toml",
    ".ci/",
    "keras_gen/__init__.py",
    "keras_gen/core/",
    "keras_gen/keras_internals.py",
)
PAGES = "pytest.mark.pages"  # in the source of tests that read pages, results, and licenses
DOCSTRINGS = ("docstring", "__doc__")  # in the source of tests that read docstrings


class Choice(NamedTuple):
    """The tests to run.

    Attributes:
        everything: Why all tests run; empty if only some do.
        files: Reason by chosen test file.
        modules: Changed modules of the package.
        recipes: Names of changed recipes.
        reworded: Modules of the package whose docstrings or comments alone changed.
    """

    everything: str
    files: dict[str, str]
    modules: frozenset[str] = frozenset()
    recipes: frozenset[str] = frozenset()
    reworded: frozenset[str] = frozenset()


def changed_files(root: Path, base: str) -> list[str]:
    """Returns the files that differ from a commit, untracked ones included.

    Raises:
        ValueError: If the commit is unknown.
    """
    commands = (
        ["git", "diff", "--name-only", "--no-renames", base, "--"],
        ["git", "ls-files", "--others", "--exclude-standard"],
    )
    found: list[str] = []
    for command in commands:
        answer = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if answer.returncode:
            raise ValueError(
                f"--changed is {base!r}: expected a commit. Git answers: "
                f"{answer.stderr.strip().splitlines()[0]}"
            )
        found += answer.stdout.splitlines()
    return found


def reworded_files(root: Path, base: str, changed: list[str]) -> list[str]:
    """Returns the changed files of the package whose code is that of a commit.

    Docstrings of `keras_gen/workshop` are not only read, but become flags and pages.
    """
    found = []
    for path in changed:
        if not re.fullmatch(r"keras_gen/(?!workshop/).*\.py", path) or not (root / path).exists():
            continue
        command = ["git", "show", f"{base}:{path}"]
        before = subprocess.run(command, cwd=root, capture_output=True, text=True)
        is_new = before.returncode
        if not is_new and _code(before.stdout) == _code((root / path).read_text()):
            found.append(path)
    return found


def _code(source: str) -> str:
    """The code of a module, without comments, docstrings, and docstrings of fields."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):  # that of a lambda is one expression
            node.body = [each for each in body if not _is_text(each)]
    return ast.dump(tree)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def choose(root: Path, changed: list[str], reworded: Sequence[str] = ()) -> Choice:
    """Chooses the test files that reach one of the changed files.

    Args:
        root: Root of the repository.
        changed: Changed files, relative to the root.
        reworded: Those of which docstrings or comments alone changed.
    """
    changed = [path for path in changed if path not in reworded]
    for path in changed:
        if path.startswith(EVERYWHERE):
            return Choice(f"{path} changed", {})
        if path.startswith("keras_gen/") and not path.endswith(".py"):
            return Choice(f"{path} changed, which no import shows", {})
        if path.startswith("saved_models/"):
            return Choice(f"{path} changed, which tests of exports read", {})
    imports = Imports(root)
    owned = frozenset().union(*map(imports.owned, imports.models))
    modules = {imports.module_of[path]: path for path in changed if path in imports.module_of}
    helpers = {imports.helper_of[path]: path for path in changed if path in imports.helper_of}
    sources = modules | helpers
    files = {}
    for test in imports.tests:
        reached = imports.reached(test)
        if test in changed:
            files[test] = "changed"
        elif found := sorted(reached & sources.keys()):
            files[test] = f"reaches {sources[found[0]]}"
        elif test.startswith("tests/contracts/") and (found := sorted(owned & modules.keys())):
            # Of each class, which no import shows.
            files[test] = f"contracts of the classes that own {modules[found[0]]}"
        elif pages := _pages(changed):
            if PAGES in (root / test).read_text():
                files[test] = f"reads pages, and {pages[0]} changed"
        if reworded and test not in files:
            text = (root / test).read_text()
            if any(word in text for word in DOCSTRINGS):
                files[test] = f"reads docstrings, and {reworded[0]} changed"
    recipes = {Path(path).stem for path in changed if re.fullmatch(r"recipes/\w+\.py", path)}
    words = frozenset(imports.module_of[path] for path in reworded)
    return Choice("", files, frozenset(modules), frozenset(recipes), words)


def _pages(changed: list[str]) -> list[str]:
    """The changed files that are pages, or from which pages are made."""
    return [path for path in changed if not path.startswith(("keras_gen/", "tests/"))]


class Imports:
    """The static imports of the package and of its tests, also inside functions and in scripts.

    Args:
        root: Root of the repository.
    """

    def __init__(self, root: Path):
        self.root = root
        sources = sorted((root / "keras_gen").rglob("*.py"))
        self.module_of = {self._relative(path): _module(path, root) for path in sources}
        self.path_of = {module: root / path for path, module in self.module_of.items()}
        tests = root / "tests"
        helpers = [*tests.glob("*.py"), *(tests / "instances").glob("*.py")]
        helpers += (tests / "contracts").glob("*.py")
        named = {path: _module(path, tests) for path in helpers if _is_helper(path)}
        self.helper_of = {self._relative(path): module for path, module in named.items()}
        self.path_of |= {module: path for path, module in named.items()}
        self.tests = sorted(map(self._relative, tests.rglob("test_*.py")))
        self._direct: dict[str, frozenset[str]] = {}

    def reached(self, path: str) -> frozenset[str]:
        """Returns all modules that a test file reaches, directly or not."""
        conftest = (self.root / path).parent / "conftest.py"
        todo = set(self.imported(self.root / path))
        if conftest.exists() and path.count("/") > 1:
            todo |= self.imported(conftest)
        seen: set[str] = set()
        while todo:
            module = todo.pop()
            if module not in seen:
                seen.add(module)
                todo |= self.direct(module)
        return frozenset(seen)

    def direct(self, module: str) -> frozenset[str]:
        """Returns the modules that a module imports itself; none for the index of a package."""
        if module not in self._direct:
            path = self.path_of[module]
            index = path.name == "__init__.py" and module in self._indices
            self._direct[module] = frozenset() if index else self.imported(path)
        return self._direct[module]

    @cached_property
    def models(self) -> list[str]:
        """The names of all model classes."""
        return [name for names in lazy(self.path_of["keras_gen"]).values() for name in names]

    def owned(self, model: str) -> frozenset[str]:
        """Returns the modules of a model class and of its ancestors, and what these import."""
        todo = self.module(model)
        own: set[str] = set()
        while todo:
            module = todo.pop()
            if module not in own:
                own.add(module)
                todo |= self._bases(module)
        return frozenset(own).union(*map(self.direct, own))

    def module(self, model: str) -> set[str]:
        """Returns the module that defines a model class, as a set."""
        return self._defined("keras_gen", model)

    def _bases(self, module: str) -> set[str]:
        """The modules in which the bases of a module's classes are defined."""
        tree = _tree(self.path_of[module])
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        names = {base.id for node in classes for base in node.bases if isinstance(base, ast.Name)}
        found = [self._defined(source, name) for source, name in _names(tree) if name in names]
        return set().union(*found)

    def imported(self, path: Path) -> frozenset[str]:
        """Returns the modules whose names a file imports, where they are defined."""
        found: set[str] = set()
        of_test = path.is_relative_to(self.root / "tests")
        names = _names(_tree(path)) | (_named_in_strings(_tree(path)) if of_test else set())
        for module, name in names:
            found |= self._defined(module, name)
        return frozenset(found)

    def _defined(self, module: str, name: str) -> set[str]:
        """The module in which a name is defined, behind the indices of packages."""
        full = f"{module}.{name}" if name else module
        if full in self.path_of:
            return {full}
        if (module, name) in self._exported:
            return self._defined(*self._exported[module, name])
        return {module} & self.path_of.keys()

    @cached_property
    def _indices(self) -> set[str]:
        """Packages whose `__init__.py` defines nothing."""
        found = set()
        for module, path in self.path_of.items():
            if path.name == "__init__.py":
                tree = _tree(path)
                own = (ast.FunctionDef, ast.ClassDef)
                if not any(isinstance(node, own) for node in tree.body):
                    found.add(module)
        return found | {"keras_gen"}

    @cached_property
    def _exported(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Where the names come from that packages export."""
        found = {}
        for module, path in self.path_of.items():
            if path.name == "__init__.py":
                for node in ast.walk(_tree(path)):
                    if isinstance(node, ast.ImportFrom) and node.module:
                        for alias in node.names:
                            name = alias.asname or alias.name
                            found[module, name] = (node.module, alias.name)
        # Models are imported when their names are used.
        for family, models in lazy(self.path_of["keras_gen"]).items():
            for model in models:
                found["keras_gen", model] = (f"keras_gen.{family}", model)
        return found

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self.root))


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _is_helper(path: Path) -> bool:
    return not path.name.startswith(("test_", "conftest"))


def _module(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def lazy(path: Path) -> dict[str, tuple[str, ...]]:
    """The models of each family, which `keras_gen/__init__.py` lists."""
    for node in _tree(path).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_MODELS":
            return ast.literal_eval(node.value)
    return {}


def _names(tree: ast.AST) -> set[tuple[str, str]]:
    """The imports of a file, and what it uses of the package itself, as (module, name)."""
    found: set[tuple[str, str]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {(node.module, alias.name) for alias in node.names}
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "keras_gen":
            found.add(("keras_gen", node.attr))
    return found


def _named_in_strings(tree: ast.AST) -> set[tuple[str, str]]:
    """The imports in strings, such as a script's or the argument of `import_module`."""
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    text = "\n".join(value for value in constants if isinstance(value, str))
    found: set[tuple[str, str]] = {(name, "") for name in re.findall(r"keras_gen(?:\.\w+)+", text)}
    for module, names in re.findall(r"from (keras_gen[\w.]*) import ([\w, ]+)", text):
        found |= {(module, name.strip()) for name in names.split(",")}
    return found
