"""VQ-VAE of spoken digits: codes of what is said, and a decoder that is told by whom.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, sec.
4.3: six convolutions of stride 2 and window 4 make one code of 512 of 64 samples, and the decoder
is told the speaker, so that it says the words of one speaker in the voice of another. Here are 125
codes a second, 1,125 bits.

  python recipes/vq_vae_spoken_digit.py                    about 10 minutes on two CPU cores
  python recipes/vq_vae_spoken_digit.py --preset smoke     under a minute

The paper has 109 speakers and measures no conversion; here are five, with two minutes of speech,
and a decoder that makes all samples at once (`ConditionalVQVAE`). Each test recording is converted
to the four other voices. Classifiers of the training recordings say who is heard, by the average
spectrum and by what no filter changes, and which digit. Beside it stand the recordings, their
reconstructions, and a filter from one speaker's average spectrum to another's; beside the
reconstructions k-means of frames of 64 samples, which spends as many bits.

Data: spoken_digit through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR), of which takes 0
to 4 are for testing.
"""

import dataclasses
from functools import partial
from typing import Literal

import keras

from keras_gen.data import even_order, random_shift, spoken_digits
from keras_gen.data.sets.spoken import RATE
from keras_gen.metrics import code_uses, conversion_report, perplexity
from keras_gen.networks import wave_decoder, wave_encoder
from keras_gen.run import Run, ShortStepSettings, run_recipe
from keras_gen.vae import ConditionalVQVAE
from keras_gen.visualize import spectrograms


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 5120  # Samples of a recording, a multiple of 64
    latent_dim: int = 64  # Dimensions of a latent
    codes: int = 512  # Entries of the codebook
    width: int = 112  # Channels of the convolutions; of the first three an 8th, a 4th and a half
    normalization: Literal["none", "instance"] = "none"
    """In the encoder. instance takes out what stays the same in a recording, at some cost."""
    spectral_weight: float = 300.0  # Of the distance of spectrograms
    shift: int = 64  # Most samples that a recording is shifted by, anew every time
    learning_rate: float = 1e-3  # Adam's rate, constant in the first half, then linear to zero


PRESETS = {
    "smoke": dict(samples=1024, width=16, codes=32, epochs=2, steps_per_epoch=5, batch_size=4),
    "cpu": dict(epochs=40, steps_per_epoch=300, batch_size=8, grid_every=4, steps_per_execution=25),
    "paper": dict(epochs=250, steps_per_epoch=1000, batch_size=64, grid_every=10, width=256),
}


def main(run: Run, s: Settings):
    data = run.load(spoken_digits(s.samples))
    train, test = data.train.arrays(), data.test.arrays()
    with run.strategy.scope():
        filters = (s.width // 8, s.width // 4, s.width // 2, *[s.width] * 3)
        sizes = dict(samples=s.samples, latent_dim=s.latent_dim, filters=filters)
        normalization = None if s.normalization == "none" else s.normalization
        encoder = wave_encoder(**sizes, normalization=normalization)
        decoder = wave_decoder(**sizes, classes=len(data.speakers))
        options = dict(spectral_weight=s.spectral_weight, codebook_size=s.codes, seed=s.seed)
        model = ConditionalVQVAE(encoder, decoder, len(data.speakers), **options)
        run.compile(model, keras.optimizers.Adam(run.in_halves(s.learning_rate)))

    known = data.train.map(lambda waveform, speaker, digit: (waveform, speaker))
    stream = partial(known.stream, s.batch_size, s.seed, augment=random_shift(s.shift))
    run.fit(model, stream, lambda model: spectrograms(*voices(model, data, train).values()))

    with run.evaluation(model) as metrics:
        metrics |= conversion_report(model, train, test, s.codes, seed=s.seed)
        metrics["perplexity"] = perplexity(code_uses(model.encode(test[0]), s.codes))
        heard = voices(model, data, test)
        run.draw("voices", spectrograms(*heard.values()))
        for name, waveforms in heard.items():
            run.write_sounds(name, waveforms, RATE)
    run.export(model)


def voices(model, data, part):
    """Ten digits as recorded, as reconstructed, and in all voices."""
    chosen = even_order(part[2])[:10]
    waveforms, who = part[0][chosen], part[1][chosen]
    said = {f"said_by_{name}": model.convert(waveforms, i) for i, name in enumerate(data.speakers)}
    return {"recorded": waveforms, "reconstructed": model.reconstruct(waveforms, who)} | said


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
