"""Metrics that several recipes report, by published name."""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_gen.data import pad_to
from keras_gen.metrics import (
    GenerationEvaluation,
    bits_per_dimension,
    perplexity,
    psnr,
    sample_report,
    trained_extractors,
)
from keras_gen.metrics.evaluation_networks.extractors import Extractor
from keras_gen.workshop.baselines import (
    BernoulliMixture,
    BoostedPixels,
    ContextTable,
    mixture_samples,
)
from keras_gen.workshop.run.run import Run
from keras_gen.workshop.visualize import line_plot


def fit_bernoulli_mixture(run: Run, train: np.ndarray) -> BernoulliMixture:
    """Fits a mixture of Bernoulli distributions, after printing a line that announces the fit.

    Args:
        run: Run whose setting `templates` lists the numbers of templates to try.
        train: Training examples `[n, ...]` of zeros and ones.
    """
    templates = run.settings.templates.split()
    run.say(f"fitting Bernoulli mixtures; numbers of components to try: {', '.join(templates)}")
    most = len(train) * 5 // 6  # number of examples used for fitting
    sizes = [min(int(size), most) for size in templates]
    return BernoulliMixture.of_best_size(train, sizes, run.settings.seed)


def binary_baselines(run: Run, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Returns the mean NLL, in nats, of test images under inexpensive models of binary images.

    Args:
        run: Run whose settings include `templates` (see `fit_bernoulli_mixture`) and `boosted`, the
            number of pixels used to train the boosted trees.
        train: Training images `[n, height, width, 1]` of zeros and ones.
        test: Test images.

    Returns:
        A dict of NLLs. "nll_trees" is the NLL under boosted trees that use the 36 nearest preceding
        pixels (`BoostedPixels`). "nll_table" is the NLL under a table of the 16 nearest preceding
        pixels (`ContextTable`), and "nll_mixture" is the NLL under a Bernoulli mixture.
    """
    mixture = fit_bernoulli_mixture(run, train)
    pixels = train.astype("uint8")
    test_pixels = test.astype("uint8")
    table = ContextTable(16).fit(pixels)
    run.say("fitting boosted trees that predict each pixel from the preceding pixels")
    trees = BoostedPixels(
        levels=2,
        examples=run.settings.boosted,
        trees=150,
        learning_rate=0.1,
        seed=run.settings.seed,
    ).fit(pixels)
    return {
        "nll_trees": -trees.log_prob(test_pixels).mean(),
        "nll_table": -table.log_prob(test_pixels).mean(),
        "nll_mixture": -mixture.log_prob(test).mean(),
    }


def boosted_bits(run: Run, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Returns the mean bits per dimension of test images under boosted trees.

    Args:
        run: Run whose setting `boosted` is the number of pixels used to train the trees.
        train: Training images, uint8 `[n, height, width, 1]`.
        test: Test images.

    Returns:
        A dict with "bits_trees", the result for `BoostedPixels`, which predicts each pixel from the
        preceding pixels.
    """
    run.say("fitting boosted trees that predict each pixel from the preceding pixels")
    trees = BoostedPixels(examples=run.settings.boosted, seed=run.settings.seed).fit(train)
    nats = -trees.log_prob(test).mean()
    return {"bits_trees": float(bits_per_dimension(nats, test[0].size, "none"))}


def with_standard_error(name: str, values: np.ndarray) -> dict[str, float]:
    """Returns the mean of values, and the standard error of the mean, by name.

    Args:
        name: Name of the metric.
        values: One number per example, `[n]`.

    Returns:
        A dict with two keys: `name`, for the mean, and `name` plus "_standard_error", for the
        standard error.
    """
    return {name: values.mean(), f"{name}_standard_error": values.std() / len(values) ** 0.5}


def density_bits(model, images: np.ndarray, dimensions: int | None = None) -> dict[str, float]:
    """Returns the mean bits per dimension of discrete images under a flow.

    Args:
        model: `Flow` for 8-bit levels, whose `log_prob` adds uniform noise with the width of one
            level.
        images: Test images in the model's input format.
        dimensions: Number of values per image without padding. If None, all values are counted.

    Returns:
        A dict with "bits_nll" and its standard error, "bits_nll_standard_error".
    """
    nats = -model.log_prob(images).astype("float64")
    bits = bits_per_dimension(nats, dimensions or images[0].size, "uniform")
    return with_standard_error("bits_nll", bits)


def report_samples_by_steps(
    run: Run, model, images, labels, test_images, few=(5, 10, 20)
) -> dict[str, Any]:
    """Evaluates small images sampled in the configured number of steps, and in fewer steps.

    Args:
        run: Run with the settings `solver`, `sampling_steps`, `compared`,
            `compared_in_few_steps`, and `classifier_steps`.
        model: Model of `keras_gen.diffusion`.
        images: Training images, uint8 `[n, height, width, channels]`, with at most 32 pixels per
            side.
        labels: Labels of the training images `[n]`.
        test_images: Held-out images.
        few: Smaller numbers of steps. For each number, `compared_in_few_steps` images are sampled.

    Returns:
        A dict with the metrics of `sample_report` for the model's samples and, with the prefix
        "baseline_", for samples from a Gaussian mixture; for these metrics, images are padded to
        32x32. "black", "floor_black", and "baseline_black" are the fractions of zeros in samples,
        in held-out images, and in the mixture's samples. "kernel_distance_in_" is followed by each
        smaller number of steps. The dict also contains "ms_per_sample".
    """
    s = run.settings

    def draw(n, steps):
        options = dict(steps=steps, solver=s.solver, batch_size=250)
        return model.sample(n, seed=s.seed, **options)

    padded = pad_to(images, 32).numpy()
    extractors = trained_extractors(padded, labels, s.classifier_steps)
    count = min(s.compared, len(test_images))
    held_out = test_images[:count]
    mixture = mixture_samples(images, count, seed=s.seed, black=True)

    run.say(
        f"generating {count} samples with {s.sampling_steps} steps, and fewer samples with "
        f"{', '.join(map(str, few))} steps"
    )
    start = time.perf_counter()
    drawn = draw(count, s.sampling_steps)
    milliseconds = 1000 * (time.perf_counter() - start) / count

    run.say("comparing samples with training images, using two classifiers and image patches")
    sets = {"": pad_to(drawn, 32).numpy(), "baseline_": pad_to(mixture, 32).numpy()}
    found: dict[str, Any] = sample_report(
        extractors, padded, pad_to(held_out, 32).numpy(), sets, s.seed
    )
    for prefix, each in {"": drawn, "baseline_": mixture, "floor_": held_out}.items():
        found[f"{prefix}black"] = float((each == 0).mean())
    found["ms_per_sample"] = milliseconds

    fewer = min(s.compared_in_few_steps, count)
    evaluate = GenerationEvaluation(extractors, padded[:fewer], s.seed)
    for steps in few:
        drawn = draw(fewer, steps)
        distances = evaluate.distances(pad_to(drawn, 32).numpy())
        found[f"kernel_distance_in_{steps}"] = distances["kernel_distance"]
    return found


def prefixed(prefix: str, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the numbers with `prefix` added before their names."""
    return {prefix + name: value for name, value in numbers.items()}


def suffixed(numbers: Mapping[str, Any], suffix: str) -> dict[str, Any]:
    """Returns the numbers with `suffix` added after their names."""
    return {name + suffix: value for name, value in numbers.items()}


def extractor_accuracies(extractors: Mapping[str, Extractor]) -> dict[str, float | None]:
    """Returns the accuracy of each extractor as `extractor_accuracy_<name>`."""
    return {f"extractor_accuracy_{name}": each.accuracy for name, each in extractors.items()}


def psnr_report(sets: Mapping[str, np.ndarray], images: np.ndarray) -> dict[str, float]:
    """Returns the mean PSNR in RGB of each set of reconstructions as `psnr_<name>`.

    Args:
        sets: Reconstructions by name, uint8 `[n, H, W, C]`.
        images: Original images, with the same shape.
    """
    return {f"psnr_{name}": psnr(found, images, of="rgb").mean() for name, found in sets.items()}


def code_use_report(uses: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Returns the number of used codes and the perplexity: `<name>_in_use`, `<name>_perplexity`.

    Args:
        uses: Dict from the name of each codebook to the number of uses of each code; see
            `code_uses`.
    """
    report: dict[str, float] = {}
    for name, counts in uses.items():
        report[f"{name}_in_use"] = int(np.count_nonzero(counts))
        report[f"{name}_perplexity"] = perplexity(counts)
    return report


def lines_by_count(
    metrics: Mapping[str, float], names: Iterable[str], counts: Iterable[int]
) -> dict[str, tuple[list[int], list[float]]]:
    """Returns one line per name, through its metrics `<name>_<count>`, for `line_plot`."""
    xs = list(counts)
    return {name: (xs, [metrics[f"{name}_{count}"] for count in xs]) for name in names}


def spreads_by_count(
    metrics: Mapping[str, float], names: Iterable[str], counts: Sequence[int], kind: str
) -> dict[str, list[float]]:
    """Returns the spreads, taken from the metrics, of the points in `lines_by_count`.

    Args:
        metrics: Metrics of a run.
        names: Names of the lines.
        counts: Count at each point of a line.
        kind: Suffix of the metric names `<name>_<count>_<kind>`, such as "deviation".

    Returns: The spreads of the points, by line. A line without spreads, such as the line of a
        single seed, is omitted.
    """
    keys = {name: [f"{name}_{count}_{kind}" for count in counts] for name in names}
    return {
        name: [metrics[key] for key in of_line]
        for name, of_line in keys.items()
        if all(key in metrics for key in of_line)
    }


def plot_by_count(
    metrics: Mapping[str, float],
    names: Mapping[str, str],
    counts: Sequence[int],
    kind: str,
    y_label: str,
) -> np.ndarray:
    """Plots metrics against the number of labels, with error bars.

    Args:
        metrics: Metrics of a run.
        names: Dict from the prefix of each line's metric names to the line's legend text.
        counts: Numbers of labels.
        kind: Type of error bars; see `spreads_by_count`.
        y_label: Label of the y-axis, with the unit.

    Returns: A uint8 image `[height, width, 3]`.
    """
    lines = lines_by_count(metrics, names, counts)
    spreads = spreads_by_count(metrics, names, counts, kind)
    return line_plot(
        {names[name]: line for name, line in lines.items()},
        "labels",
        y_label,
        log_x=True,
        spreads={names[name]: spread for name, spread in spreads.items()},
    )
