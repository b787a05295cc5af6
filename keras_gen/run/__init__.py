"""What all recipes share: flags and presets, and the course of a run."""

from keras_gen.run.recipe import run_recipe
from keras_gen.run.run import Run
from keras_gen.run.settings import RunSettings, ShortStepSettings, command, parse
