"""A synthetic dancer with hair and a skirt that lag behind the body."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_types

_FINER = 4  # factor by which a frame is drawn larger before it is reduced
_BEFORE = 24  # number of frames simulated before the first frame, so that nothing starts at rest
# Index of each joint in `points`.
JOINTS = (
    "head", "neck", "hips", "left_elbow", "left_hand", "right_elbow", "right_hand",
    "left_knee", "left_foot", "right_knee", "right_foot",
)  # fmt: skip
# Lines that connect the joints of a pose, and the color of each line.
BONES = {
    ("head", "neck"): (255, 255, 255),
    ("neck", "hips"): (255, 0, 0),
    ("neck", "left_elbow"): (255, 160, 0),
    ("left_elbow", "left_hand"): (255, 255, 0),
    ("neck", "right_elbow"): (0, 255, 0),
    ("right_elbow", "right_hand"): (0, 255, 170),
    ("hips", "left_knee"): (0, 170, 255),
    ("left_knee", "left_foot"): (0, 60, 255),
    ("hips", "right_knee"): (150, 0, 255),
    ("right_knee", "right_foot"): (255, 0, 200),
}
# Swinging quantities, each with the range of its mean and the range of its amplitude.
_SWINGS = {
    "sway": (0.5, 0.5, 0.08, 0.18),
    "bounce": (0.53, 0.53, 0.01, 0.03),
    "lean": (0.0, 0.0, 0.05, 0.3),
    "left_arm": (0.9, 2.2, 0.3, 0.8),
    "right_arm": (-2.2, -0.9, 0.3, 0.8),
    "left_bend": (0.2, 1.0, 0.2, 0.5),
    "right_bend": (-1.0, -0.2, 0.2, 0.5),
    "left_leg": (0.15, 0.35, 0.05, 0.3),
    "right_leg": (-0.35, -0.15, 0.05, 0.3),
}
_LAG = 0.8  # fraction of their previous position that the hair and the hem keep in each frame
_HAIR = (70, 40, 25)
_SKIN = (230, 185, 150)
_SHIRT = (40, 120, 170)
_SKIRT = (200, 40, 60)
_WALL = (205, 200, 185)
_FLOOR = (150, 130, 110)
_SHADOW = (115, 98, 82)


class DancerVideos(NamedTuple):
    """Videos of a dancer, with poses.

    Args:
        images: Frames, uint8 `[videos, frames, size, size, 3]`.
        poses: Images of the lines between the joints, with the same shape as `images`.
        points: Coordinates of the joints, x and y from 0 to 1, float32 `[videos, frames, 11, 2]`.
        lagging: Coordinates of the end of the hair and of the middle of the skirt's hem,
            `[videos, frames, 2, 2]`. Neither point is visible in poses.
    """

    images: np.ndarray
    poses: np.ndarray
    points: np.ndarray
    lagging: np.ndarray


@checked_types
def drawn_dancers(videos: int, frames: int = 16, size: int = 48, seed: int = 0) -> DancerVideos:
    """Draws videos of a dancer whose hair and skirt follow the body with a delay.

    Hips, back, arms, and legs swing, each with its own period and phase. In each frame, the
    horizontal positions of the hair's end and the skirt's hem are weighted averages. The weight of
    the previous position is four fifths, and the weight of the head (for the hair) or the hips (for
    the hem) is one fifth. A single pose therefore does not determine these positions, but the
    preceding poses do.

    Args:
        videos: Number of videos, each with a different motion.
        frames: Number of frames per video.
        size: Side length of the images in pixels.
        seed: Seed for the motions.

    Example:
        >>> drawn_dancers(videos=3, frames=2).images.shape
        (3, 2, 48, 48, 3)
    """
    for name, value in (("videos", videos), ("frames", frames), ("size", size)):
        checked_integer(name, value, minimum=1)
    rng = np.random.default_rng(seed)
    images = np.empty([videos, frames, size, size, 3], np.uint8)
    poses = np.empty_like(images)
    points = np.empty([videos, frames, len(JOINTS), 2], np.float32)
    lagging = np.empty([videos, frames, 2, 2], np.float32)
    for video in range(videos):
        joints = _joints(_motion(rng, _BEFORE + frames))
        behind = _lagging(joints)
        joints = {name: places[_BEFORE:] for name, places in joints.items()}
        points[video] = np.stack([joints[name] for name in JOINTS], axis=1)
        lagging[video] = behind[_BEFORE:]
        for frame in range(frames):
            now = {name: places[frame] for name, places in joints.items()}
            images[video, frame] = _dancer(now, lagging[video, frame], size)
            poses[video, frame] = _pose(now, size)
    return DancerVideos(images, poses, points, lagging)


def lagged(places: np.ndarray, keep: float = _LAG) -> np.ndarray:
    """Returns positions `[frames, ...]` that follow given positions with a lag of `keep` per frame.

    The first position is unchanged.

    Example:
        >>> lagged(np.array([0.0, 1.0, 1.0]), keep=0.5)
        array([0.  , 0.5 , 0.75])
    """
    followed = np.array(places, float)
    for frame in range(1, len(places)):
        followed[frame] = keep * followed[frame - 1] + (1 - keep) * places[frame]
    return followed


def _motion(rng, frames: int) -> dict[str, np.ndarray]:
    """Returns the swinging quantities in each frame, each the sum of two waves around a mean."""
    time = np.arange(frames)
    motion = {}
    for name, (low, high, least, most) in _SWINGS.items():
        motion[name] = np.full(frames, rng.uniform(low, high))
        for part in (0.7, 0.3):
            size = part * rng.uniform(least, most)
            turns = time / rng.uniform(8, 20) + rng.random()
            motion[name] += size * np.sin(2 * np.pi * turns)
    return motion


def _joints(motion: dict) -> dict[str, np.ndarray]:
    """Returns the joints in each frame, `[frames, 2]`, as fractions of the image size."""

    def along(start, angle, length):
        """Returns the point at the given angle from the vertical, downward."""
        return start + length * np.stack([np.sin(angle), np.cos(angle)], axis=-1)

    hips = np.stack([motion["sway"], motion["bounce"]], axis=-1)
    neck = along(hips, np.pi - motion["lean"], 0.22)
    joints = {"hips": hips, "neck": neck, "head": along(neck, np.pi - motion["lean"], 0.1)}
    for side in ("left", "right"):
        arm = motion[f"{side}_arm"]
        joints[f"{side}_elbow"] = along(neck, arm, 0.13)
        joints[f"{side}_hand"] = along(
            joints[f"{side}_elbow"], arm + motion[f"{side}_bend"], 0.13
        )
        leg = motion[f"{side}_leg"]
        joints[f"{side}_knee"] = along(hips, leg, 0.19)
        joints[f"{side}_foot"] = along(joints[f"{side}_knee"], 0.4 * leg, 0.19)
    return joints


def _lagging(joints: dict) -> np.ndarray:
    """Returns the positions of the hair's end and the middle of the hem, `[frames, 2, 2]`."""
    behind = []
    for name, below in (("head", 0.24), ("hips", 0.19)):
        x, y = np.transpose(joints[name])
        behind.append(np.stack([lagged(x), y + below], axis=-1))
    return np.stack(behind, axis=1)


