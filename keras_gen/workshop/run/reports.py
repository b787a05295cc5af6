"""Numbers that several recipes report, under the names that they publish."""

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
    """Fits the baseline of models of binary images, and says so.

    Args:
        run: The run, whose setting `templates` has the numbers of templates to choose from.
        train: Training examples `[n, ...]` of zeros and ones.
    """
    templates = run.settings.templates
    run.say(f"fitting mixtures of {templates} Bernoulli distributions")
    most = len(train) * 5 // 6  # the examples that a mixture is fitted to
    sizes = [min(int(size), most) for size in templates.split()]
    return BernoulliMixture.of_best_size(train, sizes, run.settings.seed)


def binary_baselines(run: Run, train: np.ndarray, test: np.ndarray) -> dict[str, float]:
    """Returns the mean NLL of test images by cheap models of binary images, in nats.

    Args:
        run: The run, whose setting `templates` is that of `fit_bernoulli_mixture`, and `boosted`
            the number of pixels that boosted trees learn from.
        train: Training images `[n, height, width, 1]` of zeros and ones.
        test: Test images.

    Returns:
        "nll_trees", by boosted trees of the 36 pixels before each one (`BoostedPixels`);
        "nll_table", by a table of the 16 pixels before (`ContextTable`); and "nll_mixture", by a
        mixture of Bernoulli distributions.
    """
    mixture = fit_bernoulli_mixture(run, train)
    pixels = train.astype("uint8")
    test_pixels = test.astype("uint8")
    table = ContextTable(16).fit(pixels)
    run.say("growing boosted trees, which predict a pixel from those before it")
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
    """Returns the mean bits per dimension of test images by boosted trees of the pixels before.

    Args:
        run: The run, whose setting `boosted` is the number of pixels that trees learn from.
        train: Training images uint8 `[n, height, width, 1]`.
        test: Test images.

    Returns:
        "bits_trees", by `BoostedPixels`.
    """
    run.say("growing boosted trees, which predict a pixel from those before it")
    trees = BoostedPixels(examples=run.settings.boosted, seed=run.settings.seed).fit(train)
    nats = -trees.log_prob(test).mean()
    return {"bits_trees": float(bits_per_dimension(nats, test[0].size, "none"))}


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


def report_samples_by_steps(
    run: Run, model, images, labels, test_images, few=(5, 10, 20)
) -> dict[str, Any]:
    """Measures small images that a model draws in steps, as many as its settings say and fewer.

    Args:
        run: The run, with the settings `solver`, `sampling_steps`, `compared`,
            `compared_in_few_steps` and `classifier_steps`.
        model: A model of `keras_gen.diffusion`.
        images: Training images uint8 `[n, height, width, channels]`, sides of at most 32 pixels.
        labels: Their labels `[n]`.
        test_images: Held-out images.
        few: Numbers of steps, in which the first `compared_in_few_steps` samples are drawn too.

    Returns:
        What `sample_report` does of samples and of a mixture of Gaussians under "baseline_", all
        padded to 32x32; "black", "floor_black" and "baseline_black", the fraction of values that
        are 0 in samples, held-out images and the mixture's; "kernel_distance_in_" and each of the
        fewer numbers of steps; "ms_per_sample".
    """
    s = run.settings

    def draw(n, steps):
        options = dict(steps=steps, solver=s.solver, batch_size=250)
        return model.sample(n, seed=s.seed, **options)

    padded = pad_to(images, 32).numpy()
    extractors = trained_extractors(padded, labels, s.classifier_steps)
    count = min(s.compared, len(test_images))
    held_out = test_images[:count]
    mixture = mixture_samples(images, count, seed=s.seed)

    run.say(f"drawing {count} samples in {s.sampling_steps} steps, and fewer in {few}")
    start = time.perf_counter()
    drawn = draw(count, s.sampling_steps)
    milliseconds = 1000 * (time.perf_counter() - start) / count

    run.say("comparing samples in the features of two classifiers, and by patches")
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


def spreads_by_count(
    metrics: Mapping[str, float], names: Iterable[str], counts: Sequence[int], kind: str
) -> dict[str, list[float]]:
    """Returns how far the points of `lines_by_count` spread, by their metrics.

    Args:
        metrics: Those of a run.
        names: Of the lines.
        counts: Of the points.
        kind: The end of the metrics' names, `<name>_<count>_<kind>`, such as "deviation".

    Returns: numbers for the points of each line that has them; of one seed there is no deviation.
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
    """Plots metrics over the number of labels, with bars as far as they spread.

    Args:
        metrics: Those of a run.
        names: What the legend says of each line, by the beginning of its metrics' names.
        counts: Numbers of labels.
        kind: What the bars are, as of `spreads_by_count`.
        y_label: Text on the left, with the unit.

    Returns: a uint8 image `[height, width, 3]`.
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
