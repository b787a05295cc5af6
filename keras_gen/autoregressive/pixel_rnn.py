"""PixelRNN (van den Oord, Kalchbrenner, Kavukcuoglu 2016)."""

import keras

from keras_gen.autoregressive.pixel_cnn import PixelCNN


@keras.saving.register_keras_serializable("keras_gen")
class PixelRNN(PixelCNN):
    """Images as a product of conditionals, each by a recurrent network over the values before.

    Van den Oord, Kalchbrenner, Kavukcuoglu: "Pixel Recurrent Neural Networks", ICML 2016. Loss,
    samples and completions are those of `PixelCNN`, eq. (1) and (2); what differs is the network.
    A masked convolution sees as far as the kernels reach; an LSTM over rows (sec. 3.1) or diagonals
    (sec. 3.2) carries its state through the whole image, so that one layer sees far. In exchange
    the rows or diagonals of a training step are computed one after the other. Samples take one
    pass in all: the LSTMs of rows and diagonals are computed pixel by pixel too.

    The network is one of `keras_gen.networks.pixel_rnn`, of kind "row" or "diagonal", or any other
    of `keras_gen.layers.RowLSTM`, `DiagonalLSTM` and further causal layers. `likelihood` is
    "bernoulli" for the paper's black and white digits, "categorical" for the softmax over 256
    levels (sec. 3.5).

    Deviations: those of the network; the multi-scale PixelRNN (sec. 3.6) is not there.

    Args:
        network: Images `[batch, height, width, channels]`, in the range of the likelihood, to its
            parameters `[batch, height, width, channels * parameters]`, in the order `[channel,
            parameter]`: those of a value depend only on the values before it, in rows, then pixels,
            then channels.
        likelihood: Name or object: the distribution of a value, 256 levels in the paper.
        seed: Seed of the order in which `fit` takes the examples of a `Source`.

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
