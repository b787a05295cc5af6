"""Every model class of the package takes part in the contracts, and says where it comes from."""

import inspect
import re

import pytest

from all_tiny import TINY
from tiny import every_class, family, model_classes, package

CLASSES = model_classes()


def test_every_class_has_a_tiny_instance():
    assert set(TINY) == set(CLASSES), "tests/tiny.py and the package disagree"


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_depth_of_inheritance(cls):
    ancestors = [c for c in cls.__mro__ if package(c) == package(cls)]
    assert len(ancestors) <= 3, f"{ancestors}: at most a family's base, a variant, one of that"


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_docstring_cites_a_paper_and_shows_an_example(cls):
    text = inspect.getdoc(cls) if "__doc__" in vars(cls) else ""
    # Such as: Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014.
    assert re.search(r'[A-Z]\w+[^"]*: "[^"]+",[^"]*\b(19|20)\d\d\b', text, re.DOTALL), text
    for section in ("Args:", "Example:", "```python"):
        assert section in text
    described = re.findall(r"^    (\w+): ", text.split("Args:")[1], re.MULTILINE)
    assert set(_own_arguments(cls)) <= set(described)


@pytest.mark.parametrize("name", every_class())
def test_example_runs(name):
    cls = CLASSES[name]
    code = re.search(r"```python\n(.*?)```", inspect.getdoc(cls), re.DOTALL).group(1)
    exec("import numpy as np\nimport keras\n" + code, {cls.__name__: cls})


def test_every_argument_is_an_attribute_and_not_the_default(tiny):
    model = tiny.build(3)
    cls, required, optional = type(model), {}, {}
    for name in model.arguments():
        assert hasattr(model, name), f"{cls.__name__} keeps no attribute {name}"
        if _default(cls, name) is inspect.Parameter.empty:
            required[name] = getattr(model, name)
        else:
            optional[name] = _default(cls, name)
    # Those of its bases too, which it knows of if they are given.
    usual, unusual = cls(**required, **optional).get_config(), model.get_config()
    same = [name for name in optional if usual[name] == unusual[name]]
    if same:  # unless a variant's is another
        variants = [TINY[name].build(3) for name, c in CLASSES.items() if cls in c.__mro__[1:]]
        others = [v.get_config() for v in variants]
        same = [
            name for name in same if all(o.get(name, usual[name]) == usual[name] for o in others)
        ]
    assert not same, f"the tiny {cls.__name__} leaves {same} at the default"


def test_optimizers_have_networks_of_their_own(tiny):
    model = tiny.build(3)
    players = model.optimizers()
    owned = [id(n) for networks in players.values() for n in networks]
    assert len(set(owned)) == len(owned)
    # Or layers of the model's own, such as a codebook.
    assert set(owned) <= {id(n) for n in (*model.networks.values(), *model.layers)}


def test_a_family_is_found_from_a_variant():
    assert {family(c) for c in CLASSES.values()} >= {CLASSES["GAN"], CLASSES["VAE"]}
    assert family(CLASSES["DenoisingAutoencoder"]) is CLASSES["Autoencoder"]
    assert "Translator" not in CLASSES


def _own_arguments(cls):
    return [n for n in inspect.signature(cls.__init__).parameters if n not in ("self", "kwargs")]


def _default(cls, name):
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if "__init__" in vars(base) and name in parameters:
            return parameters[name].default
