"""VQ-VAE on spoken digits, with voice conversion.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, sec.
4.3.

  python recipes/vq_vae_spoken_digit.py                    about 10 minutes on two CPU cores
  python recipes/vq_vae_spoken_digit.py --preset smoke     under a minute

Expected result of the cpu preset: 56% of the converted recordings are recognized as the target
voice from features that are invariant to filters (recordings assembled from the nearest pieces of
the target's recordings: 60%).

Six convolutions with stride 2 and window 4 compute one of 512 codes per 64 samples, which gives 125
codes or 1,125 bits per second. The decoder is conditional on the speaker, so it can speak one
speaker's words in another's voice. The paper has 109 speakers and no conversion metric; here, there
are five speakers with two minutes of speech, and a decoder that generates all samples in parallel
(`ConditionalVQVAE`).

Each test recording is converted to the four other voices. Classifiers trained on the training
recordings identify the digit. They also identify the speaker, both from the average spectrum and
from features that are invariant to filters. Conversions are compared with the recordings, their
reconstructions, a filter from one speaker's average spectrum to another's, and the nearest pieces
of the target's recordings. Reconstructions are compared with k-means on frames of 64 samples at the
same bit rate.

Data: spoken_digit through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR); recordings 0 to
4 are for testing.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial
from typing import Literal

from keras.optimizers import Adam

from keras_gen.data import even_order, random_shift, spoken_digits
from keras_gen.data.sets.spoken import RATE, without_digit
from keras_gen.metrics import code_uses, conversion_report, perplexity
from keras_gen.networks import wave_decoder, wave_encoder
from keras_gen.vae import ConditionalVQVAE
from keras_gen.workshop.baselines import Equalizer, FrameCodebook, NearestUnits
from keras_gen.workshop.visualize import spectrograms


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 5120  # Number of samples per recording, a multiple of 64
    latent_dim: int = 64  # Number of dimensions of each latent vector
    codes: int = 512  # Number of entries in the codebook, K
    width: int = 112
    """Channels of the convolutions; the first three have 1/8, 1/4, and 1/2 as many."""
    normalization: Literal["none", "instance"] = "none"
    """Normalization in the encoder: instance removes information that is constant within a
    recording, at some cost in quality."""
    spectral_weight: float = 300.0  # Weight of the spectrogram distance
    shift: int = 64  # Maximum random shift of a recording, in samples
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half


PRESETS = {
    "smoke": dict(samples=1024, width=16, codes=32, epochs=2, steps_per_epoch=5, batch_size=4),
    "cpu": dict(epochs=40, steps_per_epoch=300, batch_size=8, grid_every=4,
                steps_per_execution=25),
    "paper": dict(epochs=250, steps_per_epoch=1000, batch_size=64, grid_every=10, width=256),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(spoken_digits(s.samples))
    train = data.train.arrays()
    test = data.test.arrays()
    test_waveforms, _, _ = test

    with run.strategy.scope():
        filters = (s.width // 8, s.width // 4, s.width // 2, s.width, s.width, s.width)
        sizes = dict(samples=s.samples, latent_dim=s.latent_dim, filters=filters)
        normalization = None if s.normalization == "none" else s.normalization
        model = ConditionalVQVAE(
            wave_encoder(**sizes, normalization=normalization),
            wave_decoder(**sizes, classes=len(data.speakers)),
            len(data.speakers),
            spectral_weight=s.spectral_weight,
            codebook_size=s.codes,
            seed=s.seed,
        )
        run.compile(model, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder, the decoder, and the codes.
    recordings = data.train.map(without_digit)
    stream = partial(recordings.stream, s.batch_size, s.seed, augment=random_shift(s.shift))
    run.fit(model, stream, partial(draw_voices, data.speakers, train))
    run.export(model)

    # Fit the baselines: an equalizer for each pair of voices, pieces of the target's recordings,
    # and a codebook of frames.
    train_waveforms, train_speakers, _ = train
    converters = {
        "filtered": Equalizer(train_waveforms, train_speakers),
        "units": NearestUnits(train_waveforms, train_speakers),
    }
    codebook = FrameCodebook(train_waveforms, s.codes, seed=s.seed)

    with run.evaluation(model) as metrics:
        metrics |= conversion_report(model, train, test, converters, codebook)
        metrics["perplexity"] = perplexity(code_uses(model.encode(test_waveforms), s.codes))
        run.draw("voices", draw_voices(data.speakers, test, model))
        for name, waveforms in voices(data.speakers, test, model).items():
            run.write_sounds(name, waveforms, RATE)


def voices(speakers, recordings, model):
    """Shows ten digits as recorded, as reconstructed, and in all voices."""
    waveforms, who, digits = recordings
    chosen = shown(digits)
    heard = {
        "recorded": waveforms[chosen],
        "reconstructed": model.reconstruct(waveforms[chosen], who[chosen]),
    }
    for number, name in enumerate(speakers):
        heard[f"said_by_{name}"] = model.convert(waveforms[chosen], number)
    return heard


def shown(digits):
    """Returns the indices of one recording per digit."""
    return even_order(digits)[:10]


def draw_voices(speakers, recordings, model):
    """Shows spectrograms of the voices, with the digit and the speaker above each column."""
    _, who, digits = recordings
    names = [f"{digits[place]}\n{speakers[who[place]]}" for place in shown(digits)]
    return spectrograms(voices(speakers, recordings, model), names)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
