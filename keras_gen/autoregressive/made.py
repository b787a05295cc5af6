"""MADE (Germain et al. 2015), with the mixtures of RNADE (Uria et al. 2013) for real values."""

from collections.abc import Sequence

import keras
from typing_extensions import override

from keras_gen.autoregressive.causal_model import CausalModel
from keras_gen.autoregressive.table_made import TableMADE
from keras_gen.data import Column
from keras_gen.declared import Named, made_by
from keras_gen.losses import likelihoods
from keras_gen.losses.likelihoods import Likelihood
from keras_gen.networks.autoregressive.made_networks import table_made


@keras.saving.register_keras_serializable("keras_gen")
class MADE(CausalModel):
    """An autoregressive density model for vectors that predicts each value from earlier values.

    Germain, Gregor, Murray, Larochelle: "MADE: Masked Autoencoder for Distribution Estimation",
    ICML 2015, sec. 3 and 4. The conditionals are mixtures of normal densities, as in Uria, Murray,
    Larochelle: "RNADE: The Real-valued Neural Autoregressive Density-Estimator", NIPS 2013, sec. 3.
    The loss is the exact negative log-likelihood in nats. Sampling requires one pass through the
    network per value.

    Deviations: see the network, `keras_gen.networks.made`.

    Args:
        network: Network that maps vectors `[batch, values]` to parameters of the likelihood
            `[batch, values * parameters]`, in the order `[value, parameter]`. The parameters of a
            value depend only on earlier values.
        likelihood: Distribution of a value, given as a name or as an object with a `draw` method.
        seed: Seed for the order in which `fit` uses the examples of a `Source`.

    Raises:
        ValueError: If the network does not accept vectors; see also `CausalModel`.

    Example:
    ```python
    from keras_gen.losses import NormalMixture
    from keras_gen.networks import made
    model = MADE(made(2, outputs_per_value=15, hidden=(16,)), NormalMixture(5))
    model.compile()
    points = np.random.default_rng(0).normal(size=(8, 2))
    model.fit(points, batch_size=4)
    nats, others = -model.log_prob(points), model.sample(9, seed=1)
    ```
    """

    density_of_vectors = True

    likelihood: Named[Likelihood] = made_by(likelihoods.get)

    @override
    def set_up(self):
        super().set_up()
        shape = self.edges["x"].shape
        if len(shape) != 1:
            raise ValueError(
                f"The network accepts values of shape {shape}: expected a network that accepts "
                "vectors [batch, values]. For images, use PixelCNN."
            )

    @classmethod
    def for_table(
        cls,
        columns: Sequence[Column],
        hidden: tuple[int, ...] = (256, 256),
        any_order: bool = False,
        **kwargs,
    ) -> TableMADE:
        """Builds a model for table rows with categories, numbers, and missing values.

        Args:
            columns: Columns with cells, as returned by `keras_gen.data.table_columns`; at least 2.
            hidden: Number of units in each hidden layer.
            any_order: Whether the network predicts each column from any subset of the other
                columns, instead of only from the columns before it. Such a network fills gaps
                better, but its samples are slightly worse.
            **kwargs: Additional arguments for `TableMADE`.

        Raises:
            TypeError: If `columns` contains anything other than columns.
            ValueError: If there are fewer than 2 columns, or fewer hidden units than columns.

        Example: `model = MADE.for_table(table_columns(people))`.
        """
        network = table_made(columns, hidden, any_order)
        return TableMADE(network, columns, any_order=any_order, **kwargs)
