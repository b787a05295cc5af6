"""Sounds from mel spectrograms."""

import numpy as np
import pytest

from keras_gen.core.sound_spectra import mel_frames
from keras_gen.workshop.baselines import griffin_lim

FRAMES = dict(window=64, hop=16, rate=8000)


@pytest.mark.thorough
def test_the_mel_spectrogram_is_found_again():
    """Of a tone, and the nearer the more rounds."""
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(512) / 8000)
    mel = mel_frames(tone[None, :, None].astype("float32"), bands=16, **FRAMES).numpy()
    errors = []
    for rounds in (1, 60):
        sound = griffin_lim(mel, **FRAMES, rounds=rounds)
        assert sound.shape == (1, 512, 1)
        found = mel_frames(sound, bands=16, **FRAMES).numpy()
        loudest = mel.argmax(axis=-1)[0]
        errors.append(np.abs(found - mel)[0, np.arange(32), loudest][2:-2].mean())
    assert errors[1] < errors[0] and errors[1] < 0.2


def test_frames_that_do_not_overlap_are_refused():
    mel = np.zeros([1, 4, 8], "float32")
    with pytest.raises(ValueError, match="every 48: expected twice as long"):
        griffin_lim(mel, window=64, hop=48, rate=8000)
    with pytest.raises(ValueError, match="rounds"):
        griffin_lim(mel, **FRAMES, rounds=0)
