"""Measures latency, throughput, and peak memory of exports in several runtimes.

  python benchmarks/serving.py                   ten exports, about five minutes on two CPU cores
  python benchmarks/serving.py vae_mnist         only this export

Each export runs with 1 and 16 examples in TensorFlow and, if they are installed, in OpenVINO and in
ONNX Runtime (with tf2onnx). Each combination runs in a separate process, because peak memory is
measured per process. This works only on Linux.
"""

import argparse
import importlib.util
import multiprocessing
import os
import resource
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from keras_gen.serving.exported import load

MODELS = Path(__file__).parents[1] / "saved_models"
SIGNATURES = {
    "vae_mnist": "reconstruct",
    "deep_autoencoder_mnist": "reconstruct",
    "denoising_autoencoder_mnist": "reconstruct",
    "convolutional_autoencoder_mnist_cifar10": "reconstruct",
    "vq_vae_cifar10": "reconstruct",
    "dcgan_fashion_mnist": "generate",
    "dcgan_celeb_a": "generate",
    "progressive_gan_fashion_mnist": "generate",
    "anomaly_detection_mnist": "reconstruct",
    "edm_fashion_mnist": "decode",
}
BATCHES = (1, 16)
ROUNDS = 30
MOST_SECONDS = 10.0


def in_tensorflow(function, inputs):
    """Returns a function that runs a signature in TensorFlow."""
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    return lambda: [output.numpy() for output in function(**tensors).values()]


def in_openvino(function, inputs):
    """Returns a function that runs a signature in OpenVINO."""
    import openvino

    # Without the hint, processors with bfloat16 units compute in bfloat16.
    precision = {"INFERENCE_PRECISION_HINT": "f32"}
    run = openvino.compile_model(openvino.convert_model(function), "CPU", precision)
    return lambda: run(inputs)


def in_onnx_runtime(function, inputs):
    """Returns a function that runs a signature in ONNX Runtime."""
    import onnxruntime
    import tf2onnx

    specs = [tf.TensorSpec([None, *v.shape[1:]], v.dtype, name=k) for k, v in inputs.items()]
    names = list(inputs)
    graph = tf.function(lambda *parts: function(**dict(zip(names, parts, strict=True))))
    model, _ = tf2onnx.convert.from_function(graph, specs, opset=18)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return lambda: session.run(None, inputs)


RUNTIMES = {
    "TensorFlow": (in_tensorflow, ()),
    "OpenVINO": (in_openvino, ("openvino",)),
    "ONNX Runtime": (in_onnx_runtime, ("onnxruntime", "tf2onnx")),
}


def measure(name: str, runtime: str, batch: int) -> None:
    """Prints the latency, the throughput, and the peak memory of one combination."""
    exported = load(MODELS / name)
    signature = SIGNATURES[name]
    rng = np.random.default_rng(0)
    inputs = {
        key: rng.integers(0, 2, [batch, *spec.shape[1:]]).astype(spec.dtype.as_numpy_dtype)
        for key, spec in exported.inputs[signature].items()
    }
    model = tf.saved_model.load(exported.path)
    run = RUNTIMES[runtime][0](model.signatures[signature], inputs)
    run()
    seconds: list[float] = []
    while len(seconds) < ROUNDS and sum(seconds) < MOST_SECONDS:
        began = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - began)
    middle = statistics.median(seconds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{name} {signature}, {runtime}, batch {batch}: {middle * 1e3:.2f} ms, "
        f"{batch / middle:.0f} examples/s, peak memory {peak:.2f} GiB",
        flush=True,
    )


def main() -> None:
    """Prints the results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*SIGNATURES, []],
        metavar="name",
        help="exports to measure (default: all)",
    )
    processes = multiprocessing.get_context("spawn")
    for name in parser.parse_args().names or SIGNATURES:
        for runtime, (_, packages) in RUNTIMES.items():
            if not all(map(importlib.util.find_spec, packages)):
                continue
            for batch in BATCHES:
                process = processes.Process(target=measure, args=(name, runtime, batch))
                process.start()
                process.join()
                if process.exitcode:
                    print(f"{name}, {runtime}, batch {batch}: failed", flush=True)


if __name__ == "__main__":
    main()
