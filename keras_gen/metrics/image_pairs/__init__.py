"""Images beside the images that they should be."""

from keras_gen.metrics.image_pairs.image_quality import (
    PSNR,
    SSIM,
    L1Error,
    l1_error,
    ms_ssim,
    psnr,
    ssim,
)
from keras_gen.metrics.image_pairs.inpainting import hole_psnr
from keras_gen.metrics.image_pairs.squared_error import squared_error

__all__ = [
    "PSNR",
    "SSIM",
    "L1Error",
    "hole_psnr",
    "l1_error",
    "ms_ssim",
    "psnr",
    "squared_error",
    "ssim",
]
