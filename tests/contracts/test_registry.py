"""Every model class of the package takes part in the contracts, and says where it comes from."""

import inspect
import re

import keras
import pytest

from all_tiny import TINY
from keras_gen.core.capabilities import is_for_users
from keras_gen.core.construction import BUILDERS
from tiny import PATTERNS, model_classes, pattern, players

CLASSES = model_classes()


def test_every_class_has_a_tiny_instance():
    assert set(TINY) == set(CLASSES), "tests/tiny.py and the package disagree"


def test_each_pattern_has_a_class_that_stands_for_it():
    standing = {pattern(CLASSES[name]) for name in PATTERNS}
    assert not [name for name, cls in CLASSES.items() if pattern(cls) not in standing]


def ours(cls) -> list[type]:
    """A class and those of its ancestors that the package defines."""
    return [c for c in cls.__mro__ if c.__module__.startswith("keras_gen.")]


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_depth_of_inheritance(cls):
    assert len(ours(cls)) <= (5 if cls.__name__ in ("VAE", "GAN", "CycleGAN") else 6), ours(cls)


def test_every_base_has_several_users():
    users: dict[type, set] = {}
    for each in {c for cls in CLASSES.values() for c in ours(cls)}:
        for base in each.__bases__:
            if base.__module__.startswith("keras_gen.") and base not in CLASSES.values():
                users.setdefault(base, set()).add(each)
    assert len(users) > 3
    assert not [base for base, own in users.items() if len(own) == 1]


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
def test_docstring_cites_a_paper_and_shows_an_example(cls):
    text = inspect.getdoc(cls) if "__doc__" in vars(cls) else ""
    # Such as: Goodfellow et al.: "Generative Adversarial Nets", NeurIPS 2014.
    assert re.search(r'[A-Z]\w+[^"]*: "[^"]+",[^"]*\b(19|20)\d\d\b', text, re.DOTALL), text
    for section in ("Args:", "Example:", "```python"):
        assert section in text
    entries = text.split("Args:\n")[1].split("\n\n")[0]
    described = re.findall(r"^    (\w+(?:, \w+)*): ", entries, re.MULTILINE)
    own = set(_own_arguments(cls))
    assert own <= {*", ".join(described).split(", ")} <= own | {*_inherited(cls)}


@pytest.mark.parametrize("name", CLASSES)
def test_example_runs(name):
    cls = CLASSES[name]
    code = re.search(r"```python\n(.*?)```", inspect.getdoc(cls), re.DOTALL).group(1)
    exec("import numpy as np\nimport keras\n" + code, {cls.__name__: cls})


def test_every_argument_is_an_attribute_and_not_the_default(model):
    cls, required, optional = type(model), {}, {}
    for name in model.arguments():
        assert hasattr(model, name), f"{cls.__name__} keeps no attribute {name}"
        if _default(cls, name) is inspect.Parameter.empty:
            required[name] = getattr(model, name)
        else:
            optional[name] = _default(cls, name)
    # Those of its bases too, which it knows of if they are given.
    usual, unusual = cls(**required, **optional).get_config(), model.get_config()
    # None may stand for what follows from the networks.
    determined = [n for n, default in optional.items() if default is None and usual[n] is not None]
    compared = optional.keys() - {*determined, *_inherited(cls)}
    same = [name for name in optional if name in compared and usual[name] == unusual[name]]
    if same:  # unless a variant's is another
        variants = [TINY[name].build(3) for name, c in CLASSES.items() if cls in c.__mro__[1:]]
        others = [v.get_config() for v in variants]
        same = [
            name for name in same if all(o.get(name, usual[name]) == usual[name] for o in others)
        ]
    # Tables have no levels; see tests/flows/test_table_flow.py.
    same = [each for each in same if (cls.__name__, each) != ("Flow", "columns")]
    assert not same, f"the tiny {cls.__name__} leaves {same} at the default"


def test_optimizers_have_networks_of_their_own(model):
    owners = players(model)
    owned = [id(n) for networks in owners.values() for n in networks]
    assert len(set(owned)) == len(owned)
    # Or layers of the model's own, such as a codebook.
    assert set(owned) <= {id(n) for n in (*model.networks.values(), *model.layers)}


def _own_arguments(cls):
    parameters = inspect.signature(cls.__init__).parameters
    return [n for n in parameters if n not in ("self", "kwargs", *_inherited(cls))]


def _inherited(cls):
    """The arguments by name alone that a base declares and describes."""
    bases = {n for base in cls.__mro__[1:] for n in vars(base).get("__dataclass_fields__", ())}
    parameters = inspect.signature(cls.__init__).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name in bases]


def _default(cls, name):
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if "__init__" in vars(base) and name in parameters:
            return parameters[name].default


def test_tab_completion_shows_what_users_call(model):
    shown = set(dir(model))
    assert {
        *model.arguments(),
        "compile",
        "evaluate",
        "fit",
        "networks",
        "players",
        "save",
    } <= shown
    for cls in ours(type(model)):
        for name, value in vars(cls).items():
            if hasattr(value, "function"):
                assert name in shown
            elif callable(value) and not name.startswith("_") and name in shown:
                bases = [vars(c).get(name) for c in ours(type(model))]
                used = name in BUILDERS or any(map(is_for_users, bases))
                assert used or hasattr(keras.Model, name), name
    assert not shown & {"terms", "prepare_batch", "minimize", "report", "generated", "weighted"}
