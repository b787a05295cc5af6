"""Tiny autoregressive models."""

from keras_gen.autoregressive import (
    MADE,
    CharacterRNN,
    CodePrior,
    ConditionalCodePrior,
    ConditionalPixelCNN,
    ConditionalWaveNet,
    PixelCNN,
    PixelRNN,
    TableMADE,
    WaveNet,
)
from keras_gen.data import table_columns
from keras_gen.losses import Categorical, DiscretizedLogistic, NormalMixture
from keras_gen.networks import (
    character_rnn,
    gated_pixel_cnn,
    made,
    pixel_cnn,
    pixel_rnn,
    residual_decoder,
    residual_encoder,
    table_made,
    wave_decoder,
    wave_encoder,
    wavenet,
)
from keras_gen.vae import VQVAE, ConditionalVQVAE
from tiny import ROWS, Tiny, cells, sample


def _pixel_cnn(seed=3):
    network = pixel_cnn((4, 4, 1), 5, filters=4, blocks=1, first_kernel=3, levels=5)
    return PixelCNN(network, Categorical(5), seed=seed)


def _conditional_pixel_cnn(seed=3):
    likelihood = DiscretizedLogistic(mixtures=2)
    network = gated_pixel_cnn(
        (4, 4, 1), 6, filters=4, blocks=1, first_kernel=3, kernel=3, levels=None, classes=3
    )
    return ConditionalPixelCNN(network, 3, likelihood, seed=seed)


def _character_rnn(seed=3):
    return CharacterRNN(character_rnn(levels=6, units=4), "abcde", length=7, seed=seed)


def _code_prior(seed=3):
    sizes = dict(latent_dim=2, filters=4, residual_filters=2, codes_per_place=2)
    encoder, decoder = residual_encoder((8, 8, 1), **sizes), residual_decoder((8, 8, 1), **sizes)
    coder = VQVAE(encoder, decoder, codebook_size=5)
    network = gated_pixel_cnn(
        (2, 2, 2), 5, 4, 1, first_kernel=3, kernel=3, levels=5, unordered=True
    )
    return CodePrior(network, coder, seed=seed)


def _conditional_code_prior(seed=3):
    sizes = dict(samples=64, latent_dim=2, filters=(2, 2, 2))
    decoder = wave_decoder(classes=3, **sizes)
    coder = ConditionalVQVAE(wave_encoder(**sizes), decoder, 3, codebook_size=5)
    network = wavenet(8, 5, filters=3, skip_filters=4, dilations=(1,), levels=5, classes=3)
    return ConditionalCodePrior(network, coder, classes=3, seed=seed)


def _pixel_rnn(seed=3):
    """One block, as each recurrent layer is traced for long."""
    network = pixel_rnn((4, 4, 1), 1, units=2, blocks=1, kind="row", first_kernel=3, levels=2)
    return PixelRNN(network, "bernoulli", seed=seed)


def _wavenet(seed=3):
    network = wavenet(None, 4, filters=3, skip_filters=4, dilations=(1, 2), levels=4)
    return WaveNet(network, levels=4, samples=6, seed=seed)


def _conditional_wavenet(seed=3):
    network = wavenet(None, 4, filters=3, skip_filters=4, dilations=(2, 1), levels=4, classes=3)
    return ConditionalWaveNet(network, 3, levels=4, samples=7, seed=seed)


def _made(seed=3):
    # On some CPUs a dense layer that is fused with a ReLU turns NaN into 0.
    network = made(3, outputs_per_value=6, hidden=(4,), activation="tanh")
    return MADE(network, NormalMixture(2), seed=seed)


def _table_made(seed=3):
    columns = table_columns(ROWS)
    network = table_made(columns, hidden=(4,), activation="tanh")
    return TableMADE(network, columns, any_order=True, seed=seed)


TINY = {
    "CodePrior": Tiny(_code_prior, sample, draws=False),
    "ConditionalCodePrior": Tiny(_conditional_code_prior, sample, draws=False),
    "CharacterRNN": Tiny(_character_rnn, sample, draws=False),
    "MADE": Tiny(_made, sample, draws=False),
    "PixelCNN": Tiny(_pixel_cnn, sample, draws=False),
    "ConditionalPixelCNN": Tiny(_conditional_pixel_cnn, sample, draws=False),
    "TableMADE": Tiny(_table_made, cells),
    "PixelRNN": Tiny(_pixel_rnn, sample, draws=False),
    "WaveNet": Tiny(_wavenet, sample, draws=False),
    "ConditionalWaveNet": Tiny(_conditional_wavenet, sample, draws=False),
}
