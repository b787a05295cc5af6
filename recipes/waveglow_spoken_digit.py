"""WaveGlow on spoken digits: mel spectrograms to sound.

Prenger, Valle, Catanzaro: "WaveGlow: A Flow-based Generative Network for Speech Synthesis", ICASSP
2019.

  python recipes/waveglow_spoken_digit.py                    18 minutes on one of two CPU cores
  python recipes/waveglow_spoken_digit.py --preset smoke     under a minute

Expected result of the cpu preset: 11.35 bits per sample on test recordings (linear prediction:
12.29; with adaptive coefficients: 11.50; stacked: 11.38). Classifiers recognize 89% of the sounds
generated from mel spectrograms as the correct digit (phase reconstruction: 95%).

The density of recordings given their mel spectrograms is measured over the 65,536 int16 levels with
uniform dequantization. It is compared with linear prediction from the 16 preceding samples, and
with several adaptive predictors stacked by least squares, none of which sees the spectrogram.
Silence before and after a recording is not counted.

Sounds are then generated only from the mel spectrograms of test recordings, by WaveGlow and by the
Griffin-Lim algorithm, which searches for phases without a model of sounds. Classifiers trained on
the training recordings identify words and speakers in both.

Deviations: 32 bands, with windows of 32 ms every 8 ms at 8,000 samples per second (the paper: 80
bands, 46 ms every 12 ms at 22,050), and smaller networks. The paper uses listening tests, and does
not report a likelihood.

Data: spoken_digit through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR); recordings 0 to
4 are for testing.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.data import even_order, random_excerpt, spoken_digits
from keras_gen.data.sets.spoken import RATE
from keras_gen.flows import WaveGlow
from keras_gen.metrics import bits_per_live_value, vocoding_report
from keras_gen.networks import waveglow
from keras_gen.workshop.baselines import (
    LinearPredictor,
    RecursivePredictor,
    StackedPredictor,
    griffin_lim,
)
from keras_gen.workshop.visualize import spectrograms

LEVELS = 2**16  # levels of int16


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 5120  # Number of samples per recording, a multiple of --hop
    excerpt: int = 2048  # Number of samples per training example, a multiple of --hop
    bands: int = 32  # Number of bands of the mel spectrogram
    window: int = 256  # Number of samples per frame of the spectrogram
    hop: int = 64  # Number of samples between the starts of consecutive frames
    steps: int = 12
    """Number of flow steps; after every fourth step, 2 of the 8 channels leave the flow."""
    filters: int = 32  # Channels between the blocks of each coupling network
    blocks: int = 4  # Number of blocks per coupling network, with dilations that double from 1
    temperature: float = 0.6  # Standard deviation of the latents for sampling
    learning_rate: float = 1e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    held_out: int = 1  # Number of recordings per speaker and digit held out to choose the epoch
    rounds: int = 60  # Number of iterations of the Griffin-Lim algorithm, a baseline


PRESETS = {
    "smoke": dict(samples=1024, excerpt=512, steps=2, filters=4, blocks=1, epochs=2,
                  steps_per_epoch=5, batch_size=4, rounds=2),
    "cpu": dict(epochs=10, steps_per_epoch=400, batch_size=8, grid_every=5),
    "paper": dict(excerpt=5120, filters=512, blocks=8, epochs=200, steps_per_epoch=500,
                  batch_size=24, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(spoken_digits(s.samples, align="start"))
    choice = data.hold_out_takes(s.held_out)
    held_out, _, _ = choice.test.arrays()
    test, speakers, words = data.test.arrays()

    with run.strategy.scope():
        flow = waveglow(
            bands=s.bands, steps=s.steps, filters=s.filters, blocks=s.blocks, seed=s.seed
        )
        model = WaveGlow(
            flow,
            bands=s.bands,
            window=s.window,
            hop=s.hop,
            rate=RATE,
            temperature=s.temperature,
            seed=s.seed,
        )
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    def validate(model):
        return {"bits": bits(model, held_out, s.hop)}

    # Each step: one gradient update on the density given the mel spectrogram.
    sounds = choice.train.map(waveform_alone)
    stream = partial(sounds.stream, s.batch_size, s.seed, augment=random_excerpt(s.excerpt))
    shown = even_order(words)[:10]
    names = [f"digit {words[place]}" for place in shown]
    draw = partial(draw_vocoded, test[shown], names)
    run.fit(model, stream, draw, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model)

    run.say("fitting the linear-prediction baselines")
    train = data.train.arrays()
    predictors = {
        "linear": LinearPredictor(16, LEVELS, companded=False),
        "recursive": RecursivePredictor(16, LEVELS, companded=False),
        "stacked": StackedPredictor(levels=LEVELS, companded=False),
    }
    for predictor in predictors.values():
        predictor.fit(live_levels(train[0], s.hop))

    with run.evaluation(model) as metrics:
        metrics["bits"] = bits(model, test, s.hop)
        levels = live_levels(test, s.hop)
        for name, predictor in predictors.items():
            metrics[f"bits_{name}"] = bits_per_live_value(-predictor.log_prob(levels), levels)
        mel = model.mel(test)
        vocoded = {
            "waveglow": model.vocode(mel, np.arange(len(mel)), batch_size=10),
            "griffin_lim": griffin_lim(mel, s.window, s.hop, RATE, s.rounds, s.seed),
        }
        metrics |= vocoding_report(train, (test, speakers, words), vocoded)
        for name, heard in {"recorded": test, **vocoded}.items():
            run.write_sounds(name, heard[shown], RATE)
        rows = {
            "recorded": test[shown],
            "WaveGlow": vocoded["waveglow"][shown],
            "Griffin-Lim": vocoded["griffin_lim"][shown],
        }
        run.draw("vocoded", spectrograms(rows, names))


def waveform_alone(waveform, *_):
    return waveform


def live_samples(waveform, hop):
    """Returns the number of samples up to the end of the sound, in whole frames."""
    (sounding,) = np.nonzero(waveform[:, 0])
    return (sounding[-1] + 1) // hop * hop


def live_levels(waveforms, hop):
    """Returns the levels of recordings `[n, samples]`, and -1 after a sound's last whole frame."""
    levels = waveforms[..., 0].astype("int32") + LEVELS // 2
    for row, waveform in zip(levels, waveforms, strict=True):
        row[live_samples(waveform, hop) :] = -1
    return levels


def bits(model, waveforms, hop):
    """Returns bits per sample of recordings, from the first sound to the last complete frame."""
    nats = 0.0
    samples = 0
    for waveform in waveforms:
        live = live_samples(waveform, hop)
        nats -= model.log_prob(waveform[None, :live]).item()
        samples += live
    return nats / samples / np.log(2)


def draw_vocoded(waveforms, names, model):
    """Shows recordings above the sounds generated from their mel spectrograms."""
    mel = model.mel(waveforms)
    vocoded = model.vocode(mel, np.arange(len(mel)))
    return spectrograms({"recorded": waveforms, "WaveGlow": vocoded}, names)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
