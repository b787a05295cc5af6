"""The flags of every recipe, and their combination with presets and saved settings."""

import argparse
import dataclasses
import itertools
import json
import os
import re
import shlex
import sys
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import simple_parsing

from keras_gen.arguments import (
    checked_below_1,
    checked_integer,
    checked_number,
    checked_positive,
    shown,
)
from keras_gen.files.reading import read_json
from keras_gen.messages import nearest

PRESETS = ("smoke", "cpu", "paper")
# Limits of TensorFlow's dtypes int32 and float32.
LARGEST_INTEGER = 2**31 - 1
LARGEST_NUMBER = 3e38
_OF_JSON = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    Path: "a path",
    type(None): "null",
}
LEAST_COMPARED = 10  # minimum number of images per set for `keras_gen.metrics.sample_report`
QUICK = "quick"  # name of an optional preset
# Settings that may differ when a run resumes: paths, devices, and evaluation frequency.
FREE = (
    "resume",
    "config",
    "output",
    "export",
    "weights",
    "strategy",
    "preset",
    "validate_every",
)
# Settings omitted from exports and published commands, because readers choose their own paths.
PLACES = ("output", "export", "resume", "config", "weights")
OF_RUN = ("run", "recipe")  # entries of a run's config.json in addition to its settings


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Settings of every recipe; a recipe's dataclass adds the recipe's own settings.

    The help text of a field is the comment next to the field or the string below it. Numbers must
    not be negative. Integers must be at least 1, except for fields in `ZERO` and `LEAST`, and below
    2^31. Learning rates and the fields in `POSITIVE` must be above 0, momenta (`BELOW_ONE`) below
    1, and fractions (`UP_TO_ONE`) at most 1. A string whose default is a list of numbers, such as
    "32 64", must contain integers, or decimal numbers if the field is in `DECIMAL`. The fields in
    `PYRAMIDS` contain image sizes for `pyramid_distances`, which are powers of two from 16 up.

    Raises:
        ValueError: If a value is out of range.
    """

    ZERO: typing.ClassVar = ("seed", "pool_size", "margin")
    BELOW_ONE: typing.ClassVar = ("ema", "beta_1", "dropout", "prior_dropout")
    UP_TO_ONE: typing.ClassVar = (
        "green", "identity_until", "quantile", "ramp", "random", "rare", "smallest", "unchanged",
        "unlabeled", "warm_up",
    )  # fmt: skip
    POSITIVE: typing.ClassVar = ("bin_width", "smallest", "std", "width")
    DECIMAL: typing.ClassVar = ("distances", "guidance", "weight_decay")
    PYRAMIDS: typing.ClassVar = ()
    LEAST: typing.ClassVar = {
        "compared": LEAST_COMPARED,
        "compared_in_few_steps": LEAST_COMPARED,
    }

    preset: Literal["auto", "smoke", "cpu", "paper"] = "auto"
    """Scale of the run: smoke (under a minute), cpu (minutes on two cores), or paper (the paper's
    settings). auto: paper with a GPU, otherwise cpu."""
    strategy: Literal["auto", "default", "mirrored", "multiworker", "tpu"] = "auto"
    """Devices: default (one), mirrored (all GPUs of this machine), multiworker (the machines named
    in TF_CONFIG), or tpu. auto: multiworker with TF_CONFIG, mirrored with several GPUs, otherwise
    default."""
    seed: int = 0
    """Seed for the weights, the order of the data, and all noise."""
    deterministic: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Make repeated runs bit-identical, at some cost in speed."""
    mixed_precision: Literal["auto", "none", "bfloat16", "float16"] = "auto"
    """Precision inside the networks. auto: bfloat16 if the processor supports it, otherwise none
    (float32)."""
    jit_compile: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Compile the training step with XLA, on one device only. Training starts more slowly but then
    runs faster on GPUs."""
    output: Path | None = None
    """Folder for everything that the run writes. None: runs/RECIPE/TIME."""
    export: Path | None = None
    """Folder for SavedModels; the next free version number is used. None: export/ in the run's
    folder. To publish the model, pass --export saved_models."""
    resume: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Resume the run in --output, or the most recent unfinished run, with the settings of that run.
    With a larger --epochs, training continues even if the run had finished."""
    config: Path | None = None
    """Path to another run's config.json, whose settings replace the preset's settings."""
    weights: Path | None = None
    """Path of an export to evaluate instead of training a model; the other flags must match the run
    that wrote the export."""
    start_from: str | None = None
    """Export whose weights initialize training: a name in saved_models, or a folder. The export's
    networks must have the same architecture as this run's networks. Networks that are not exported,
    such as discriminators, start with random weights."""
    epochs: int = 1
    """Number of epochs, each with --steps-per-epoch steps. A checkpoint is written after each
    epoch; a progress line is printed after some epochs."""
    steps_per_epoch: int = 100
    """Number of training steps per epoch."""
    batch_size: int = 1
    """Number of examples per step, summed over all replicas."""
    grid_every: int = 1
    """Number of epochs between sample grids."""
    validate_every: int = 1
    """Number of epochs between evaluations on held-out data, in recipes that evaluate during
    training."""

    def __init_subclass__(cls):
        # This docstring is the heading of the recipe's flags in its help.
        cls.__doc__ = (
            cls.__doc__ or "Settings of the run, followed by the recipe's own settings."
        )

    def __post_init__(self):
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                self._check_number(name, value)
        for field in dataclasses.fields(self):
            if isinstance(field.default, str) and _are_numbers(field.default, False, 0):
                self._check_numbers(field.name)

    @classmethod
    def least(cls, name: str) -> int:
        """Returns the minimum of an integer setting."""
        return cls.LEAST.get(name, int(name not in cls.ZERO))

    def _check_number(self, name: str, value: float) -> None:
        flag = _flag(name)
        if isinstance(value, int):
            checked_integer(
                flag, checked_integer(flag, value, self.least(name)), maximum=LARGEST_INTEGER
            )
        else:
            checked_number(flag, checked_number(flag, value, 0), maximum=LARGEST_NUMBER)
        if name in self.BELOW_ONE:
            checked_below_1(flag, value)
        if name in self.UP_TO_ONE:
            checked_number(flag, value, 0, 1)
        if name.endswith("learning_rate") or name in self.POSITIVE:
            checked_positive(flag, value)
        if name in self.PYRAMIDS and (value < 16 or int(value).bit_count() > 1):
            raise ValueError(
                f"{flag} is {value}: expected a power of two of at least 16, such as 64."
            )

    def _check_numbers(self, name: str) -> None:
        text = vars(self)[name]
        whole = name not in self.DECIMAL
        least = int(whole and name not in self.ZERO)
        if not _are_numbers(text, whole, least):
            kind = "integers" if whole else "numbers"
            raise ValueError(
                f"{_flag(name)} is {shown(text)}: expected {kind} of at least {least}, separated "
                "by spaces."
            )

    def as_json(self) -> dict[str, Any]:
        """Returns all settings as plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self), default=str))


@dataclasses.dataclass(frozen=True)
class ShortStepSettings(RunSettings):
    """Settings of recipes whose networks are so small that a step takes milliseconds."""

    mixed_precision: Literal["auto", "none", "bfloat16", "float16"] = "none"
    """Precision inside the networks. none: float32, as used for published results."""
    steps_per_execution: int = 1
    """Number of steps per TensorFlow call, on one device only. Use a large number if steps
    are short."""

    def __post_init__(self):
        super().__post_init__()
        # Otherwise, Keras would round up the number of steps per epoch, and the run could not be
        # resumed.
        if self.steps_per_epoch % self.steps_per_execution:
            raise ValueError(
                f"--steps-per-epoch is {self.steps_per_epoch}: expected a multiple of "
                f"--steps-per-execution, which is {self.steps_per_execution}."
            )


class _Parser(simple_parsing.ArgumentParser):
    """A parser whose error messages describe the expected numbers."""

    settings: type[RunSettings] = RunSettings

    def error(self, message):
        found = re.search(
            r"argument --(\S+): invalid (int|float) value: (.*)", message, re.DOTALL
        )
        if found:
            flag, kind, value = found.groups()
            least = self.settings.least(flag.replace("-", "_")) if kind == "int" else 0
            expected = _OF_JSON[int if kind == "int" else float]
            message = f"--{flag} is {value:.40}: expected {expected} of at least {least}."
        super().error(message)


class _Help(simple_parsing.SimpleHelpFormatter):
    """A recipe's help, with the recipe's flags under a descriptive heading."""

    def start_section(self, heading):
        of_settings = heading is not None and heading.endswith(" ['settings']")
        super().start_section("flags" if of_settings else heading)


def check(
    settings: type[RunSettings],
    presets: Mapping[str, dict],
    description: str,
    argv: Sequence[str] | None = None,
) -> None:
    """Prints the help or rejects invalid flags, as `parse` does, without importing TensorFlow.

    Without `--preset`, the defaults come from `quick` or `cpu`. If there may be a GPU and there is
    no quick preset, the values are checked later by `parse`, which can determine the preset.

    Args:
        settings: Dataclass derived from `RunSettings`.
        presets: Dict from each preset to the settings that the preset changes.
        description: Text of `--help`, which is the recipe's docstring.
        argv: Command-line flags. If None, uses `sys.argv`.
    """
    given = _first_flags(argv)
    is_known = given.preset != "auto" or given.config or QUICK in presets
    if given.help or is_known or not _may_have_gpu():
        parse(settings, presets, description, argv, usual="cpu")


def parse(
    settings: type[RunSettings],
    presets: Mapping[str, dict],
    description: str,
    argv=None,
    saved=None,
    usual: str | None = None,
):
    """Combines a recipe's settings from a preset and the flags.

    Args:
        settings: Dataclass derived from `RunSettings`.
        presets: Dict from each preset to the settings that the preset changes. The presets are
            `smoke`, `cpu`, `paper`, and, in some recipes, `quick`.
        description: Text of `--help`, which is the recipe's docstring.
        argv: Command-line flags. If None, uses `sys.argv`.
        saved: Settings of the run to resume, which replace the settings of the preset.
        usual: Preset that `auto` selects if there is no quick preset. If None, `auto` selects
            `paper` with a GPU, and otherwise `cpu`.

    Returns:
        An instance of `settings` with `preset` resolved. Invalid flags end the process with one
        sentence and exit code 2.

    Raises:
        ValueError: If `saved` or the file given by `--config` does not contain the recipe's
            settings.
        OSError: If the file given by `--config` cannot be read.
    """
    always = tuple(name for name in presets if name != QUICK)
    assert always == PRESETS, f"a recipe has the presets {PRESETS}"
    scales = {name: settings(**(change | {"preset": name})) for name, change in presets.items()}
    given = _first_flags(argv)
    if given.config and not saved:
        config = read_config(given.config)
        config = {k: v for k, v in config.items() if k not in (*PLACES, *OF_RUN)}
    else:
        config = saved
    if config:
        if config["preset"] not in list(presets):
            raise ValueError(
                f"The saved run uses the preset {shown(config['preset'])}: expected one of "
                f"{', '.join(presets)}. Use the version of the recipe that started it."
            )
        start = _typed(settings, config)
    else:
        # An invalid preset name is rejected later by the parser.
        start = scales.get(given.preset) or scales.get(QUICK) or scales[usual or _usual_preset()]
    parser = _Parser(
        description=f"{description}\n\nThe defaults below are for --preset {start.preset}.",
        formatter_class=_Help,
        usage=f"%(prog)s [--preset {'|'.join(presets)}] [--FLAG VALUE ...]",
        # Abbreviations are disabled, so that adding flags to a recipe never changes the meaning
        # of an existing flag.
        allow_abbrev=False,
        add_option_string_dash_variants=simple_parsing.DashVariant.DASH,
    )
    parser.settings = settings
    parser.add_arguments(settings, "settings", default=start)
    if given.preset not in ("auto", *presets):
        parser.error(f"--preset is {given.preset}: expected one of {', '.join(presets)}.")
    try:
        namespace, unknown = parser.parse_known_args(argv)
    except ValueError as error:
        parser.error(str(error))
    if unknown:
        parser.error(_unknown(unknown[0], settings))
    # Flags without a value are rejected here, because otherwise, optional flags would become None.
    kinds = typing.get_type_hints(settings)
    valued = {_flag(f.name) for f in dataclasses.fields(settings) if kinds[f.name] is not bool}
    for flag, following in itertools.pairwise([*(sys.argv[1:] if argv is None else argv), "--"]):
        name, assigned, text = flag.partition("=")
        value = text if assigned else following
        if name in valued and (not value or value.startswith("--")):
            parser.error(f"argument {name}: expected one value")
    result = namespace.settings
    if given.config and given.preset not in ("auto", start.preset):
        parser.error(
            f"--preset is {given.preset}, but --config has the preset {start.preset}: pass only "
            "one."
        )
    if result.preset == "auto":
        result = dataclasses.replace(result, preset=start.preset)
    differences = [
        f"{_flag(name)} is {value} in that run, but {vars(result)[name]} here"
        for name, value in vars(start).items()
        if saved and vars(result)[name] != value and (name not in FREE or name == "preset")
        # The number of epochs may be increased, but not reduced.
        if name != "epochs" or vars(result)[name] < value
    ]
    if differences:
        parser.error(
            f"the run to resume has different settings: {'; '.join(differences)}. Leave the flags "
            "out (only --epochs may be larger), or choose another --output."
        )
    return result


def read_config(path: Path) -> dict[str, Any]:
    """Returns the settings of a run from its `config.json`.

    Raises:
        ValueError: If the file does not contain settings.
        OSError: If the file cannot be read.
    """
    config = read_json(path, "choose another file")
    if "preset" not in config:
        raise ValueError(f"{path} does not contain the settings of a run: choose another file.")
    return config


def command(
    recipe: str,
    settings: type[RunSettings],
    presets: Mapping[str, dict],
    config: Mapping[str, Any],
) -> str:
    """Returns the shortest command line of a run: the preset and the flags that override it.

    Args:
        recipe: Name of the recipe, which is the stem of its file.
        settings: Settings dataclass of the recipe.
        presets: Dict from each preset to the settings that the preset changes.
        config: Settings of the run as returned by `RunSettings.as_json`, with or without the
            settings in `PLACES`. Settings that did not exist when the run was saved have their
            default values.

    Returns:
        A shell command to run in the folder that contains `recipes/`. `parse` converts the command
        to the same settings.

    Raises:
        ValueError: If `config` contains settings or a preset that the recipe does not have, or a
            value that is specific to one machine, such as a path.

    Example:
        >>> command("toy", RunSettings, presets, {"preset": "cpu", "epochs": 7})
        'python recipes/toy.py --preset cpu --epochs 7'
    """
    preset = str(config.get("preset"))
    if preset not in presets:
        raise ValueError(
            f"the run's preset is {preset}: expected one of {', '.join(presets)} for {recipe}."
        )
    usual = vars(settings(**(presets[preset] | {"preset": preset})))
    words = ["python", f"recipes/{recipe}.py", "--preset", preset]
    kept = {name: value for name, value in config.items() if name not in PLACES}
    for name, value in vars(_typed(settings, kept)).items():
        if name in ("preset", *PLACES) or value == usual[name]:
            continue
        if not isinstance(value, int | float | str):
            raise ValueError(
                f"{_flag(name)} is {value}: expected a number or a word, because the command "
                "must work on every machine."
            )
        words += _words(name, value)
    return shlex.join(words)


def own_flags(s: RunSettings, presets: Mapping[str, dict]) -> dict[str, list[str]]:
    """Returns a dict from settings that apply at every scale to their flags, as command words.

    These settings, such as a user's own folders, differ from the settings of the run's preset, but
    no preset changes them. A longer run on the same data must therefore repeat their flags.

    Args:
        s: Settings of the run.
        presets: Dict from each preset to the settings that the preset changes.
    """
    usual = vars(type(s)(**(presets[s.preset] | {"preset": s.preset})))
    scaled = {name for change in presets.values() for name in change}
    left_out = {"preset", *PLACES, *scaled} - {"export"}
    return {
        name: _words(name, value)
        for name, value in vars(s).items()
        if name not in left_out and value != usual[name]
    }


def own_data(s: RunSettings) -> bool:
    """Returns whether a setting of the recipe specifies a user's own data."""
    return any(isinstance(value, Path) for name, value in vars(s).items() if name not in PLACES)


