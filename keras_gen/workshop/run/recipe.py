"""Runs a recipe from the command line."""

import contextlib
import inspect
import os
import sys
import traceback
import warnings
from collections.abc import Callable

from keras_gen.environment import DEBUG
from keras_gen.messages import out_of_memory
from keras_gen.quiet import start_tensorflow
from keras_gen.workshop.run.flags import RunSettings

# Errors whose cause a recipe's user can correct.
CORRECTABLE = (ValueError, TypeError, OSError, FloatingPointError, MemoryError)


def run_recipe(main: Callable, settings: type[RunSettings], presets, argv=None) -> None:
    """Calls a recipe's `main`, and reports errors that a user can correct in one sentence.

    The run is named after the recipe's file, and the file's docstring is the text of `--help`.

    Args:
        main: Function that accepts the run and its settings.
        settings: Dataclass derived from `RunSettings`.
        presets: Dict from each preset to the settings that the preset changes.
        argv: Command-line flags. If None, uses `sys.argv`.
    """
    start_tensorflow()
    from keras_gen.workshop.run.run import Run

    with one_sentence():
        description = inspect.getmodule(main).__doc__
        run = Run(inspect.getfile(main), settings, presets, description, argv)
        with run.telling_the_way_on():
            main(run, run.settings)


def notes(error: BaseException) -> str:
    """Returns the notes about files and next steps that `Run` adds to an error or interrupt."""
    return " ".join(getattr(error, "__notes__", ()))


@contextlib.contextmanager
def one_sentence():
    """If an error occurs that the user can correct, ends the process with one sentence.

    A warning is also printed as a single line, without its location in the code.
    """
    import tensorflow as tf

    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        yield
    except KeyboardInterrupt as end:
        way_on = notes(end) or "nothing has been trained yet; rerun the same command"
        raise SystemExit(f"\ninterrupted: {way_on}") from None
    except (*CORRECTABLE, tf.errors.OpError) as error:
        if DEBUG in os.environ:
            traceback.print_exc()
        # This library's own sentences about files include an error number, which is omitted here.
        plain = error.strerror if isinstance(error, OSError) and not error.filename else None
        text = " ".join((out_of_memory(error) or plain or str(error)).split())
        if notes(error):
            text = f"{text.removesuffix('.')}. {notes(error)}"
        print(
            f"error: {text} (set the environment variable {DEBUG}=1 for a traceback)",
            file=sys.stderr,
        )
        raise SystemExit(1) from error
    finally:
        warnings.formatwarning = usual
