"""The builder of Reuters-21578, from both kinds of files."""

import gzip
import io
import json
import tarfile

import pytest

from keras_gen.data import DataUnavailable, load_tfds
from keras_gen.data.tfds_builders.reuters.reuters import read_sgml

SGML = """<!DOCTYPE lewis SYSTEM "lewis.dtd">
<REUTERS TOPICS="YES" LEWISSPLIT="TRAIN" CGISPLIT="TRAINING-SET" OLDID="5544" NEWID="1">
<DATE>26-FEB-1987</DATE><TOPICS><D>grain</D><D>wheat</D></TOPICS><PLACES><D>usa</D></PLACES>
<UNKNOWN>&#5;&#5;f0704</UNKNOWN>
<TEXT>&#2;<TITLE>PRICES &lt;X.N> RISE</TITLE><DATELINE>ROME</DATELINE><BODY>Bread &amp; café
rose.
 Reuter
&#3;</BODY></TEXT></REUTERS>
<REUTERS TOPICS="NO" LEWISSPLIT="TRAIN" CGISPLIT="X" OLDID="1" NEWID="2"><TOPICS></TOPICS>
<TEXT><TITLE>NO TOPICS</TITLE></TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="NOT-USED" CGISPLIT="X" OLDID="1" NEWID="3"><TOPICS></TOPICS>
<TEXT><TITLE>NOT USED</TITLE></TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="TEST" CGISPLIT="X" OLDID="1" NEWID="4"><TOPICS></TOPICS>
<TEXT TYPE="BRIEF">&#2;<TITLE>BRIEF</TITLE>&#3;</TEXT></REUTERS>
<REUTERS TOPICS="YES" LEWISSPLIT="TEST" CGISPLIT="X" OLDID="1" NEWID="5">
<TOPICS><D>gold</D></TOPICS><TEXT TYPE="UNPROC">&#2;
All in one
&#3;</TEXT></REUTERS>
"""
STORIES = [
    dict(id=1, modapte="train", topics=["grain", "wheat"], title="PRICES <X.N> RISE",
         text="Bread & café\nrose.\n Reuter"),
    dict(id=4, modapte="test", topics=[], title="BRIEF", text=""),
    dict(id=5, modapte="test", topics=["gold"], title="", text="All in one"),
]  # fmt: skip


def published(folder):
    contents = SGML.encode("latin-1")
    with tarfile.open(folder / "reuters21578.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("reut2-000.sgm")
        member.size = len(contents)
        archive.addfile(member, io.BytesIO(contents))


def lines(folder):
    with gzip.open(folder / "reuters21578_modapte.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(story) + "\n" for story in STORIES)


def test_sgml_by_hand():
    assert list(read_sgml(SGML)) == STORIES


@pytest.mark.parametrize("write", [published, lines])
def test_both_kinds_of_files_give_the_same(tmp_path, write):
    (tmp_path / "manual").mkdir()
    write(tmp_path / "manual")
    found = {
        part: load_tfds(
            "reuters", part, features=("id", "text", "topics"),
            data_dir=tmp_path, manual_dir=tmp_path / "manual",
        ).arrays()
        for part in ("train", "test")
    }  # fmt: skip
    assert [a.tolist() for a in found["train"]] == [
        [1], ["PRICES <X.N> RISE\nBread & café\nrose.\n Reuter".encode()], [b"grain wheat"],
    ]  # fmt: skip
    test = sorted(zip(*(a.tolist() for a in found["test"]), strict=True))
    assert test == [(4, b"BRIEF\n", b""), (5, b"\nAll in one", b"gold")]


def test_without_files(tmp_path):
    for folder in ("absent", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        options = dict(data_dir=tmp_path / "data", manual_dir=tmp_path / folder)
        with pytest.raises(DataUnavailable, match=f"{folder} lacks the files.*reuters21578.tar.gz"):
            load_tfds("reuters", "train", **options)
        if folder == "absent":
            assert not (tmp_path / "data").exists()


@pytest.mark.thorough
@pytest.mark.data
def test_the_real_one_is_complete(shared_data, tmp_path):
    folders = dict(data_dir=tmp_path, manual_dir=shared_data / "reuters")
    train, test = (load_tfds("reuters", p, features="topics", **folders) for p in ("train", "test"))
    assert (len(train), len(test)) == (9603, 3299)
    assert sum(t == b"earn" for t in train.arrays()) == 2840
