"""A run's sounds."""

import numpy as np

from keras_gen.media.sounds import read_wav


def test_a_run_writes_sounds(toy, here):
    sounds = np.arange(6, dtype="int16").reshape(2, 3, 1)

    def write(run, source):
        run.write_sounds("said", sounds, 8000)
        raise SystemExit(7)  # before anything is trained

    toy.before = write
    assert toy("--output", "run") == 7
    np.testing.assert_array_equal(read_wav(here / "run" / "said.wav", 8000)[:, 0], range(6))
