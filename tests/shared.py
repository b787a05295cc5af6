"""What several test files need: of networks, of steps, and of commands."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from keras_gen.core import training_step
from keras_gen.files.writing import partial_path
from keras_gen.workshop.cli import main


def independent_seeds(model) -> None:
    """Lets equal examples of a score have other noise, to see how it is distributed."""

    def seeds(x, use="score"):
        numbers = tf.range(tf.shape(x, tf.int64)[0])
        return tf.stack([tf.ones_like(numbers), numbers], axis=1)

    model.score_seeds = seeds


def dropping_network() -> keras.Sequential:
    """Images to images, with layers that behave differently in training."""
    keras.utils.set_random_seed(3)
    network = keras.Sequential(
        [
            keras.Input([None, None, 3]),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.Conv2D(3, 1, activation="tanh"),
        ]
    )
    network.layers[1].moving_mean.assign([1.0, -1.0, 0.5, 0.0])
    return network


def linear_classifier(shape, kernel) -> keras.Model:
    """Examples to the logits (0, w.x) of two classes."""
    examples = keras.Input(shape)
    layer = keras.layers.Dense(2, use_bias=False)
    network = keras.Model(examples, layer(keras.layers.Flatten()(examples)))
    weights = np.ravel(kernel)
    layer.set_weights([np.stack([np.zeros(len(weights)), weights], axis=1)])
    return network


def with_sgd(model, *rates, **options):
    """Compiles a model with plain gradient descent of these rates, one for each player."""
    each = dict(zip(model.players(), map(keras.optimizers.SGD, rates), strict=True))
    model.compile(**each, **options)
    return model


def levels(values):
    """The uint8 images of values in [-1, 1]."""
    return np.clip(np.round((np.asarray(values) + 1) * 127.5), 0, 255)


def softplus(x):
    """log(1 + e^x)."""
    return np.logaddexp(0, x)


def step_noise(model, use, shape, training=True, draw="normal") -> np.ndarray:
    """What one use of noise draws in the next step of training, or of evaluation."""
    with training_step(model) if training else contextlib.nullcontext():
        return getattr(model, draw)(use, shape).numpy()


def losses_of(model, *data, training=False):
    """What one step reports, and not the running means."""
    model.reset_metrics()
    step = model.train_step if training else model.test_step
    logs = step(tuple(tf.constant(array) for array in data))
    return {name: float(value) for name, value in logs.items()}


def left_by_a_killed_process(path: Path, content: bytes = b"half") -> Path:
    """Writes what a process that was killed leaves of what was to become `path`."""
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    own = partial_path(path)
    partial = own.with_name(own.name.replace(f".{os.getpid()}.", f".{dead.pid}."))
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_bytes(content)
    return partial


def fails(capsys, *arguments):
    """Runs a `keras-gen` command that must fail, and returns the one line it says."""
    capsys.readouterr()
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"keras-gen {arguments[0]}: ")
    return error


def imported_by(*arguments, packages):
    """Which of the packages a command has imported when it is done, in a fresh process."""
    script = (
        "import sys; from keras_gen.workshop.cli import main; assert main() == 0\n"
        f"print(*[name for name in {packages!r}.split() if name in sys.modules])"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, text=True, capture_output=True, env=environment, check=True)
    return done.stdout.splitlines()[-1].split()


def run_without(*arguments, packages):
    """Runs the command in a fresh process in which some packages cannot be imported."""
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({packages!r}.split()))\n"
        "from keras_gen.workshop.cli import main; sys.exit(main())"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], text=True, capture_output=True, env=environment
    )
