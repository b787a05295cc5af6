"""Data sets of tensorflow-datasets: prepared, missing, half prepared, broken."""

import bz2
import socket
import sys
import threading
import time

import numpy as np
import pytest
import tensorflow as tf

from keras_gen.data import DataDamaged, DataUnavailable, load_tfds
from keras_gen.data.sets import tfds as module

RNG = np.random.default_rng(0)
IMAGES = {"train": RNG.integers(0, 256, [12, 16, 16]), "test": RNG.integers(0, 256, [5, 16, 16])}
LABELS = {"train": np.arange(12) % 10, "test": np.arange(5)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A data directory with a small usps made of LIBSVM files."""
    data_dir = tmp_path_factory.mktemp("tfds")
    manual = data_dir / "downloads" / "manual"
    manual.mkdir(parents=True)
    for split, name in (("train", "usps.bz2"), ("test", "usps.t.bz2")):
        lines = [
            " ".join(
                [str(label + 1)]
                + [f"{i}:{gray / 127.5 - 1:.6f}" for i, gray in enumerate(image.ravel(), 1)]
            )
            for image, label in zip(IMAGES[split], LABELS[split], strict=True)
        ]
        (manual / name).write_bytes(bz2.compress("\n".join(lines).encode()))
    load_tfds("usps", "train", data_dir=data_dir)
    return data_dir


@pytest.fixture
def damaged(prepared, tmp_path):
    """A copy to break, and the folder of the prepared version in it."""
    folder = tmp_path / "usps" / "1.0.0"
    folder.mkdir(parents=True)
    for file in (prepared / "usps" / "1.0.0").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return tmp_path, folder


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", refuse)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_a_tensorflow_datasets_that_can_be_imported(monkeypatch):
    """As beside a protobuf that is too old for it: all else works, and recipes go on offline."""
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(DataUnavailable, match="needs tensorflow-datasets, which cannot be imp"):
        load_tfds("mnist", "train")


def by_content(images, labels):
    return sorted((image.tobytes(), label) for image, label in zip(images, labels, strict=True))


@pytest.mark.thorough
@pytest.mark.parametrize("split", ["train", "test"])
def test_usps_from_libsvm_files_is_what_was_written(prepared, split):
    source = load_tfds("usps", split, data_dir=prepared, features=("image", "label"))
    images, labels = source.arrays()
    assert images.shape == (len(IMAGES[split]), 16, 16, 1) and images.dtype == np.uint8
    expected = by_content(IMAGES[split].astype(np.uint8), LABELS[split])
    assert by_content(images, labels) == expected
    assert source.origin.startswith(f"usps/1.0.0, split {split}, from {prepared}")
    assert source.class_names == tuple("0123456789")
    assert load_tfds("usps", split, data_dir=prepared).class_names is None


def test_usps_without_its_files_says_where_they_are(tmp_path):
    (tmp_path / "manual").mkdir()
    with pytest.raises(DataUnavailable, match=r"manual lacks its source files.*usps.t.bz2"):
        load_tfds("usps", "train", data_dir=tmp_path, manual_dir=tmp_path / "manual")
    with pytest.raises(DataUnavailable, match=r"downloads/manual lacks its source files"):
        load_tfds("usps", "train", data_dir=tmp_path)


def test_size_parts_and_single_features(prepared):
    assert load_tfds("usps", "test", size=8, data_dir=prepared).arrays().shape == (5, 8, 8, 1)
    assert len(load_tfds("usps", "train[:25%]", data_dir=prepared)) == 3
    labels = load_tfds("usps", "test", features="label", data_dir=prepared).arrays()
    assert sorted(labels) == [0, 1, 2, 3, 4]


def test_requests_that_make_no_sense_are_refused(prepared):
    for arguments, says in [
        (("usps", "valid"), "valid"),
        (("usps", "train[3:3]"), "is empty"),
        (("mnits", "train"), "no dataset named 'mnits'; did you mean .*mnist"),
    ]:
        with pytest.raises(ValueError, match=says):
            load_tfds(*arguments, data_dir=prepared)
    with pytest.raises(ValueError, match="size is 0: expected an integer of at least 1"):
        load_tfds("usps", "test", size=0, data_dir=prepared)
    with pytest.raises(ValueError, match="no feature 'photo': expected one of image, label"):
        load_tfds("usps", "test", features="photo", data_dir=prepared)
    with pytest.raises(ValueError, match=r"expected at most 0.0 GiB. Pass a smaller"):
        load_tfds("usps", "test", memory_limit=100, data_dir=prepared)


def test_missing_without_a_network_fails_at_once_and_names_the_host(tmp_path, no_network):
    begin = time.monotonic()
    with pytest.raises(DataUnavailable, match=r"not prepared in .*storage.googleapis.com.*TFDS_D"):
        load_tfds("mnist", "train", data_dir=tmp_path)
    with pytest.raises(DataUnavailable, match=r"efrosgans.eecs.berkeley.edu"):
        load_tfds("cycle_gan/monet2photo", "trainA", data_dir=tmp_path)
    assert time.monotonic() - begin < 10
    assert not list(tmp_path.iterdir())  # nothing half done is left behind


def test_a_host_that_never_answers_is_given_up(monkeypatch):
    monkeypatch.setattr(module, "_TIMEOUT", -0.9)  # waits for 0.1 s
    done = threading.Event()

    def hang(address, timeout):
        done.wait(30)
        raise OSError("too late")

    monkeypatch.setattr(socket, "create_connection", hang)
    begin = time.monotonic()
    assert "no response" in module._connect(("example.org", 443))
    assert time.monotonic() - begin < 5
    done.set()


def test_hosts_that_answer_are_reachable_also_through_a_proxy(monkeypatch, no_network):
    assert "example.org" in module.unreachable(["https://example.org/x"])
    asked = []

    class Connection:
        def close(self):
            pass

    def connect(address, timeout):
        asked.append(address)
        return Connection()

    monkeypatch.setattr(socket, "create_connection", connect)
    assert module.unreachable(["https://example.org/x", "http://example.org/y"]) is None
    assert sorted(asked) == [("example.org", 80), ("example.org", 443)]
    asked.clear()
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert module.unreachable(["https://example.org/x"]) is None
    assert asked == [("proxy.example", 3128)]


def test_a_failing_download_is_unavailable_and_says_why(tmp_path, monkeypatch):
    import tensorflow_datasets as tfds

    def fail(self, **arguments):
        raise tfds.download.DownloadError("Failed to get url: 503")

    monkeypatch.setattr(module, "unreachable", lambda urls: None)
    monkeypatch.setattr(tfds.core.DatasetBuilder, "download_and_prepare", fail)
    with pytest.raises(DataUnavailable, match="downloading it failed with: Failed to get url: 503"):
        load_tfds("mnist", "train", data_dir=tmp_path)


def test_half_prepared_says_what_to_delete(damaged):
    data_dir, folder = damaged
    (folder / "dataset_info.json").unlink()
    with pytest.raises(DataDamaged, match=f"no dataset_info.json.*Delete {folder} and run again"):
        load_tfds("usps", "test", data_dir=data_dir)


def test_broken_information_says_what_to_delete(damaged):
    data_dir, folder = damaged
    (folder / "dataset_info.json").write_text('{"name": "us')
    with pytest.raises(DataDamaged, match=rf"JSON.*[^.]\. Delete {data_dir / 'usps'}"):
        load_tfds("usps", "test", data_dir=data_dir)


def test_missing_records_say_what_to_delete(damaged):
    """What was cut off between two records reads well, but is too short."""
    data_dir, folder = damaged
    (records,) = folder.glob("usps-test.tfrecord*")
    kept = list(tf.data.TFRecordDataset(str(records)))[:3]
    with tf.io.TFRecordWriter(str(records)) as writer:
        for record in kept:
            writer.write(record.numpy())
    with pytest.raises(DataDamaged, match=f"reading it failed.*Delete {folder}"):
        load_tfds("usps", "test", data_dir=data_dir)


@pytest.mark.parametrize("keep", [None, 1000])
def test_broken_records_say_what_to_delete(damaged, keep):
    data_dir, folder = damaged
    (records,) = folder.glob("usps-test.tfrecord*")
    contents = records.read_bytes()
    records.unlink()
    if keep:
        records.write_bytes(contents[:keep])
    with pytest.raises(DataDamaged, match=f"reading it failed.*Delete {folder}"):
        load_tfds("usps", "test", data_dir=data_dir)
    assert len(load_tfds("usps", "train", data_dir=data_dir)) == 12  # the rest is sound


@pytest.mark.parametrize("name", ["usps.npz", "usps.bz2"])
def test_files_fetched_by_hand_that_were_cut_off_are_named(prepared, tmp_path, name):
    manual = tmp_path / "manual"
    manual.mkdir()
    for file in (prepared / "downloads" / "manual").iterdir():
        (manual / file.name).write_bytes(file.read_bytes())
    if name == "usps.npz":
        np.savez(manual / name, x_train=IMAGES["train"], y_train=LABELS["train"])
    whole = (manual / name).read_bytes()
    (manual / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(
        DataDamaged, match=f"files in {manual}, but reading .*. Download the files again"
    ):
        load_tfds("usps", "train", data_dir=tmp_path, manual_dir=manual)


@pytest.mark.thorough
@pytest.mark.data
def test_real_sets_load(shared_data):
    paintings = load_tfds("cycle_gan/monet2photo", "testA", size=64)
    assert paintings.element_spec.shape == (64, 64, 3) and len(paintings) == 121
    with pytest.raises(ValueError, match="pass size="):
        load_tfds("cycle_gan/monet2photo", "testA")
    images, labels = load_tfds("mnist", "test[:100]", features=("image", "label")).arrays()
    assert images.shape == (100, 28, 28, 1) and labels.max() == 9
    face, attributes = next(
        iter(load_tfds("celeb_a", "test[:2]", size=32, features=("image", "attributes")).batches(2))
    )
    assert face.shape == (2, 32, 32, 3) and attributes["Smiling"].shape == (2,)
    smiling = load_tfds("celeb_a", "test[:2]", features="attributes/Smiling").arrays()
    np.testing.assert_array_equal(smiling, attributes["Smiling"])
    for unknown in ("attributes/Nose", "attributes/Smiling/wide", "image/red"):
        with pytest.raises(ValueError, match=f"no feature '{unknown}'"):
            load_tfds("celeb_a", "test[:2]", features=unknown)
