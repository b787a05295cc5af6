"""Checks for new models and for the constructor arguments of models."""

import inspect
import itertools
from collections.abc import Collection, Sequence
from typing import Any

import keras

import keras_gen
from keras_gen.core.network_checks import require_shapes
from keras_gen.declared import named_parameters, names_by_place, parameters_of
from keras_gen.messages import nearest

# Class methods that build a model, which are suggested when networks are missing.
BUILDERS = (
    *("for_images", "for_vectors", "for_series", "for_videos", "for_sounds", "for_text"),
    *("for_table", "for_coder", "from_source"),
)

# Arguments that `keras.Model` accepts.
_OF_KERAS = ("name", "trainable", "dtype", "autocast", "activity_regularizer")


def given_arguments(cls: type, args: Sequence, kwargs: dict[str, Any]) -> list[str]:
    """Returns the names of the arguments in a call that creates a model.

    Raises:
        TypeError: If required arguments are missing.
        ValueError: If Keras is configured for the `channels_first` image format.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            f"image_data_format in Keras is '{keras.config.image_data_format()}': expected "
            "'channels_last'. Call keras.config.set_image_data_format('channels_last') "
            "before networks are built."
        )
    parameters = named_parameters(cls)
    given = [*names_by_place(cls)[: len(args)], *kwargs]
    _refuse_misspelled(cls, parameters, kwargs)
    needed = [name for name, each in parameters.items() if each.default is each.empty]
    if missing := [name for name in needed if name not in given]:
        if given:
            # The caller may be a builder, which creates the standard networks and passes on the
            # other arguments.
            raise TypeError(
                f"{cls.__name__} lacks {', '.join(missing)}: add {missing[0]}=... to "
                "the arguments."
            )
        if why := getattr(cls, "no_builders", ""):
            raise TypeError(f"{cls.__name__} lacks {', '.join(missing)}. It {why}")
        # Only the builders of the nearest class that has any are suggested, because they replace
        # inherited ones.
        own = (_builders(base, cls) for base in cls.__mro__)
        calls = [f"{cls.__name__}.{name}" for name in next(filter(None, own), [])]
        way_out = f". To use the standard networks, call {' or '.join(calls)}" if calls else ""
        raise TypeError(f"{cls.__name__} lacks {', '.join(missing)}{way_out}.")
    return given


def _refuse_misspelled(cls: type, parameters: Collection[str], kwargs: Collection[str]) -> None:
    """Raises a TypeError for an unknown argument whose name is similar to an accepted name.

    A builder passes unknown arguments on to the class, which passes them on to Keras.
    """
    known = {*parameters, *_OF_KERAS, *getattr(cls, "__dataclass_fields__", ())}
    unknown = [name for name in kwargs if name not in known]
    if not unknown:  # the usual case, in which no signature is read
        return
    builders = [getattr(cls, name).__func__ for name in BUILDERS if hasattr(cls, name)]
    accepted = [each for builder in builders for each in parameters_of(builder)]
    names = {each.name for each in accepted if each.kind is not each.VAR_KEYWORD}
    conditional = f"Conditional{cls.__name__}"
    for name in unknown:
        if name in ("classes", "conditions", "speakers") and conditional in keras_gen.__all__:
            raise TypeError(
                f"{cls.__name__} got {name}: expected no condition. To use this condition, build "
                f"a {conditional}."
            )
        likely = nearest(name, sorted((known | names) - {name}))
        if likely != ".":
            raise TypeError(f"{cls.__name__} got {name}{likely}")


def _builders(base: type, cls: type) -> list[str]:
    """Returns the names of a base's own builders that build models of this class."""
    own = {name: vars(base)[name].__func__ for name in BUILDERS if name in vars(base)}
    built = {name: builder.__annotations__.get("return", cls) for name, builder in own.items()}
    return [name for name, kind in built.items() if kind in (cls, cls.__name__)]


def finish(model) -> None:
    """Checks a model's networks, freezes them if the model is not trainable, and calls `set_up`."""
    require_shapes(model)
    if not model.trainable:
        for network in model.networks.values():
            network.trainable = False
    model.set_up()
    require_edges(model)


def require_edges(model) -> None:
    """Raises a ValueError if a model does not describe the data that its methods accept."""
    methods = [method for _, method in inspect.getmembers(type(model), inspect.isfunction)]
    used = [method.takes(model) for method in methods if hasattr(method, "takes")]
    names = dict.fromkeys(itertools.chain(model.batch, *used))
    edges = model.edges | model.training_edges
    if missing := [name for name in names if name not in edges]:
        raise ValueError(
            f"{type(model).__name__} does not describe its data ({', '.join(missing)}): call "
            f"super().set_up() in its set_up, or set self.edges[{missing[0]!r}] there."
        )
