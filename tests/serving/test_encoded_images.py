"""Signatures of image files' contents equal those of the images."""

import io
import itertools
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen.files.images import decode_image
from keras_gen.serving import encoded_images, image_headers
from keras_gen.serving.export import export, load
from keras_gen.serving.exported import SUFFIX, read_metadata
from keras_gen.serving.warmup import WARMUP
from keras_gen.workshop.cli import models
from processes import ROOT
from toy_exports import IMAGES, Toy

EXPORTS = [
    path
    for path in sorted((ROOT / "saved_models").glob("*/*/"))
    if "_bytes" in str(read_metadata(path)["signatures"])
]

GIVEN = np.full([1, 7, 5, 3], 9, np.uint8)


def shift(images, by):
    return {"images": images + tf.cast(by, tf.uint8)}


def measure(images):
    copies = tf.stack([images, images], axis=1)
    return {"means": tf.reduce_mean(tf.cast(images, tf.float32), [1, 2, 3]), "copies": copies}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Images to images, sizes and lists of images; of any size, and of one size in gray."""
    gray, frames = (tf.TensorSpec([None, 6, 9, n], tf.uint8, "images") for n in (1, 2))
    by = tf.TensorSpec([], tf.int32, "by")
    shifter = Toy(
        shift=(shift, [IMAGES, by]),
        measure=(measure, [gray]),
        both=(lambda a: shift(a, 1), [IMAGES]),
        both_bytes=(lambda texts: texts, [tf.TensorSpec([None], tf.string, "texts")]),
        two=(lambda images, by: shift(images, by), [IMAGES, by]),
        flow=(measure, [frames]),
    )
    shifter.signature_defaults = lambda: {"shift": {"by": 5}}
    folder = tmp_path_factory.mktemp("exports")
    given = {"shift": {"images": GIVEN, "by": 1}}
    return load(export(shifter, folder, "shifter", "measure", warmup=given))


def image_in(content):
    return np.asarray(Image.open(io.BytesIO(content)))


def stored(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def file(image, kind="PNG"):
    return stored(Image.fromarray(image.squeeze()), kind)


def exif(orientation, order="<", type="H", before=0, directory=8):
    """EXIF data: a directory of some entries, the last of which is the orientation."""
    kind = {"B": 1, "H": 3, "I": 4}[type]
    other = struct.pack(order + "HHII", 0x010F, 4, 1, 6)
    value = struct.pack(order + type, orientation).ljust(4, b"\0")
    return b"".join(
        [
            {"<": b"II", ">": b"MM"}[order],
            struct.pack(order + "HI", 42, directory),
            struct.pack(order + "H", before + 1),
            other * before,
            struct.pack(order + "HHI", 0x0112, kind, 1),
            value,
            bytes(4),
        ]
    )


def png_of_16_bits(pixels):
    """A PNG file of RGB, and opacity if there are 4 channels, which Pillow cannot write."""

    def chunk(kind, data):
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    height, width, channels = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    pixels = zlib.compress(rows)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


PNG, EXIF, KINDS = b"\x89PNG\r\n\x1a\n", b"Exif\0\0", ("JPEG", "PNG")
RNG = np.random.default_rng(0)
LEVELS = RNG.integers(0, 256, (6, 9, 4), "uint8")
RGB, GRAY = Image.fromarray(LEVELS[..., :3]), Image.fromarray(LEVELS[..., 0])
SMOOTH = Image.fromarray(np.linspace(0, 250, 6 * 9 * 3).astype("uint8").reshape(6, 9, 3))
FILES = {
    "RGB": stored(RGB),
    "RGB and opacity": stored(Image.fromarray(LEVELS)),
    "RGB and opacity of 16 bits": png_of_16_bits(RNG.integers(0, 2**16, (6, 9, 4))),
    "gray": stored(GRAY),
    "gray and opacity": stored(Image.fromarray(LEVELS[..., 2:])),
    "gray of 16 bits": stored(Image.fromarray(RNG.integers(0, 2**16, (6, 9), "uint16"))),
    "black and white": stored(GRAY.convert("1")),
    "a transparent color": stored(RGB, transparency=tuple(map(int, LEVELS[0, 0, :3]))),
    "a transparent gray": stored(GRAY, transparency=int(LEVELS[0, 0, 0])),
    "transparent black": stored(GRAY.convert("1"), transparency=0),
    "JPEG": stored(SMOOTH, "JPEG"),
    "progressive JPEG": stored(RGB, "JPEG", progressive=True),
    "gray JPEG": stored(GRAY, "JPEG"),
    "CMYK JPEG": stored(RGB.convert("CMYK"), "JPEG"),
} | {f"BMP {mode}": stored(RGB.convert(mode), "BMP") for mode in ("RGB", "RGBA", "L", "P")}
for depth in (1, 2, 4, 8):
    palette = RGB.quantize(2**depth)
    FILES |= {
        f"palette of {depth} bits": stored(palette),
        f"palette of {depth} bits, a color transparent": stored(palette, transparency=1),
        f"palette of {depth} bits and opacity": stored(palette, transparency=bytes([0, 100])),
    }


def test_stand_beside_signatures_of_images_alone(exported):
    assert set(exported.inputs) == {
        "shift", "measure", "both", "two", "flow", "serving_default",
        "shift_bytes", "measure_bytes", "both_bytes",
    }  # fmt: skip
    assert {*exported.inputs["shift_bytes"], *exported.outputs["shift_bytes"]} == {
        "images_bytes",
        "output_images_bytes",
    }
    assert set(exported.outputs["measure_bytes"]) == {"means", "copies"}
    assert set(exported.inputs["both_bytes"]) == {"texts"}
    described = exported.metadata["signatures"]["shift_bytes"]
    assert described["inputs"] == {"images_bytes": {"dtype": "string", "shape": [None]}}
    assert described["outputs"] == {"output_images_bytes": {"dtype": "string", "shape": [None]}}


def test_images_come_and_go_as_files(exported, rng):
    photos = rng.integers(0, 200, (3, 5, 4, 3), "uint8")
    served = exported("shift_bytes", images_bytes=[file(photo) for photo in photos])
    for photo, content in zip(photos, served["output_images_bytes"], strict=True):
        np.testing.assert_array_equal(image_in(content), photo + 5)
    # As TensorFlow has them, and of one image of another size.
    (content,) = exported("shift_bytes", images_bytes=np.array([file(photos[0, :2])], object))[
        "output_images_bytes"
    ]
    np.testing.assert_array_equal(image_in(content), photos[0, :2] + 5)


def test_files_are_read_as_by_python(exported):
    contents = list(FILES.values())
    served = exported("shift_bytes", images_bytes=contents)["output_images_bytes"]
    gray = exported("measure_bytes", images_bytes=contents)["copies"][:, 0]
    for name, content, shifted, shades in zip(FILES, contents, served, gray, strict=True):
        expected = decode_image(content)
        bound = dict(atol=1, err_msg=name)
        np.testing.assert_allclose(image_in(shifted), expected + np.uint8(5), **bound)
        np.testing.assert_allclose(shades, models.fitted(expected, (None, 6, 9, 1)), **bound)


@pytest.mark.parametrize("kind", KINDS)
def test_photographs_are_turned_upright_as_by_python(exported, kind):
    for orientations in ((0, 1, 2, 3, 4, 9), (5, 6, 7, 8)):
        contents = [
            stored(SMOOTH, kind, exif=EXIF + exif(orientation, order, type, before))
            for orientation in orientations
            for order, type, before in itertools.product("<>", "HI", (0, 5))
        ]
        expected = np.stack([decode_image(content) for content in contents])
        assert expected.shape[1:3] == ((9, 6) if 5 in orientations else (6, 9))
        served = exported("shift_bytes", images_bytes=contents)["output_images_bytes"]
        shifted = np.stack([image_in(content) for content in served])
        np.testing.assert_allclose(shifted, expected + np.uint8(5), atol=1)


def test_the_size_of_a_photograph_is_that_of_the_upright_one(exported):
    lying = [stored(SMOOTH.rotate(90, expand=True), "JPEG", exif=EXIF + exif(6)), FILES["RGB"]]
    assert exported("measure_bytes", images_bytes=lying)["means"].shape == (2,)
    with pytest.raises(ValueError, match="an image of height 9 and width 6: expected 6 and 9"):
        exported("measure_bytes", images_bytes=[stored(SMOOTH, "JPEG", exif=EXIF + exif(6))])


def test_exif_data_that_cannot_be_read_turn_nothing():
    whole = exif(6, before=2)
    broken = [whole[:count] for count in range(len(whole) - 4)]
    broken += [exif(6, directory=place) for place in (0, 2**31, 2**32 - 1)]
    broken += [exif(6, type="B"), b"XX" + whole[2:], b"", exif(0), exif(9), exif(2**16 - 1)]
    contents = [stored(SMOOTH, kind, exif=EXIF + data) for data in broken for kind in KINDS]
    # Segments that never end, or claim to be larger than the file.
    contents += [
        b"\xff\xd8" + b"\xff" * 5000,
        b"\xff\xd8" + b"\xff\xe2\0\0" * 5000,
        b"\xff\xd8\xff\xe1\xff\xffExif\0\0" + whole[:20],
        PNG + b"\xff\xff\xff\xffeXIf" + whole[:20],
        PNG + b"\xff\xff\xff\xffabcd" + whole,
        PNG + b"\0\0\0\0abcdcrcs" * 5000,
        PNG, b"\xff\xd8\xff", b"\xff\xd8", b"BM", b"",
    ]  # fmt: skip
    contents += [stored(SMOOTH, "JPEG", exif=EXIF + whole)[:count] for count in range(0, 60, 3)]
    orientations = tf.function(image_headers.orientations)
    np.testing.assert_array_equal(orientations(tf.constant(contents)), 1)
    # An offset that leads in a circle, and a directory that claims to be longer than it is.
    longer = whole.replace(b"\3\0", b"\xff\xff", 1)[:-4] + b"\x08\0\0\0"
    content = stored(SMOOTH, "JPEG", exif=EXIF + longer)
    np.testing.assert_array_equal(orientations(tf.constant([content])), 6)


def test_files_of_16_bits_that_use_fewer_are_refused(exported):
    for content in (
        stored(Image.fromarray(np.full((6, 9), 4095, "uint16"))),
        png_of_16_bits(np.full((6, 9, 4), (1, 2, 4095, 65535))),
    ):
        with pytest.raises(ValueError, match=r"is 4,?095 instead of 65,?535"):
            decode_image(content)
        with pytest.raises(ValueError, match="images_bytes contains a 16-bit image whose maximum"):
            exported("shift_bytes", images_bytes=[content])


def with_chunk(content, name, data, times=1):
    part = name + data
    part = struct.pack(">I", len(data)) + part + struct.pack(">I", zlib.crc32(part))
    return content[:33] + times * part + content[33:]


def test_a_transparent_color_of_16_bits_is_refused(exported):
    """As in Python, where only the upper 8 bits of a pixel are known."""
    opaque = png_of_16_bits(RNG.integers(2**15, 2**16, (6, 9, 3)))
    content = with_chunk(opaque, b"tRNS", opaque[-30:-24])
    for use in (decode_image, lambda file: exported("shift_bytes", images_bytes=[file])):
        use(opaque)
        with pytest.raises(ValueError, match=r"a 16-bit image with a transparent color.*8 bits"):
            use(content)


@pytest.mark.parametrize("comment", [b"tRNS", b"IDAT"])
def test_a_comment_is_not_a_chunk(exported, comment):
    opaque = png_of_16_bits(RNG.integers(2**15, 2**16, (6, 9, 3)))
    transparent = with_chunk(opaque, b"tRNS", opaque[-30:-24])
    exported("shift_bytes", images_bytes=[with_chunk(opaque, b"tEXt", b"Comment\0" + comment)])
    with pytest.raises(ValueError, match="a 16-bit image with a transparent color"):
        file = with_chunk(transparent, b"tEXt", b"Comment\0" + comment)
        exported("shift_bytes", images_bytes=[file])


def test_a_transparent_color_after_many_chunks_is_refused(exported):
    opaque = png_of_16_bits(RNG.integers(2**15, 2**16, (6, 9, 3)))
    transparent = with_chunk(opaque, b"tRNS", opaque[-30:-24])
    with pytest.raises(ValueError, match="a 16-bit image with a transparent color"):
        file = with_chunk(transparent, b"tEXt", b"Comment\0", times=1025)
        exported("shift_bytes", images_bytes=[file])


def test_files_are_not_longer_than_a_request_may_be(exported):
    long = FILES["RGB"] + bytes(encoded_images.MOST_BYTES)
    with pytest.raises(
        ValueError, match=r"images_bytes has \d+ bytes in total: expected at most 6"
    ):
        exported("shift_bytes", images_bytes=[long])


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP", b"sPLT"])
def test_texts_that_would_fill_the_memory_are_refused_and_few_are_not(exported, kind):
    def with_parts(count):
        return with_chunk(FILES["RGB"], kind, b"key\0\0" + zlib.compress(bytes(100)), count)

    expected = exported("shift_bytes", images_bytes=[FILES["RGB"]])
    found = exported("shift_bytes", images_bytes=[with_parts(encoded_images.MOST_TEXTS)])
    np.testing.assert_array_equal(found, expected)
    for files, found in (
        ([with_parts(9)], "9 .* 9 in total"),
        (33 * [with_parts(8)], "8 .* 264 in total"),
    ):
        with pytest.raises(ValueError, match=rf"has {found}: .* at most 8 and 256, resp"):
            exported("shift_bytes", images_bytes=files)


def with_scans(image, copies):
    """A JPEG file of an image in gray, whose last scan is repeated."""
    content = stored(image.convert("L"), "JPEG", progressive=True)
    last = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + last * copies + content[-2:]


def test_jpeg_files_of_many_scans_are_refused(exported):
    content = with_scans(SMOOTH, 0)
    exported("shift_bytes", images_bytes=[with_scans(SMOOTH, 90)])
    # What follows the image holds the same two bytes by chance, once in 2**16 bytes.
    exported("shift_bytes", images_bytes=[content + (b"\xff\xda" + bytes(2**16 - 2)) * 150])
    sentence = (
        "images_bytes contains a JPEG file with 106 scans: expected at most 100. Save it again."
    )
    with pytest.raises(ValueError, match=sentence):
        exported("shift_bytes", images_bytes=[with_scans(SMOOTH, 100)])


@pytest.mark.parametrize("bits", [1, 4, 16])
def test_bmp_files_of_other_types_are_refused(exported, bits):
    content = bytearray(stored(SMOOTH, "BMP"))
    content[28] = bits
    with pytest.raises(
        ValueError, match=rf"an unsupported type \({bits} bits per pixel\): expected 8"
    ):
        exported("shift_bytes", images_bytes=[bytes(content)])
    content[28], content[30] = 8, 1  # compressed
    with pytest.raises(ValueError, match=r"an unsupported type \(8 bits per pixel\)"):
        exported("shift_bytes", images_bytes=[bytes(content)])


@pytest.mark.parametrize(
    "signature, sizes, message",
    [
        ("measure", [(6, 9), (9, 6)], r"height 9 and width 6: expected 6 and 9\. Resize it\.$"),
        (
            "shift",
            [(6, 9), (6, 8)],
            r"height 6 and width 8: .* 6 and 9 for all images in a request\.$",
        ),
    ],
)
def test_sizes_that_are_refused(exported, signature, sizes, message):
    contents = [file(np.zeros([*size, 3], np.uint8)) for size in sizes]
    with pytest.raises(ValueError, match="failed: images_bytes contains an image of " + message):
        exported(f"{signature}_bytes", images_bytes=contents)


def test_what_is_no_image(exported):
    for content in (b"hello", file(np.zeros([6, 9], np.uint8))[:40], b""):
        with pytest.raises(ValueError, match=r"^signature 'measure_bytes' of \S+ failed: .*[a-z]"):
            exported("measure_bytes", images_bytes=[content])
    for content in (b"hello", b"", file(np.zeros([6, 9], np.uint8), "GIF")):
        with pytest.raises(ValueError, match="contains a file of an unsupported type: expected"):
            exported("measure_bytes", images_bytes=[content])


def test_requests_that_warm_up_are_images_of_the_size(exported):
    requests = (exported.path / WARMUP).read_bytes()
    assert tf.io.encode_png(np.zeros([6, 9, 1], np.uint8)).numpy() in requests
    assert tf.io.encode_png(GIVEN[0]).numpy() in requests


@pytest.mark.slow
@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.parent.name)
def test_published_exports_turn_photographs_and_limit_scans(path):
    model = load(path)
    for signature in (name for name in model.inputs if name.endswith(SUFFIX)):
        _, *size, _ = model.inputs[signature.removesuffix(SUFFIX)]["images"].shape
        height, width = (side or 32 for side in size)
        upright = SMOOTH.resize((width, height))
        lying = stored(upright.transpose(Image.Transpose.ROTATE_90), exif=EXIF + exif(6))
        expected, turned = (
            model(signature, images_bytes=[content]) for content in (stored(upright), lying)
        )
        for name, values in expected.items():
            np.testing.assert_array_equal(turned[name], values)
        with pytest.raises(ValueError, match="a JPEG file with 106 scans: expected at most 100"):
            model(signature, images_bytes=[with_scans(upright, 100)])
