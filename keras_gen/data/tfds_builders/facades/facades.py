"""Facades and their labels (Tylecek & Sara 2013) as a tensorflow-datasets builder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from keras_gen.files.images import read_image

_URL = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets/facades.tar.gz"
_PARTS = {"train": "train", "validation": "val", "test": "test"}
SIDE = 256

_CITATION = """\
@inproceedings{tylecek2013spatial,
  title = {Spatial Pattern Templates for Recognition of Objects with Regular Structure},
  author = {Tyle{\\v c}ek, Radim and {\\v S}{\\'a}ra, Radim},
  booktitle = {German Conference on Pattern Recognition}, year = {2013}
}
"""


class Facades(tfds.core.GeneratorBasedBuilder):
    """400 training, 100 validation, and 106 test photographs of facades, with label maps.

    `photo` and `labels` are uint8 `[256, 256, 3]`. Each of the 12 labels has its own color.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The split of Isola et al. (2017)."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Download {_URL} and unpack it there, so that the folder contains "
        "facades/train/1.jpg and so on."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        image = tfds.features.Image(shape=(SIDE, SIDE, 3))
        return self.dataset_info_from_configs(
            description="Building facades with labels for their parts.",
            features=tfds.features.FeaturesDict({"photo": image, "labels": image}),
            supervised_keys=("labels", "photo"),
            homepage="https://cmp.felk.cvut.cz/~tylecr1/facade/",
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir) / "facades"
        missing = [name for name in _PARTS.values() if not (folder / name).is_dir()]
        if missing:
            raise FileNotFoundError(f"{folder} has no folder {' and no '.join(missing)}.")
        return {split: self._generate_examples(folder / name) for split, name in _PARTS.items()}

    def _generate_examples(self, folder: Path) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        for file in sorted(folder.glob("*.jpg"), key=lambda file: int(file.stem)):
            both = read_image(file)
            if both.shape != (SIDE, 2 * SIDE, 3):
                raise ValueError(
                    f"{file} has width {both.shape[1]} and height {both.shape[0]}: expected "
                    f"width {2 * SIDE} and height {SIDE}."
                )
            yield int(file.stem), {"photo": both[:, :SIDE], "labels": both[:, SIDE:]}
