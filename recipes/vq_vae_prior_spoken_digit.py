"""VQ-VAE with a WaveNet prior on spoken digits.

Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017, sec.
4.3, where the prior over speech codes is a WaveNet.

  python recipes/vq_vae_prior_spoken_digit.py               about 12 minutes on one of two CPU cores
  python recipes/vq_vae_prior_spoken_digit.py --preset smoke under a minute

Expected result of the cpu preset: 2.36 bits per code (n-grams: 2.87).

First, the VQ-VAE is trained as in `vq_vae_spoken_digit`. Then, with its codes frozen, the prior,
which is conditioned on the speaker, is trained. A code represents 64 samples, so the prior sees
whole words, unlike a WaveNet on samples. The weights of the prior from the epoch with the best
held-out loss are kept. The bits of test codes are compared with code frequencies and with counts of
two and three consecutive codes.

A classifier trained on the training recordings identifies the voices of samples from features that
are invariant to filters. Without text, no metric shows whether samples are words.

Deviations: as in `vq_vae_spoken_digit`. The paper reports no likelihood for speech codes.

Data: spoken_digit through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR); recordings 0 to
4 are for testing.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.autoregressive import ConditionalCodePrior
from keras_gen.data import random_shift, spoken_digits
from keras_gen.data.sets.spoken import RATE, without_digit
from keras_gen.metrics import SpeechProbes, bits_per_live_value
from keras_gen.networks import wave_decoder, wave_encoder, wavenet
from keras_gen.vae import ConditionalVQVAE
from keras_gen.workshop.baselines import best_n_grams
from keras_gen.workshop.visualize import spectrograms


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    samples: int = 5120  # Number of samples per recording, a multiple of 64
    latent_dim: int = 64  # Number of dimensions of each latent vector
    codes: int = 128  # Number of entries in the codebook, K
    width: int = 112
    """Channels of the convolutions; the first three have 1/8, 1/4, and 1/2 as many."""
    spectral_weight: float = 300.0  # Weight of the spectrogram distance
    shift: int = 64  # Maximum random shift of a recording, in samples
    learning_rate: float = 1e-3
    """Adam's learning rate for the VQ-VAE; linear decay to 0 in the second half."""
    prior_filters: int = 32  # Channels between the blocks of the prior
    prior_repeats: int = 2  # Number of repetitions of the dilations 1, 2, 4, ..., 32
    prior_epochs: int = 20  # Number of epochs for the prior
    prior_learning_rate: float = 2e-3
    """Adam's learning rate for the prior; linear decay to 0 in the second half."""
    ema: float = 0.99
    """EMA momentum for the prior; evaluation uses the averaged weights. 0 disables EMA."""
    held_out: int = 1  # Number of recordings per speaker and digit held out to choose the epoch
    voices: int = 20  # Number of sounds to sample per speaker


PRESETS = {
    "smoke": dict(samples=1024, width=16, codes=16, prior_filters=4, prior_repeats=1,
                  prior_epochs=2, epochs=2, steps_per_epoch=5, batch_size=4, voices=2),
    "cpu": dict(epochs=20, steps_per_epoch=300, batch_size=8, grid_every=4,
                steps_per_execution=25),
    "paper": dict(codes=512, width=256, epochs=250, steps_per_epoch=1000, batch_size=64,
                  prior_filters=64, prior_repeats=4, prior_epochs=100, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(spoken_digits(s.samples))
    choice = data.hold_out_takes(s.held_out)
    held_out = choice.test.arrays()
    test, speakers, _ = data.test.arrays()

    with run.strategy.scope():
        filters = (s.width // 8, s.width // 4, s.width // 2, s.width, s.width, s.width)
        sizes = dict(samples=s.samples, latent_dim=s.latent_dim, filters=filters)
        coder = ConditionalVQVAE(
            wave_encoder(**sizes),
            wave_decoder(**sizes, classes=len(data.speakers)),
            len(data.speakers),
            spectral_weight=s.spectral_weight,
            codebook_size=s.codes,
            seed=s.seed,
        )
        run.compile(coder, Adam(run.in_halves(s.learning_rate)))

    # Each step: one joint update of the encoder, the decoder, and the codes.
    recordings = choice.train.map(without_digit)
    stream = partial(recordings.stream, s.batch_size, s.seed, augment=random_shift(s.shift))
    shown = test[:10], speakers[:10]
    run.fit(coder, stream, partial(draw_reconstructed, *shown), part="coder")

    with run.strategy.scope():
        network = wavenet(
            samples=s.samples // 64,
            outputs_per_value=s.codes,
            filters=s.prior_filters,
            skip_filters=2 * s.prior_filters,
            dilations=s.prior_repeats * [1, 2, 4, 8, 16, 32],
            levels=s.codes,
            classes=len(data.speakers),
        )
        prior = ConditionalCodePrior(network, coder, seed=s.seed)
        run.compile(prior, run.averaged(Adam(run.in_halves(s.prior_learning_rate))))

    held_out_codes = coder.encode(held_out[0])

    def validate(prior):
        nats = -prior.log_prob(held_out_codes, held_out[1])
        return {"bits_of_a_code": bits_per_live_value(nats, held_out_codes)}

    # Each step: every code is predicted from earlier codes; the coder stays fixed.
    draw = partial(draw_voices, data.speakers, s.seed)
    best = "bits_of_a_code"
    run.fit(prior, stream, draw, epochs=s.prior_epochs, validate=validate, best=best)
    run.restore_best(prior)
    run.export(prior, default="sample", half=True)

    train, train_speakers, train_digits = data.train.arrays()
    codes = coder.encode(choice.train.arrays()[0])
    n_grams = best_n_grams(codes, held_out_codes, [1, 2, 3], s.codes)
    probes = SpeechProbes(train, train_speakers, train_digits)

    with run.evaluation(prior) as metrics:
        codes = coder.encode(test)
        metrics["bits_of_a_code"] = bits_per_live_value(-prior.log_prob(codes, speakers), codes)
        metrics["bits_of_a_code_n_grams"] = bits_per_live_value(-n_grams.log_prob(codes), codes)
        metrics["n_gram_order"] = n_grams.order

        wanted = np.repeat(np.arange(len(data.speakers)), s.voices)
        drawn = prior.sample(len(wanted), seed=s.seed, speaker=wanted)
        sets = {"samples": (drawn, wanted), "recordings": (test, speakers)}
        for name, (sounds, who) in sets.items():
            nothing = np.zeros(len(who), "int64")  # the words are not checked
            found = probes.accuracies(sounds, who, nothing)
            metrics[f"speaker_{name}"] = found["speaker_by_covariance"]
        for number, name in enumerate(data.speakers):
            run.write_sounds(f"voice_of_{name}", drawn[wanted == number][:10], RATE)
        run.draw("voices", draw_voices(data.speakers, s.seed, prior))
        run.draw("reconstructions", draw_reconstructed(*shown, coder))


def draw_reconstructed(waveforms, speakers, coder):
    """Shows recordings above their reconstructions."""
    reconstructed = coder.reconstruct(waveforms, speakers)
    return spectrograms({"recorded": waveforms, "VQ-VAE": reconstructed})


def draw_voices(speakers, seed, prior):
    """Shows eight sounds per speaker, one speaker per row."""
    count = len(speakers)
    sounds = prior.sample(8 * count, seed=seed, speaker=np.repeat(np.arange(count), 8))
    of_speakers = dict(zip(speakers, np.split(sounds, count), strict=True))
    return spectrograms(of_speakers, [f"sound {number}" for number in range(1, 9)])


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
