"""pix2pix for video on drawn dancers: frames from poses and the previous frame.

Chan, Ginosar, Zhou, Efros: "Everybody Dance Now", ICCV 2019.

  python recipes/pix2pix_video_drawn_dancers.py      about 16 minutes on one of two CPU cores
  python recipes/pix2pix_video_drawn_dancers.py --preset smoke    under a minute

Expected result of the cpu preset: a PSNR of 28.6 dB for new motions (pix2pix on single poses: 27.7;
nearest training pose: 23.6; ridge regression on four poses: 23.0).

Videos are drawn at run time. They show a 48x48 dancer, whose hair and skirt lag behind the body,
and stick figures of the poses, without hair and skirt. Each frame is generated from its pose and
the previously generated frame. A pix2pix with the same networks, updates, and frames sees only the
current pose. Videos generated for new motions are compared with the true frames in three ways: by
PSNR; by the error of frame-to-frame changes, which captures flicker; and with a network, trained on
true frames, that locates the end of the hair and the hem of the skirt.

The baselines are the frame of the nearest training pose, and ridge regression. Each uses one pose
or four consecutive poses, which reveal how the body moved.

Deviations: see the class. In addition, figures are drawn instead of filmed, with known instead of
detected poses. The cpu preset has fewer channels and steps, training clips of several frames
instead of two, and averaged weights in the evaluation.

Data: none; dancers are drawn.
"""

from keras_gen.workshop.run import Run, ShortStepSettings, run_recipe
from keras_gen.workshop.run.reports import suffixed

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam

from keras_gen.core import averaged_weights
from keras_gen.data import Source, Split, clips, drawn_dancers
from keras_gen.files.animations import video_grid
from keras_gen.metrics import l1_error, psnr, train_point_reader
from keras_gen.networks import patch_discriminator, unet_generator
from keras_gen.translation import Pix2Pix, Pix2PixVideo
from keras_gen.workshop.baselines import nearest_target, ridge_target
from keras_gen.workshop.visualize import image_rows

COLUMNS = 12  # frames per grid row
SEEN = 4  # number of consecutive poses that the baselines see
IN_WORDS = {
    "video": "Pix2PixVideo",
    "single": "pix2pix, one pose",
    "nearest_1": "nearest pose",
    "ridge_1": "ridge regression, one pose",
    f"nearest_{SEEN}": f"nearest {SEEN} poses",
    f"ridge_{SEEN}": f"ridge regression, {SEEN} poses",
    "true": "true frames",
}


@dataclasses.dataclass(frozen=True)
class Settings(ShortStepSettings):
    image_size: int = 256  # Side length of the frames, in pixels
    videos: int = 400  # Number of training videos
    frames: int = 16  # Number of frames per training video
    clip: int = 2
    """Number of frames per training clip; each frame is generated from its pose and the previous
    frame."""
    filters: int = 64  # Channels of the first layers
    strided_layers: int = 3
    """Number of strided layers in each discriminator; with 1, 2, or 3, the side length of its
    patches is 16, 34, or 70 pixels."""
    learning_rate: float = 2e-4  # Adam's learning rate; linear decay to 0 in the second half
    l1_weight: float = 100.0  # Weight of the L1 distance
    ema: float = 0.0
    """EMA momentum for the weights; evaluation uses the averaged weights. 0 disables EMA."""
    test_videos: int = 24  # Number of test videos, with new motions
    test_frames: int = 24  # Number of frames per test video
    ridge_examples: int = 2500  # Number of frames used to fit the ridge regression
    probe_steps: int = 1000
    """Number of training steps for the network that locates hair and skirt."""


PRESETS = {
    "smoke": dict(image_size=16, videos=6, frames=5, clip=3, filters=4, strided_layers=1,
                  epochs=2, steps_per_epoch=5, batch_size=2, test_videos=3, test_frames=6,
                  probe_steps=10),
    "cpu": dict(image_size=48, clip=5, filters=16, strided_layers=2, learning_rate=5e-4,
                ema=0.995, epochs=8, steps_per_epoch=350, batch_size=8, grid_every=2,
                steps_per_execution=50),
    "paper": dict(videos=100, epochs=100, steps_per_epoch=1000, batch_size=8, grid_every=10),
}  # fmt: skip