def _dancer(joints: dict, lagging: np.ndarray, size: int) -> np.ndarray:
    """Draws an image of the dancer, lit from the left."""
    side = _FINER * size
    image = Image.new("RGB", (side, side), _WALL)
    draw = ImageDraw.Draw(image)

    def pixels(points):
        return [tuple(point) for point in np.asarray(points) * side]

    def disk(center, width, height, color):
        corners = [center - np.array([width, height]), center + np.array([width, height])]
        draw.ellipse([value for corner in pixels(corners) for value in corner], fill=color)

    def limb(names, width, color):
        """Draws lines with round ends and a darker right side."""
        line = np.array([joints[name] for name in names])
        for shift, shade in ((0.0, 0.75), (-0.25 * width, 1.0)):
            moved = line + np.array([shift, 0])
            shaded = tuple(int(shade * level) for level in color)
            thick = width if shift == 0 else 0.5 * width
            draw.line(pixels(moved), fill=shaded, width=max(1, round(thick * side)))
            for point in moved:
                disk(point, thick / 2, thick / 2, shaded)

    hips = joints["hips"]
    head = joints["head"]
    hair_end, hem = lagging
    draw.rectangle([0, 0.86 * side, side, side], fill=_FLOOR)
    disk(np.array([hips[0], 0.93]), 0.16, 0.03, _SHADOW)

    # The hair hangs behind the body, from both sides of the head to the tip of the hair.
    across = np.array([0.085, 0])
    draw.polygon(pixels([head - across, head + across, hair_end]), fill=_HAIR)
    disk(hair_end, 0.035, 0.035, _HAIR)

    for name in ("left", "right"):
        limb(["hips", f"{name}_knee", f"{name}_foot"], 0.06, _SKIN)
        disk(joints[f"{name}_foot"], 0.04, 0.022, (45, 40, 50))
    limb(["neck", "hips"], 0.13, _SHIRT)

    # The skirt hangs from the hips to its hem, with folds between them.
    waist = np.array([[-0.065, -0.04], [0.065, -0.04]]) + hips
    ends = np.array([[-0.16, 0.0], [0.16, 0.0]]) + hem
    draw.polygon(pixels([waist[0], waist[1], ends[1], ends[0]]), fill=_SKIRT)
    for place in (0.55, 0.8):
        top = (1 - place) * waist[0] + place * waist[1]
        bottom = (1 - place) * ends[0] + place * ends[1]
        fold = [top, bottom, (bottom + ends[1]) / 2, (top + waist[1]) / 2]
        draw.polygon(pixels(fold), fill=tuple(int(0.7 * level) for level in _SKIRT))

    for name in ("left", "right"):
        limb(["neck", f"{name}_elbow"], 0.06, _SHIRT)
        limb([f"{name}_elbow", f"{name}_hand"], 0.045, _SKIN)
    disk(head, 0.075, 0.085, _HAIR)
    disk(head + np.array([0, 0.015]), 0.058, 0.068, _SKIN)
    for x in (-0.024, 0.024):
        disk(head + np.array([x, 0.01]), 0.009, 0.012, (40, 40, 60))
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))


def _pose(joints: dict, size: int) -> np.ndarray:
    """Draws the bones as lines on black, each in its own color."""
    side = _FINER * size
    image = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(image)
    for ends, color in BONES.items():
        line = [tuple(joints[name] * side) for name in ends]
        draw.line(line, fill=color, width=max(1, side // 32))
    return np.asarray(image.resize((size, size), Image.Resampling.BOX))
