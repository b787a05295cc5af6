"""Data sets of tensorflow-datasets, loaded into memory, with short and clear failures."""

from __future__ import annotations

import contextlib
import difflib
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

from keras_gen.data.source import Source
from keras_gen.data.transforms.images import resize_cover
from keras_gen.data.transforms.waveforms import fit_length

MEMORY_LIMIT = 4 * 2**30
"""Default limit of the bytes of decoded examples that a loader holds."""

_OWN = ("reuters", "usps")  # builders that come with this library
_TIMEOUT = 3.0  # seconds to wait for a host to answer


class DataUnavailable(OSError):
    """A data set is neither prepared on this machine nor to be had now."""


class DataDamaged(OSError):
    """A prepared data set is incomplete or cannot be read; preparing it again helps."""


def load_tfds(
    name: str,
    split: str,
    *,
    size: int | None = None,
    features: str | Sequence[str] = "image",
    data_dir: str | os.PathLike | None = None,
    manual_dir: str | os.PathLike | None = None,
    download: bool = True,
    memory_limit: int = MEMORY_LIMIT,
) -> Source:
    """Loads a split into memory; prepares the data set first if it is missing.

    Args:
        name: Name in tensorflow-datasets with its configuration, such as
            `"cycle_gan/monet2photo"`, or `"reuters"` or `"usps"`, which come with this library.
        split: Split or part of one, such as `"train"` or `"train[:10%]"`.
        size: Side of the images, or samples of the sounds; None keeps theirs. See `resize_cover`
            and `fit_length`.
        features: The feature of an example, or several: `("image", "label")` gives tuples. Those
            within others are paths, `"attributes/Male"`.
        data_dir: Folder of prepared data sets. Default: the environment variable
            `TFDS_DATA_DIR`, or `~/tensorflow_datasets`.
        manual_dir: Folder with files fetched by hand, for sets that need them. Default:
            `downloads/manual` in `data_dir`.
        download: Whether a missing data set may be downloaded.
        memory_limit: Largest number of bytes that the decoded examples may take.

    Returns:
        Source of uint8 images `[size, size, channels]` (or of tuples), in the order of the files.

    Raises:
        DataUnavailable: If it is not prepared, and its host does not answer within seconds, or
            `download=False`, or the download failed. The message says what to do.
        DataDamaged: If the data set is prepared incompletely, or broken. The message says what to
            delete.
        ValueError: If the data set, split or feature is unknown, or for examples of different
            shapes without `size`; more examples than `memory_limit` holds.

    Example:
        >>> paintings = load_tfds("cycle_gan/monet2photo", "trainA", size=143)
    """
    import tensorflow_datasets as tfds

    data_dir = Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets")
    data_dir = data_dir.expanduser()
    with _quiet():
        builder = _builder(tfds, name, data_dir)
        folder = Path(builder.data_path)
        if not folder.exists():
            _prepare(tfds, builder, name, data_dir, manual_dir, download)
        elif not (folder / "dataset_info.json").is_file():
            raise _damaged(name, folder, "it has no dataset_info.json, so preparing it broke off")
        names = (features,) if isinstance(features, str) else tuple(features)
        unknown = [key for key in names if _within(builder.info.features, key) is None]
        if unknown:
            raise ValueError(
                f"data set {name!r} has no feature {unknown[0]!r}; it has "
                f"{', '.join(builder.info.features)}."
            )
        try:
            tensors = _read(tfds, builder, name, split, names, size, memory_limit)
        except (tf.errors.DataLossError, tf.errors.NotFoundError) as error:
            raise _damaged(name, folder, f"reading it fails with: {_line(error)}") from error
    example = tensors[0] if isinstance(features, str) else tensors
    return Source(example, origin=f"{builder.info.full_name}, split {split}, from {folder}")


def _builder(tfds: Any, name: str, data_dir: Path) -> Any:
    from google.protobuf import json_format

    if (own := name.partition("/")[0]) in _OWN:
        importlib.import_module(f"keras_gen.data.builders.{own}.{own}")  # registers itself
    try:
        return tfds.builder(name, data_dir=str(data_dir))
    except tfds.core.DatasetNotFoundError as error:
        near = difflib.get_close_matches(name, tfds.list_builders(), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "."
        raise ValueError(f"there is no data set named {name!r}{hint}") from error
    except (json_format.ParseError, UnicodeDecodeError) as error:
        folder = data_dir / name
        raise _damaged(name, folder, f"a JSON file in it is broken: {_line(error)}") from error


def _read(
    tfds: Any,
    builder: Any,
    name: str,
    split: str,
    names: tuple[str, ...],
    size: int | None,
    memory_limit: int,
) -> tuple:
    count = builder.info.splits[split].num_examples
    if not count:
        raise ValueError(f"split {split!r} of data set {name!r} is empty.")
    dataset = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            {_outermost(key, builder.info.features) for key in names}
        ),
        read_config=tfds.ReadConfig(try_autocache=False),
    )

    def fitted(key: str, value: Any) -> Any:
        feature = _within(builder.info.features, key)
        if size and isinstance(feature, tfds.features.Image):
            return resize_cover(value, size)
        if size and isinstance(feature, tfds.features.Audio):
            return fit_length(value, size)
        return value

    def choose(example: dict) -> tuple:
        return tuple(fitted(key, _within(example, key)) for key in names)

    dataset = dataset.map(
        tf.autograph.experimental.do_not_convert(choose), num_parallel_calls=tf.data.AUTOTUNE
    )
    specs = tf.nest.flatten(dataset.element_spec)
    for spec in specs:
        if not spec.shape.is_fully_defined():
            raise ValueError(
                f"examples of data set {name!r} differ in shape, {spec.shape}; images and sounds "
                "of one shape come with size=, in pixels or samples."
            )
    total = count * sum(spec.shape.num_elements() * spec.dtype.size for spec in specs)
    if total > memory_limit:
        raise ValueError(
            f"split {split!r} of data set {name!r} takes {total / 2**30:.1f} GiB decoded, more "
            f"than the limit of {memory_limit / 2**30:.1f} GiB; give a smaller size=, a part such "
            "as 'train[:10%]', or a larger memory_limit=."
        )
    with tf.device("CPU:0"):
        return next(iter(dataset.batch(count)))


