"""VAEs with several layers of latents: top-down sampling and the variational bound."""

import math
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.autoencoders.coder import Coder, require_moments
from keras_gen.core import capability, sample
from keras_gen.core.distribution import batch_mean
from keras_gen.core.kinds_of_data import Levels, Number, Vectors
from keras_gen.core.likelihood_model import (
    SCORE_SAMPLES,
    edge_of,
    log_prob,
    require_parameters,
)
from keras_gen.core.noise import normal
from keras_gen.core.schedules import Weight
from keras_gen.declared import Named, fields_of, made_by, network, networks
from keras_gen.losses import kl_normal, likelihoods, log_ratio_normal


class Drawn(NamedTuple):
    """Samples of one latent variable in one layer.

    Attributes:
        latents: Sampled latents, `[batch, ...]`.
        posterior: Mean and log variance of the normal distribution from which the latents were
            sampled.
        prior: Mean and log variance of p(latents | layers above).
    """

    latents: Any
    posterior: tuple
    prior: tuple


class HierarchicalVAE(Coder):
    """Base class for VAEs with L layers of normal latents, generated from layer L down to the data.

    p(x, z) = p(z_L) p(z_{L-1} | z_L) ... p(x | z), where p(z_L) is N(0, 1). A subclass names the
    variables of a layer (`parts`) and defines inference (`posterior`). Lists of networks start with
    layer 1, which is closest to the data. The code of an example is one vector that contains the
    latents of all layers, layer 1 first; `split` separates this vector into variables.

    `loss = reconstruction_loss + beta * kl_loss`, in nats per example; `kl_z1` and so on are the
    divergences of the variables. In training, if the mean divergence of a variable over the batch
    is below `free_bits`, it is replaced with `free_bits`, which has no gradient (Kingma et al.:
    "Improved Variational Inference with Inverse Autoregressive Flow", NeurIPS 2016). `score` and
    `log_prob` return the ELBO, estimated with 16 samples.

    Args:
        bottom_up: Networks of the bottom-up pass, one per layer.
        top_down: Networks of the top-down pass, one per layer except the top layer.
        decoder: Network that maps the latents of layer 1 and, if there are several layers, the
            outputs of the network above to the likelihood's parameters.
        likelihood: Likelihood p(x|z), a name or an object.
        beta: Weight of the KL divergence, a number or a schedule, such as a warm-up.
        free_bits: Divergence of each variable, in nats, below which the divergence is not
            minimized; a number or a schedule.
        seed: Seed for the noise of the latents.
    """

    # Names of the variables in each layer except the top layer, which has a single variable.
    parts: ClassVar[tuple[str, ...]] = ("",)
    # Parts whose distribution is inferred before the layers above them. The divergence of this
    # distribution from p(z_i | layers above) must therefore be estimated with a sample.
    estimated: ClassVar[tuple[str, ...]] = ()

    unserved = ("temperature",)
    sample = sample
    log_prob = log_prob

    bottom_up: list[keras.Model] = networks()
    top_down: list[keras.Model] = networks()
    decoder: keras.Model = network()
    likelihood: Named[likelihoods.Likelihood] = made_by(likelihoods.get, default="bernoulli")
    beta: Weight = 1.0
    free_bits: Weight = 0.0

    @override
    def terms(self, batch):
        x = batch["x"]
        noise = normal([keras.ops.shape(x)[0], self.size], self.stateless_seed("latents"))
        drawn, parameters = self.descend(noise, self.posterior(x, noise))
        parts = {name: self._divergence(name, variable) for name, variable in drawn.items()}
        kls = tf.stack(list(parts.values()), axis=1)
        if self.training and self.free_bits != 0:
            least = self.scheduled(self.free_bits)
            kls = tf.where((batch_mean(kls) > least) | (least <= 0), kls, least)
        return {
            "reconstruction": -self.likelihood.log_prob(parameters, x),
            "kl": tf.reduce_sum(kls, axis=1),
        } | {f"kl_{name}": kl for name, kl in parts.items()}

    @override
    def loss_weights(self):
        parts = {f"kl_{name}": None for names in self.layout for name in names}
        return {"reconstruction": 1.0, "kl": self.beta} | parts

    # Hooks -----------------------------------------------------------------------------------

    def posterior(self, x, noise) -> Callable:
        """Infers latents bottom-up, and returns the argument `posterior` for `descend`."""
        raise NotImplementedError(
            f"{type(self).__name__} does not define inference: override posterior."
        )

    # Layers ----------------------------------------------------------------------------------

    def split(self, latents) -> dict[str, tf.Tensor]:
        """Splits latents `[batch, size]` into variables by name, from layer 1 up."""
        shapes = {name: shape for names in self.layout for name, shape in names.items()}
        parts = tf.split(latents, [math.prod(shape) for shape in shapes.values()], axis=-1)
        named = zip(shapes.items(), parts, strict=True)
        return {name: tf.reshape(part, [-1, *shape]) for (name, shape), part in named}

    def descend(self, noise, posterior: Callable):
        """Samples layer by layer from the top.

        Args:
            noise: Standard normal noise, float32 `[batch, size]`.
            posterior: Function that maps the number of a layer, the features from the layer above,
                and the priors of the layer's variables to the posteriors of these variables. Each
                prior and posterior is a mean and a log variance.

        Returns:
            A dict that maps the name of each variable to a `Drawn`, and the parameters of p(x|z).
        """
        noise = self.split(noise)
        drawn = {}
        features: list = []
        latents: list = []
        for layer in range(self.depth, 0, -1):
            names = list(self.layout[layer - 1])
            priors = [(tf.zeros_like(noise[name]),) * 2 for name in names]  # p(z_L) = N(0, 1)
            if layer < self.depth:
                network = self.top_down[layer - 1]
                features, priors = heads(
                    network, [*features, *latents], self.training, len(self.parts)
                )
            found = posterior(layer, features, priors)
            for name, q, p in zip(names, found, priors, strict=True):
                drawn[name] = Drawn(reparameterized(q, noise[name], name), q, p)
            latents = [drawn[name].latents for name in names]
        (parameters,) = run(self.decoder, [*features, *latents], self.training)
        return drawn, parameters

    def as_vector(self, drawn: dict[str, Drawn]) -> tf.Tensor:
        """Returns sampled variables as one vector, `[batch, size]`."""
        parts = [drawn[name].latents for names in self.layout for name in names]
        return tf.concat([tf.reshape(z, [-1, math.prod(z.shape[1:])]) for z in parts], axis=-1)

    def known(self, latents) -> Callable:
        """Returns a `posterior` for `descend` that consists of known latents with zero variance."""
        parts = self.split(latents)

        def posterior(layer, features, priors):
            latents_of_layer = [parts[name] for name in self.layout[layer - 1]]
            # The standard deviation exp(-1000 / 2) is 0 in float32. With an infinite value instead
            # of 1000, models converted by tf2onnx generate different images.
            return [(z, tf.fill(tf.shape(z), -1000.0)) for z in latents_of_layer]

        return posterior

    def above(self, layers, posterior: Callable) -> Callable:
        """Returns a `posterior` for `descend` that is the prior up to `layers`, int `[batch]`."""

        def mixed(layer, features, priors):
            def pick(q, p):
                return tf.where(
                    tf.reshape(layer > layers, [-1] + [1] * (q.shape.rank - 1)), q, p
                )

            return tf.nest.map_structure(pick, posterior(layer, features, priors), priors)

        return mixed

    # Training --------------------------------------------------------------------------------

    def _divergence(self, name, variable):
        if name.partition("_")[2] in self.estimated:
            return log_ratio_normal(variable.latents, *variable.posterior, *variable.prior)
        return kl_normal(*variable.posterior, *variable.prior)

    @override
    def nats(self, x):
        return -tf.reduce_mean(self.log_weights(x, SCORE_SAMPLES, self.score_seeds(x)), axis=0)

    def log_weights(self, x, samples: int, seed, layers=None) -> tf.Tensor:
        """Returns log p(x, z) - log q(z|x) for samples z from q(z|x), in nats `[samples, batch]`.

        Args:
            x: Examples prepared by the edge, `[batch, ...]`.
            samples: Number of samples of the latents for each example.
            seed: Stateless seed, int64 `[2]`, or one seed per example, `[batch, 2]`.
            layers: Number of a layer for each example, int `[batch]`. Latents up to this layer are
                sampled from the prior given the layers above; the weights are then log p(x|z) + log
                p(above) - log q(above|x).
        """
        batch = keras.ops.shape(x)[0]
        repeated = tf.repeat(x, samples, axis=0)
        # The noise has the batch axis first, because each replica uses its slice of the batch.
        noise = tf.reshape(normal([batch, samples, self.size], seed), [-1, self.size])
        posterior = self.posterior(repeated, noise)
        if layers is not None:
            layers = tf.repeat(layers, samples)
            # The inferred upper layers depend on the noise in the lower layers, so the resampled
            # lower layers receive new noise.
            below = self.score_seeds(x, "lower")
            other = tf.reshape(normal([batch, samples, self.size], below), [-1, self.size])
            sizes = [sum(map(math.prod, names.values())) for names in self.layout]
            layer = tf.repeat(tf.range(1, self.depth + 1), sizes)
            noise = tf.where(layer > layers[:, None], noise, other)
            posterior = self.above(layers, posterior)
        drawn, parameters = self.descend(noise, posterior)
        ratios = [log_ratio_normal(v.latents, *v.posterior, *v.prior) for v in drawn.values()]
        log_weights = self.likelihood.log_prob(parameters, repeated) - tf.add_n(ratios)
        return tf.transpose(tf.reshape(log_weights, [batch, samples]))

    # Use -------------------------------------------------------------------------------------

    @override
    def encoded(self, x):
        """Returns the means of q(z|x), `[batch, size]`; each layer is given the previous means."""
        noise = tf.zeros([keras.ops.shape(x)[0], self.size])
        drawn, _ = self.descend(noise, self.posterior(x, noise))
        return [self.as_vector(drawn)]

    @override
    def reconstructed(self, latents):
        noise = tf.zeros_like(latents)
        return self.likelihood.mean(self.descend(noise, self.known(latents))[1])

    def noise(self, n, key):
        """Returns the noise for all layers."""
        return tf.random.stateless_normal([n, self.size], key)

    def from_noise(self, noise, temperature=1.0):
        """Returns the mean of p(x|z) for latents sampled from the prior.

        `temperature` multiplies the standard deviation of each layer's prior. Temperatures below 1
        yield cleaner but less varied samples; a temperature of 0.71 halves the variance of each
        prior.
        """

        def prior(layer, features, priors):
            return priors

        return self.likelihood.mean(self.descend(temperature * noise, prior)[1])

    @capability
    def redraw(self, latents, noise, layers):
        """Returns the mean of p(x|z) after resampling lower layers given the layers above.

        Args:
            latents: Codes `[n, size]`, as returned by `encode`.
            noise: Standard normal noise with the same shape as `latents`, used for resampling.
            layers: Highest layer to resample, int `[n]` or one number for all examples. With 0,
                nothing is resampled; with L, all layers are resampled.
            batch_size: Number of examples processed at once.
        """
        _, parameters = self.descend(noise, self.above(layers, self.known(latents)))
        return {"x": self.likelihood.mean(parameters)}

    @capability
    def log_prob_above(self, x, layers):
        """Returns the bound L^{>k} in nats, `[n]`, which reveals anomalies in the upper layers.

        The bound of Maaløe et al. (2019) is log p(x|z) + log p(z_{>k}) - log q(z_{>k}|x), averaged
        over 16 samples. Latents up to layer k are sampled from the prior given the layers above.
        `log_prob` minus this bound is the ratio LLR^{>k} of Havtorn et al.: "Hierarchical VAEs Know
        What They Don't Know", ICML 2021.

        Args:
            x: Examples `[n, ...]` in the model's input format.
            layers: Number k of layers sampled from the prior, at most L; int `[n]` or one number
                for all examples. With 0, the result is the ELBO.
            batch_size: Number of examples processed at once.
        """
        log_weights = self.log_weights(x, SCORE_SAMPLES, self.score_seeds(x), layers=layers)
        return {"log_probs": tf.reduce_mean(log_weights, axis=0)}

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        """Names the variables of the layers by running the networks on an example."""
        values = {name: getattr(self, name) for name in fields_of(type(self))}
        lists = {name: value for name, value in values.items() if isinstance(value, list)}
        others = [name for name in lists if name != "bottom_up"]
        self.depth = len(self.bottom_up)
        if not self.depth or any(len(lists[name]) != self.depth - 1 for name in others):
            found = " and ".join(f"{len(n)} in {name}" for name, n in lists.items())
            raise ValueError(
                f"The numbers of networks are {found}: expected one network per layer of "
                "latents in bottom_up, and one per layer except the top layer in "
                f"{' and '.join(others)}."
            )
        require_parameters(self.decoder, self.likelihood)
        self.layout = [self.variables_of(layer) for layer in range(1, self.depth + 1)]
        self.size = sum(math.prod(shape) for names in self.layout for shape in names.values())
        shape = self.bottom_up[0].input_shape[1:]
        self.edges["x"] = edge_of(self.likelihood, shape)
        self.edges |= {name: Vectors((self.size,), name) for name in ("latents", "noise")}
        self.edges["layers"] = Levels((), self.depth + 1, name="layers")
        self.edges["temperature"] = Number(0.0, 10.0, "temperature")
        # Run the networks once to detect incompatible networks.
        self.log_weights(tf.zeros([1, *shape], self.edges["x"].inner_spec().dtype), 1, [0, 0])
        for name, each_layer in lists.items():
            variables = len(self.parts) if name == "top_down" else 1
            for each in each_layer:
                require_moments(each, each.outputs[-2 * variables :])

    def variables_of(self, layer: int) -> dict[str, tuple]:
        """Returns the shapes of the latent variables in a layer (1 to L), by variable name."""
        top = layer == self.depth
        network = self.bottom_up[-1] if top else self.top_down[layer - 1]
        parts = ("",) if top else self.parts
        means = network.outputs[-2 * len(parts) :: 2]
        names = [f"z{layer}_{part}" if part else f"z{layer}" for part in parts]
        return dict(zip(names, [tuple(mean.shape[1:]) for mean in means], strict=False))


