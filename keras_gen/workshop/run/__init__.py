"""Code that all recipes share: flags, presets, and the run itself, from data to export.

A recipe imports this package first. If the running program is a recipe, this import handles
`--help` and invalid flags: it prints the help or an error, and ends the process before Keras is
imported, which would take seconds. In any other program, the import does not read the flags.
TensorFlow's messages about the machine are suppressed.

`flags.py` defines the flags, `outline.py` handles flags early, `recipe.py` calls `main`, and
`run.py` contains the run, from data to export.
"""

from typing import TYPE_CHECKING, Any

import keras_gen.workshop.interrupts
from keras_gen.quiet import start_tensorflow
from keras_gen.workshop.run.flags import (
    LEAST_COMPARED,
    RunSettings,
    ShortStepSettings,
    command,
    parse,
)
from keras_gen.workshop.run.outline import answer_program
from keras_gen.workshop.run.recipe import run_recipe

if TYPE_CHECKING:
    from keras_gen.workshop.run.run import Run

answer_program()


def __getattr__(name: str) -> Any:
    if name != "Run":
        raise AttributeError(f"module 'keras_gen.workshop.run' has no attribute {name!r}")
    start_tensorflow()
    from keras_gen.workshop.run.run import Run

    return Run
