"""PixelRNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras
from typing_extensions import override

from keras_gen.autoregressive.pixel_cnn import PixelCNN
from keras_gen.checked_arguments import checked_arguments
from keras_gen.declared import CountFrom0
from keras_gen.losses import likelihoods
from keras_gen.networks import pixel_rnn


@keras.saving.register_keras_serializable("keras_gen")
class PixelRNN(PixelCNN):
    """An autoregressive image model with a recurrent network over earlier values.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016. The loss,
    sampling, and completion are inherited from `PixelCNN` (eqs. 1 and 2); only the network differs.
    A masked convolution sees only as far as its kernel reaches. In contrast, an LSTM over rows
    (sec. 3.1) or diagonals (sec. 3.2) carries its state through the whole image, so a single layer
    has a large receptive field. The disadvantage is that the rows or diagonals are computed
    sequentially in each training step. Sampling requires only one pass in total, because the LSTMs
    over rows and diagonals can also be computed pixel by pixel.

    The network is built by `keras_gen.networks.pixel_rnn`, with kind "row" or "diagonal", or is
    assembled from `keras_gen.layers.RowLSTM`, `DiagonalLSTM`, and other causal layers. `likelihood`
    is "bernoulli" for the paper's black-and-white digits, and "categorical" for the softmax over
    256 levels (sec. 3.5).

    Deviations: see the network; the multi-scale PixelRNN (sec. 3.6) is not included.

    Args:
        network: Network that maps images `[batch, height, width, channels]`, with values in the
            likelihood's range, to the likelihood's parameters
            `[batch, height, width, channels * parameters]`, in the order `[channel, parameter]`.
            The parameters of a value depend only on earlier values: values are ordered by row, then
            by pixel, then by channel.
        likelihood: Distribution of a value, a name or an object. The paper uses 256 levels for
            color images.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: See `CausalModel`.

    Example:
    ```python
    from keras_gen.networks import pixel_rnn
    network = pixel_rnn((4, 4, 1), 1, units=2, blocks=1, kind="diagonal", levels=2)
    model = PixelRNN(network, "bernoulli")
    model.compile()
    model.fit(np.zeros((8, 4, 4, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    @classmethod
    @override
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        units: int = 16,
        blocks: CountFrom0 = 7,
        kind: str = "diagonal",
        **kwargs,
    ):
        """Builds the model with LSTMs over the image; see `keras_gen.networks.pixel_rnn`.

        By default, the likelihood is "categorical", a softmax over 256 levels.

        Args:
            shape: `(height, width, channels)` of the images, with 1 or 3 channels.
            units: Number of features in each LSTM.
            blocks: Number of LSTM layers.
            kind: Type of LSTM, "row" or "diagonal".
            **kwargs: Additional arguments for the class.

        Example: `PixelRNN.for_images((28, 28, 1), likelihood="bernoulli")`.
        """
        likelihood = likelihoods.get(kwargs.setdefault("likelihood", "categorical"))
        parameters = likelihood.params_per_value
        network = pixel_rnn(
            shape, parameters, units, blocks, kind, levels=likelihood.input_levels
        )
        return cls(network, **kwargs)