def _words(name: str, value: Any) -> list[str]:
    """Returns a setting as words of a command."""
    if isinstance(value, bool):
        return [_flag(name) if value else f"--no-{_flag(name)[2:]}"]
    return [_flag(name), str(value)]


def _first_flags(argv: Sequence[str] | None) -> argparse.Namespace:
    """Returns the flags that determine the defaults of the other flags."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-h", "--help", action="store_true")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--config", type=Path)
    return parser.parse_known_args(argv)[0]


def _unknown(flag: str, settings) -> str:
    flags = [_flag(field.name) for field in dataclasses.fields(settings)]
    flag = flag.split("=")[0]
    dashed = flag.replace("_", "-")
    end = nearest(dashed, flags) if dashed != "--" else "."
    return f"{flag} is not a flag of this recipe: --help lists its flags{end}"


def _typed(settings, saved: dict):
    """Converts saved JSON values to settings, and rejects unknown settings."""
    kinds = typing.get_type_hints(settings)
    unknown = sorted(saved.keys() - {field.name for field in dataclasses.fields(settings)})
    if unknown:
        names = ", ".join(name[:60] for name in unknown[:20])
        raise ValueError(
            f"The saved run has settings that are unknown to this recipe: {names}. Use the version "
            "of the recipe that started it."
        )
    for name, value in saved.items():
        if name != "preset" and not _fits(value, kinds[name]):
            raise ValueError(
                f"The saved run has {name}={shown(value)}: expected {_in_words(kinds[name])}. "
                "Correct the value, or use the version of the recipe that started the run."
            )
    paths = {name for name, kind in kinds.items() if Path in (kind, *typing.get_args(kind))}
    return settings(**{k: Path(v) if k in paths and v else v for k, v in saved.items()})


def _fits(value: Any, kind: Any) -> bool:
    """Returns whether a JSON value has the type of a setting."""
    if typing.get_origin(kind) is Literal:
        return value in typing.get_args(kind)
    if options := typing.get_args(kind):
        return any(_fits(value, option) for option in options)
    if isinstance(value, bool):
        return kind is bool
    if kind is Path:
        return isinstance(value, str) and value != ""
    return isinstance(value, int | float if kind is float else kind)


def _in_words(kind: Any) -> str:
    """Returns a description of the JSON values that a setting accepts."""
    if typing.get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, typing.get_args(kind)))}"
    if options := typing.get_args(kind):
        return " or ".join(map(_in_words, options))
    return _OF_JSON[kind]


def _are_numbers(text: str, whole: bool, least: int) -> bool:
    """Returns whether a text consists of numbers, each at least `least`, separated by spaces."""
    try:
        numbers = [int(word) if whole else float(word) for word in text.split()]
    except ValueError:
        return False
    return bool(numbers) and all(least <= number <= LARGEST_INTEGER for number in numbers)


def _usual_preset() -> str:
    import tensorflow as tf

    return "paper" if tf.config.list_physical_devices("GPU") else "cpu"


def _may_have_gpu() -> bool:
    """Returns whether TensorFlow might find a GPU, without importing TensorFlow."""
    return sys.platform == "darwin" or any(
        map(os.path.exists, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
