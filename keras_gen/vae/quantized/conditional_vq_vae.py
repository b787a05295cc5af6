"""A VQ-VAE of speech whose decoder is conditioned on the speaker (van den Oord et al. 2017)."""

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import Labels, Waveforms
from keras_gen.core.schedules import Weight
from keras_gen.declared import Count, argument, network
from keras_gen.losses import spectral_loss
from keras_gen.losses.divergences import importance_weighted_nats
from keras_gen.vae.quantized.vq_vae import VQVAE


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalVQVAE(VQVAE):
    """A VQ-VAE for voice conversion: codes for the spoken words and a speaker-conditioned decoder.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3. The decoder receives the codes and the speaker, so the few bits of the codes do not
    need to represent the voice. `convert` replaces the recorded speaker with another speaker.
    `fit(waveforms, speakers)` accepts integer speakers. `score` does not require speakers, because
    it uses the mean of p(x | codes) over all speakers.

    Deviations: see `VectorQuantizer`. The paper's decoder is an autoregressive WaveNet, whereas
    this decoder generates all samples at once. The samples are independent given the codes, and the
    codes cannot represent the phases of a waveform. Therefore, `keras_gen.losses.spectral_loss` is
    minimized together with the negative log-likelihood.

    Args:
        encoder: Network that maps waveforms `[batch, samples, channels]` to latents
            `[batch, codes, dim]`.
        decoder: Network that maps codes `[batch, codes, dim]` and int32 speakers `[batch]` to the
            likelihood's parameters.
        speakers: Number of speakers.
        spectral_weight: Weight of the spectral loss, a number or a schedule.
        likelihood, codebook_size, commitment_weight, decay, dead_after, codebook_update, seed: See
            `VQVAE`.

    Raises:
        ValueError: If the networks do not match, if `speakers` is below 1, or if a weight is
            negative.

    Example:
    ```python
    from keras_gen.networks import wave_decoder, wave_encoder
    sizes = dict(samples=1024, latent_dim=16, filters=(8,) * 6)
    decoder = wave_decoder(classes=5, **sizes)
    model = ConditionalVQVAE(wave_encoder(**sizes), decoder, speakers=5)
    model.compile()
    recordings, speakers = np.zeros((4, 1024, 1), "int16"), np.array([0, 1, 2, 4])
    model.fit(recordings, speakers, batch_size=2)
    codes = model.encode(recordings)  # int32 [4, 16]
    converted = model.convert(recordings, 3)
    ```
    """

    batch = ("x", "speakers")
    no_builders = "has no standard networks: pass your own networks."

    decoder: keras.Model = network("latents speakers -> parameters")
    speakers: Count = argument(kw_only=True)
    spectral_weight: Weight = 300.0

    @override
    def loss_weights(self):
        return super().loss_weights() | {"spectral": self.spectral_weight}

    @override
    def terms_of(self, batch, latents, vectors, codes):
        parameters = self.decoder([vectors, batch["speakers"]], training=self.training)
        terms = self.quantizer.terms(latents, codes)
        terms["reconstruction"] = -self.likelihood.log_prob(parameters, batch["x"])
        spectral = spectral_loss(self.likelihood.mean(parameters), batch["x"])
        return terms | {"spectral": spectral}

    @override
    def call(self, x, speakers, training=False):
        return self.reconstructed(self.embedded(self.codes(x)), speakers)

    @override
    def nats(self, x):
        """Returns -log p(x | codes), where p is the mean over the speakers."""
        codes = self.encoded(x)[0]

        @tf.autograph.experimental.do_not_convert
        def of_speaker(number):
            speakers = tf.fill(tf.shape(x)[:1], number)
            return -self.reconstruction(codes, x, speakers)

        # Speakers are processed one at a time, because processing all speakers together would
        # require several times as much memory.
        log_probs = tf.map_fn(
            of_speaker,
            tf.range(self.speakers),
            parallel_iterations=1,
            fn_output_signature=tf.float32,
        )
        return importance_weighted_nats(log_probs)

    @override
    @capability
    def reconstruct(self, x, speakers):
        """Returns float32 reconstructions of waveforms, given integer speakers `[n]`."""
        return {"x": self(x, speakers)}

    @capability
    def convert(self, x, speakers):
        """Returns waveforms with the words of `x` in the voices of integer speakers `[n]`."""
        return {"x": self(x, speakers)}

    @override
    @capability
    def decode(self, codes, speakers):
        """Returns waveforms for integer codes `[n, codes]` in the voices of speakers `[n]`."""
        return {"x": self.reconstructed(self.embedded(codes), speakers)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        super().set_up()
        require_classes(self.speakers, self.decoder)
        shape = self.encoder.input_shape[1:]
        if len(shape) != 2:
            raise ValueError(
                f"The encoder has input shape {shape}: expected waveforms (samples, channels)."
            )
        self.edges["x"] = Waveforms(*shape)
        self.edges["speakers"] = Labels(self.speakers, name="speakers")
