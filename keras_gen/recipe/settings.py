"""The flags that every recipe takes, and how flags, presets and saved settings combine."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import simple_parsing

from keras_gen.training.distribution import STRATEGIES

PRESETS = ("smoke", "cpu", "paper")
# What may differ when a run goes on: where things lie and what runs them.
FREE = ("resume", "output", "export", "strategy", "preset")


@dataclasses.dataclass(frozen=True)
class RunSettings:
    """Settings of every recipe; a recipe's dataclass adds its own.

    Raises:
        ValueError: If a value is out of its range.
    """

    preset: Literal["auto", "smoke", "cpu", "paper"] = "auto"
    """Scale of the run: smoke (under a minute), cpu (minutes on two cores), paper (the paper's
    setting). auto: paper with a GPU, else cpu. Further flags change single settings of it."""
    strategy: Literal["auto", "default", "mirrored", "multiworker", "tpu"] = "auto"
    """Devices: default (one), mirrored (all GPUs of this machine), multiworker (TF_CONFIG), tpu."""
    seed: int = 0
    """Seed of the weights, the data's order and all noise."""
    deterministic: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Bit-equal results at every repetition, at some cost in speed."""
    mixed_precision: Literal["auto", "none", "bfloat16", "float16"] = "auto"
    """Precision inside the networks. auto: bfloat16 where the processor computes in it."""
    output: Path | None = None
    """Folder of everything the run writes. Default: runs/RECIPE/TIME."""
    export: Path | None = None
    """Folder of SavedModels; the next free version is written. Default: saved_models, and the
    run's own folder for the smoke preset."""
    resume: bool = simple_parsing.flag(default=False, negative_prefix="--no-")
    """Go on with the run in --output, or with the newest unfinished one."""
    epochs: int = 1
    """Epochs of steps_per_epoch steps; after each, losses are printed and a checkpoint written."""
    steps_per_epoch: int = 100
    """Training steps in an epoch."""
    batch_size: int = 1
    """Examples in a step, over all replicas."""
    sheet_every: int = 1
    """Epochs between sheets of pictures."""

    def __post_init__(self):
        """Checks the values."""
        for name in ("epochs", "steps_per_epoch", "batch_size", "sheet_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{_dashed(name)} is {getattr(self, name)}: at least 1.")
        if self.seed < 0:
            raise ValueError(f"--seed is {self.seed}: it must not be negative.")
        for name, value in vars(self).items():
            if "learning_rate" in name and not value >= 0:
                raise ValueError(f"--{_dashed(name)} is {value}: it must not be negative.")
        assert self.strategy in STRATEGIES

    def as_json(self) -> dict[str, Any]:
        """All settings as plain JSON values."""
        return json.loads(json.dumps(dataclasses.asdict(self), default=str))


def parse(settings: type, presets: Mapping[str, dict], description: str, argv=None, saved=None):
    """Makes a recipe's settings of its preset and the flags.

    Args:
        settings: Dataclass derived from `RunSettings`.
        presets: What each of `smoke`, `cpu` and `paper` changes.
        description: Text of `--help`: the recipe's docstring.
        argv: Flags; the process's by default.
        saved: Settings of the run that goes on, which then take the preset's place.

    Returns:
        An instance of `settings` with `preset` resolved. Wrong flags end the process with a
        sentence, as argparse does.
    """
    assert tuple(presets) == PRESETS, f"a recipe has the presets {PRESETS}"
    known, _ = _parser(settings, description, settings(), add_help=False).parse_known_args(argv)
    preset = known.settings.preset
    if preset == "auto":
        preset = "paper" if _has_gpu() else "cpu"
    start = settings(**(_typed(settings, saved) if saved else presets[preset]))
    start = dataclasses.replace(start, preset=saved["preset"] if saved else preset)
    parser = _parser(settings, description, start)
    try:
        result = parser.parse_args(argv).settings
    except ValueError as error:
        parser.error(str(error))
    if known.settings.preset == "auto":
        result = dataclasses.replace(result, preset=start.preset)
    if saved:
        there, here = start.as_json(), result.as_json()
        differences = [
            f"--{_dashed(name)} is {there[name]} there and {here[name]} here"
            for name in there
            if name not in FREE and there[name] != here[name]
        ]
        if differences:
            parser.error(
                f"the run to go on with has other settings: {'; '.join(differences)}. Leave the "
                "flags out, or choose another --output."
            )
    return result


def _parser(settings, description, default, **kwargs):
    parser = simple_parsing.ArgumentParser(
        description=description,
        formatter_class=simple_parsing.SimpleHelpFormatter,
        add_option_string_dash_variants=simple_parsing.DashVariant.DASH,
        **kwargs,
    )
    parser.add_arguments(settings, "settings", default=default)
    return parser


def _typed(settings, saved: dict) -> dict:
    """Saved JSON values in the types of the fields; unknown ones are refused."""
    fields = {field.name: field for field in dataclasses.fields(settings)}
    unknown = sorted(saved.keys() - fields.keys())
    if unknown:
        raise ValueError(f"The saved config has the unknown settings {', '.join(unknown)}.")
    paths = {name for name, field in fields.items() if "Path" in str(field.type)}
    return {k: Path(v) if k in paths and v else v for k, v in saved.items()}


def _has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _dashed(name: str) -> str:
    return name.replace("_", "-")
