"""Which test files a change reaches, by static imports: what `pytest --changed BASE` runs."""

import ast
import configparser
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

# A change of one of these reaches tests in ways that no import shows.
EVERYWHERE = (
    "tests/conftest.py",
    "tests/seeding.py",
    "setup.cfg",
    "pyproject.toml",
    "keras_gen/__init__.py",
)
# What tests feel of setup.cfg; the rest describes the package, or checks types.
FELT = ("tool:pytest", "options", "options.extras_require")
CORE = "keras_gen.core"
FUNCTIONS = "tests/contracts/test_functions.py"  # repeats its tests for what packages export
PAGES = "pytest.mark.pages"  # in the source of tests that read pages, results, and licenses
EXPORTS = ('ROOT / "saved_models"', 'parents[3] / "saved_models"')  # in that of tests of exports
DOCSTRINGS = ("docstring", "getdoc", "outdated(ROOT)")  # in that of tests that read docstrings
# In the source of a module whose own words are flags.
READS_WORDS = re.compile(r"\b(simple_parsing|run_recipe|__doc__)\b")


class Choice(NamedTuple):
    """The tests to run.

    Attributes:
        everything: Why all tests run; empty if only some do.
        files: Reason by chosen test file.
        modules: Changed modules of the package.
        recipes: Names of changed recipes.
        reworded: Modules of the package whose docstrings or comments alone changed.
        whole: Chosen files that run for all classes and recipes, not only for changed ones.
    """

    everything: str
    files: dict[str, str]
    modules: frozenset[str] = frozenset()
    recipes: frozenset[str] = frozenset()
    reworded: frozenset[str] = frozenset()
    whole: frozenset[str] = frozenset()


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
    """Returns the changed files that do what they did: in other words, lines, or metadata."""
    found = []
    for path in changed:
        if not re.fullmatch(r"(keras_gen|tests)/.*\.py|setup\.cfg", path):
            continue
        command = ["git", "show", f"{base}:{path}"]
        before = subprocess.run(command, cwd=root, capture_output=True, text=True)
        if before.returncode or not (root / path).exists():  # new or gone
            continue
        after = (root / path).read_text()
        if not READS_WORDS.search(after) and _felt(path, before.stdout) == _felt(path, after):
            found.append(path)
    return found


