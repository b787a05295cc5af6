"""Builders of standard networks: each builds by its own defaults, or names what it needs."""

import inspect
import re

import keras
import pytest

import keras_gen
from keras_gen.core import GenerativeModel
from keras_gen.core.construction import BUILDERS

CLASSES = {
    name: cls
    for name in keras_gen.__all__
    if isinstance(cls := getattr(keras_gen, name), type) and issubclass(cls, GenerativeModel)
}
BUILT = [(name, each) for name, cls in CLASSES.items() for each in BUILDERS if hasattr(cls, each)]
SHAPES = {
    **{"for_images": (16, 16, 1), "for_vectors": 4, "for_videos": (8, 16, 16, 1)},
    **{"for_series": (7, 2), "for_sounds": 50, "for_text": "A text of a few words."},
}
# Small networks, by the names that their sizes have.
SMALL = dict(filters=8, hidden=(8,), width=8, widths=(8,), discriminator_hidden=(8,), blocks=1)
SMALL |= dict(units=4, dilations=(1, 2))
NEEDED = dict(classes=3, people=2, speakers=2, std=0.1, dataset_size=9)


def small(builder, shape, **needed):
    """Calls a builder with arguments for small networks, of those that it has."""
    parameters = inspect.signature(builder).parameters
    sizes = {}
    for name, size in SMALL.items():
        default = parameters[name].default if name in parameters else None
        if default is not None:
            several = isinstance(default, tuple)
            sizes[name] = (size,) * len(default) if several and isinstance(size, int) else size
            if not several and isinstance(size, tuple):
                sizes[name] = size[0]
            if several and name == "filters":
                sizes[name] = (8,)
    return builder(shape, **sizes, **needed)


@pytest.mark.thorough
@pytest.mark.parametrize("name,builder", BUILT)
def test_builds_or_names_what_it_needs(name, builder):
    needed = {}
    while True:
        try:
            model = small(getattr(CLASSES[name], builder), SHAPES.get(builder), **needed)
            assert model.standardize == (builder in ("for_vectors", "for_series"))
            return
        except (TypeError, ValueError) as error:
            text = str(error)
        assert "\n" not in text and len(text) < 400
        # Its way out is not the call itself.
        assert f"{name}.{builder}" not in text.replace(f"{name}.{builder}() missing", ""), text
        lacking = re.search(
            r"missing 1 .* argument: '(\w+)'|lacks (\w+): add|(classes) is None", text
        )
        argument = next(filter(None, lacking.groups())) if lacking else None
        if argument not in NEEDED:
            break
        assert argument not in needed
        needed[argument] = NEEDED[argument]
    words = (
        "for videos|for images|for tables|for texts|no standard networks|lacks coder|columns"
        "|source is None|requires a model trained"
    )
    assert re.search(rf"{words}|missing 2 required|feature_network|examples", text), text
    if re.search("for videos|for images|for tables|for texts|no standard networks", text):
        with pytest.raises(TypeError) as bare:
            CLASSES[name]()
        assert f"{name}.{builder}" not in str(bare.value)


# Builders fit their networks to the sides, or the answer names these.
@pytest.mark.thorough
@pytest.mark.parametrize("shape", [(16, 16, 3), (20, 24, 1), (45, 37, 3)])
@pytest.mark.parametrize("name", [name for name, builder in BUILT if builder == "for_images"])
def test_defaults_fit_every_size(name, shape):
    builder = CLASSES[name].for_images
    parameters = inspect.signature(builder).parameters
    needed = {argument: NEEDED[argument] for argument in NEEDED.keys() & parameters.keys()}
    init = inspect.signature(CLASSES[name]).parameters
    needed |= {name: NEEDED[name] for name in ("std", "dataset_size", "classes") if name in init
               and init[name].default is inspect.Parameter.empty}  # fmt: skip
    if "feature_network" in parameters:
        needed["feature_network"] = keras.Sequential(
            [keras.Input(shape), keras.layers.Conv2D(2, 3)]
        )
    try:
        model = small(builder, shape, **needed)
    except (TypeError, ValueError) as error:
        text = str(error)
        height, width, _ = shape
        sides = rf"{height}x{width}|{re.escape(str(shape))}|multiple|even|square"
        others = "no standard networks|for videos|for tables|for texts|lacks coder|requires a model"
        assert re.search(rf"{sides}|{others}", text), text
        assert "latent_dim" not in text
        return
    taken = model.edges["x"].shape
    assert tuple(taken)[-3:] in (shape, (None, None, shape[-1]))


@pytest.mark.parametrize("name", ["VAE", "GAN", "DDPM", "Flow", "PixelCNN"])
def test_a_condition_names_the_conditional_class(name):
    with pytest.raises(TypeError, match=rf"^{name} got classes: .* build a Conditional{name}\.$"):
        CLASSES[name].for_images((8, 8, 1), classes=2)


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [
        ("VAE", "latentdim", "latent_dim"),
        ("GAN", "latent_dims", "latent_dim"),
        ("DDPM", "width", "widths"),
        ("Autoencoder", "filter", "filters"),
        ("WGANGP", "discriminator_step", "discriminator_steps"),
    ],
)
def test_misspelled_arguments_suggest_the_right_one(name, wrong, right):
    with pytest.raises(TypeError, match=f"^{name} got {wrong}; did you mean .*{right}"):
        getattr(keras_gen, name).for_images((16, 16, 1), **{wrong: 3})
