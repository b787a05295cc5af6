"""MoCoGAN on Moving MNIST: video generation with separate content and motion codes.

Tulyakov, Liu, Yang, Kautz: "MoCoGAN: Decomposing Motion and Content for Video Generation", CVPR
2018.

  python recipes/moco_gan_moving_mnist.py                 about 32 minutes on one of two CPU cores
  python recipes/moco_gan_moving_mnist.py --preset smoke  under a minute

Expected result of the cpu preset: an earth mover's distance of 0.40 pixels per frame between the
speeds in generated and training videos (same speed for all videos: 0.44; test digits: 0.01).

Videos have 16 frames of 32x32 pixels, in which an MNIST digit, downscaled to 16x16, moves and
bounces. They are generated at run time, with new motions in every epoch. One frame of each
generated video is compared with one frame of each video of training digits, in the features of two
classifiers of such frames (the worse result counts), and with a patch distance. The motion of the
brightness centroid (speed, turning, and flicker) is compared using earth mover's distances. Videos
of test digits are the reference. The baseline for each metric assigns the median value, such as a
constant speed, to all videos. To measure whether a digit stays the same, a classifier computes the
fraction of frames that are classified differently from most frames in their video.

`videos.gif` shows samples, and `recombined.gif` combines the content of the first column with the
motion of the first row.

Deviation in the cpu preset: R1 replaces batch normalization in the discriminators, because with
batch normalization, they soon classify all videos with certainty.

Data: mnist through tensorflow-datasets (downloaded, or from TFDS_DATA_DIR). The paper does not use
this dataset.
"""

from keras_gen.workshop.run import Run, RunSettings, run_recipe
from keras_gen.workshop.run.reports import extractor_accuracies, prefixed

import dataclasses
from functools import partial

import numpy as np
from keras.optimizers import Adam
from scipy.stats import mode

from keras_gen.data import moving_images, resize_cover, small_images
from keras_gen.files.animations import video_grid, video_strips
from keras_gen.gan import MoCoGAN
from keras_gen.losses import R1
from keras_gen.metrics import (
    GenerationEvaluation,
    motion_distances,
    motion_statistics,
    trained_extractors,
)


@dataclasses.dataclass(frozen=True)
class Settings(RunSettings):
    frames: int = 16  # Number of frames per video
    content_dim: int = 50  # Number of dimensions of the content code
    motion_dim: int = 10  # Number of dimensions of each frame's motion code
    filters: int = 64  # Channels of the discriminators' first layers, doubled at each stage
    learning_rate: float = 2e-4  # Adam's learning rate for all networks
    r1_weight: float = 0.0
    """Weight of the R1 penalty, which is applied every 8 steps and replaces batch normalization in
    the discriminators. 0 keeps batch normalization."""
    ema: float = 0.0
    """EMA momentum for the generator; evaluation uses the averaged weights. 0 disables EMA."""
    compared: int = 5000  # Number of videos to compare
    classifier_steps: int = 1500  # Number of training steps for each evaluation classifier


PRESETS = {
    "smoke": dict(frames=10, content_dim=4, motion_dim=2, filters=4, r1_weight=0.1, epochs=2,
                  steps_per_epoch=5, batch_size=8, compared=100, classifier_steps=20),
    "cpu": dict(filters=16, learning_rate=5e-4, r1_weight=0.1, ema=0.995, epochs=12,
                steps_per_epoch=250, batch_size=32, grid_every=3),
    "paper": dict(epochs=100, steps_per_epoch=1000, batch_size=32, grid_every=5),
}  # fmt: skip


def main(run: Run, s: Settings):
    data = run.load(small_images("mnist", labels=True))
    train = data.train.map(shrunk)
    test = data.test.map(shrunk)
    move = moving_images(s.frames, size=32)

    with run.strategy.scope():
        # The value None removes batch normalization.
        discriminator = {}
        if s.r1_weight:
            discriminator = dict(normalization=None, penalty=R1(s.r1_weight, every=8))
        model = MoCoGAN.for_videos(
            (s.frames, 32, 32, 1),
            content_dim=s.content_dim,
            motion_dim=s.motion_dim,
            filters=s.filters,
            seed=s.seed,
            **discriminator,
        )
        d_optimizer = Adam(s.learning_rate, 0.5)
        g_optimizer = run.averaged(Adam(s.learning_rate, 0.5))
        run.compile(model, d_optimizer=d_optimizer, g_optimizer=g_optimizer)

    # Each step: one update of both discriminators, then one update of the generator.
    videos = partial(train.stream, s.batch_size, s.seed, augment_batch=move)
    run.fit(model, videos, draw_videos)
    run.export(model, default="sample")

    # Generate real videos with different seeds, because the same seed would repeat the motions.
    real, labels = train.take(s.compared).arrays(s.seed, move)
    held_out, _ = test.take(s.compared).arrays(s.seed + 1, move)
    middle = s.frames // 2
    extractors = trained_extractors(real[:, middle], labels, s.classifier_steps)
    evaluate = GenerationEvaluation(extractors, real[:, middle], s.seed)

    with run.evaluation(model) as metrics:
        run.say("comparing sampled videos with training videos, by frames and by motion")
        drawn = model.sample(len(real), seed=s.seed)
        for prefix, each in {"": drawn, "floor_": held_out}.items():
            metrics |= prefixed(prefix, motion_distances(real, each))
            metrics |= prefixed(prefix, evaluate(each[:, middle]))
            seen = classes_of_frames(extractors["max"], each)
            metrics[f"{prefix}class_changes"] = changes(seen)
        for name, values in motion_statistics(real).items():
            metrics[f"constant_{name}_distance"] = np.abs(values - np.median(values)).mean()
        metrics |= extractor_accuracies(extractors)
        run.animate("videos", video_grid(drawn[:36]))
        latents = model.draw_latents(6, seed=s.seed)
        contents = np.repeat(latents, 6, axis=0)
        motions = np.tile(latents, [6, 1])
        run.animate("recombined", video_grid(model.recombine(contents, motions), 6))


def shrunk(image, label):
    return resize_cover(image, 16), label


def draw_videos(model):
    return video_strips(model.sample(8, seed=0))


def classes_of_frames(extractor, videos):
    """Returns the most probable digit in each frame according to a network, `[n, frames]`."""
    logits = extractor(videos.reshape(-1, *videos.shape[2:]))["logits"]
    return logits.argmax(axis=1).reshape(videos.shape[:2])


def changes(classes):
    """Returns the fraction of frames that differ from the most frequent digit of their video."""
    usual, _ = mode(classes, axis=1, keepdims=True)
    return (classes != usual).mean()


if __name__ == "__main__":
    run_recipe(main, Settings, PRESETS)
