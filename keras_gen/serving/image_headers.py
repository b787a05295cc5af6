"""Sizes and orientations of image files, read from their headers in a graph."""

from typing import Any

import tensorflow as tf

from keras_gen.files.images import MOST_SCANS
from keras_gen.tensor_checks import require

PNG, JPEG, BMP = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"
HEAD = 54  # number of bytes read at the start of a file
_BASE = (1, 2**8, 2**16, 2**24)
# Limits on the segments and on the directory entries that are searched: EXIF data is among the
# first segments of a file, and its first directory is short.
_SEGMENTS = 2**10
_ENTRIES = 2**8
_ENTRY = 12  # length of a directory entry, in bytes
_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4
# The two bytes that begin a scan also occur by chance, about once in 2**16 bytes.
_BYTES_PER_CHANCE = 2**14


def sizes(name: str, contents: tf.Tensor, turns: tf.Tensor) -> tf.Tensor:
    """Returns heights and widths of upright images, int64 `[batch, 2]`.

    Other formats are rejected; the size of GIF images, for example, is known only after decoding.

    Args:
        name: Name of the input, for the error message.
        contents: PNG, JPEG, and BMP files, strings `[batch]`.
        turns: Orientations of the images; see `orientations`.
    """
    spec = tf.TensorSpec([2], tf.int64)
    stored = tf.map_fn(lambda content: _size(name, content), contents, fn_output_signature=spec)
    return tf.where(is_transposed(turns)[:, None], stored[:, ::-1], stored)


