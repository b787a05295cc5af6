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
from keras_gen.metrics.image_pairs.inpainting import (
    border_mean,
    hole_psnr,
    laplace_fill,
    ridge_fill,
)
from keras_gen.metrics.image_pairs.jpeg import jpeg, jpeg_quality
from keras_gen.metrics.image_pairs.squared_error import squared_error

__all__ = [
    "PSNR",
    "SSIM",
    "L1Error",
    "border_mean",
    "hole_psnr",
    "jpeg",
    "jpeg_quality",
    "l1_error",
    "laplace_fill",
    "ms_ssim",
    "psnr",
    "ridge_fill",
    "squared_error",
    "ssim",
]
