"""What all recipes share: flags, presets, and a run from its data to its export.

A recipe imports this first. So its `--help` is printed, and a wrong flag is refused, before Keras
is imported, which takes seconds; and TensorFlow is imported without a word about the machine.
"""

from typing import TYPE_CHECKING, Any

import keras_gen.workshop.interrupts
from keras_gen.quiet import start_tensorflow
from keras_gen.workshop.run.outline import answer_program
from keras_gen.workshop.run.recipe import run_recipe
from keras_gen.workshop.run.settings import (
    LEAST_COMPARED,
    RunSettings,
    ShortStepSettings,
    command,
    parse,
)

if TYPE_CHECKING:
    from keras_gen.workshop.run.run import Run

answer_program()


def __getattr__(name: str) -> Any:
    if name != "Run":
        raise AttributeError(f"module 'keras_gen.workshop.run' has no attribute {name!r}")
    start_tensorflow()
    from keras_gen.workshop.run.run import Run

    return Run
