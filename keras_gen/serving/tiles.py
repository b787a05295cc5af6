"""Applies a network to large images tile by tile, with limited memory and without seams."""

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from PIL import Image

from keras_gen.files.images import to_pillow

TILE = 1024
"""Default tile size for larger images, in pixels."""
SMALLEST = 256
"""Minimum tile size, and the size of the image on which a network is probed."""

# Tiles begin and end at multiples of this number, so that networks downsample at the same pixels.
STEP = 32
# Number of cells along an image's longer side whose colors are matched to the small image.
CELLS = 64
# Maximum distance at which an input of a local network may change the output.
LIMIT = SMALLEST - 3 * STEP


class Tiled:
    """A network for images of any size, applied to large images tile by tile.

    The reach of the network, which is the maximum distance between an output pixel and an input
    pixel that affects it, is measured once, on a small probe image. A *local* network receives
    tiles that overlap by more than twice its reach. The edges of its outputs are cropped, and the
    remainder equals the output for the whole image. With instance normalization, the mean and the
    standard deviation depend on the whole image, so neighboring tiles differ. To reduce the
    difference, the network receives each tile next to a copy of the whole image that is reduced to
    half a tile. Output tiles are blended linearly where they overlap, and their coarse colors are
    matched to the output for the reduced image.

    Args:
        network: Function that maps uint8 images `[height, width, channels]` to uint8 images of the
            same size, or of an integer multiple of this size.
        tile: Maximum tile size in pixels, which must be at least `SMALLEST`. 0 disables tiling.
        say: Function that is called with a sentence when an image is first divided into tiles, if
            the network is not local.

    Raises:
        ValueError: If `tile` is too small.

    Example:
        >>> invert = Tiled(lambda image: 255 - image)
        >>> invert(np.zeros([1500, 2000, 3], np.uint8)).min()
        np.uint8(255)
    """

    def __init__(
        self,
        network: Callable[[np.ndarray], np.ndarray],
        tile: int = TILE,
        say: Callable[[str], Any] = lambda sentence: None,
    ):
        if tile and tile < SMALLEST:
            raise ValueError(f"tile is {tile}: expected 0 or at least {SMALLEST} pixels.")
        self.network = network
        self.tile = tile
        self.say = say
        self._scale_and_reach: tuple[int, int | None] | None = None

    def __call__(
        self, image: np.ndarray, bar: Callable[[list], Iterable] = lambda tiles: tiles
    ) -> np.ndarray:
        """Applies the network.

        Args:
            image: Image, uint8 `[height, width, channels]`. Images with at most `tile * tile`
                pixels are not divided into tiles.
            bar: Function that wraps the list of tiles, such as `tqdm`.

        Returns:
            The network's output for the image.

        Raises:
            ValueError: If the network's reach requires larger tiles.
        """
        height, width, channels = image.shape
        if not self.tile or height * width <= self.tile**2:
            return self.network(image)
        scale, reach = self._measured(channels)
        if not scale:
            return self.network(image)
        if reach is None:
            return self._blended(image, scale, bar)
        # A quarter is added to the measured reach, because other images may reveal a longer reach
        # than the probe.
        overlap = _steps(2 * (reach + reach // 4 + 4))
        if self.tile < overlap + STEP:
            raise ValueError(
                f"tile is {self.tile}: expected at least {overlap + STEP} for a network whose "
                f"outputs depend on inputs up to {reach} pixels away, or 0 to process the "
                "whole image at once."
            )
        rows, columns = (_spans(side, self.tile, overlap) for side in (height, width))
        return _joined(self.network, image, rows, columns, bar)

    def _blended(self, image: np.ndarray, scale: int, bar: Callable) -> np.ndarray:
        """Applies a network that depends on the whole image: each tile comes with a small image."""
        small = to_pillow(image)
        small.thumbnail((self.tile, self.tile), Image.Resampling.BOX)

        def with_the_rest(piece: np.ndarray) -> np.ndarray:
            height, width, channels = piece.shape
            rest = np.asarray(small.resize((math.ceil(width / 2), height), Image.Resampling.BOX))
            # Mirrored columns separate the two parts, so that the last columns of the piece do not
            # depend on the rest.
            parts = piece, piece[:, : -STEP - 1 : -1], rest.reshape(height, -1, channels)
            return self.network(np.hstack(parts))[: height * scale, : width * scale]

        # The piece and the reduced image together have at most as many pixels as one tile.
        tile = 3 * self.tile // 4
        overlap = _steps(tile // 4)
        rows, columns = (_spans(side, tile, overlap) for side in image.shape[:2])
        output = _joined(with_the_rest, image, rows, columns, bar, fade=True)
        reduced = np.asarray(small).reshape(*small.size[::-1], image.shape[-1])
        _recolor(output, self.network(reduced))
        return output

    def _measured(self, channels: int) -> tuple[int, int | None]:
        """Returns the integer scale of the output, or 0, and the reach of a local network."""
        if self._scale_and_reach is None:
            scale, reach = _measure(self.network, channels)
            self._scale_and_reach = scale, reach
            if scale and reach is None:
                self.say(
                    "the network depends on the whole image, for example through instance "
                    "normalization, so the tiles of a large image are blended, and the result "
                    "differs by a few levels from processing the whole image at once (--tile "
                    "0 disables tiling)"
                )
        return self._scale_and_reach


def in_tiles_of_one_size(
    network: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    height: int,
    width: int,
    bar: Callable[[list], Iterable] = lambda tiles: tiles,
) -> np.ndarray:
    """Applies a network with a fixed input size to all of a larger image.

    The tiles overlap by at least a quarter of their size, and are blended where they overlap. Each
    tile is computed independently, so an edge that crosses two tiles may bend where they meet.

    Args:
        network: Function that maps uint8 images `[height, width, channels]` to uint8 images of the
            same size, or of an integer multiple of this size.
        image: Image, uint8 `[H, W, channels]`.
        height: Height of the network's input.
        width: Width of the network's input.
        bar: Function that wraps the list of tiles, such as `tqdm`.

    Raises:
        ValueError: If the image is smaller than the network's input.

    Example: `in_tiles_of_one_size(network, photo, 256, 256)`.
    """
    if image.shape[0] < height or image.shape[1] < width:
        raise ValueError(
            f"the image has width {image.shape[1]} and height {image.shape[0]}: expected at least "
            f"{width} and {height}, the tile size. Enlarge the image."
        )
    rows = _spans_of_one_size(image.shape[0], height)
    columns = _spans_of_one_size(image.shape[1], width)
    return _joined(network, image, rows, columns, bar, fade=True)


def _measure(
    network: Callable[[np.ndarray], np.ndarray], channels: int
) -> tuple[int, int | None]:
    """Cuts edges off a probe, and measures how far from the cuts the output differs."""
    # The probe's edges have a different contrast, so that cutting them off changes the mean and the
    # standard deviation.
    rng = np.random.default_rng(0)
    side = SMALLEST // 4
    edge = STEP // 4
    probe = rng.integers(0, 2, [side, side, channels]) * 255
    probe[edge:-edge, edge:-edge] = rng.integers(96, 160, [side - 2 * edge] * 2 + [channels])
    probe = probe.repeat(4, 0).repeat(4, 1).astype(np.uint8)

    whole = network(probe).astype(int)
    scale = whole.shape[0] // SMALLEST
    if whole.shape[:2] != (scale * SMALLEST,) * 2:
        return 0, None
    cut = STEP * scale
    first = network(probe[STEP:, STEP:]) - whole[cut:, cut:]
    last = network(probe[:-STEP, :-STEP]) - whole[:-cut, :-cut]
    change = np.abs([first, last[::-1, ::-1]]).max(axis=(0, -1))
    distance = np.minimum(*np.indices(change.shape)) // scale
    # An output has changed if it differs by more than one level, because rounding may change single
    # pixels anywhere by one level.
    changed = [
        (ring := change[distance == pixels]).max() > 1 or ring.mean() > 0.01
        for pixels in range(LIMIT + 1)
    ]
    reach = max(np.flatnonzero(changed), default=-1) + 1
    return scale, None if reach > LIMIT else int(reach)


def _joined(
    network: Callable[[np.ndarray], np.ndarray],
    image: np.ndarray,
    rows: list[tuple[int, int]],
    columns: list[tuple[int, int]],
    bar: Callable[[list], Iterable],
    fade: bool = False,
) -> np.ndarray:
    """Applies `network` to tiles, and joins them: first across, and then down, strip by strip."""
    height, width, _ = image.shape
    spans = list(itertools.product(rows, columns))
    output = strip = np.empty(0, np.uint8)
    laid_down = laid_across = 0
    for (top, bottom), (left, right) in bar(spans):
        piece = network(image[top:bottom, left:right])
        scale = len(piece) // (bottom - top)
        if not left:
            strip = np.empty([len(piece), width * scale, piece.shape[-1]], np.uint8)
            laid_across = 0
        columns_of_both = strip.swapaxes(0, 1), piece.swapaxes(0, 1)
        laid_across = _lay(*columns_of_both, left * scale, laid_across, fade)
        if right == width:
            if not top:
                output = np.empty([height * scale, *strip.shape[1:]], np.uint8)
            laid_down = _lay(output, strip, top * scale, laid_down, fade)
    return output


def _steps(pixels: float) -> int:
    return math.ceil(pixels / STEP) * STEP


def _spans(length: int, tile: int, overlap: int) -> list[tuple[int, int]]:
    """Returns the starts and ends of tiles of about equal size along one axis."""
    if length <= tile:
        return [(0, length)]
    largest = (tile - overlap) // STEP * STEP
    count = math.ceil((length - overlap) / largest)
    step = _steps((length - overlap) / count)
    return [
        (start, min(start + step + overlap, length))
        for start in range(0, length - overlap, step)
    ]


def _spans_of_one_size(length: int, tile: int) -> list[tuple[int, int]]:
    """Returns the starts and ends, along one axis, of tiles that overlap by at least a quarter."""
    count = 1 + math.ceil((length - tile) / (tile - tile // 4))
    starts = np.linspace(0, length - tile, count).round().astype(int).tolist()
    return [(start, start + tile) for start in starts]


def _lay(canvas: np.ndarray, piece: np.ndarray, start: int, laid: int, fade: bool) -> int:
    """Adds `piece` at row `start`; rows before `laid` are already complete. Returns the end row.

    In the middle of the overlap, both outputs of a local network are equal, so the piece begins
    there. Outputs of other networks are blended.
    """
    both = laid - start
    rows = np.arange(both, dtype=np.float32)[:, None, None] + 0.5
    weight = rows / both if fade else rows > both / 2
    faded = np.rint(canvas[start:laid] * (1 - weight) + piece[:both] * weight)
    end = start + len(piece)
    canvas[start:laid] = faded
    canvas[laid:end] = piece[both:]
    return end


def _recolor(image: np.ndarray, small: np.ndarray) -> None:
    """Adjusts coarse cells of an image to the mean colors of a small image's cells."""
    height, width, channels = image.shape
    longer = max(width, height)
    cells = math.ceil(CELLS * width / longer), math.ceil(CELLS * height / longer)

    def resized(values: np.ndarray, size: tuple[int, int], how: Image.Resampling) -> np.ndarray:
        return np.asarray(Image.fromarray(values.astype(np.float32)).resize(size, how))

    # Channels are processed one at a time, because floats need four times the memory.
    for channel in range(channels):
        means = [resized(x[..., channel], cells, Image.Resampling.BOX) for x in (small, image)]
        change = resized(means[0] - means[1], (width, height), Image.Resampling.BICUBIC)
        image[..., channel] = np.clip(np.rint(image[..., channel] + change), 0, 255)
