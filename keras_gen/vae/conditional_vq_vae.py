"""A VQ-VAE of speech whose decoder knows who speaks (van den Oord et al. 2017)."""

import keras
import tensorflow as tf

from keras_gen.bases.edges import Labels, Waveforms
from keras_gen.losses import spectral_loss
from keras_gen.losses.bounds import importance_weighted_nats
from keras_gen.training import capability, require_inputs, schedules
from keras_gen.vae.vq_vae import VQVAE


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalVQVAE(VQVAE):
    """Codes of what is said, and a decoder conditioned on the speaker: any known voice.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3. The decoder takes the codes and the speaker, so that the few bits of the codes need
    not say who speaks. `convert` gives it another speaker than the one who was recorded.
    `fit(waveforms, speakers)` takes whole numbers. `score` knows no speaker: p(x | codes) is the
    mean over all.

    Deviations: the paper's decoder is a WaveNet, which makes one sample after the other; this one
    makes all at once, in milliseconds. Given the codes its samples are independent, which says
    little of a waveform whose phases the codes cannot hold: therefore a distance of spectrograms,
    `keras_gen.losses.spectral_loss`, is minimized beside the likelihood. And those of
    `VectorQuantizer`.

    Args:
        encoder: Waveforms `[batch, samples, channels]` to latents `[batch, codes, dim]`.
        decoder: Codes `[batch, codes, dim]` and int32 speakers `[batch]` to the likelihood's
            parameters.
        speakers: Number of speakers.
        spectral_weight: Of the distance of spectrograms, a number or a schedule of the step.
        **kwargs: As of `VQVAE`.

    Raises:
        ValueError: If the networks do not fit each other, `speakers` is below 1, or a weight is
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

    def __init__(self, encoder, decoder, speakers: int, spectral_weight=300.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        require_inputs(2, type(self), decoder)
        shape = encoder.input_shape[1:]
        self.speakers = speakers
        if len(shape) != 2 or speakers < 1:
            raise ValueError(
                f"The encoder takes {shape} and there are {speakers} speakers: expected waveforms "
                "(samples, channels), and at least 1 speaker."
            )
        self.spectral_weight = schedules.weight("spectral_weight", spectral_weight)
        self.edges["x"] = Waveforms(*shape)
        self.edges["speakers"] = Labels(speakers, name="speakers")

    def loss_weights(self):
        """Returns also the weight of the distance of spectrograms."""
        return super().loss_weights() | {"spectral": self.spectral_weight}

    def infer(self, x, speakers, training):
        """Returns codes, latents and indices, whoever speaks."""
        return super().infer(x, training)

    def loss_terms(self, x, speakers, inferred, training):
        """Returns the terms of eq. (3), the distance of spectrograms, and the perplexity."""
        parameters = self.decoder([inferred.latents, speakers], training=training)
        terms = self.quantizer.terms(*inferred.parameters)
        terms["reconstruction"] = -self.likelihood.log_prob(parameters, x)
        return terms | {"spectral": spectral_loss(self.likelihood.mean(parameters), x)}

    def after_update(self, x, speakers, inferred):
        """Moves the codebook, whoever speaks."""
        super().after_update(x, inferred)

    def call(self, x, speakers, training=False):
        """Returns what speakers say in the words of waveforms that went through the edge."""
        return self.reconstructed(self.embedded(self.codes(x)), training, speakers)

    def nats(self, x):
        """Returns -log p(x | codes), of p the mean over the speakers."""
        (latents,) = self.encoded(x)
        count = keras.ops.shape(x)[0]
        # Every waveform in every voice, one speaker after the other.
        speakers = tf.repeat(tf.range(self.speakers), count)
        latents = tf.tile(latents, [self.speakers, 1, 1])
        nats = self.reconstruction(latents, tf.tile(x, [self.speakers, 1, 1]), False, speakers)
        return importance_weighted_nats(-tf.reshape(nats, [self.speakers, count]))

    @capability
    def reconstruct(self, x, speakers):
        """Returns reconstructions, float32 `[n, samples, channels]`.

        Args:
            x: Waveforms, int16 or floats in [-1, 1].
            speakers: Who was recorded, integers `[n]`, or one for all.
            batch_size: Waveforms at once.
        """
        return {"x": self(x, speakers)}

    @capability
    def convert(self, x, speakers):
        """Returns the same words in other voices; in one's own it is the reconstruction.

        Args:
            x: Waveforms, int16 or floats in [-1, 1].
            speakers: Whose voice it shall be, integers `[n]`, or one for all.
            batch_size: Waveforms at once.
        """
        return {"x": self(x, speakers)}

    @capability
    def decode(self, codes, speakers):
        """Returns waveforms of integer codes `[n, codes]` in the voices of speakers `[n]`."""
        return {"x": self.reconstructed(self.embedded(codes), False, speakers)}
