"""Which test files a change reaches."""

import subprocess
import tomllib

import pytest

from changed import Imports, changed_files, choose, reworded_files
from processes import ROOT

FILES = {
    "keras_gen/__init__.py": '_MODELS = {"gan": ("GAN", "WGAN")}\n',
    "keras_gen/core/__init__.py": "from keras_gen.core.model import GenerativeModel\n",
    "keras_gen/core/model.py": "from keras_gen.core.step import run\nclass GenerativeModel: ...\n",
    "keras_gen/core/step.py": "def run(): ...\n",
    "keras_gen/gan/__init__.py": "from keras_gen.gan.gan import GAN\n"
    "from keras_gen.gan.wgan import WGAN\n",
    "keras_gen/gan/gan.py": "from keras_gen.core import GenerativeModel\n"
    "from keras_gen.losses import hinge\nclass GAN(GenerativeModel): ...\n",
    "keras_gen/gan/wgan.py": "from keras_gen.gan.gan import GAN\nclass WGAN(GAN): ...\n",
    "keras_gen/losses/__init__.py": "from keras_gen.losses.adversarial import hinge\n"
    "from keras_gen.losses.penalties import slope\n",
    "keras_gen/losses/adversarial.py": "def hinge(): ...\n",
    "keras_gen/losses/penalties.py": "def slope(): ...\n",
    "keras_gen/workshop/new.py": 'FOLDER = "project"\n',
    "keras_gen/workshop/project/train.py": "",
    "keras_gen/py.typed": "",
    "tests/all_tiny.py": "from tiny import Tiny\n",
    "tests/helper.py": "from keras_gen.losses import slope\n",
    "tests/nightly.py": 'read("nightly.toml")\n',
    "tests/tiny.py": "from keras_gen.core import GenerativeModel\n",
    "tests/instances/gan.py": 'TINY = {"GAN": 1}\n',
    "tests/contracts/conftest.py": "from all_tiny import TINY\n",
    "tests/contracts/test_functions.py": "",
    "tests/contracts/test_steps.py": "",
    "tests/core/test_fit.py": 'from all_tiny import TINY\nTINY["WGAN"]\n',
    "tests/gan/test_gan.py": "from keras_gen import GAN\n",
    "tests/gan/test_wgan.py": "import keras_gen\nmodel = keras_gen.WGAN\n",
    "tests/losses/test_penalties.py": "def test():\n    from helper import slope\n",
    "tests/test_names.py": '"""guide.md"""\nread("docs/answers.py", "order.txt", "worker.py")\n',
    "tests/test_new.py": "from keras_gen.workshop.new import FOLDER\n",
    "tests/test_pages.py": "pytestmark = pytest.mark.pages\n",
    "tests/test_published.py": 'run("sample gan_mnist", "recipes/gan_mnist.py")\n',
    "tests/test_script.py": 'SCRIPT = "from keras_gen.gan import WGAN; WGAN()"\n',
    "docs/guide.md": "",
    "recipes/gan_mnist.py": "",
    "setup.cfg": "",
}
CONTRACTS = "contracts/test_functions contracts/test_steps"
GANS = "gan/test_gan gan/test_wgan test_script"
# Changed files, and the test files that these reach.
REACHED = {
    "keras_gen/gan/gan.py": f"{CONTRACTS} {GANS}",
    "keras_gen/gan/wgan.py": f"{CONTRACTS} core/test_fit gan/test_wgan test_script",
    "keras_gen/losses/adversarial.py": f"{CONTRACTS} {GANS}",
    "keras_gen/losses/penalties.py": "contracts/test_functions losses/test_penalties",
    "keras_gen/core/step.py": f"{CONTRACTS} core/test_fit {GANS}",
    "keras_gen/workshop/project/train.py": "test_new",
    "keras_gen/gone.py": "",
    "tests/helper.py": "losses/test_penalties",
    "tests/tiny.py": f"{CONTRACTS} core/test_fit",
    "tests/instances/gan.py": f"{CONTRACTS} core/test_fit",
    "tests/gan/test_gan.py": "gan/test_gan",
    "tests/gan/test_gone.py": "",
    "tests/contracts/conftest.py": CONTRACTS,
    "tests/contracts/order.txt": "test_names",
    "tests/contracts/worker.py": "test_names",
    "tests/nightly.toml": "",
    "tests/.ruff.toml": "",
    "docs/answers.py": "test_names test_pages",
    "docs/guide.md": "test_pages",
    "recipes/gan_mnist.py": "test_pages test_published",
    "saved_models/gan_mnist/1/a.pb": "test_pages test_published",
    "saved_models/vae_mnist/1/a.pb": "test_pages",
    "saved_models/index.json": "test_pages",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize("changed", REACHED)
def test_what_a_change_reaches(root, changed):
    if "gone" not in changed:
        (root / changed).parent.mkdir(parents=True, exist_ok=True)
        (root / changed).touch()
    choice = choose(root, [changed])
    assert not choice.everything
    found = {path for path in choice.files if (root / path).exists()}
    assert found == {f"tests/{name}.py" for name in REACHED[changed].split()}


@pytest.mark.parametrize(
    "changed",
    [
        "keras_gen/__init__.py",
        "setup.cfg",
        "tests/conftest.py",
        "keras_gen/py.typed",
        "tests/a.txt",
    ],
)
def test_what_no_import_shows_runs_everything(root, changed):
    assert choose(root, [changed]).everything.startswith(f"{changed} changed")


@pytest.mark.parametrize(
    ("changed", "whole"),
    [
        ("keras_gen/gan/gan.py", ""),
        ("keras_gen/core/step.py", f"{CONTRACTS} core/test_fit {GANS}"),
        ("tests/instances/gan.py", ""),
        ("tests/contracts/test_steps.py", "contracts/test_steps"),
    ],
)
def test_files_that_run_for_all_classes(root, changed, whole):
    assert choose(root, [changed]).whole == {f"tests/{name}.py" for name in whole.split()}


def test_a_module_that_is_gone_reaches_who_still_imports_it(root):
    (root / "keras_gen/losses/penalties.py").unlink()
    assert "tests/losses/test_penalties.py" in choose(root, ["keras_gen/losses/penalties.py"]).files


def test_a_class_owns_its_ancestors_and_their_imports(root):
    imports = Imports(root)
    gan = {"keras_gen.gan.gan", "keras_gen.losses.adversarial", "instances.gan"}
    core = {"keras_gen.core.model", "keras_gen.core.step"}
    assert imports.owned("GAN") == gan | core
    assert imports.owned("WGAN") == (gan | core | {"keras_gen.gan.wgan"}) - {"instances.gan"}
    assert imports.owned("losses.hinge") == {"keras_gen.losses.adversarial"}


@pytest.mark.parametrize(
    ("name", "changed", "expected"),
    [
        ("GAN", "keras_gen.losses.adversarial", True),
        ("WGAN", "keras_gen.losses.adversarial", False),
        ("WGAN", "keras_gen.gan.gan", True),
        ("GAN", "keras_gen.core.model", False),
    ],
)
def test_dear_contracts_are_those_of_what_changed_itself(root, name, changed, expected):
    assert Imports(root).changed_itself(name, frozenset([changed])) == expected


def test_changed_recipes_and_modules(root):
    choice = choose(root, ["recipes/gan_mnist.py", "keras_gen/gan/wgan.py"])
    assert choice.recipes == {"gan_mnist"}
    assert choice.modules == {"keras_gen.gan.wgan"}


def test_docstrings_reach_what_reads_them(root):
    test = root / "tests/test_words.py"
    test.write_text("import inspect, keras_gen\ninspect.getdoc(keras_gen.GAN)\n")
    name = "keras_gen/core/model.py"
    choice = choose(root, [name], [name])
    assert set(choice.files) == {"tests/test_words.py"}
    assert (choice.modules, choice.reworded) == (frozenset(), {"keras_gen.core.model"})
    assert choose(root, [name, "setup.cfg"], [name]).everything
    assert set(choose(root, ["setup.cfg"], ["setup.cfg"]).files) == {"tests/test_pages.py"}
    assert not choose(root, ["tests/helper.py"], ["tests/helper.py"]).files


@pytest.mark.thorough
def test_nearest_tests_of_mutations_are_chosen():
    """A change of any file in the table of mutations runs the tests that notice the mutations."""
    missing = {}
    for file, entry in tomllib.loads((ROOT / "tests/mutations.toml").read_text()).items():
        choice = choose(ROOT, [f"keras_gen/{file}"])
        nearest = {f"tests/{test.partition('::')[0]}" for test in entry["tests"]}
        if not choice.everything and not nearest <= choice.files.keys():
            missing[file] = nearest - choice.files.keys()
    assert not missing


def git(root, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=b", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


CLASS = "class GenerativeModel:\n    x = 1\n"
SETTINGS = "[metadata]\nname = a\n[options]\ninstall_requires =\n    numpy\n"


@pytest.mark.parametrize(
    ("name", "before", "after", "reworded"),
    [
        ("keras_gen/a.py", CLASS, CLASS.replace("x", '"""A."""\n    x') + '    "Value."\n', True),
        ("keras_gen/a.py", CLASS, CLASS.replace("1", "2"), False),
        ("keras_gen/a.py", CLASS, f'{CLASS}    y = "Value."\n', False),
        ("tests/test_a.py", CLASS, CLASS.replace(" = ", "=") + "# one", True),
        ("keras_gen/flags.py", "import simple_parsing\n", "import simple_parsing  # One.\n", False),
        ("setup.cfg", SETTINGS, SETTINGS.replace("= a", "= b") + "[mypy]\nstrict = true\n", True),
        ("setup.cfg", SETTINGS, SETTINGS.replace("numpy", "numpy>=2"), False),
        ("docs/guide.md", "one", "one", False),
    ],
)
def test_files_that_do_what_they_did(tmp_path, name, before, after, reworded):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(before)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    path.write_text(after)
    (tmp_path / "keras_gen").mkdir(exist_ok=True)
    (tmp_path / "keras_gen/new.py").write_text("")
    assert reworded_files(tmp_path, "HEAD", [name, "keras_gen/new.py"]) == [name] * reworded


def test_files_that_differ_from_a_commit(root):
    git(root, "init")
    git(root, "add", "setup.cfg", "docs")
    git(root, "commit", "-m", "first")
    (root / "setup.cfg").write_text("changed")
    git(root, "add", "recipes")
    found = changed_files(root, "HEAD")
    assert found[:2] == ["recipes/gan_mnist.py", "setup.cfg"]
    assert "tests/helper.py" in found and "docs/guide.md" not in found
    with pytest.raises(ValueError, match="--changed is 'nothing': expected a commit"):
        changed_files(root, "nothing")
