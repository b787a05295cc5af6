"""WaveGlow (Prenger, Valle, Catanzaro 2019)."""

import keras
import numpy as np
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import LikelihoodModel, capability, log_prob, noise
from keras_gen.core.kinds_of_data import LogMel, Seeds, Waveforms
from keras_gen.core.sound_spectra import mel_frames
from keras_gen.declared import Count, NonNegative, PositiveInteger, network
from keras_gen.flows.flow import change_of_variables

LEVELS = 2.0**15  # levels per amplitude of 1, as in int16


@keras.saving.register_keras_serializable("keras_gen")
class WaveGlow(LikelihoodModel):
    """A flow that generates all samples of a sound at once from a mel spectrogram.

    Prenger, Valle, Catanzaro: "WaveGlow: A Flow-based Generative Network for Speech Synthesis",
    ICASSP 2019, eqs. (1) to (3), with `keras_gen.networks.waveglow`. `fit` accepts only sounds,
    because mel spectrograms are computed internally. `vocode` generates sounds from the frames that
    `mel` or a speech model returns.

    Given the mel spectrogram, `log_prob` is the log density of the int16 levels plus uniform noise,
    which bounds the log-probability of the levels (Theis et al. 2016, sec. 3.1). Because frames
    overlap, the mel spectrogram determines much of the sound.

    Deviations: noise is added, because digital silence would otherwise have an infinite density.
    Each frame is repeated for all samples nearest to it, whereas the paper uses a transposed
    convolution. In training, latents are N(0, 1), whereas the authors' latents have a variance of
    0.5. This difference only rescales the weights.

    Args:
        flow: Built invertible network for sounds of any length, such as `waveglow`.
        bands: Number of bands in the mel spectrogram, as in the network.
        window: Number of samples per frame.
        hop: Number of samples between consecutive frames, a multiple of the flow's group size.
        rate: Sampling rate, in samples per second.
        temperature: Standard deviation of the latents sampled by `vocode`.
        seed: Seed for the noise that is added to levels.

    Raises:
        ValueError: If a frame is shorter than the hop, or if the hop is not a multiple of the group
            size. Methods raise a ValueError if a sound does not consist of a whole number of
            frames.

    Example:
    ```python
    from keras_gen.networks import waveglow
    flow = waveglow(bands=4, groups=4, steps=2, filters=4, blocks=1)
    model = WaveGlow(flow, bands=4, window=32, hop=8, rate=8000)
    model.compile()
    recordings = np.random.default_rng(0).integers(-900, 900, (4, 64, 1)).astype("int16")
    model.fit(recordings, batch_size=2)
    sounds = model.vocode(model.mel(recordings), 0)  # float32 [4, 64, 1]
    nats = -model.log_prob(recordings)
    ```
    """

    default_signature = "vocode"
    log_prob = log_prob
    # The number of audio samples is limited, because each of them receives the features of its
    # position in the flow.
    most_elements = 2**17

    flow: keras.Model = network()
    bands: Count
    window: Count = 1024
    hop: Count = 256
    rate: PositiveInteger = 22050
    temperature: NonNegative = 0.6

    @override
    def train_step(self, data):
        """Updates the flow (eq. 3); the first step also initializes activation normalization."""
        batch = self.prepare_batch(data)

        def nll():
            x = batch["x"]
            latents, log_det, statistics = self.forward(
                x, self.uniform("levels", keras.ops.shape(x))
            )
            terms = {"nll": change_of_variables(latents, log_det)}
            return self.weighted(terms), terms, statistics

        loss, terms, statistics = self.minimize(nll)
        if self.training:
            with tf.control_dependencies([loss]):
                self.flow.after_update(statistics)
        return self.report(terms, loss=loss)

    @override
    def loss_weights(self):
        return {"nll": 1.0}

    @override
    def nats(self, x):
        offset = noise.uniform(keras.ops.shape(x), self.score_seeds(x))
        latents, log_det, _ = self.forward(x, offset)
        return change_of_variables(latents, log_det)

    def forward(self, x, offset):
        """Returns the latents of sounds with the given offset in [0, 1) within each int16 level."""
        count = tf.cast(tf.shape(x)[1], tf.float32)
        # Eq. (6): the couplings' networks also receive the mel spectrogram.
        condition = self._condition(self._frames(x))
        noisy = x + offset / LEVELS
        latents, log_det, statistics = self.flow(
            noisy, condition=condition, training=self.training
        )
        return latents, log_det - count * np.log(LEVELS), statistics

    @capability
    def mel(self, x):
        """Returns log mel spectrograms, float32 `[n, samples / hop, bands]`; see `mel_frames`."""
        return {"mel": self._frames(x)}

    @capability
    def vocode(self, mel, seeds):
        """Returns sounds for log mel spectrograms `[n, frames, bands]`, with one seed per sound."""
        shape = [tf.shape(mel)[1] * self.hop // self.groups, self.groups]
        latents = self.temperature * noise.seeded(tf.random.stateless_normal, seeds, shape)
        return {"x": self.flow.inverse(latents, self._condition(mel))}

    def _frames(self, x):
        return mel_frames(x, self.bands, self.window, self.hop, self.rate)

    def _condition(self, mel):
        """Returns the index of the frame for each position in the flow."""
        return tf.repeat(mel, self.hop // self.groups, axis=1)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        self.groups = self.flow.output_shape[-1]
        if self.hop % self.groups or self.window < self.hop:
            raise ValueError(
                f"window is {self.window} and hop is {self.hop}: expected a hop that is a "
                f"multiple of {self.groups}, the flow's group size, and a window that is not "
                "shorter than the hop."
            )
        self.edges["x"] = Waveforms(multiple=self.hop)
        self.edges["mel"] = LogMel((None, self.bands), "mel")
        self.edges["seeds"] = Seeds()