def orientations(contents: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF orientations of files, strings `[batch]`, as int64 `[batch]` from 1 to 8.

    The orientation is 1, upright, for a file without readable EXIF data.
    """
    exif = _exif(contents)
    starts = tf.zeros_like(exif, tf.int64)
    order = _bytes(exif, starts, 2)
    is_big_endian = begins(order, b"MM")

    def number(parts: tf.Tensor) -> tf.Tensor:
        is_reversed = tf.reshape(is_big_endian, [-1] + [1] * (len(parts.shape) - 1))
        return _number(tf.where(is_reversed, parts[..., ::-1], parts))

    # Read the position of a directory, its number of entries, and its entries (tag, type, count,
    # and value).
    directory = number(_bytes(exif, starts + 4, 4))
    complete = (_lengths(exif) - directory - 2) // _ENTRY
    count = tf.minimum(number(_bytes(exif, directory, 2)), complete)
    entries = _bytes(exif, directory + 2, _ENTRIES * _ENTRY)
    entries = tf.reshape(entries, [-1, _ENTRIES, _ENTRY])
    tags, kinds = number(entries[..., :2]), number(entries[..., 2:4])
    of_kind = {_SHORT: number(entries[..., 8:10]), _LONG: number(entries[..., 8:12])}
    values = tf.reduce_sum([_where(kinds == kind, of_kind[kind], 0) for kind in of_kind], 0)
    is_read = tf.range(_ENTRIES, dtype=tf.int64) < count[:, None]
    is_read &= (is_big_endian | begins(order, b"II"))[:, None]
    is_there = is_read & (tags == _ORIENTATION)
    orientation = tf.reduce_max(_where(is_there, values, 0), axis=1)
    return _where((orientation >= 1) & (orientation <= 8), orientation, 1)


def is_transposed(turns: tf.Tensor) -> tf.Tensor:
    """Returns whether rotating images of these orientations swaps height and width."""
    return turns > 4


def head_of(content: tf.Tensor) -> tf.Tensor:
    """Returns the first bytes of a file, int64 `[HEAD]`, with zeros after the end of the file."""
    return _bytes(content[None], tf.zeros([1], tf.int64), HEAD)[0]


def begins(head: tf.Tensor, kind: bytes) -> tf.Tensor:
    """Returns whether the bytes `[..., HEAD]` are the beginning of a file in a given format."""
    return tf.reduce_all(head[..., : len(kind)] == list(kind), axis=-1)


def has_transparent_color(content: tf.Tensor) -> tf.Tensor:
    """Returns whether a chunk before the pixels of a PNG file names a transparent color."""
    contents = content[None]
    end = _lengths(contents)

    def chunk(place: tf.Tensor, found: tf.Tensor) -> list[tf.Tensor]:
        head = _bytes(contents, place, 8)
        found = begins(head[:, 4:], b"tRNS")
        following = tf.minimum(place + _number(head[:, 3::-1]) + 12, end)
        return [_where(found | begins(head[:, 4:], b"IDAT"), end, following), found]

    place, found = tf.while_loop(
        lambda place, _: tf.reduce_all(place < end),
        chunk,
        [tf.fill([1], tf.constant(8, tf.int64)), tf.fill([1], False)],
        maximum_iterations=_SEGMENTS,
    )
    return (found | (place < end))[0]  # a color may follow the chunks that were searched


def bmp_palette(content: tf.Tensor, head: tf.Tensor) -> tf.Tensor:
    """Returns the 256 colors of an 8-bit BMP file, uint8 `[256, 3]`."""
    start = 14 + _number(head[14:18])
    colors = _bytes(content[None], start[None], 256 * 4)
    return tf.cast(tf.reshape(colors, [256, 4])[:, 2::-1], tf.uint8)


def _size(name: str, content: tf.Tensor) -> tf.Tensor:
    head = head_of(content)

    def of_png() -> tf.Tensor:
        width, height = _number(head[16:20][::-1]), _number(head[20:24][::-1])
        return tf.stack([height, width])

    def of_jpeg() -> tf.Tensor:
        stored = tf.io.decode_raw(content, tf.uint8)
        scans = tf.math.count_nonzero((stored[:-1] == 0xFF) & (stored[1:] == 0xDA))
        sentence = (
            f"{name} contains a JPEG file with {{}} scans: expected at most {MOST_SCANS}. "
            "Save it again."
        )
        most = MOST_SCANS + tf.size(stored, tf.int64) // _BYTES_PER_CHANCE
        with tf.control_dependencies([require(scans <= most, sentence, scans)]):
            return tf.io.extract_jpeg_shape(content, tf.int64)[:2]

    def of_bmp() -> tf.Tensor:
        width, height = _number(head[18:22]), _number(head[22:26])
        bits = _number(head[28:30])
        # Only this type is read: shorter headers have other fields, and compressed pixels would be
        # misread.
        is_plain = (_number(head[14:18]) >= 40) & (_number(head[30:34]) == 0)
        known = is_plain & tf.reduce_any(bits == [8, 24, 32])
        sentence = (
            f"{name} contains a BMP file of an unsupported type ({{}} bits per pixel): expected "
            "8, 24, or 32 bits without compression. Send it as PNG."
        )
        with tf.control_dependencies([require(known, sentence, bits)]):
            # The stored height is negative if the first row is at the top.
            return tf.stack([tf.minimum(height, 2**32 - height), width])

    kinds = {PNG: of_png, JPEG: of_jpeg}
    sentence = f"{name} contains a file of an unsupported type: expected PNG, JPEG, or BMP."
    known = tf.reduce_any([begins(head, kind) for kind in (PNG, JPEG, BMP)])
    with tf.control_dependencies([require(known, sentence)]):
        head = tf.identity(head)
        return tf.case([(begins(head, kind), size) for kind, size in kinds.items()], of_bmp)


def _exif(contents: tf.Tensor) -> tf.Tensor:
    """Returns the EXIF data of JPEG and PNG files, strings `[batch]`; empty if there is none."""
    lengths = _lengths(contents)
    head = _bytes(contents, tf.zeros_like(lengths), HEAD)
    is_png, is_jpeg = begins(head, PNG), begins(head, JPEG)

    def segment(places: tf.Tensor, starts: tf.Tensor, sizes: tf.Tensor) -> list[tf.Tensor]:
        head = _bytes(contents, places, 10)
        marker = head[:, 1]
        size = _where(is_png, _number(head[:, :4][:, ::-1]), _number(head[:, 2:4][:, ::-1]))
        is_chunk = is_png & begins(head[:, 4:], b"eXIf")
        is_segment = ~is_png & (marker == 0xE1) & begins(head[:, 4:], b"Exif\0\0")
        is_exif = (is_chunk | is_segment) & (places < lengths)
        starts = _where(is_exif, places + _where(is_png, 8, 10), starts)
        sizes = _where(is_exif, tf.maximum(size - _where(is_png, 0, 8), 0), sizes)
        is_filler = (head[:, 0] == 0xFF) & (marker == 0xFF)
        following = _where(is_filler, 1, tf.maximum(size, 2) + 2)
        # The search ends at the pixels, or at data that is not a marker.
        is_last = (head[:, 0] != 0xFF) | tf.reduce_any(marker[:, None] == [0xD9, 0xDA], axis=1)
        is_done = is_exif | (is_last & ~is_png)
        places += _where(is_png, size + 12, following)
        return [_where(is_done, lengths, tf.minimum(places, lengths)), starts, sizes]

    first = _where(is_png, 8, _where(is_jpeg, 2, lengths))
    _, starts, sizes = tf.while_loop(
        lambda places, *_: tf.reduce_any(places < lengths),
        segment,
        [first, lengths, tf.zeros_like(lengths)],
        maximum_iterations=_SEGMENTS,
    )
    return tf.strings.substr(contents, starts, sizes)


def _lengths(contents: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(contents), tf.int64)


def _bytes(contents: tf.Tensor, places: tf.Tensor, count: int) -> tf.Tensor:
    """Returns bytes at given positions in files, int64 `[batch, count]`; zeros after the end."""
    places = tf.minimum(places, _lengths(contents))
    parts = tf.strings.substr(
        contents, places, tf.fill(tf.shape(places), tf.cast(count, tf.int64))
    )
    return tf.cast(tf.io.decode_raw(parts, tf.uint8, fixed_length=count), tf.int64)


def _number(little_endian: tf.Tensor) -> tf.Tensor:
    """Converts bytes `[..., bytes]` to unsigned numbers."""
    base = tf.constant(_BASE[: little_endian.shape[-1]], tf.int64)
    return tf.reduce_sum(little_endian * base, axis=-1)


def _where(condition: tf.Tensor, value: Any, other: Any) -> tf.Tensor:
    return tf.where(condition, tf.cast(value, tf.int64), tf.cast(other, tf.int64))
