"""Counts that would take the memory of the machine are refused in one sentence, at once."""

import pytest

from keras_gen import DDPM, GAN, IWAE, VAE, VQVAE, ConditionalGAN, CycleGAN, HistoryGAN, PacGAN
from keras_gen.core.image_pool import ImagePool
from keras_gen.diffusion import LinearPath
from keras_gen.layers import LearnedPositions, VectorQuantizer
from keras_gen.networks import glow, mlp_decoder, time_mlp, time_unet

HUGE = 10**9
SHAPE = (32, 32, 1)

CALLS = {
    "path": lambda: LinearPath(HUGE),
    "saved path": lambda: LinearPath.from_config(dict(steps=HUGE, first=1e-4, last=0.02)),
    "chain": lambda: DDPM.for_vectors(2, width=4, blocks=1, chain_steps=HUGE),
    "latents": lambda: VAE.for_images(SHAPE, latent_dim=HUGE),
    "hidden": lambda: VAE.for_vectors(4, hidden=(HUGE,)),
    "shape": lambda: VAE.for_vectors(HUGE),
    "samples": lambda: IWAE.for_images(SHAPE, latent_dim=2, samples=HUGE),
    "codebook": lambda: VQVAE.for_images(SHAPE, codebook_size=HUGE),
    "filters": lambda: GAN.for_images(SHAPE, filters=HUGE),
    "classes": lambda: ConditionalGAN.for_images(SHAPE, classes=HUGE),
    "pack": lambda: PacGAN.for_images(SHAPE, latent_dim=2, filters=2, pack=HUGE),
    "history": lambda: HistoryGAN.for_images(SHAPE, latent_dim=2, filters=2, pool_size=HUGE),
    "histories": lambda: CycleGAN.for_images(SHAPE, filters=2, blocks=1, pool_size=HUGE),
    "pool": lambda: ImagePool(HUGE, SHAPE),
    "width": lambda: time_mlp((2,), width=HUGE),
    "widths": lambda: time_unet(SHAPE, widths=(HUGE,)),
    "decoder": lambda: mlp_decoder(SHAPE, hidden=(HUGE,)),
    "flow": lambda: glow(SHAPE, filters=HUGE),
    "positions": lambda: LearnedPositions(HUGE),
    "codes": lambda: VectorQuantizer(HUGE, 4),
}


@pytest.mark.parametrize("name", CALLS)
def test_counts_that_no_machine_holds_are_refused(name):
    with pytest.raises(ValueError, match=rf"^\w+ is .*{HUGE}"):
        CALLS[name]()
