"""Keeps from the screen what TensorFlow logs before anything has happened."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # 0 shows all that TensorFlow logs, 3 nothing: errors are raised
ONEDNN = "TF_ENABLE_ONEDNN_OPTS"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps from the screen what is written to it past Python; shows it if the block fails.

    With `TF_CPP_MIN_LOG_LEVEL` below 2 in the environment, all is shown.
    """
    screen = None
    if os.environ.get(LEVEL, "3") >= "2":
        with contextlib.suppress(OSError):  # of a process without one
            screen = os.dup(2)
    if screen is None:
        yield
        return
    with tempfile.TemporaryFile() as written:
        sys.stderr.flush()
        os.dup2(written.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            os.close(screen)
            if failed:
                written.seek(0)
                sys.stderr.write(written.read().decode(errors="replace"))


def start_tensorflow() -> None:
    """Imports TensorFlow and lets it search for GPUs, without a word about the machine.

    Convolutions are those of oneDNN, as TensorFlow itself chooses on newer processors only. On
    older ones the gradient of a convolution of 7x7 to 3 channels takes a tenth of the time.
    """
    os.environ.setdefault(ONEDNN, "1")
    with quiet():
        import tensorflow as tf

        tf.config.list_physical_devices()
