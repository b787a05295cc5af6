"""A prior over the codes of speech, given the speaker (van den Oord, Vinyals, Kavukcuoglu 2017)."""

import keras
from typing_extensions import override

from keras_gen.autoregressive.code_prior import CodePrior
from keras_gen.core import capability, require_classes
from keras_gen.core.kinds_of_data import label_edges


@keras.saving.register_keras_serializable("keras_gen")
class ConditionalCodePrior(CodePrior):
    """An autoregressive distribution of codes of speech, conditioned on the speaker.

    Van den Oord, Vinyals, Kavukcuoglu: "Neural Discrete Representation Learning", NeurIPS 2017,
    sec. 4.3: a WaveNet is the prior over the codes of speech, so that it draws what is said, and
    the decoder says it in a speaker's voice. `fit(waveforms, speakers)` takes integers.

    Args:
        network: Codes `[batch, codes, 1]` and int32 speakers `[batch]` to logits `[batch, codes,
            codebook_size]`, such as of `keras_gen.networks.wavenet` with `classes=speakers`.
        coder: A trained `ConditionalVQVAE`, see `CodePrior`.
        seed: Not used by this model.

    Raises:
        ValueError: As of `CodePrior`.

    Example:
    ```python
    from keras_gen.networks import wave_decoder, wave_encoder, wavenet
    from keras_gen.vae import ConditionalVQVAE
    sizes = dict(samples=1024, latent_dim=4, filters=(8,) * 6)
    decoder = wave_decoder(classes=5, **sizes)
    coder = ConditionalVQVAE(wave_encoder(**sizes), decoder, speakers=5, codebook_size=8)
    network = wavenet(16, 8, filters=4, skip_filters=8, dilations=(1, 2), levels=8, classes=5)
    prior = ConditionalCodePrior(network, coder)
    prior.compile()
    recordings, speakers = np.zeros((4, 1024, 1), "int16"), np.array([0, 1, 2, 4])
    prior.fit(recordings, speakers, batch_size=2)
    sounds = prior.sample(3, seed=1, speaker=2)
    ```
    """

    batch = ("x", "speakers")
    given = ("speakers",)

    def __init__(self, network: keras.Model, coder: keras.Model, seed: int = 0, **kwargs):
        super().__init__(network, coder, seed, **kwargs)
        self.speakers = coder.speakers
        require_classes(self.speakers, network)
        self.edges |= label_edges(coder.speakers, "speakers")
        self.edges["speakers"] = coder.edges["speakers"]  # perhaps with their names

    @override
    def from_noise(self, noise, speaker=-1, temperature=1.0):
        """Returns sounds of drawn codes, in the voice of the speaker or of random ones."""
        latents = self.coder.embedded(self.drawn_codes(noise, temperature, [speaker]))
        return self.coder.reconstructed(latents, speaker)

    @override
    @capability
    def log_prob(self, codes, speakers):
        """Returns log p(codes given speakers), float32 `[n]`, nats, of codes `[n, codes]`."""
        return {"log_probs": -self.code_nats(codes, conditions=[speakers])}

    @override
    @capability
    def bound(self, x, speakers):
        """Returns the bound on log p(x given speakers), float32 `[n]`, nats, by the codes."""
        codes = self.coder.codes(x)
        latents = self.coder.embedded(codes)
        nats = self.coder.reconstruction(latents, x, speakers)
        return {"bounds": -nats - self.code_nats(codes, conditions=[speakers])}