def run(network, inputs: list, training: bool) -> list[tf.Tensor]:
    """Returns a network's float32 outputs; raises a ValueError if the inputs do not match."""
    found = [tuple(value.shape[1:]) for value in inputs]
    taken = [tuple(value.shape[1:]) for value in network.inputs]
    if found != taken:
        raise ValueError(
            f"The network '{network.name}' accepts inputs of shapes {taken}, but the previous "
            f"networks return {found}: build the network for the returned shapes."
        )
    outputs = network(inputs if len(inputs) > 1 else inputs[0], training=training)
    return [tf.cast(output, tf.float32) for output in tf.nest.flatten(outputs)]


def heads(network, inputs: list, training: bool, variables: int = 1) -> tuple[list, list]:
    """Returns a network's features, and a tuple of mean and log variance for each variable.

    Raises:
        ValueError: If the network requires different shapes or has too few outputs.
    """
    outputs = run(network, inputs, training)
    cut = len(outputs) - 2 * variables
    if cut < 0:
        raise ValueError(
            f"The network '{network.name}' has {len(outputs)} outputs: expected features (if "
            "any), then a mean and a log variance for each latent variable (number of latent "
            f"variables: {variables})."
        )
    return outputs[:cut], list(zip(outputs[cut::2], outputs[cut + 1 :: 2], strict=True))


def reparameterized(distribution, noise, name: str) -> tf.Tensor:
    """Returns mean + std * noise; raises a ValueError if the noise has a different shape."""
    mean, log_variance = distribution
    if mean.shape[1:] != noise.shape[1:]:
        raise ValueError(
            f"{name} has shape {tuple(mean.shape[1:])} in inference, but {tuple(noise.shape[1:])} "
            "in generation: expected the same output shape from both networks."
        )
    return mean + tf.exp(0.5 * log_variance) * noise
