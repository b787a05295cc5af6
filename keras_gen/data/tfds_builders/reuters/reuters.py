"""Reuters-21578 in its ModApte split (Lewis 1997) as a tensorflow-datasets builder."""

from __future__ import annotations

import gzip
import html
import json
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow_datasets as tfds

_ADDRESS = "http://www.daviddlewis.com/resources/testcollections/reuters21578/"
_PUBLISHED = "reuters21578.tar.gz"
_LINES = "reuters21578_modapte.jsonl.gz"
_SPLITS = {"TRAIN": "train", "TEST": "test"}

_CITATION = """\
@misc{lewis1997reuters,
  title = {Reuters-21578 text categorization test collection, distribution 1.0},
  author = {Lewis, David D.}, year = {1997},
  howpublished = {AT\\&T Labs Research}
}
"""


class Reuters(tfds.core.GeneratorBasedBuilder):
    """9,603 training and 3,299 test stories from the 1987 Reuters newswire, with assigned topics.

    Indexers assigned the topics. The ModApte split contains the stories with `TOPICS="YES"`, which
    `LEWISSPLIT` divides into training and test stories. `text` is the title, a newline, and the
    body, which is empty for brief stories. `topics` contains the names of all topics, such as
    "grain wheat", and may be empty. `id` is the collection's `NEWID`.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES: ClassVar = {"1.0.0": "The ModApte split."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = (
        f"Download {_ADDRESS}{_PUBLISHED} and put it into that folder unchanged. A file "
        f"{_LINES} "
        'also works, with one JSON object per line: id, modapte ("train" or "test"), topics (a '
        "list), title, and text."
    )

    def _info(self) -> tfds.core.DatasetInfo:
        text = tfds.features.Text()
        return self.dataset_info_from_configs(
            description="Stories from the 1987 Reuters newswire, ModApte split.",
            features=tfds.features.FeaturesDict(
                {"id": tfds.features.Scalar(np.int64), "text": text, "topics": text}
            ),
            supervised_keys=("text", "topics"),
            homepage=_ADDRESS,
            citation=_CITATION,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        if (folder / _LINES).exists():
            with gzip.open(folder / _LINES, "rt", encoding="utf-8") as file:
                stories = [json.loads(line) for line in file]
        elif (folder / _PUBLISHED).exists():
            stories = list(read_archive(folder / _PUBLISHED))
        else:
            raise FileNotFoundError(f"{folder} contains neither {_PUBLISHED} nor {_LINES}.")
        return {
            split: self._generate_examples([s for s in stories if s["modapte"] == split])
            for split in _SPLITS.values()
        }

    def _generate_examples(self, stories: list[dict]) -> Iterator[tuple[int, dict]]:
        for story in stories:
            text = f"{story['title']}\n{story['text']}"
            topics = " ".join(story["topics"])
            yield story["id"], {"id": story["id"], "text": text, "topics": topics}


def read_archive(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the stories of the ModApte split from the published archive of `.sgm` files.

    Each story is a dict with `id`, `modapte` ("train" or "test"), `topics`, `title`, and `text`.
    """
    with tarfile.open(path) as archive:
        for name in sorted(name for name in archive.getnames() if name.endswith(".sgm")):
            file = archive.extractfile(name)
            assert file is not None, name
            yield from read_sgml(file.read().decode("latin-1"))


def read_sgml(contents: str) -> Iterator[dict[str, Any]]:
    """Yields the stories in one `.sgm` file as dicts; unformatted stories have no title."""
    for attributes, story in re.findall(r"<REUTERS(.*?)>(.*?)</REUTERS>", contents, re.DOTALL):
        values = dict(re.findall(r'(\w+)="(.*?)"', attributes))
        if values["TOPICS"] != "YES" or values["LEWISSPLIT"] not in _SPLITS:
            continue
        unformatted = re.search(r'<TEXT TYPE="UNPROC">(.*?)</TEXT>', story, re.DOTALL)
        yield {
            "id": int(values["NEWID"]),
            "modapte": _SPLITS[values["LEWISSPLIT"]],
            "topics": re.findall("<D>(.*?)</D>", _between("TOPICS", story)),
            "title": _plain(_between("TITLE", story)),
            "text": _plain(unformatted[1] if unformatted else _between("BODY", story)),
        }


def _between(tag: str, story: str) -> str:
    found = re.search(f"<{tag}>(.*?)</{tag}>", story, re.DOTALL)
    return found[1] if found else ""


def _plain(text: str) -> str:
    """Returns text without SGML escapes and the control characters of the newswire."""
    text = re.sub(r"&#\d+;", "", text)
    return re.sub(r"[\x00-\x08\x0b-\x1f]", "", html.unescape(text)).strip()
