"""Compares the time and memory of the Fréchet distance and the NLL with naive implementations.

  python benchmarks/metrics.py            two to four minutes on two CPU cores
  python benchmarks/metrics.py --quick    fewer images, one round: less than a minute

Each job runs in a separate process, so that its peak memory can be measured; implementations are
measured alternately, so that changes in the machine's speed affect both equally. Images are noise
and networks are untrained, which does not change the cost.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A process starts with the peak of the one that launched it, so this one stays small: what is
# large is imported where it is needed.

BATCH = 64


def fid_ours(network, count):
    """Returns the library's Fréchet distance: of each uint8 batch, only the features are kept."""
    import numpy as np

    from keras_gen.metrics import frechet_distance, keras_extractor

    extractor = keras_extractor(network)
    features = []
    for seed in range(2):
        parts = [extractor(images)["features"] for images in batches(count, seed)]
        features.append(np.concatenate(parts))
    return frechet_distance(*features)["distance"]


def fid_naive(network, count):
    """Returns a naive Fréchet distance: all images as floats, all features, and SciPy's root."""
    import keras
    import numpy as np
    from scipy import linalg

    of_floats = keras.Model(network.layers[1].output, network.output["features"])
    mean, covariance = [], []
    for seed in range(2):
        images = np.concatenate(list(batches(count, seed))).astype("float32") / 127.5 - 1
        parts = [of_floats(images[i : i + BATCH]) for i in range(0, count, BATCH)]
        features = np.concatenate(parts)
        mean.append(features.mean(axis=0))
        covariance.append(np.cov(features, rowvar=False))
    root = linalg.sqrtm(covariance[0] @ covariance[1]).real
    return np.sum((mean[0] - mean[1]) ** 2) + np.trace(sum(covariance) - 2 * root)


def nll_ours(vae, count, samples):
    """Returns the library's NLL: batches of 50 samples of 32 images, in one compiled loop."""
    from keras_gen.metrics import importance_weighted_nll

    return importance_weighted_nll(vae, digits(count), samples)["nll"].mean()


def nll_naive(vae, count, samples):
    """Returns a naive NLL: all samples of an image at once, computed eagerly."""
    import numpy as np
    from scipy import special

    from keras_gen.core import stateless_seed

    nats = []
    for number, image in enumerate(digits(count)):
        key = stateless_seed(0, number, "naive")
        log_weights = vae.log_weights(vae.prepare(image[None]), samples, key)
        nats.append(np.log(samples) - special.logsumexp(log_weights))
    return np.mean(nats)


def batches(count, seed):
    """Yields batches of `count` uint8 images, `[BATCH, 32, 32, 3]`; seed 1 gives darker images."""
    import numpy as np

    rng = np.random.default_rng(seed)
    for start in range(0, count, BATCH):
        yield rng.integers(0, 256 - 64 * seed, (min(BATCH, count - start), 32, 32, 3), "uint8")


def digits(count):
    """Returns black-and-white noise, uint8 `[count, 28, 28, 1]`."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 2, (count, 28, 28, 1), "uint8") * 255


WAYS = {
    "fid ours": fid_ours,
    "fid naive": fid_naive,
    "nll ours": nll_ours,
    "nll naive": nll_naive,
}


def job(way, count, samples):
    """Runs one implementation; prints its result, seconds, and increase in peak memory in MiB."""
    import keras

    from keras_gen.networks import conv_classifier, mlp_decoder, mlp_encoder
    from keras_gen.vae import VAE

    keras.utils.set_random_seed(0)
    # The first call is small: libraries load and threads start, which is not what is measured.
    if way.startswith("fid"):
        model, small, large = conv_classifier(3, 10), [2 * BATCH], [count]
    else:
        model = VAE(
            mlp_encoder(latent_dim=50, heads=("mean", "log_variance")),
            mlp_decoder(latent_dim=50),
        )
        small, large = [1, 50], [count, samples]
    WAYS[way](model, *small)
    peak, began = peak_memory(), time.perf_counter()
    result = WAYS[way](model, *large)
    seconds = time.perf_counter() - began
    print(json.dumps([float(result), seconds, peak_memory() - peak]))


def peak_memory() -> float:
    """Returns the peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def alternately(ways, rounds, count, samples=0) -> list:
    """Returns each implementation's result, median seconds, and MiB, from separate processes."""
    found = [[] for _ in ways]
    for _ in range(rounds):
        for results, way in zip(found, ways, strict=True):
            command = [sys.executable, __file__, "--job", way, str(count), str(samples)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            results.append(json.loads(done.stdout.splitlines()[-1]))
    return [[statistics.median(x) for x in zip(*results, strict=True)] for results in found]


def main():
    """Prints the results."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="use fewer images and one round")
    parser.add_argument("--job", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        way, count, samples = arguments.job
        return job(way, int(count), int(samples))
    quick = arguments.quick
    rounds, images, test_images = (1, 2000, 8) if quick else (3, 10_000, 32)
    k = 5000

    ours, naive = alternately(["fid ours", "fid naive"], rounds, images)
    print(f"Fréchet distance between 2 sets of {images} 32x32 images, {os.cpu_count()} cores")
    for name, (distance, seconds, memory) in {"streamed": ours, "naive": naive}.items():
        rate = 2 * images / seconds
        print(f"  {name}: {rate:.0f} images/s, {memory:.0f} MiB added, distance {distance:.5g}")
    print(f"  time ratio naive/streamed: {naive[1] / ours[1]:.2f}")

    (few,) = alternately(["nll ours"], 1, test_images, 50)
    ours, naive = alternately(["nll ours", "nll naive"], rounds, test_images, k)
    print(f"NLL of {test_images} 28x28 images, 50 latents, including compilation")
    lines = {f"streamed, k = {k}": ours, f"naive, k = {k}": naive, "streamed, k = 50": few}
    for name, (nats, seconds, memory) in lines.items():
        each = seconds / test_images * 1e3
        print(f"  {name}: {each:.0f} ms per image, {memory:.0f} MiB added, {nats:.2f} nats")
    print(f"  time ratio naive/streamed: {naive[1] / ours[1]:.2f}")


if __name__ == "__main__":
    main()
