"""Writes the gallery's sounds: test recordings, and sounds from exported models and baselines.

  python docs/sounds/write.py     about a minute

The recordings come from the Free Spoken Digit Dataset (CC BY-SA 4.0, see docs/licenses.md), and the
sounds made from them have the same license. Each file contains three consecutive sounds: one
speaker's first recordings of 1, 2, and 3, or the first three samples.
"""

from pathlib import Path

import numpy as np

import keras_gen
from keras_gen.data import spoken_digits
from keras_gen.data.sets.spoken import RATE
from keras_gen.data.transforms.waveforms import mu_law_waveform
from keras_gen.files.sounds import write_wav
from keras_gen.workshop.baselines import (
    FrameCodebook,
    LinearPredictor,
    NearestUnits,
    best_n_grams,
)
from keras_gen.workshop.visualize import spectrograms, write_image

HERE = Path(__file__).parent
IN_WORDS = {
    "by_kmeans": "k-means of frames",
    "reconstructed": "VQ-VAE",
    "converted": "VQ-VAE, in another voice",
    "by_nearest_units": "nearest pieces of that voice",
    "sampled": "WaveNet",
    "by_linear_prediction": "linear prediction",
    "by_counts": "counts of codes",
}
SPEAKER = "jackson"
TARGET = "nicolas"  # speaker of the target voice
DIGITS = (1, 2, 3)


def main():
    digits = [f"digit {digit}" for digit in DIGITS]
    samples = [f"sound {number}" for number in range(1, len(DIGITS) + 1)]
    makers = {"vq_vae": converted, "wavenet": spoken, "prior": of_codes}
    for name, make in makers.items():
        sounds = make()
        for which, waveforms in sounds.items():
            write_wav(HERE / f"{name}_{which}.wav", waveforms, RATE)
        shown = {IN_WORDS.get(which, which): heard for which, heard in sounds.items()}
        columns = digits if name == "vq_vae" else samples
        write_image(HERE / f"{name}.png", spectrograms(shown, columns))


def converted():
    """Returns words reconstructed and in another voice, by a VQ-VAE and by baselines."""
    model = keras_gen.load("vq_vae_spoken_digit")
    data = spoken_digits()
    train, train_speakers, _ = data.train.arrays()
    words = recorded(data)
    speaker, target = (data.speakers.index(name) for name in (SPEAKER, TARGET))
    units = NearestUnits(train, train_speakers)
    return {
        "recorded": words,
        "reconstructed": model.reconstruct(words, np.full(len(words), speaker)),
        "by_kmeans": FrameCodebook(train, codes=512).reconstruct(words),
        "converted": model.convert(words, target),
        "by_nearest_units": units.convert(words, [speaker] * len(words), [target] * len(words)),
    }


def spoken():
    """Returns sounds from WaveNet and from linear prediction."""
    model = keras_gen.load("wavenet_spoken_digit")
    data = spoken_digits(align="start")
    waveforms, speakers, _ = data.train.arrays()
    number = data.speakers.index(SPEAKER)
    own = model.edges["x"].prepare(waveforms[speakers == number]).numpy()
    return {
        "sampled": model.sample(len(DIGITS), seed=0, speaker=number),
        "by_linear_prediction": predicted(LinearPredictor(16).fit(own), len(DIGITS), 5120),
    }


def of_codes():
    """Returns sounds from codes sampled by WaveNet, and by counts of three consecutive codes."""
    model = keras_gen.load("vq_vae_prior_spoken_digit")
    data = spoken_digits()
    choice = data.hold_out_takes(1)
    levels = model.coder.codebook_size
    train, held_out = (
        model.coder.encode(part.arrays()[0]) for part in (choice.train, choice.test)
    )
    n_grams = best_n_grams(train, held_out, [1, 2, 3], levels)
    number = data.speakers.index(SPEAKER)
    codes = counted(n_grams, len(DIGITS), train.shape[1])
    return {
        "sampled": model.sample(len(DIGITS), seed=0, speaker=number),
        "by_counts": model.coder.decode(codes, np.full(len(codes), number)),
    }


def recorded(data):
    """Returns the speaker's first test recording of each digit."""
    waveforms, speakers, digits = data.test.arrays()
    of_speaker = speakers == data.speakers.index(SPEAKER)
    return np.stack([waveforms[of_speaker & (digits == digit)][0] for digit in DIGITS])


def predicted(predictor, n, samples):
    """Samples sounds from a linear prediction with logistic errors, clipped to [-1, 1]."""
    random = np.random.default_rng(0)
    taps = predictor.taps
    sounds = np.zeros([n, taps + samples])
    errors = np.zeros([n, taps + samples])
    offset, slope = predictor.scale
    quietest = float(mu_law_waveform(predictor.levels // 2, predictor.levels))
    errors[:, :taps] = quietest
    for place in range(taps, taps + samples):
        center = sounds[:, place - taps : place][:, ::-1] @ predictor.coefficients
        latest = np.abs(errors[:, place - taps : place]).mean(axis=1)
        scale = np.exp(offset + slope * np.log(latest + 2.0**-15))
        sounds[:, place] = np.clip(center + random.logistic(0, scale), -1, 1)
        errors[:, place] = sounds[:, place] - center
    return sounds[:, taps:, None].astype("float32")


def counted(n_grams, n, length):
    """Samples codes one after another, each given the preceding ones."""
    random = np.random.default_rng(0)
    codes = np.zeros([n, 0], int)
    for _ in range(length):
        for_each = np.repeat(codes, n_grams.levels, axis=0)
        levels = np.tile(np.arange(n_grams.levels), n)
        after = n_grams.log_prob(np.column_stack([for_each, levels])).reshape(n, -1)
        chances = np.exp(after - after.max(axis=1, keepdims=True))
        drawn = [random.choice(n_grams.levels, p=p / p.sum()) for p in chances]
        codes = np.column_stack([codes, drawn])
    return codes


if __name__ == "__main__":
    main()
