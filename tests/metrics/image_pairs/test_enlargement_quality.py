"""What is enlarged perfectly has no distance, and smooth images have one."""

from functools import partial

import numpy as np
import pytest

from keras_gen.metrics import enlargement_report
from keras_gen.workshop.baselines import bicubic


@pytest.mark.thorough
def test_originals_are_perfect_and_bicubic_is_smooth(rng):
    coarse = rng.integers(0, 256, (2, 32, 48, 3), dtype="uint8")
    images = [image.repeat(4, axis=0).repeat(4, axis=1) for image in coarse]
    originals = iter(images)
    perfect = enlargement_report(lambda small: next(originals)[None], images, 4)
    assert perfect["psnr"] == np.inf and perfect["ssim"] == 1
    assert perfect["detail"] == 1
    smooth = enlargement_report(partial(bicubic, factor=4), images, 4)
    assert smooth["psnr"] < 25 and smooth["ssim"] < 0.9
    assert smooth["detail"] < 0.8
    assert smooth["patches"] > 2 * perfect["patches"]
