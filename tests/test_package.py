"""The package itself: what `import keras_gen` gives, and what it does not load."""

import inspect
import re
from pathlib import Path

import pytest

import keras_gen
import tiny
from all_tiny import TINY
from processes import environment, python


def test_every_model_is_at_the_top():
    expected = tiny.model_classes()
    assert {name: getattr(keras_gen, name) for name in expected} == expected
    assert set(expected) <= set(dir(keras_gen))


def test_tab_completion_shows_what_users_call():
    shown = dir(keras_gen)
    assert {name for name in shown if name.startswith("_")} == {"__version__"}
    assert not {"os", "sys", "importlib", "import_module", "Any"} & set(shown)
    assert all(getattr(keras_gen, name) for name in shown)


@pytest.mark.thorough
def test_keras_loads_a_file_in_a_new_process(tmp_path):
    model = TINY["VAE"].compiled()
    model.save(tmp_path / "vae.keras")
    code = "import keras, keras_gen; print(type(keras.models.load_model('vae.keras')).__name__)"
    assert python("-c", code, cwd=tmp_path).stdout == "VAE\n"


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'CycleGAM'"):
        keras_gen.CycleGAM  # noqa: B018


def test_the_package_alone_loads_no_tensorflow():
    code = "import sys, keras_gen; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert python("-c", code).returncode == 0


@pytest.mark.thorough
def test_models_need_no_tensorflow_datasets():
    """Which does not import beside an older protobuf, such as that of hosted notebooks."""
    code = (
        "import sys; sys.modules['tensorflow_datasets'] = None; import keras, keras_gen; "
        "keras_gen.GAN, keras_gen.data, keras_gen.networks, keras_gen.serving"
    )
    python("-c", code, check=True)


@pytest.mark.parametrize("where", ["environment", "file"])
def test_another_backend_is_refused(tmp_path, where):
    env = environment() | {"KERAS_HOME": str(tmp_path)}
    env.pop("KERAS_BACKEND", None)
    if where == "environment":
        env["KERAS_BACKEND"] = "torch"
    else:
        (tmp_path / "keras.json").write_text('{"backend": "torch"}')
    done = python("-c", "import keras_gen", env=env)
    assert done.returncode == 1
    assert "the Keras backend is 'torch': expected 'tensorflow'" in done.stderr


def test_citation_and_changelog_name_the_version():
    root = Path(__file__).parents[1]
    cited = dict(re.findall(r"^([\w-]+): (.+)", (root / "CITATION.cff").read_text(), re.MULTILINE))
    assert cited["version"] == keras_gen.__version__
    lines = (root / "CHANGELOG.md").read_text().splitlines()
    newest = next(line for line in lines if re.match(r"## \d", line))
    assert newest == f"## {cited['version']} - {cited['date-released']}"


@pytest.mark.parametrize("name", tiny.model_classes())
def test_every_argument_of_a_model_has_a_type(name):
    model = getattr(keras_gen, name)
    doors = [door for door in dir(model) if door.startswith("for_")]
    for build in [model.__init__, *(getattr(model, door) for door in doors)]:
        arguments = inspect.signature(build).parameters.values()
        named = [a for a in arguments if a.name != "self" and not str(a).startswith("*")]
        assert [a.name for a in named if a.annotation is a.empty] == []
