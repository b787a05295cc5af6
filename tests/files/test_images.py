"""Reading, writing and laying out images."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gen.files.images import (
    MOST_SCANS,
    SUFFIXES,
    as_shown,
    decode_image,
    decoded,
    enlarged_grid,
    flat_pixels,
    grid,
    ink_and_center,
    luma,
    read_image,
    write_image,
    write_png,
)

RGB = np.random.default_rng(0).integers(0, 256, [5, 7, 3], np.uint8)
FORMATS = {".jpg": "JPEG", ".jfif": "JPEG", ".tif": "TIFF"}
WRONG_CHANNELS = {
    "1": 1,
    "3.0": 3.0,
    "True": True,
    "'3'": "3",
    "None": None,
    r"ndarray of shape \(2,\) and dtype int64": np.array([3, 4]),
}


def png(path, image, dtype=np.uint8):
    path.write_bytes(tf.io.encode_png(image.astype(dtype)).numpy())
    return path


def test_png_round_trip(tmp_path):
    write_png(tmp_path / "new" / "folder" / "a.png", RGB)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "folder" / "a.png"), RGB)
    assert [file.name for file in (tmp_path / "new" / "folder").iterdir()] == ["a.png"]


def test_a_png_file_says_what_it_is_told(tmp_path):
    write_png(tmp_path / "a.png", RGB, {"run": "d8a1", "of": "a cat"})
    with Image.open(tmp_path / "a.png") as image:
        assert image.text == {"run": "d8a1", "of": "a cat"}


@pytest.mark.parametrize("ending", [*SUFFIXES, ".JPG"])
def test_the_ending_is_the_format(tmp_path, ending):
    smooth = np.linspace(0, 255, 16 * 16).reshape(16, 16, 1).astype(np.uint8)
    write_image(tmp_path / f"a{ending}", smooth)
    with Image.open(tmp_path / f"a{ending}") as image:
        assert image.format == FORMATS.get(ending.lower(), ending.strip(".").upper())
    assert np.abs(read_image(tmp_path / f"a{ending}").astype(int) - smooth).mean() < 2


@pytest.mark.parametrize("gray", [RGB[..., 0], RGB[..., :1]], ids=["H W", "H W 1"])
def test_gray_becomes_rgb(tmp_path, gray):
    write_png(tmp_path / "a.png", gray)
    np.testing.assert_array_equal(
        read_image(tmp_path / "a.png"), np.repeat(RGB[..., :1], 3, axis=-1)
    )


@pytest.mark.parametrize("channels", [2, 4], ids=["gray", "color"])
def test_transparency_lies_over_white(tmp_path, channels):
    image = np.random.default_rng(1).integers(0, 256, [4, 6, channels], np.uint8)
    image[0, :, -1], image[1, :, -1] = 255, 0
    got = read_image(png(tmp_path / "a.png", image))
    color = np.broadcast_to(image[..., :-1], [4, 6, 3]).astype(float)
    alpha = image[..., -1:] / 255
    assert got.dtype == np.uint8
    np.testing.assert_allclose(got, color * alpha + 255 * (1 - alpha), atol=0.501)
    np.testing.assert_array_equal(got[0], color[0])
    assert (got[1] == 255).all()


@pytest.mark.parametrize("channels", [1, 3], ids=["gray", "color"])
def test_sixteen_bits_become_eight(tmp_path, channels):
    image = RGB[..., :channels]
    path = png(tmp_path / "a.png", image.astype(np.uint16) * 257, np.uint16)
    np.testing.assert_array_equal(read_image(path), np.broadcast_to(image, RGB.shape))


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bits_of_tiff_become_eight(tmp_path, order):
    """In both orders of bytes."""
    values = RGB[..., 0].astype(f"{order}u2") * 257
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), RGB[..., :1].repeat(3, -1))


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize(("name", "channels"), [("a.png", 1), ("a.png", 3), ("a.tif", 1)])
def test_sixteen_bits_that_use_fewer_are_refused(tmp_path, bits, name, channels):
    """Their upper 8 bits would be a few dark levels."""
    image = np.linspace(0, 2**bits - 1, 35 * channels).reshape(5, 7, channels).astype(np.uint16)
    if name == "a.png":
        png(tmp_path / name, image, np.uint16)
    else:
        Image.fromarray(image[..., 0]).save(tmp_path / name)
    says = rf"a 16-bit image .* is {2**bits - 1:,} instead of 65,535, .* had {bits} bits \(multiply"
    with pytest.raises(ValueError, match=f"{says} the values by {2 ** (16 - bits)}"):
        read_image(tmp_path / name)


def test_sixteen_bits_of_black_stay_black(tmp_path):
    Image.fromarray(np.zeros([5, 7], np.uint16)).save(tmp_path / "a.tif")
    assert not read_image(tmp_path / "a.tif").any()


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_values_of_unknown_range_are_refused(tmp_path, dtype):
    Image.fromarray(RGB[..., 0].astype(dtype)).save(tmp_path / "a.tiff")
    with pytest.raises(
        ValueError, match=r"a.tiff is an image with 32-bit values from 1 to 248 \(store"
    ):
        read_image(tmp_path / "a.tiff")


@pytest.mark.parametrize("ending", SUFFIXES)
def test_images_that_were_cut_off_are_refused(tmp_path, ending):
    image = np.random.default_rng(0).integers(0, 256, [64, 64, 3], np.uint8)
    write_image(tmp_path / f"a{ending}", image)
    whole = (tmp_path / f"a{ending}").read_bytes()
    for fraction in (0.1, 0.5, 0.9, 0.99):
        (tmp_path / f"b{ending}").write_bytes(whole[: int(fraction * len(whole))])
        with pytest.raises(ValueError, match="is not a readable PNG"):
            read_image(tmp_path / f"b{ending}")


def test_images_beyond_the_limit_of_pillow_are_read(tmp_path, monkeypatch):
    """That has a limit for its own users, where it warns, and one where it refuses."""
    write_png(tmp_path / "a.png", RGB)
    for limit in (30, 10):  # 35 pixels are more than once, and more than twice as many
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), RGB)
        assert limit == Image.MAX_IMAGE_PIXELS


def test_too_large_an_image_is_refused_with_its_size(tmp_path):
    header = struct.pack(">IIBBBBB", 20_000, 15_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", b"")]
    contents = b"\x89PNG\r\n\x1a\n"
    for name, data in chunks:
        contents += struct.pack(">I", len(data)) + name + data
        contents += struct.pack(">I", zlib.crc32(name + data))
    (tmp_path / "a.png").write_bytes(contents)
    says = r"a.png is an image of 20000x15000 pixels, more than the maximum of 268,435,456"
    with pytest.raises(ValueError, match=says):
        read_image(tmp_path / "a.png")


def tiff_of_one_tile(width, height, tile):
    """A gray TIFF file whose only tile, a square, is larger than the image."""
    stored = zlib.compress(bytes(tile * tile))
    tags = {256: width, 257: height, 258: 8, 259: 8, 262: 1, 277: 1, 322: tile, 323: tile}
    tags |= {324: 8, 325: len(stored)}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items()]
    head = b"II*\0" + struct.pack("<I", 8 + len(stored))
    return head + stored + struct.pack("<H", len(tags)) + b"".join(entries) + bytes(4)


def test_a_tile_counts_as_an_image():
    np.testing.assert_array_equal(decode_image(tiff_of_one_tile(5, 3, 64)), np.zeros([3, 5, 3]))
    with pytest.raises(
        ValueError, match="an image of 64x64 pixels, more than the maximum of 4,095"
    ):
        decode_image(tiff_of_one_tile(5, 3, 64), most=64 * 64 - 1)


def progressive(scans):
    """A JPEG file that ends in so many scans, each of which passes over all pixels."""
    file = io.BytesIO()
    # What is no marker of this image: that of a preview, before the image, and a film, after it.
    preview = b"Exif\0\0" + b"\xff\xda\xff\xd9" * 200
    Image.fromarray(RGB[..., 0]).save(file, "JPEG", progressive=True, exif=preview)
    stored = file.getvalue()
    last = stored[stored.rindex(b"\xff\xda") : -2]
    return stored[:-2] + last * scans + b"\xff\xd9" + b"\xff\xda" * 200


def test_jpeg_files_of_many_scans_are_refused():
    # Six scans are there at first, and the last one may be repeated.
    expected = decode_image(progressive(0))
    assert decode_image(progressive(MOST_SCANS - 6)).shape == expected.shape == RGB.shape
    with pytest.raises(ValueError, match=f"a JPEG file with more than {MOST_SCANS} scans"):
        decode_image(progressive(MOST_SCANS - 5))


def test_other_formats(tmp_path):
    smooth = np.linspace(0, 255, 16 * 16 * 3).reshape(16, 16, 3).astype(np.uint8)
    image = Image.fromarray(smooth)
    for name, mode in (
        ("c.jpg", "CMYK"),
        ("d.jpg", "L"),
        ("e.gif", "P"),
        ("f.png", "P"),
        ("g.png", "1"),
        ("h.png", "LA"),
    ):
        image.convert(mode).save(tmp_path / name)
        expected = np.asarray(image.convert(mode).convert("RGB"), int)
        got = read_image(tmp_path / name)
        assert got.shape == (16, 16, 3) and got.dtype == np.uint8, name
        assert np.abs(got - expected).mean() < 4, name


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_the_first_frame_of_an_animation(tmp_path, suffix):
    frames = [Image.new("RGB", (4, 3), color) for color in ((255, 0, 0), (0, 0, 255))]
    path = tmp_path / f"a{suffix}"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    assert (read_image(path) == [255, 0, 0]).all()


def bare_png(bits, level, transparent, channels=1):
    """A PNG of 8x8 pixels of one level, with another, transparent level."""

    def chunk(name, data):
        check = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)

    packed = sum(level << bits * place for place in range(max(8 // bits, 1)))
    row = packed.to_bytes(max(bits // 8, 1)) * min(bits, 8) * channels
    header = struct.pack(">IIBBBBB", 8, 8, bits, 0 if channels == 1 else 2, 0, 0, 0)
    parts = {b"IHDR": header, b"tRNS": struct.pack(">H", transparent) * channels}
    parts |= {b"IDAT": zlib.compress((b"\0" + row) * 8), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts.items())


@pytest.mark.parametrize("bits,level", [(1, 0), (2, 1), (2, 2), (4, 3), (8, 85), (16, 30_000)])
def test_a_transparent_gray_is_white_and_no_other_is(bits, level):
    transparent = decoded(bare_png(bits, level, level))
    assert transparent.transparent and (transparent.pixels == 255).all()
    opaque = decoded(bare_png(bits, level, level + 1))
    shown = level >> 8 if bits == 16 else level * 255 // (2**bits - 1)
    assert not opaque.transparent and (opaque.pixels == shown).all()


@pytest.mark.parametrize("bits,channels", [(1, 1), (2, 1), (4, 1), (8, 1), (8, 3)])
def test_only_the_bits_of_a_transparent_level_count(bits, channels):
    found = decoded(bare_png(bits, 1, 2**bits + 1, channels))
    assert found.transparent and (found.pixels == 255).all()


def test_a_transparent_color_of_16_bits_is_refused():
    with pytest.raises(ValueError, match=r"^a 16-bit image with a transparent color .*8 bits"):
        decode_image(bare_png(16, 30_000, 117, channels=3))


@pytest.mark.parametrize("with_exif_data", [False, True])
def test_orientations_in_xmp_turn_nothing(with_exif_data):
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
        b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    file = io.BytesIO()
    Image.new("RGB", (6, 4)).save(
        file, "JPEG", xmp=xmp, **dict(exif=exif) if with_exif_data else {}
    )
    assert decode_image(file.getvalue()).shape == (4, 6, 3)


UPRIGHT = {  # how the standard words each orientation, in terms of the stored image
    1: lambda image: image,
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).transpose(1, 0, 2),
    8: np.rot90,
    9: lambda image: image,
}


def with_exif(stored, tiff):
    """A JPEG file whose EXIF segment holds some bytes."""
    plain = tf.io.encode_jpeg(stored, quality=100).numpy()
    segment = b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff
    return plain[:2] + segment + plain[2:]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_photos_are_turned_by_exif(tmp_path, orientation, order):
    coarse = np.array([[0, 90, 180], [255, 40, 130]], np.uint8)
    stored = np.kron(coarse, np.ones([16, 16], np.uint8))[..., None].repeat(3, axis=-1)
    directory = struct.pack(
        f"{order}HHHIIHHIHHI", 2, 0x010F, 3, 1, 0, 0x0112, 3, 1, orientation, 0, 0
    )
    tiff = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8) + directory
    (tmp_path / "a.jpg").write_bytes(with_exif(stored, tiff))
    expected = UPRIGHT[orientation](stored)
    got = read_image(tmp_path / "a.jpg")
    assert got.shape == expected.shape
    assert np.abs(got.astype(int) - expected).mean() < 3


@pytest.mark.parametrize("tiff", [b"no such data", b"II*\0"])
def test_broken_exif_is_ignored(tmp_path, tiff):
    (tmp_path / "a.jpg").write_bytes(with_exif(np.full([8, 4, 3], 100, np.uint8), tiff))
    assert read_image(tmp_path / "a.jpg").shape == (8, 4, 3)


@pytest.mark.parametrize(
    "content",
    [b"", b"not an image", b"\xff\xd8\xff\xe1\0\x20Exif\0\0II*\0"],
    ids=["empty", "text", "cut off"],
)
def test_what_is_not_an_image(tmp_path, content):
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.jpg is not a readable PNG, .* BMP, or TIFF image"):
        read_image(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    "image", [RGB.astype(np.float32), RGB[None], RGB[..., :2], RGB[0, :, 0], RGB[:0]]
)
def test_write_png_checks(tmp_path, image):
    with pytest.raises(ValueError, match=r"image is .* expected uint8 \[H, W\]"):
        write_png(tmp_path / "a.png", image)
    for name in ("a.pdf", "a"):
        with pytest.raises(ValueError, match=f"{name} does not end in one of .png, .*: rename it"):
            write_image(tmp_path / name, RGB)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("channels", [1, 3])
def test_grid(channels):
    images = np.arange(5 * 2 * 3 * channels, dtype=np.uint8).reshape(5, 2, 3, channels)
    sample_grid = grid(images, pad=1)
    assert sample_grid.shape == (2 * 3 + 1, 3 * 4 + 1, 3) and sample_grid.dtype == np.uint8
    for index, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        cell = sample_grid[row * 3 + 1 : row * 3 + 3, column * 4 + 1 : column * 4 + 4]
        np.testing.assert_array_equal(cell, np.broadcast_to(images[index], [2, 3, 3]))
    assert (sample_grid[::3] == 255).all() and (sample_grid[:, ::4] == 255).all()
    assert (sample_grid[3:, 9:] == 255).all()


@pytest.mark.parametrize(
    "n, columns, shape", [(1, None, (4, 4)), (16, None, (16, 16)), (6, 2, (12, 8)), (2, 5, (4, 8))]
)
def test_grid_columns(n, columns, shape):
    assert grid(np.zeros([n, 4, 4, 1], np.uint8), columns, pad=0).shape == (*shape, 3)


def test_grid_checks():
    image = np.zeros([1, 4, 4, 3], np.uint8)
    for images in (image / 1.0, image[0], image[:0]):
        with pytest.raises(ValueError, match="expected uint8"):
            grid(images)
    for options in ({"columns": 0}, {"pad": -1}):
        with pytest.raises(ValueError, match="expected at least 1 column"):
            grid(image, **options)


@pytest.mark.parametrize(
    "n, side, columns, scale",
    [(64, 28, None, 4), (4, 28, None, 9), (16, 32, 16, 1), (8, 256, 8, 1), (1, 300, None, 1)],
)
def test_an_enlarged_grid_fills_the_width_with_squares(n, side, columns, scale):
    images = np.random.default_rng(0).integers(0, 256, [n, side, side, 3], np.uint8)
    bare = grid(images, columns)
    drawn = enlarged_grid(images, columns)
    assert drawn.shape == (scale * bare.shape[0], scale * bare.shape[1], 3)
    for corner in (0, scale - 1):
        np.testing.assert_array_equal(drawn[corner::scale, corner::scale], bare)


def test_four_channels_are_written_with_opacity(tmp_path):
    image = np.random.default_rng(1).integers(0, 256, [4, 6, 4], np.uint8)
    for name in ("a.png", "a.tif"):
        write_image(tmp_path / name, image)
        np.testing.assert_array_equal(read_image(tmp_path / name, channels=4), image)
    write_image(tmp_path / "b.jpg", image[..., :3])
    assert (read_image(tmp_path / "b.jpg", channels=4)[..., 3] == 255).all()
    for said, channels in WRONG_CHANNELS.items():
        with pytest.raises(ValueError, match=f"channels is {said}: expected 3 for RGB, or 4"):
            read_image(tmp_path / "a.png", channels=channels)
    with pytest.raises(
        ValueError, match=r"a.jpg is a JPEG file, which cannot store opacity, .*: write"
    ):
        write_image(tmp_path / "a.jpg", image)
    assert not (tmp_path / "a.jpg").exists()


def test_four_channels_are_colors_over_white():
    color = np.array([200, 100, 0])
    images = np.array([[[[*color, 255], [*color, 51], [*color, 0]]]], np.uint8)
    expected = [color, 255 - (255 - color) / 5, [255, 255, 255]]
    np.testing.assert_array_equal(as_shown(images)[0, 0], expected)
    np.testing.assert_array_equal(grid(images, pad=0)[0], expected)


@pytest.mark.parametrize("channels", [2, 5])
def test_other_channels_stand_side_by_side(channels):
    images = np.random.default_rng(0).integers(0, 256, [1, 2, 3, channels], np.uint8)
    drawn = grid(images, pad=0)
    assert drawn.shape == (2, 3 * channels, 3)
    for channel in range(channels):
        part = drawn[:, 3 * channel : 3 * channel + 3]
        np.testing.assert_array_equal(part, images[0, ..., [channel] * 3].transpose(1, 2, 0))


def test_luma_is_that_of_the_standard():
    colors = np.eye(3)[None] * 255
    wanted = [0.299 * 255, 0.587 * 255, 0.114 * 255]
    np.testing.assert_allclose(luma(colors)[0, :, 0], wanted)
    assert luma(tf.constant(colors, tf.float32)).dtype == tf.float32
    # Gray stays what it is, and whole numbers do not wrap.
    gray = np.tile(np.arange(256, dtype=np.uint8)[:, None], [1, 3])
    np.testing.assert_allclose(luma(gray), gray[:, :1])
    np.testing.assert_allclose(luma(tf.cast(gray[None], tf.float32))[0], gray[:, :1], rtol=1e-6)


def test_ink_and_its_center():
    images = np.zeros((2, 3, 4, 1), "uint8")
    images[0, 0, 3] = 7
    ink, centers = ink_and_center(images)
    np.testing.assert_array_equal(ink, [7, 0])
    np.testing.assert_array_equal(centers, [[-1, 1.5], [0, 0]])


def test_flat_pixels_lie_between_0_and_1():
    flat = flat_pixels(np.array([0, 51, 255, 102], "uint8").reshape(2, 1, 2, 1))
    assert flat.dtype == np.float32
    np.testing.assert_allclose(flat, [[0, 0.2], [1, 0.4]], rtol=1e-6)
