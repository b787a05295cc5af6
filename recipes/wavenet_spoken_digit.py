"""WaveNet on spoken digits.

Van den Oord et al.: "WaveNet: A Generative Model for Raw Audio", 2016, sec. 3.1 (multi-speaker
speech generation without text).

  python recipes/wavenet_spoken_digit.py                    34 minutes on one of two CPU cores
  python recipes/wavenet_spoken_digit.py --preset smoke     under a minute

Expected result of the cpu preset: 5.287 bits per sample on test recordings (linear prediction:
6.121; with adaptive coefficients: 5.357; several adaptive predictors combined: 5.242).

Every sample has one of 256 mu-law levels; the metric is the number of bits needed to encode this
level given all earlier samples. Zeros before and after a recording are not counted, because they
make up more than a third of the padded samples and would cost almost no bits. The weights from the
epoch with the best loss on held-out training recordings are kept. The baselines are level counts,
counts of two and three consecutive levels, and linear prediction from 16 samples, with fixed
coefficients or with coefficients that adapt within a sound by recursive least squares. The
strongest baseline combines three adaptive predictions, from 8, 16, and 32 samples.

Deviations: the paper uses 44 hours of speech from 109 speakers at 16,000 samples per second, and
does not report a likelihood; here, there are five speakers and a few minutes of speech at 8,000
samples per second. The paper does not state the number of filters. As in the paper, no text is
given, so samples sound like speech without words.

Data: spoken_digit through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR); recordings 0 to
4 are for testing.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import ConditionalWaveNet
from keras_gen.data import random_excerpt, spoken_digits
from keras_gen.data.sets.spoken import RATE, without_digit
from keras_gen.metrics import bits_per_live_value
from keras_gen.networks import receptive_field, wavenet
from keras_gen.workshop.baselines import (
    LinearPredictor,
    NGrams,
    RecursivePredictor,
    StackedPredictor,
)
from keras_gen.workshop.visualize import spectrograms


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 5120  # Number of samples per recording and per generated sound
    excerpt: int = 2048  # Number of samples per training example, at most --samples
    levels: int = 256  # Number of mu-law levels
    filters: int = 32  # Channels between the blocks
    skip_filters: int = 64  # Channels of the layers after the last block
    largest_dilation: int = 256
    """Maximum dilation; the dilations are 1, 2, 4, ..., up to this number."""
    repeats: int = 2  # Number of repetitions of the sequence of dilations
    learning_rate: float = 2e-3  # Adam's learning rate; linear decay to 0 in the second half
    ema: float = 0.99
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    held_out: int = 1  # Number of recordings per speaker and digit held out to choose the epoch
    voices: int = 4  # Number of sounds to sample per speaker


PRESETS = {
    "smoke": dict(samples=1024, excerpt=512, levels=32, filters=4, skip_filters=8,
                  largest_dilation=16, repeats=1, epochs=2, steps_per_epoch=5, batch_size=4,
                  voices=2),
    "cpu": dict(epochs=10, steps_per_epoch=400, batch_size=4, grid_every=5,
                steps_per_execution=50),
    "paper": dict(excerpt=5120, filters=64, skip_filters=256, largest_dilation=512, repeats=3,
                  epochs=200, steps_per_epoch=500, batch_size=16, grid_every=20),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(spoken_digits(s.samples, align="start"))
    choice = data.hold_out_takes(s.held_out)
    held_out = choice.test.arrays()
    test = data.test.arrays()

    with run.strategy.scope():
        doubled = [2**n for n in range(s.largest_dilation.bit_length())]
        network = wavenet(
            outputs_per_value=s.levels,
            filters=s.filters,
            skip_filters=s.skip_filters,
            dilations=s.repeats * doubled,
            levels=s.levels,
            classes=len(data.speakers),
        )
        model = ConditionalWaveNet(
            network, len(data.speakers), levels=s.levels, samples=s.samples, seed=s.seed
        )
        run.compile(model, run.averaged(Adam(run.in_halves(s.learning_rate))))

    def validate(model):
        return {"bits": bits(model, held_out)}

    # Each step: all samples of the excerpts are predicted in parallel, each from earlier samples.
    recordings = choice.train.map(without_digit)
    augment = random_excerpt(s.excerpt)
    stream = partial(recordings.stream, s.batch_size, s.seed, augment=augment)
    draw = partial(draw_voices, data.speakers, s.seed)
    run.fit(model, stream, draw, validate=validate, best="bits")
    run.restore_best(model)
    run.export(model, default="sample")

    run.say("evaluating the baselines: n-grams and linear prediction")
    train_levels = levels_of(model, data.train.arrays()[0])
    test_levels = levels_of(model, test[0])
    baselines = {
        "unigram": NGrams(1, s.levels),
        "recursive": RecursivePredictor(16, s.levels),
        "stacked": StackedPredictor(levels=s.levels),
        "linear": LinearPredictor(16, s.levels),
        "bigram": NGrams(2, s.levels),
        "trigram": NGrams(3, s.levels),
    }

    with run.evaluation(model) as metrics:
        metrics["bits"] = bits(model, test)
        for name, baseline in baselines.items():
            nats = -baseline.fit(train_levels).log_prob(test_levels)
            metrics[f"bits_{name}"] = bits_per_live_value(nats, test_levels)
        for number, name in enumerate(data.speakers):
            of_speaker = select(test, test[1] == number)
            metrics[f"bits_of_{name}"] = bits(model, of_speaker)
            sounds = model.sample(s.voices, seed=s.seed, speaker=number)
            run.write_sounds(f"voice_of_{name}", sounds, RATE)
            heard = {"recorded": of_speaker[0][: s.voices], "WaveNet": sounds}
            run.draw(f"voice_of_{name}", spectrograms(heard))
        metrics["milliseconds_seen"] = 1000 * receptive_field(s.repeats * doubled) / RATE


def select(recordings, index):
    return tuple(array[index] for array in recordings)


def levels_of(model, waveforms):
    return model.edges["x"].prepare(waveforms).numpy()


def bits(model, recordings):
    """Returns bits per sample, excluding padding."""
    waveforms, speakers, _ = recordings
    nats = -model.log_prob(waveforms, speakers, batch_size=10)
    return bits_per_live_value(nats, levels_of(model, waveforms))


def draw_voices(speakers, seed, model):
    """Shows two sounds per speaker, one speaker per row."""
    count = len(speakers)
    sounds = model.sample(2 * count, seed=seed, speaker=np.repeat(np.arange(count), 2))
    of_speakers = dict(zip(speakers, np.split(sounds, count), strict=True))
    return spectrograms(of_speakers, ["first sound", "second sound"])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
