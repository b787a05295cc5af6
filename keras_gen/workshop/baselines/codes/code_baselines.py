"""Codes without a network, to compare learned codes of as many bits with."""

import numpy as np

from keras_gen.workshop.baselines.codes.jpeg import jpeg, jpeg_quality
from keras_gen.workshop.baselines.codes.quantized_components import (
    CodedComponents,
    PatchCodebook,
    QuantizedComponents,
)


def code_baselines(
    training: np.ndarray,
    images: np.ndarray,
    bits: int,
    patches: int | None = None,
    seed: int = 0,
) -> tuple[dict[str, np.ndarray], float]:
    """Reconstructs images from codes that need no network.

    Args:
        training: Images uint8 `[n, H, W, C]` to fit the codes to.
        images: Images uint8 `[m, H, W, C]` to reconstruct.
        bits: Bits per image for the principal components and for JPEG.
        patches: Size of a codebook of 4x4 patches, which may take other bits; None: no codebook.
        seed: Seed of the codebook.

    Returns:
        The reconstructions by "kmeans" (`PatchCodebook`), "pca" (`QuantizedComponents`),
        "coded_pca" (`CodedComponents`, of as many bits in the mean) and "jpeg" (without its header,
        at the highest quality at which training images take at most `bits`); and the mean number of
        bits that JPEG takes per image.

    Example:
        >>> found, bits_jpeg = code_baselines(train, test, bits=576, patches=512)
        >>> psnr(found["pca"], test, of="rgb").mean()
    """
    found = {}
    if patches is not None:
        found["kmeans"] = PatchCodebook(training, 4, patches, seed).reconstruct(images)
    found["pca"] = QuantizedComponents(training, bits).reconstruct(images)
    found["coded_pca"] = CodedComponents(training, bits).reconstruct(images)
    found["jpeg"], used = jpeg(images, jpeg_quality(training, bits), header=False)
    return found, used.mean()
