"""Visualizations of sounds as spectrograms."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_gen.core.sound_spectra import WINDOW, spectrogram
from keras_gen.messages import in_words
from keras_gen.workshop.visualize.plots import new_figure, pixels

_RANGE = 60.0  # range in dB between the loudest value and black
_QUIET = 1e-5  # minimum magnitude that is shown as bright
_SOFTEST = 1e-9  # magnitude that represents silence, because its logarithm is finite
_WIDEST = 11.0  # width of all columns, in hundreds of pixels


def spectrograms(
    rows: Mapping[str, np.ndarray], column_names: Sequence[str] = (), rate: int = 8000
) -> np.ndarray:
    """Plots spectrograms: time runs to the right, frequency runs upward, and bright means loud.

    Values at least 60 dB below the maximum of all rows are black.

    Args:
        rows: Dict from the name of each row to its sounds, int16 or floats in [-1, 1],
            `[n, samples, 1]`. Rows may, for example, be originals, their reconstructions, and their
            conversions. All sounds have the same number of samples.
        column_names: Names of the columns, if any.
        rate: Number of samples per second, which determines the scales of the axes.

    Returns: A uint8 image `[height, width, 3]`.

    Raises:
        TypeError: If the sounds are neither int16 nor floating-point numbers.
        ValueError: If the shapes or values of sounds are not as described, or if the number of
            names differs from the number of columns.

    Example: `spectrograms({"recorded": sounds, "converted": model.convert(sounds, 3)})`.
    """
    magnitudes = {name: spectrogram(sounds) for name, sounds in rows.items()}
    columns = max(map(len, magnitudes.values()), default=0)
    if not columns or len(column_names) not in (0, columns):
        raise ValueError(
            f"There are {len(column_names)} column_names for {columns} columns: expected at "
            "least one sound, and one name per column or none."
        )
    loudest = max(np.max(found, initial=_QUIET) for found in magnitudes.values())
    seconds = max(sounds.shape[1] for sounds in rows.values()) / rate
    edge = WINDOW / 2 / rate  # from the beginning of a sound to the middle of its first window
    extent = (edge, seconds - edge, 0, rate / 2000)

    width = min(1.3, _WIDEST / columns)
    figure = new_figure(2.2 + width * columns, 0.6 + 1.5 * len(rows))
    # All panels have the same extent. Sharing the axes would have the same effect, but take
    # quadratic time.
    panels = figure.subplots(len(rows), columns, squeeze=False)
    for axes in panels.ravel():
        axes.set_visible(False)
        axes.label_outer()
    for row, (name, found) in zip(panels, magnitudes.items(), strict=True):
        for axes, image in zip(row, found, strict=False):
            levels = 20 * np.log10(np.maximum(image, _SOFTEST) / loudest)
            axes.imshow(
                levels.T, cmap="magma", vmin=-_RANGE, vmax=0, origin="lower", aspect="auto",
                extent=extent,
            )  # fmt: skip
            axes.set_visible(True)
        text = in_words(name)
        row[0].set_ylabel(text, rotation=0, ha="right", va="center", labelpad=10)
    for axes, name in zip(panels[0], column_names, strict=False):
        axes.set_title(name)
    figure.supxlabel("seconds")
    figure.supylabel("kHz")
    return pixels(figure)
