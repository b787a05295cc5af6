"""Datasets from tensorflow-datasets, loaded into memory, with short and clear errors."""

from __future__ import annotations

import contextlib
import importlib
import os
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_gen.arguments import checked_integer, checked_path
from keras_gen.checked_arguments import checked_types
from keras_gen.data.source import MEMORY_LIMIT, Source
from keras_gen.data.transforms.images import resize_cover
from keras_gen.data.transforms.waveforms import fit_length
from keras_gen.messages import nearest

_OWN = ("adult", "facades", "reuters", "usps")  # datasets with builders in this library
_TIMEOUT = 3.0  # seconds to wait for a host to respond


class DataUnavailable(OSError):
    """Raised if a dataset is neither prepared on this machine nor available for download."""


class DataDamaged(OSError):
    """Raised if files of a dataset are incomplete or unreadable; prepare the dataset again."""


@checked_types
def load_tfds(
    name: str,
    split: str,
    *,
    size: int | None = None,
    features: str | Sequence[str] = "image",
    first: int | None = None,
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Loads a split into memory, and prepares the dataset first if necessary.

    Args:
        name: Name in tensorflow-datasets with its configuration, such as `"cycle_gan/monet2photo"`,
            or `"adult"`, `"facades"`, `"reuters"`, or `"usps"`, which come with this library.
        split: Split or part of a split, such as `"train"` or `"train[:10%]"`.
        size: Side length of the images (`resize_cover`), or number of samples per sound
            (`fit_length`). If None, examples are unchanged.
        features: Feature of an example, or several features: `("image", "label")` returns tuples. A
            nested feature is given by its path, such as `"attributes/Male"`.
        first: Number of examples to read, from the start. If None, all examples are read.
        data_dir: Folder of prepared datasets. If None, `$TFDS_DATA_DIR` or, if that is not set,
            `~/tensorflow_datasets` is used.
        manual_dir: Folder with manually downloaded files. If None, `downloads/manual` in `data_dir`
            is used.
        memory_limit: Maximum number of bytes of decoded examples.

    Returns:
        Source of uint8 images `[size, size, channels]`, or of tuples of several features, in the
        order of the files. If a feature is a label, the source has the names of the classes.

    Raises:
        DataUnavailable: If the dataset is not prepared and cannot be downloaded now, or if
            tensorflow-datasets cannot be imported.
        DataDamaged: If the prepared dataset is incomplete or damaged.
        ValueError: If the dataset, split, or feature is unknown, if `size` or `first` is below 1,
            if the examples have different shapes and `size` is None, or if the examples exceed
            `memory_limit`.

    Example:
        >>> paintings = load_tfds("cycle_gan/monet2photo", "trainA", size=143)
    """
    if size is not None:
        checked_integer("size", size, minimum=1)
    if first is not None:
        checked_integer("first", first, minimum=1)
    data_dir = (
        default_data_dir()
        if data_dir is None
        else checked_path("data_dir", data_dir).expanduser()
    )
    names = (features,) if isinstance(features, str) else tuple(features)
    with _quiet():
        builder = _builder(name, data_dir)
        folder = Path(builder.data_path)
        if not folder.exists():
            _prepare(builder, name, data_dir, manual_dir)
        elif not (folder / "dataset_info.json").is_file():
            raise _damaged(
                name, folder, "it has no dataset_info.json, so its preparation was interrupted"
            )
        paths = [_path(builder.info.features, key, name) for key in names]
        try:
            tensors = _read(builder, name, split, paths, size, first, memory_limit)
        except (
            tf.errors.DataLossError,  # the file was truncated within a record
            tf.errors.FailedPreconditionError,  # the file was truncated between two records
            tf.errors.NotFoundError,
        ) as error:
            raise _damaged(name, folder, f"reading it failed with: {_line(error)}") from error
    example = tensors[0] if isinstance(features, str) else tensors
    origin = f"{builder.info.full_name}, split {split}, from {folder}"
    return Source(example, origin=origin, class_names=_class_names(builder, paths))


def default_data_dir() -> Path:
    """Returns the folder of prepared datasets: `$TFDS_DATA_DIR`, or `~/tensorflow_datasets`."""
    return Path(os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()


def _builder(name: str, data_dir: Path) -> Any:
    try:
        import tensorflow_datasets as tfds
    except Exception as error:  # protobuf raises an error that is not an ImportError.
        raise DataUnavailable(
            f"dataset {name!r} needs tensorflow-datasets, which cannot be imported: "
            f"{_line(error)}. Run pip install --upgrade protobuf, or install "
            '"tensorflow-metadata<1.18" with an older protobuf.'
        ) from error
    from google.protobuf import json_format

    if (own := name.partition("/")[0]) in _OWN:
        # Importing the module registers its builder.
        importlib.import_module(f"keras_gen.data.tfds_builders.{own}.{own}")
    try:
        return tfds.builder(name, data_dir=str(data_dir))
    except tfds.core.DatasetNotFoundError as error:
        end = nearest(name, tfds.list_builders())
        raise ValueError(f"there is no dataset named {name!r}{end}") from error
    except (json_format.ParseError, UnicodeDecodeError) as error:
        reason = f"a JSON file in it is broken: {_line(error)}"
        raise _damaged(name, data_dir / name, reason) from error


def _path(features: Any, key: str, name: str) -> tuple[str, ...]:
    if key in features:
        return (key,)
    outer, _, inner = key.partition("/")
    if outer in features and inner in getattr(features[outer], "keys", list)():
        return (outer, inner)
    raise ValueError(
        f"dataset {name!r} has no feature {key!r}: expected one of {', '.join(features)}."
    )


def _at(tree: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        tree = tree[name]
    return tree


def _class_names(builder: Any, paths: list[tuple[str, ...]]) -> list[str] | None:
    """Returns the class names of the only label among the features."""
    import tensorflow_datasets as tfds

    found = [_at(builder.info.features, path) for path in paths]
    labels = [feature for feature in found if isinstance(feature, tfds.features.ClassLabel)]
    return labels[0].names if len(labels) == 1 else None


def _read(
    builder: Any,
    name: str,
    split: str,
    paths: list[tuple[str, ...]],
    size: int | None,
    first: int | None,
    memory_limit: int,
) -> tuple:
    import tensorflow_datasets as tfds

    count = builder.info.splits[split].num_examples
    if not count:
        raise ValueError(f"split {split!r} of dataset {name!r} is empty: choose another split.")
    if first is not None:
        count = min(first, count)

    def fitted(example: dict, path: tuple[str, ...]) -> Any:
        feature, value = _at(builder.info.features, path), _at(example, path)
        if size and isinstance(feature, tfds.features.Image):
            return resize_cover(value, size)
        if size and isinstance(feature, tfds.features.Audio):
            return fit_length(value, size)
        return value

    def choose(example: dict) -> tuple:
        return tuple(fitted(example, path) for path in paths)

    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding({path[0] for path in paths}),
        read_config=tfds.ReadConfig(try_autocache=False),
    )
    dataset = dataset.take(count).map(
        tf.autograph.experimental.do_not_convert(choose), num_parallel_calls=tf.data.AUTOTUNE
    )
    total = 0
    for spec in tf.nest.flatten(dataset.element_spec):
        if not spec.shape.is_fully_defined():
            raise ValueError(
                f"examples of dataset {name!r} differ in shape, {spec.shape}: pass size=, in "
                "pixels or samples, to get images or sounds of equal shape."
            )
        total += count * spec.shape.num_elements() * spec.dtype.size
    if total > memory_limit:
        raise ValueError(
            f"split {split!r} of dataset {name!r} takes up {total / 2**30:.1f} GiB when decoded: "
            f"expected at most {memory_limit / 2**30:.1f} GiB. Pass a smaller size=, a part such "
            "as 'train[:10%]', or a larger memory_limit=."
        )
    with tf.device("CPU:0"):
        return next(iter(dataset.batch(count)))


def _prepare(
    builder: Any, name: str, data_dir: Path, manual_dir: str | os.PathLike | None
) -> None:
    import tensorflow_datasets as tfds

    missing = f"dataset {name!r} is not prepared in {data_dir}"
    advice = "or set TFDS_DATA_DIR to a folder with the prepared dataset"
    by_hand = " ".join((builder.MANUAL_DOWNLOAD_INSTRUCTIONS or "").split())
    folder = checked_path("manual_dir", manual_dir or data_dir / "downloads" / "manual")
    lacking = f"{missing}, and {folder} lacks its source files. {by_hand}"
    if by_hand and not folder.is_dir():
        # Without this check, tensorflow-datasets would create the folders before searching them.
        raise DataUnavailable(lacking)
    if not by_hand and (reason := unreachable(_urls(builder))):
        # If the host is unreachable, tensorflow-datasets would retry for minutes without a message.
        raise DataUnavailable(f"{missing}, and {reason}: connect to a network, {advice}.")
    config = tfds.download.DownloadConfig(
        try_download_gcs=False, manual_dir=str(manual_dir) if manual_dir else None
    )
    try:
        builder.download_and_prepare(download_config=config)
    except (AssertionError, FileNotFoundError) as error:
        if not by_hand:
            raise
        raise DataUnavailable(lacking) from error
    except Exception as error:  # Broken files raise errors of many types.
        if by_hand:
            raise DataDamaged(
                f"dataset {name!r} is built from files in {folder}, but reading them failed with: "
                f"{_line(error)}. Download the files again."
            ) from error
        failures = (
            OSError,
            tf.errors.OpError,
            tfds.download.DownloadError,
            tfds.core.download.download_manager.NonMatchingChecksumError,
        )
        if not isinstance(error, failures):
            raise
        raise DataUnavailable(
            f"{missing}, and downloading it failed with: {_line(error)}. Try again later, "
            f"{advice}."
        ) from error


def _urls(builder: Any) -> list[str]:
    """Returns the dataset's download URLs that tensorflow-datasets lists."""
    urls = list(builder.url_infos or ())
    config = builder.builder_config.name if builder.builder_config else None
    return [url for url in urls if config and config in url] or urls or [builder.info.homepage]


def unreachable(urls: Sequence[str]) -> str | None:
    """Describes a host in the URLs that does not respond within seconds; None if all respond."""
    parsed = [urllib.parse.urlsplit(url) for url in urls]
    for scheme, host in sorted(
        {(part.scheme, part.hostname) for part in parsed if part.hostname}
    ):
        address: tuple[str | None, int] = (host, 443 if scheme == "https" else 80)
        proxy = urllib.request.getproxies().get(scheme)
        if proxy and not urllib.request.proxy_bypass(host):
            peer = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
            address = (peer.hostname, peer.port or 80)
        failure = _connect(address)
        if failure:
            return f"its host {host} cannot be reached ({failure})"
    return None


def _connect(address: tuple) -> str | None:
    outcome: list[str | None] = []

    def attempt() -> None:
        try:
            socket.create_connection(address, timeout=_TIMEOUT).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(str(error))

    # The attempt runs in a thread, because resolving a host name has no time-out.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_TIMEOUT + 1)
    return outcome[0] if outcome else f"no response within {_TIMEOUT:.0f} s"


def _damaged(name: str, folder: Path, reason: str) -> DataDamaged:
    return DataDamaged(
        f"dataset {name!r} is prepared but damaged: {reason}. Delete {folder} and run again to "
        "prepare it again."
    )


def _line(error: BaseException) -> str:
    """Returns an error's message in one line, without a final period and TensorFlow's wrapping."""
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return " ".join(text.rpartition("}} ")[2].split())[:300].rstrip(".")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
