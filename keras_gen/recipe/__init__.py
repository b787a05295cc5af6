"""What all recipes share: flags and presets, and the course of a run."""

from keras_gen.recipe.run import Run, run_recipe
from keras_gen.recipe.settings import RunSettings, command, parse

__all__ = ["Run", "RunSettings", "command", "parse", "run_recipe"]
