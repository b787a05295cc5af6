"""What all recipes share: flags and presets, and the course of a run."""

from keras_gen.recipe.run import Run, run_recipe
from keras_gen.recipe.settings import RunSettings, ShortStepSettings, command, parse

__all__ = ["Run", "RunSettings", "ShortStepSettings", "command", "parse", "run_recipe"]
