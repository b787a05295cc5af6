"""Adult (Becker & Kohavi 1996) as a tensorflow-datasets builder."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

from keras_gen.data.tfds_builders.adult.columns import COLUMNS, NUMBERS

_ADDRESS = "https://archive.ics.uci.edu/dataset/2/adult"
_ARCHIVE = "adult.zip"
_FILES = {"train": "adult.data", "test": "adult.test"}

_CITATION = """\
@misc{becker1996adult,
  title = {Adult},
  author = {Becker, Barry and Kohavi, Ronny}, year = {1996},
  howpublished = {UCI Machine Learning Repository}, doi = {10.24432/C5XW20}
}
"""


class Adult(tfds.core.GeneratorBasedBuilder):
    """32,561 training and 16,281 test rows of people in the 1994 US census, labeled by income.

    `columns` is a dict of the 14 columns: the columns in `NUMBERS` are int64, and the other columns
    are strings, with "?" for unknown values. `label` is 1 for an income above 50,000 dollars per
    year.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The published split."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Download {_ARCHIVE} with the Download button at {_ADDRESS} and put it into that "
        "folder unchanged. Its files adult.data and adult.test also work, optionally "
        "compressed as adult.data.gz and adult.test.gz."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        kinds = {
            name: tfds.features.Scalar(np.int64) if name in NUMBERS else tfds.features.Text()
            for name in COLUMNS
        }
        return self.dataset_info_from_configs(
            description="People in the 1994 United States census, and their income.",
            features=tfds.features.FeaturesDict(
                {
                    "columns": tfds.features.FeaturesDict(kinds),
                    "label": tfds.features.ClassLabel(names=["<=50K", ">50K"]),
                }
            ),
            homepage=_ADDRESS,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        return {
            split: self._generate_examples(read_text(folder, name))
            for split, name in _FILES.items()
        }

    def _generate_examples(self, text: str) -> Iterator[tuple[int, dict]]:
        for number, (values, income) in enumerate(read_rows(text)):
            columns: dict[str, Any] = dict(zip(COLUMNS, values, strict=True))
            columns |= {name: int(columns[name]) for name in NUMBERS}
            yield number, {"columns": columns, "label": income}


def read_text(folder: Path, name: str) -> str:
    """Returns the text of a file that is in the archive, next to the archive, or compressed.

    Raises:
        FileNotFoundError: If the file is in none of these places.
    """
    if (folder / _ARCHIVE).exists():
        with zipfile.ZipFile(folder / _ARCHIVE) as archive:
            return archive.read(name).decode("ascii")
    if (folder / name).exists():
        return (folder / name).read_text("ascii")
    if (folder / f"{name}.gz").exists():
        return gzip.decompress((folder / f"{name}.gz").read_bytes()).decode("ascii")
    raise FileNotFoundError(f"{folder} contains neither {_ARCHIVE} nor {name}.")


def read_rows(text: str) -> Iterator[tuple[list[str], str]]:
    """Yields each person's 14 values and income, which is "<=50K" or ">50K".

    The test file begins with a line that is not a person, and its incomes end with a period.
    """
    for row in csv.reader(io.StringIO(text), skipinitialspace=True):
        if len(row) == len(COLUMNS) + 1:
            *values, income = row
            yield values, income.rstrip(".")
