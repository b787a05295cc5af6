"""Which test files a change reaches."""

import subprocess

import pytest

from changed import Imports, changed_files, choose, reworded_files

FILES = {
    "keras_gen/__init__.py": '_MODELS = {"gan": ("GAN", "WGAN")}\n',
    "keras_gen/core/__init__.py": "",
    "keras_gen/core/model.py": "class GenerativeModel: ...\n",
    "keras_gen/gan/__init__.py": "from keras_gen.gan.gan import GAN\n"
    "from keras_gen.gan.wgan import WGAN\n",
    "keras_gen/gan/gan.py": "from keras_gen.losses import hinge\nclass GAN: ...\n",
    "keras_gen/gan/wgan.py": "from keras_gen.gan.gan import GAN\nclass WGAN(GAN): ...\n",
    "keras_gen/losses/__init__.py": "from keras_gen.losses.adversarial import hinge\n"
    "from keras_gen.losses.penalties import slope\n",
    "keras_gen/losses/adversarial.py": "def hinge(): ...\n",
    "keras_gen/losses/penalties.py": "def slope(): ...\n",
    "tests/helper.py": "from keras_gen.losses import slope\n",
    "tests/contracts/test_steps.py": "",
    "tests/gan/test_gan.py": "from keras_gen import GAN\n",
    "tests/gan/test_wgan.py": "import keras_gen\nmodel = keras_gen.WGAN\n",
    "tests/losses/test_penalties.py": "def test():\n    from helper import slope\n",
    "tests/test_script.py": 'SCRIPT = "from keras_gen.gan import WGAN; WGAN()"\n',
    "tests/test_pages.py": "pytestmark = pytest.mark.pages\n",
    "docs/guide.md": "",
    "recipes/gan_mnist.py": "",
    "setup.cfg": "",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    "changed, expected",
    [
        ("keras_gen/gan/gan.py", "contracts/test_steps gan/test_gan gan/test_wgan test_script"),
        ("keras_gen/gan/wgan.py", "contracts/test_steps gan/test_wgan test_script"),
        (
            "keras_gen/losses/adversarial.py",
            "contracts/test_steps gan/test_gan gan/test_wgan test_script",
        ),
        ("keras_gen/losses/penalties.py", "losses/test_penalties"),
        ("tests/helper.py", "losses/test_penalties"),
        ("tests/gan/test_gan.py", "gan/test_gan"),
        ("docs/guide.md", "test_pages"),
        ("recipes/gan_mnist.py", "test_pages"),
    ],
)
def test_what_a_change_reaches(root, changed, expected):
    choice = choose(root, [changed])
    assert not choice.everything
    assert set(choice.files) == {f"tests/{name}.py" for name in expected.split()}


@pytest.mark.parametrize(
    "changed",
    ["keras_gen/core/model.py", "setup.cfg", "keras_gen/py.typed", "saved_models/vae/1/x.pb"],
)
def test_what_no_import_shows_runs_everything(root, changed):
    assert choose(root, [changed]).everything.startswith(f"{changed} changed")


def test_a_class_owns_its_ancestors_and_their_imports(root):
    imports = Imports(root)
    gan = {"keras_gen.gan.gan", "keras_gen.losses.adversarial"}
    assert imports.owned("GAN") == gan
    assert imports.owned("WGAN") == gan | {"keras_gen.gan.wgan"}


def test_changed_recipes_and_modules(root):
    choice = choose(root, ["recipes/gan_mnist.py", "keras_gen/gan/wgan.py"])
    assert choice.recipes == {"gan_mnist"}
    assert choice.modules == {"keras_gen.gan.wgan"}


def test_docstrings_reach_what_reads_them(root):
    test = root / "tests/test_words.py"
    test.write_text("import keras_gen\nkeras_gen.GAN.__doc__\n")
    name = "keras_gen/core/model.py"
    choice = choose(root, [name], [name])
    assert set(choice.files) == {"tests/test_words.py"}
    assert (choice.modules, choice.reworded) == (frozenset(), {"keras_gen.core.model"})
    assert choose(root, [name, "setup.cfg"], [name]).everything


def git(root, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=b", *arguments]
    subprocess.run(command, cwd=root, check=True, capture_output=True)


@pytest.mark.parametrize(
    "text, reworded",
    [
        ('class GenerativeModel:\n    """A model."""\n    x = 1  # one\n    "Value."\n', True),
        ("class GenerativeModel:\n    x = 2\n", False),
        ('class GenerativeModel:\n    x = 1\n    y = "Value."\n', False),
    ],
)
def test_files_of_which_only_words_changed(root, text, reworded):
    names = ["keras_gen/core/model.py", "keras_gen/workshop/run.py"]
    for name in names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("class GenerativeModel:\n    x = 1\n")
    git(root, "init")
    git(root, "add", ".")
    git(root, "commit", "-m", "first")
    for name in names:
        (root / name).write_text(text)
    (root / "keras_gen/new.py").write_text("")
    found = reworded_files(root, "HEAD", [*names, "keras_gen/new.py", "docs/guide.md"])
    assert found == names[:1] * reworded


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
