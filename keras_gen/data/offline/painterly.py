"""Turns photographs into oil paintings with curved brush strokes (Hertzmann 1998)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from keras_gen.checked_arguments import checked_types
from keras_gen.files.images import luma

# The comment on each constant begins with the symbol used in the paper.
_THRESHOLD = 30.0  # T: mean color distance (0..441) in a grid cell that triggers a stroke
_CURVATURE = 0.5  # f_c: weight of a new direction relative to the previous one
_BLUR = 0.5  # f_sigma: standard deviation of the blur, in brush radii
_SHORTEST = 4  # minimum number of control points of a stroke
_LONGEST = 12


@checked_types
def paint(
    photo: np.ndarray,
    radii: Sequence[int] = (8, 4, 2),
    seed: int = 0,
    *,
    bristles: float = 9.0,
    jitter: float = 6.0,
) -> np.ndarray:
    """Paints a photograph, uint8 `[height, width, 3]`, starting with large brushes.

    Hertzmann: "Painterly Rendering with Curved Brush Strokes of Multiple Sizes", SIGGRAPH 1998.
    Each brush paints where the canvas differs from a copy of the photo that is blurred at the scale
    of the brush. Strokes follow the normals of the image gradient. The bristle streaks are not from
    the paper.

    Args:
        photo: Photograph, uint8 `[height, width, 3]`.
        radii: Brush radii in pixels, largest first.
        seed: Seed for the order and the colors of the strokes.
        bristles: Standard deviation of the bristle streaks, in gray levels.
        jitter: Standard deviation of the strokes' random color variation.

    Example:
        >>> painting = paint(photo, radii=(8, 4, 2))
    """
    if photo.ndim != 3 or photo.shape[2] != 3 or photo.dtype != np.uint8:
        raise ValueError(
            f"photo is {photo.dtype} {list(photo.shape)}: expected uint8 [height, width, 3]."
        )
    rng = np.random.default_rng(seed)
    canvas = np.full(photo.shape, np.inf)  # an empty canvas differs infinitely from any color
    for radius in radii:
        reference = ndimage.gaussian_filter(photo.astype(float), _BLUR * radius, axes=(0, 1))
        starts = _starts(canvas, reference, radius)
        if not len(starts):
            continue
        points, counts = _strokes(canvas, reference, starts, radius)
        colors = reference[starts[:, 0], starts[:, 1]]
        colors = colors + rng.normal(0, jitter, colors.shape)
        colors = colors + rng.normal(0, jitter, [len(colors), 1])
        order = rng.permutation(len(starts))
        streaks = rng.normal(0, bristles, [len(starts), 2 * radius + 3])
        _render(canvas, points[order], counts[order], colors[order], streaks[order], radius)
    bare = ~np.isfinite(canvas)
    canvas[bare] = photo[bare]
    return np.rint(canvas).clip(0, 255).astype(np.uint8)


def _starts(canvas: np.ndarray, reference: np.ndarray, radius: int) -> np.ndarray:
    """Returns the worst point in each grid cell that needs a stroke: `[strokes, (row, column)]`."""
    height, width, _ = canvas.shape
    distance = np.minimum(np.linalg.norm(canvas - reference, axis=-1), 1e4)
    rows, columns = -(-height // radius), -(-width // radius)
    cells = np.full([rows * radius, columns * radius], -1.0)
    cells[:height, :width] = distance
    cells = cells.reshape(rows, radius, columns, radius).swapaxes(1, 2).reshape(-1, radius**2)
    worst = cells.argmax(axis=1)
    row, column = np.divmod(np.arange(rows * columns), columns)
    starts = np.stack([row * radius + worst // radius, column * radius + worst % radius], axis=1)
    return starts[cells.mean(axis=1) > _THRESHOLD]


def _strokes(
    canvas: np.ndarray, reference: np.ndarray, starts: np.ndarray, radius: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns control points `[strokes, longest, (row, column)]`, and the number in use."""
    bright = luma(reference)[..., 0]
    gradient = np.stack([ndimage.sobel(bright, axis) for axis in (0, 1)], axis=-1)
    limit = np.array(canvas.shape[:2]) - 1
    color = reference[starts[:, 0], starts[:, 1]]
    points = np.repeat(starts[:, None].astype(float), _LONGEST, axis=1)
    counts = np.ones(len(starts), int)
    last = np.zeros([len(starts), 2])
    alive = np.ones(len(starts), bool)
    for step in range(1, _LONGEST):
        row, column = np.rint(points[:, step - 1]).astype(int).T
        here = reference[row, column]
        # The stroke ends where the canvas is closer to the photo than the stroke's color.
        if step > _SHORTEST:
            alive &= np.linalg.norm(here - canvas[row, column], axis=-1) >= np.linalg.norm(
                here - color, axis=-1
            )
        slope = gradient[row, column]
        steepness = np.linalg.norm(slope, axis=-1, keepdims=True)
        alive &= (steepness[:, 0] > 0) | (np.abs(last).sum(axis=-1) > 0)
        direction = np.stack([slope[:, 1], -slope[:, 0]], axis=-1) / np.maximum(steepness, 1e-9)
        direction *= np.where((direction * last).sum(axis=-1, keepdims=True) < 0, -1, 1)
        direction = _CURVATURE * direction + (1 - _CURVATURE) * last
        direction /= np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-9)
        following = points[:, step - 1] + radius * direction
        alive &= ((following >= 0) & (following <= limit)).all(axis=-1)
        points[:, step:][alive] = following[alive][:, None]
        counts[alive] = step + 1
        last = np.where(alive[:, None], direction, last)
    return points, counts


