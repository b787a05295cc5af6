"""What all recipes share: flags, presets, and a run from its data to its export."""

from keras_gen.run.recipe import run_recipe
from keras_gen.run.run import Run
from keras_gen.run.settings import RunSettings, ShortStepSettings, command, parse