def _felt(path: str, source: str) -> object:
    """What tests feel of a file: its settings, or its code without comments and docstrings."""
    if path == "setup.cfg":
        settings = configparser.ConfigParser()
        settings.read_string(source)
        return {name: dict(settings[name]) for name in FELT if name in settings}
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
        reworded: Those that do what they did.
    """
    gone = [path for path in changed if path.endswith(".py") and not (root / path).exists()]
    imports = imports_of(root, tuple(gone))
    words = [path for path in reworded if path.endswith(".py")]
    files: dict[str, str] = {}
    whole: set[str] = set()
    for path in (path for path in changed if path not in words):
        if path in EVERYWHERE and path not in reworded:
            return Choice(f"{path} changed", {})
        reasons = _of_imports(imports, path)
        if not reasons and path not in gone:
            reasons = _of_names(imports, path)
        if reasons is None:
            return Choice(f"{path} changed, which no test imports or names", {})
        files = reasons | files
        whole |= {test for test in reasons if imports.whole(test, path)}
    modules = imports.module_of
    read = [path for path in words if path in modules]
    if read:
        files = imports.that_mention(DOCSTRINGS, f"reads docstrings, and {read[0]} changed") | files
    names = imports.helper_of | modules
    return Choice(
        "",
        dict(sorted(files.items())),
        frozenset(names[path] for path in changed if path in names and path not in words),
        frozenset(Path(path).stem for path in changed if re.fullmatch(r"recipes/\w+\.py", path)),
        frozenset(modules[path] for path in read),
        frozenset(whole),
    )


def _of_imports(imports: "Imports", path: str) -> dict[str, str]:
    """Why test files are reached by a change of what they are or import."""
    if re.fullmatch(r"tests/.*\btest_\w+\.py", path):
        return {path: "changed"}
    if path.endswith("/conftest.py"):
        folder = path.removesuffix("conftest.py")
        return {test: f"below {path}" for test in imports.tests if test.startswith(folder)}
    module = imports.helper_of.get(path) or imports.module_of.get(path, "")
    if module.startswith("instances."):
        module = "all_tiny"  # which imports them by the names of their files
    found = {}
    for test in imports.tests:
        if module in imports.reached(test):
            found[test] = f"reaches {path}"
        elif test.startswith("tests/contracts/") and module in imports.owned_by_models:
            # Of each class, which no import shows.
            found[test] = f"contracts of the classes that own {path}"
        elif test == FUNCTIONS and module in imports.owned_by_functions:
            found[test] = f"right and hostile calls of {path}"
    return found


def _of_names(imports: "Imports", path: str) -> dict[str, str] | None:
    """Why test files are reached by a file that is read by its name, or None if none names it."""
    (room, *folders), name = Path(path).parts[:-1] or [""], Path(path).name
    if room == "keras_gen":
        names = {name, *folders[-1:]}
        readers = {m for m in imports.module_of.values() if imports.strings(m) & names}
        found = [test for test in imports.tests if imports.reached(test) & readers]
        return dict.fromkeys(found, f"reaches what reads {path}") or None
    names = {path, name}
    if room == "recipes":
        names.add(Path(name).stem)
    if room == "saved_models" and folders:
        names = {path, folders[0]}
    found = [test for test in imports.tests if imports.named(test) & names]
    reasons = dict.fromkeys(found, f"names {path}")
    if room == "saved_models":
        reasons |= imports.that_mention(EXPORTS, f"reads exports, and {path} changed")
    if room != "tests":
        return reasons | imports.that_mention([PAGES], f"reads pages, and {path} changed")
    by_scripts = any(imports.strings(helper) & names for helper in imports.helper_of.values())
    return reasons if reasons or by_scripts or name.startswith(".") else None


class Imports:
    """The static imports of the package and of its tests, also inside functions and in scripts.

    Args:
        root: Root of the repository.
        gone: Deleted files, which others may still import.
    """

    def __init__(self, root: Path, gone: Iterable[str] = ()):
        self.root = root
        paths = [*(root / "keras_gen").rglob("*.py"), *(root / path for path in gone)]
        tests = root / "tests"
        helpers = [*tests.glob("*.py"), *(tests / "instances").glob("*.py")]
        helpers += (tests / "contracts").glob("*.py")
        self.module_of = {
            self._relative(path): _module(path, root)
            for path in sorted(paths)
            if path.is_relative_to(root / "keras_gen") and path.suffix == ".py"
        }
        self.helper_of = {
            self._relative(path): _module(path, tests)
            for path in [*helpers, *paths]
            if path.is_relative_to(tests) and _is_helper(path)
        }
        self.path_of = {m: root / path for path, m in (self.module_of | self.helper_of).items()}
        self.tests = sorted(map(self._relative, tests.rglob("test_*.py")))
        self._direct: dict[str, frozenset[str]] = {}
        self._reached: dict[str, frozenset[str]] = {}

    def reached(self, path: str) -> frozenset[str]:
        """Returns all modules that a test file reaches, directly or not.

        Of a model whose tiny instance it names, that is the model's own module.
        """
        if path not in self._reached:
            own = set().union(*map(self.imported, [self.root / path, *self._conftests(path)]))
            seen = _followed(own, self.direct)
            if "all_tiny" in seen:
                named = _strings(self.root / path).intersection(self.models)
                seen = seen.union(*map(self.module, named))
            self._reached[path] = frozenset(seen)
        return self._reached[path]

    def _conftests(self, path: str) -> list[Path]:
        """The files of fixtures of a test file, but for that of all tests."""
        folders = [self.root / folder for folder in Path(path).parents[:-2]]
        return [f / "conftest.py" for f in folders if (f / "conftest.py").exists()]

    def strings(self, module: str) -> frozenset[str]:
        """Returns the words in a module's strings."""
        return _strings(self.path_of[module])

    def named(self, path: str) -> frozenset[str]:
        """Returns the words in the strings of a test file, its fixtures, and its helpers."""
        helpers = self.reached(path).intersection(self.helper_of.values())
        own = map(_strings, [self.root / path, *self._conftests(path)])
        return frozenset().union(*own, *map(self.strings, helpers))

    def whole(self, test: str, path: str) -> bool:
        """Returns whether a changed file concerns all classes and recipes of a test file."""
        module = self.module_of.get(path)
        if module:  # the core concerns all whose test file reaches it
            return module.startswith(CORE) and module in self.reached(test)
        return path.startswith("tests/") and not path.startswith("tests/instances/")

    def that_mention(self, words: Sequence[str], reason: str) -> dict[str, str]:
        """Returns a reason for each test file in whose text one of the words is."""
        texts = {test: (self.root / test).read_text() for test in self.tests}
        found = [test for test, text in texts.items() if any(word in text for word in words)]
        return dict.fromkeys(found, reason)

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

    def owned(self, name: str) -> frozenset[str]:
        """Returns the modules of a class and of its ancestors, and what these import.

        Args:
            name: Name of a model class, or of a class or function with its package: "losses.Hinge".
        """
        own = _followed(self.module(name), self._bases)
        instances = {module for module in self._instances if name in self.strings(module)}
        return frozenset(own | instances).union(*map(self.direct, own))

    @cached_property
    def _instances(self) -> set[str]:
        return {module for module in self.helper_of.values() if module.startswith("instances.")}

    def changed_itself(self, name: str, modules: frozenset[str]) -> bool:
        """Returns whether the module of a class, or one that it imports, is among the changed."""
        own = self.module(name).union(*map(self.direct, self.module(name)))
        return any(not module.startswith(CORE) for module in own & modules)

    @cached_property
    def owned_by_models(self) -> frozenset[str]:
        """The modules that some model class owns."""
        return frozenset().union(*map(self.owned, self.models))

    @cached_property
    def owned_by_functions(self) -> frozenset[str]:
        """The modules that define what packages export, and what these import."""
        own = set().union(*(self._defined(*exported) for exported in self._exported))
        return frozenset(own).union(*map(self.direct, own))

    def module(self, name: str) -> set[str]:
        """Returns the module that defines a class or function, as a set; see `owned`."""
        package, _, short = name.rpartition(".")
        return self._defined(f"keras_gen.{package}".removesuffix("."), short)

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
def imports_of(root: Path, gone: tuple[str, ...] = ()) -> Imports:
    """Returns the static imports of a repository, which are read once."""
    return Imports(root, gone)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text() if path.exists() else "")


@cache
def _strings(path: Path) -> frozenset[str]:
    """The words in a file's strings but docstrings, and the parts of the paths among them."""
    words: set[str] = set()
    docstrings = set()
    for node in ast.walk(_tree(path)):
        if _is_text(node):
            docstrings.add(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if node not in docstrings:  # whose expressions come first
                words |= {*node.value.split(), *re.split(r"[\s/]+", node.value)}
    return frozenset(words)


def _followed(start: set[str], step: Callable[[str], Iterable[str]]) -> set[str]:
    """Returns the modules that a step leads to from the start, directly or not."""
    todo = set(start)
    seen: set[str] = set()
    while todo:
        module = todo.pop()
        if module not in seen:
            seen.add(module)
            todo.update(step(module))
    return seen


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
