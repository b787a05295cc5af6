"""Numbers that several recipes report, under the names that they publish."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from keras_gen.metrics import bits_per_dimension, perplexity, psnr
from keras_gen.metrics.evaluation_networks.extractors import Extractor
from keras_gen.workshop.baselines import BernoulliMixture, ContextTable
from keras_gen.workshop.run.run import Run


def fit_bernoulli_mixture(run: Run, train: np.ndarray) -> BernoulliMixture:
    """Fits the baseline of models of binary images, and says so.

    Args:
        run: The run, whose setting `templates` has the numbers of templates to choose from.
        train: Training examples `[n, ...]` of zeros and ones.
    """
    templates = run.settings.templates
    run.say(f"fitting mixtures of {templates} Bernoulli distributions")
    sizes = [int(size) for size in templates.split()]
    return BernoulliMixture.of_best_size(train, sizes, run.settings.seed)


def binary_baselines(run: Run, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Returns the mean NLL of test images by cheap models of binary images, in nats.

    Args:
        run: The run, whose setting `templates` is that of `fit_bernoulli_mixture`.
        train: Training images `[n, height, width, 1]` of zeros and ones.
        test: Test images.

    Returns:
        "nll_table", by a table of the 16 pixels before each one (`ContextTable`), and
        "nll_mixture", by a mixture of Bernoulli distributions.
    """
    mixture = fit_bernoulli_mixture(run, train)
    table = ContextTable(16).fit(train.astype("uint8"))
    return {
        "nll_table": -table.log_prob(test.astype("uint8")).mean(),
        "nll_mixture": -mixture.log_prob(test).mean(),
    }


def density_bits(model, images: np.ndarray, dimensions: int | None = None) -> dict[str, float]:
    """Returns the mean bits per dimension of discrete images, by a flow's density.

    Args:
        model: A `Flow` of levels, whose `log_prob` adds noise of a level's width to them.
        images: Test images, as the model takes them.
        dimensions: Values of an image; None for all of them, fewer if it is padded.

    Returns:
        "bits_nll", and "bits_nll_standard_error", that of this mean.
    """
    nats = -model.log_prob(images).astype("float64")
    bits = bits_per_dimension(nats, dimensions or images[0].size, "uniform")
    return {
        "bits_nll": bits.mean(),
        "bits_nll_standard_error": bits.std() / len(bits) ** 0.5,
    }


def prefixed(prefix: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the numbers under names that begin with the prefix."""
    return {prefix + name: value for name, value in numbers.items()}


def suffixed(numbers: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    """Returns the numbers under names that end with the suffix."""
    return {name + suffix: value for name, value in numbers.items()}


def extractor_accuracies(extractors: Mapping[str, Extractor]) -> dict[str, float | None]:
    """Returns `extractor_accuracy_<name>` of each extractor."""
    return {f"extractor_accuracy_{name}": each.accuracy for name, each in extractors.items()}


def psnr_report(sets: Mapping[str, np.ndarray], images: np.ndarray) -> dict[str, float]:
    """Returns `psnr_<name>` of each set of reconstructions, in RGB, the mean over images.

    Args:
        sets: By name, uint8 `[n, H, W, C]`.
        images: The originals, of the same shape.
    """
    return {f"psnr_{name}": psnr(found, images, of="rgb").mean() for name, found in sets.items()}


def code_use_report(uses: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns how many codes are in use, `<name>_in_use`, and their `<name>_perplexity`.

    Args:
        uses: By name of the codebook, how often each code is used, see `code_uses`.
    """
    report: dict[str, float] = {}
    for name, counts in uses.items():
        report[f"{name}_in_use"] = int(np.count_nonzero(counts))
        report[f"{name}_perplexity"] = perplexity(counts)
    return report


def lines_by_count(
    metrics: Mapping[str, float], names: Iterable[str], counts: Iterable[int]
) -> dict[str, tuple[list[int], list[float]]]:
    """Returns a line for each name through its metrics `<name>_<count>`, for `line_plot`."""
    xs = list(counts)
    return {name: (xs, [metrics[f"{name}_{count}"] for count in xs]) for name in names}
