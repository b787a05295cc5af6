"""Images beside the images that they should be."""

from keras_gen.metrics.image_pairs.image_quality import PSNR, SSIM, L1Error, l1_error, psnr, ssim
from keras_gen.metrics.image_pairs.inpainting import border_mean, hole_psnr
from keras_gen.metrics.image_pairs.squared_error import squared_error

__all__ = [
    "PSNR",
    "SSIM",
    "L1Error",
    "border_mean",
    "hole_psnr",
    "l1_error",
    "psnr",
    "squared_error",
    "ssim",
]
