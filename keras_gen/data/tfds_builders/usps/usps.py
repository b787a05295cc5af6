"""USPS handwritten digits (Hull 1994) as a tensorflow-datasets builder."""

from __future__ import annotations

import bz2
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from keras_gen.files.reading import open_arrays

_HOST = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_FILES = {"train": "usps.bz2", "test": "usps.t.bz2"}

_CITATION = """\
@article{hull1994database,
  title = {A database for handwritten text recognition research},
  author = {Hull, Jonathan J.},
  journal = {IEEE Transactions on Pattern Analysis and Machine Intelligence},
  volume = {16}, number = {5}, pages = {550--554}, year = {1994}
}
"""


class Usps(tfds.core.GeneratorBasedBuilder):
    """7,291 training and 2,007 test digits from US envelopes, as gray images of 16x16 pixels.

    `image` is uint8 `[16, 16, 1]`, with background 0 and ink 255; `label` is int64, 0 to 9.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The split of LeCun et al. (1989)."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Download {_HOST}usps.bz2 and {_HOST}usps.t.bz2 and put both into that folder "
        "unchanged. A file usps.npz with uint8 x_train, x_test [n, 16, 16] and y_train, "
        "y_test [n] also works."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        return self.dataset_info_from_configs(
            description="Handwritten digits scanned from envelopes by the U.S. Postal Service.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(16, 16, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage=f"{_HOST.rstrip('/')}.html#usps",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = dl_manager.manual_dir
        if (folder / "usps.npz").exists():
            with open_arrays(folder / "usps.npz") as file:
                arrays = dict(file)
            return {
                split: self._generate_examples(arrays[f"x_{split}"], arrays[f"y_{split}"])
                for split in _FILES
            }
        missing = [name for name in _FILES.values() if not (folder / name).exists()]
        if missing:
            raise FileNotFoundError(
                f"{folder} contains neither usps.npz nor {' and '.join(missing)}: expected "
                f"usps.npz, or both {' and '.join(_FILES.values())}. See "
                "Usps.MANUAL_DOWNLOAD_INSTRUCTIONS."
            )
        return {
            split: self._generate_examples(*read_libsvm((folder / name).read_bytes()))
            for split, name in _FILES.items()
        }

    def _generate_examples(
        self, images: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[int, dict]]:
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield number, {"image": image.reshape(16, 16, 1), "label": int(label)}


def read_libsvm(packed: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Reads USPS in LIBSVM format, as uint8 images `[n, 16, 16]` and uint8 digits `[n]`.

    Args:
        packed: Contents of a bzip2 file with one line per digit. A line consists of the digit plus
            1 (1 to 10; other numbers raise a ValueError), followed by `index:value` entries with
            indices 1 to 256 and gray values from -1 to 1. Pixels without an entry have the value 0.
    """
    lines = bz2.decompress(packed).decode("ascii").splitlines()
    values = np.zeros([len(lines), 256])
    labels = np.zeros([len(lines)], int)
    for row, line in enumerate(lines):
        label, *pairs = line.split()
        labels[row] = int(float(label))
        for pair in pairs:
            index, value = pair.split(":")
            values[row, int(index) - 1] = float(value)
    if labels.min() < 1 or labels.max() > 10:
        raise ValueError(
            f"Labels in the LIBSVM file range from {labels.min()} to {labels.max()}: expected "
            "labels from 1 to 10. The file belongs to another dataset."
        )
    images = np.rint((values + 1) * 127.5).clip(0, 255).astype(np.uint8)
    return images.reshape(-1, 16, 16), (labels - 1).astype(np.uint8)
