"""Calling a recipe from its command line."""

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

# What the user of a recipe can correct.
CORRECTABLE = (ValueError, TypeError, OSError, FloatingPointError, MemoryError)


def run_recipe(main: Callable, settings: type[RunSettings], presets, argv=None) -> None:
    """Calls a recipe's `main`, and ends the process with one sentence if something is wrong.

    The recipe's file names the run, and its docstring is what `--help` prints.

    Args:
        main: Function of the run and its settings.
        settings: Dataclass derived from `RunSettings`.
        presets: What each preset changes.
        argv: Flags; the process's by default.
    """
    start_tensorflow()
    from keras_gen.workshop.run.run import Run

    with one_sentence():
        description = inspect.getmodule(main).__doc__
        run = Run(inspect.getfile(main), settings, presets, description, argv)
        with run.telling_the_way_on():
            main(run, run.settings)


def notes(error: BaseException) -> str:
    """What `Run` has added to an interrupt or an error: what there is, and how to go on."""
    return " ".join(getattr(error, "__notes__", ()))


@contextlib.contextmanager
def one_sentence():
    """Ends the process with one sentence if something is wrong that its user can correct.

    A warning is one line too, without the place in the code.
    """
    import tensorflow as tf

    usual = warnings.formatwarning
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        yield
    except KeyboardInterrupt as end:
        way_on = notes(end) or "nothing was trained; start again with the same command"
        raise SystemExit(f"\ninterrupted: {way_on}") from None
    except (*CORRECTABLE, tf.errors.OpError) as error:
        if DEBUG in os.environ:
            traceback.print_exc()
        # Our own sentences about files come with a number that says nothing more.
        plain = error.strerror if isinstance(error, OSError) and not error.filename else None
        text = " ".join((out_of_memory(error) or plain or str(error)).split())
        if notes(error):
            text = f"{text.removesuffix('.')}. {notes(error)}"
        print(
            f"error: {text} (the environment variable {DEBUG}=1 shows where)",
            file=sys.stderr,
        )
        raise SystemExit(1) from error
    finally:
        warnings.formatwarning = usual