def _within(features: Any, key: str) -> Any:
    """The feature of that name or, since names may have slashes too, else of that path."""
    if not hasattr(features, "keys"):  # it has no features within
        return None
    if key in features:
        return features[key]
    outer, _, inner = key.partition("/")
    return _within(features[outer], inner) if inner and outer in features else None


def _outermost(key: str, features: Any) -> str:
    """The feature of an example that has what `_within` finds."""
    return key if key in features else key.partition("/")[0]


def _prepare(
    tfds: Any,
    builder: Any,
    name: str,
    data_dir: Path,
    manual_dir: str | os.PathLike | None,
    download: bool,
) -> None:
    missing = f"data set {name!r} is not prepared in {data_dir}"
    advice = "or set TFDS_DATA_DIR to a folder that holds it prepared"
    if not download:
        raise DataUnavailable(f"{missing}; allow it to be downloaded with download=True, {advice}.")
    by_hand = builder.MANUAL_DOWNLOAD_INSTRUCTIONS
    folder = Path(manual_dir or data_dir / "downloads" / "manual")
    lacking = f"{missing}, and {folder} lacks the files it is made from. "
    if by_hand and not folder.is_dir():
        # tensorflow-datasets would make folders before it looks.
        raise DataUnavailable(lacking + " ".join(by_hand.split()))
    if not by_hand:
        # tensorflow-datasets would try for minutes, without a word.
        reason = unreachable(_urls(builder))
        if reason:
            raise DataUnavailable(f"{missing}, and {reason}; connect to a network, {advice}.")
    config = tfds.download.DownloadConfig(
        try_download_gcs=False, manual_dir=str(manual_dir) if manual_dir else None
    )
    try:
        builder.download_and_prepare(download_config=config)
    except (AssertionError, FileNotFoundError) as error:
        if not by_hand:
            raise
        raise DataUnavailable(lacking + " ".join(by_hand.split())) from error
    except (
        OSError,
        tf.errors.OpError,
        tfds.download.DownloadError,
        tfds.core.download.download_manager.NonMatchingChecksumError,
    ) as error:
        raise DataUnavailable(
            f"{missing}, and downloading it failed with: {_line(error)}; try again later, {advice}."
        ) from error


def _urls(builder: Any) -> list[str]:
    """Addresses the data set is downloaded from, as far as tensorflow-datasets lists them."""
    urls = list(builder.url_infos or ())
    config = builder.builder_config.name if builder.builder_config else None
    return [url for url in urls if config and config in url] or urls or [builder.info.homepage]


def unreachable(urls: Sequence[str]) -> str | None:
    """Says which host of some addresses does not answer within seconds, or None if all do."""
    parsed = [urllib.parse.urlsplit(url) for url in urls]
    for scheme, host in sorted({(part.scheme, part.hostname) for part in parsed if part.hostname}):
        proxy = urllib.request.getproxies().get(scheme)
        if proxy and not urllib.request.proxy_bypass(host):
            peer = urllib.parse.urlsplit(proxy if "//" in proxy else f"//{proxy}")
            address = (peer.hostname, peer.port or 80)
        else:
            address = (host, 443 if scheme == "https" else 80)
        failure = _connect(address)
        if failure:
            return f"its host {host} cannot be reached ({failure})"
    return None


def _connect(address: tuple) -> str | None:
    """Why no connection comes about in time, or None if it does."""
    outcome: list[str | None] = []

    def attempt() -> None:
        try:
            socket.create_connection(address, timeout=_TIMEOUT).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(str(error))

    # In a thread, because resolving a name knows no time-out.
    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_TIMEOUT + 1)
    return outcome[0] if outcome else f"no answer within {_TIMEOUT:.0f} s"


def _damaged(name: str, folder: Path, reason: str) -> DataDamaged:
    return DataDamaged(
        f"data set {name!r} is there, but damaged: {reason}; delete {folder} and run again to "
        "prepare it anew."
    )


def _line(error: BaseException) -> str:
    """The message of an error in one line without TensorFlow's wrapping."""
    text = getattr(error, "message", None) or str(error) or type(error).__name__
    return " ".join(text.rpartition("}} ")[2].split())[:300]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps tensorflow-datasets' log to errors."""
    from absl import logging

    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