def main(run: Run, s: Settings):
    known = drawn_dancers(s.videos, s.frames, s.image_size, seed=2 * s.seed)
    new = drawn_dancers(s.test_videos, s.test_frames, s.image_size, seed=2 * s.seed + 1)
    data = run.load(Split(videos_of(known), videos_of(new)))
    frames = Source((flat(known.poses), flat(known.images)), origin="drawn dancers")

    with run.strategy.scope():
        sides = (s.image_size, s.image_size)
        single = Pix2Pix(
            unet_generator((*sides, 3), filters=s.filters, noise="none"),
            patch_discriminator((*sides, 6), s.filters, s.strided_layers),
            l1_weight=s.l1_weight,
            domains=("pose", "dancer"),
            seed=s.seed,
        )
        model = Pix2PixVideo(
            unet_generator((*sides, 6), channels=3, filters=s.filters, noise="none"),
            patch_discriminator((*sides, 12), s.filters, s.strided_layers),
            l1_weight=s.l1_weight,
            seed=s.seed,
        )
        for each in (single, model):
            g_optimizer = run.averaged(Adam(run.in_halves(s.learning_rate), 0.5))
            d_optimizer = Adam(run.in_halves(s.learning_rate), 0.5)
            run.compile(each, g_optimizer=g_optimizer, d_optimizer=d_optimizer)

    def draw(model):
        """Shows the poses of two videos, the generated frames, and the true frames."""
        rows = {}
        for number in range(2):
            rows[f"poses {number + 1}"] = new.poses[number]
            rows[f"Pix2PixVideo {number + 1}"] = model.translate(new.poses[number : number + 1])[
                0
            ]
            rows[f"true {number + 1}"] = new.images[number]
        return image_rows(rows, COLUMNS)

    # Use the same number of frames per step as in the clips of the other model.
    run.fit(single, partial(frames.stream, s.clip * s.batch_size, s.seed), part="single")

    # Each step: one generator update through a clip, then one discriminator update.
    stream = partial(data.train.stream, s.batch_size, s.seed, augment=clips(s.clip))
    run.fit(model, stream, draw)
    run.export(model, default="translate")

    run.say("training a network that locates the hair and the skirt")
    reader = train_point_reader(
        flat(known.images), flat(known.lagging), steps=s.probe_steps, seed=s.seed
    )

    def lagging_error(videos):
        found = reader.predict(flat(videos), verbose=0)
        return s.image_size * np.linalg.norm(found - flat(new.lagging), axis=-1).mean()

    def measure(videos):
        return {
            "psnr": psnr(flat(videos), flat(new.images), of="rgb").mean(),
            "l1": l1_error(flat(videos), flat(new.images)).mean(),
            "change_error": np.abs(changes(videos) - changes(new.images)).mean(),
            "lagging_error": lagging_error(videos),
        }

    with run.evaluation(model) as metrics:
        with averaged_weights(single):
            of_single = single.translate(flat(new.poses), batch_size=64)
        ways = {"video": model.translate(new.poses), "single": as_videos(of_single, new)}
        for seen in (1, SEEN):
            run.say(f"predicting frames with the baselines (number of poses: {seen})")
            for name, frames in cheap(known, new, seen, s.ridge_examples).items():
                ways[f"{name}_{seen}"] = as_videos(frames, new)
        for name, videos in ways.items():
            metrics |= suffixed(measure(videos), f"_{name}")
        metrics["lagging_error_frames"] = lagging_error(new.images)  # the probe's own error
        shown = {"poses": new.poses, **ways, "true": new.images}
        rows = {IN_WORDS.get(name, name): each[0] for name, each in shown.items()}
        run.draw("ways", image_rows(rows, COLUMNS))
        of_gif = [shown[name][:2] for name in ("poses", "single", "video", "true")]
        run.animate("dancing", video_grid(np.concatenate(of_gif), columns=2), 120)


def videos_of(dancers):
    """Returns a source of videos: poses and frames."""
    return Source((dancers.poses, dancers.images), origin="drawn dancers")


def flat(values):
    """Joins the axes of videos and frames."""
    return values.reshape(-1, *values.shape[2:])


def as_videos(frames, dancers):
    return frames.reshape(dancers.images.shape)


def changes(videos):
    """Returns the change from each frame to the next, in levels."""
    return np.diff(videos.astype(np.float32), axis=1)


def windows(poses, seen):
    """Concatenates each pose and earlier poses along the channels; the first pose is repeated."""
    before = np.concatenate([np.repeat(poses[:, :1], seen - 1, axis=1), poses], axis=1)
    count = poses.shape[1]
    parts = [before[:, start : start + count] for start in range(seen)]
    return flat(np.concatenate(parts, axis=-1))


def cheap(known, new, seen, examples):
    """Returns frames of the nearest training poses, and frames from ridge regression on poses."""
    train = windows(known.poses, seen)
    test = windows(new.poses, seen)
    images = flat(known.images)
    some = np.linspace(0, len(train) - 1, min(examples, len(train))).astype(int)
    return {
        "nearest": nearest_target(test, train, images),
        "ridge": ridge_target(halved(test), halved(train[some]), images[some]),
    }


def halved(images):
    """Returns images at half the resolution, averaged over 2x2 pixels."""
    count, height, width, channels = images.shape
    squares = images.reshape(count, height // 2, 2, width // 2, 2, channels)
    return squares.mean(axis=(2, 4)).round().astype(np.uint8)


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
