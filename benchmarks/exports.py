"""Measures the memory required by the largest requests that published exports accept.

  python benchmarks/exports.py                          all exports, ten minutes on two cores
  python benchmarks/exports.py gated_pixel_cnn_mnist    only this export
  python benchmarks/exports.py --part 8                 an eighth of the largest requests

Each signature receives the largest requests that it accepts: the maximum number of examples or
samples and, if images or sounds may have any size, also one example of the maximum size. Each
export runs in a separate process, whose peak memory is printed, including TensorFlow's 0.7 GiB.
This works only on Linux.
"""

import argparse
import math
import multiprocessing
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from keras_gen.serving.exported import SUFFIX, Exported, exports, load

MODELS = Path(__file__).parents[1] / "saved_models"
KIB_PER_GIB = 2**20


def measure(path: Path, part: int) -> None:
    """Prints the peak memory for the largest requests to each signature of an export."""
    model = load(path)
    for signature in model.inputs:
        if signature.endswith(SUFFIX) or signature == "serving_default":
            continue
        for request in largest_requests(model, signature, part):
            Path("/proc/self/clear_refs").write_text("5")  # forgets the peak
            try:
                model(signature, **request)
                end = ""
            except ValueError as error:
                end = f", {str(error)[-200:]}"
            status = Path("/proc/self/status").read_text()
            peak = int(status.partition("VmHWM:")[2].split()[0]) / KIB_PER_GIB
            shapes = {key: np.shape(value) or value for key, value in request.items()}
            print(f"{path.name} {signature}: {peak:.2f} GiB, {shapes}{end}", flush=True)


def largest_requests(model: Exported, signature: str, part: int) -> list[dict]:
    """Returns requests with the maximum number of examples or, for open axes, the maximum size."""
    specs = model.inputs[signature]
    largest = model.metadata["largest_request"]
    largest = model.metadata.get("largest_request_of", {}).get(signature, largest)
    most = {key: value // part for key, value in largest.items()}
    arrays = {name: spec for name, spec in specs.items() if spec.shape.rank}
    scalars = {name: 1 for name in specs if name not in arrays}
    scalars |= {k: v for k, v in model.defaults(signature).items() if k in scalars}
    if "n" in scalars:
        scalars["n"] = most["examples"]
        if "steps" in most:
            scalars["n"] = min(scalars["n"], most["steps"] // scalars["steps"])
    any_size = any(None in spec.shape[1:] for spec in arrays.values())
    requests = []
    for examples in [most["examples"], 1] if any_size else [most["examples"]]:
        sizes = [math.prod(size or 1 for size in spec.shape[1:]) for spec in arrays.values()]
        examples = min(examples, most["elements"] // max(sizes, default=1))
        filled = {name: blank(s, examples, most["elements"]) for name, s in arrays.items()}
        requests.append(scalars | filled)
    return requests


def blank(spec, examples: int, elements: int) -> np.ndarray:
    """Returns the largest input that is accepted, which consists of zeros or texts."""
    open_axes = list(spec.shape[1:]).count(None)
    fixed = examples * math.prod(size or 1 for size in spec.shape[1:])
    side = int((elements / fixed) ** (1 / open_axes)) if open_axes else 1
    shape = [examples, *(size or side for size in spec.shape[1:])]
    dtype = spec.dtype.as_numpy_dtype
    value = b"a " * (elements // fixed // 2) if dtype is object else 0
    return np.full(shape, value, dtype)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="exports to measure (default: all)")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of exports")
    parser.add_argument(
        "--part",
        type=int,
        default=1,
        help="divide the sizes of the largest requests by this number",
    )
    options = parser.parse_args()
    processes = multiprocessing.get_context("spawn")
    for name in options.names or exports(options.models):
        process = processes.Process(target=measure, args=(options.models / name, options.part))
        process.start()
        process.join()
        if process.exitcode:
            print(f"{name}: the process ended with exit code {process.exitcode}", flush=True)


if __name__ == "__main__":
    main()
