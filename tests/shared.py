"""What several test files need: a network that differs in training, and a command that fails."""

import keras

from keras_gen.cli import main


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


def fails(capsys, *arguments):
    """Runs a `keras-gen` command that must fail, and returns the one line it says."""
    capsys.readouterr()
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and error.startswith(f"keras-gen {arguments[0]}: ")
    return error