def _render(
    canvas: np.ndarray,
    points: np.ndarray,
    counts: np.ndarray,
    colors: np.ndarray,
    streaks: np.ndarray,
    radius: int,
) -> None:
    """Draws strokes on the canvas, later strokes on top, as discs along a quadratic B-spline."""
    height, width, _ = canvas.shape
    square = np.indices([2 * radius + 1] * 2, np.int32).reshape(2, -1).T - radius
    offsets = square[(square**2).sum(axis=-1) <= (radius + 0.3) ** 2]
    stride = width + 2 * radius  # the margin receives pixels outside the canvas
    for part in np.array_split(
        np.arange(len(points)), 1 + points.size * len(offsets) // 4_000_000
    ):
        stamps, tangents, stroke = _spline(points[part], counts[part])
        rows, columns = np.rint(stamps + radius).astype(np.int32).T
        pixels = (rows * stride + columns)[:, None] + offsets @ np.array([stride, 1], np.int32)
        top = np.full((height + 2 * radius) * stride, -1, np.int32)
        top[pixels.ravel()] = np.arange(pixels.size, dtype=np.int32)
        # If several strokes write to a pixel, the last write, by the stroke on top, remains.
        top = top.reshape(-1, stride)[radius : radius + height, radius : radius + width]
        painted = top >= 0
        stamp, offset = np.divmod(top[painted], len(offsets))
        owner = part[stroke[stamp]]
        across = (offsets[offset] * tangents[stamp][:, ::-1] * [1, -1]).sum(axis=-1)
        bristle = np.rint(across).astype(int) + radius + 1
        canvas[painted] = colors[owner] + streaks[owner, bristle][:, None]


def _spline(
    points: np.ndarray, counts: np.ndarray, dense: int = 3
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns points along the strokes, their unit tangents, and the stroke of each point."""
    before = points[:, np.maximum(np.arange(points.shape[1]) - 1, 0)]
    after = np.concatenate([points[:, 1:], points[:, -1:]], axis=1)
    time = (np.arange(dense) / dense)[:, None]
    start = ((before + points) / 2)[:, :, None]
    end = ((points + after) / 2)[:, :, None]
    middle = points[:, :, None]
    curve = (1 - time) ** 2 * start + 2 * time * (1 - time) * middle + time**2 * end
    tangent = (1 - time) * (middle - start) + time * (end - middle)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=-1, keepdims=True), 1e-9)
    used = np.repeat(np.arange(points.shape[1]) < counts[:, None], dense, axis=1)
    stroke = np.repeat(np.arange(len(points)), used.sum(axis=1))
    return (
        curve.reshape(len(points), -1, 2)[used],
        tangent.reshape(len(points), -1, 2)[used],
        stroke,
    )
