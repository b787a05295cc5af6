"""Progressive growing of GANs (Karras, Aila, Laine, Lehtinen 2018)."""

import functools

import keras
import tensorflow as tf
from typing_extensions import override

from keras_gen.arguments import checked_integer
from keras_gen.checked_arguments import checked_arguments
from keras_gen.core import require_logits
from keras_gen.core.schedules import Linear
from keras_gen.declared import Named, PositiveInteger, Steps, argument, made_by, network
from keras_gen.gan.gan import GAN
from keras_gen.keras_internals import index_of, largest_square, moments
from keras_gen.losses import GradientPenalty, Wasserstein, adversarial, penalties
from keras_gen.losses.adversarial import Objective
from keras_gen.losses.penalties import Penalty
from keras_gen.networks import progressive_discriminator, progressive_generator
from keras_gen.networks.gan.progressive_networks import faded, resized


@keras.saving.register_keras_serializable("keras_gen")
class ProgressiveGAN(GAN):
    """A GAN whose networks grow during training, starting with 4x4 images, in a single `fit` call.

    Karras, Aila, Laine, Lehtinen: "Progressive Growing of GANs for Improved Quality, Stability, and
    Variation", ICLR 2018, sec. 2. After `stable_steps`, the layers for the next size are faded in
    over `fade_steps` (fig. 2), then trained for `stable_steps`, and so on; the final size is
    trained until the end. Real images are downsampled to the current size by averaging. During a
    fade, consecutive sizes of real images are blended in the same way as those of generated images.

    All layers exist from the start, but a step runs only the layers that are used at the current
    size, with one graph per size. With `JoiningAdam`, weights that are added later start with a new
    optimizer state. The size depends only on the step, so training can resume at any step. `sample`
    and exports enlarge images to the final size while the current size is still smaller.

    Deviations: the optimizer's state is new only for new layers, whereas the authors' code resets
    the entire state. The batch size is the same for all image sizes.

    Args:
        generator: Network that maps latents `[batch, latents]` and fade-in fractions `[batch]` to a
            list of images of sizes 4x4, 8x8, and so on; see `progressive_generator`.
        discriminator: Network that maps images of any of these sizes, and fractions, to a list of
            logits, one per size; see `progressive_discriminator`.
        objective: Adversarial objective, a name or an object. The paper's objective includes a
            drift penalty.
        penalty: See `GAN`. The paper uses the penalty of WGAN-GP (appendix A.1).
        stable_steps: Number of steps at each size without fading. In the paper, these steps process
            800,000 images, in batches of 16.
        fade_steps: Number of steps in each fade.
        seed: Seed for the latents.

    Raises:
        ValueError: If the networks' image sizes do not match, if a number of steps is below 1, or
            if `steps_per_execution` is so large that the size would change within an execution; see
            also `GAN`.

    Example:
    ```python
    steps = dict(stable_steps=2, fade_steps=2)
    model = ProgressiveGAN.for_images((16, 16, 1), latent_dim=8, filters=4, **steps)
    model.compile()
    model.fit(np.zeros((40, 16, 16, 1), "uint8"), batch_size=4)
    images = model.sample(9, seed=1)
    ```
    """

    has_dense_networks = False

    generator: keras.Model = network("latents fraction -> ...")  # images of each size
    discriminator: keras.Model = network("x fraction -> ...")  # logits for each size
    objective: Named[Objective] = made_by(adversarial.get, default=Wasserstein(drift=1e-3))
    penalty: Named[Penalty | None] = made_by(penalties.get, default=GradientPenalty(10.0))
    stable_steps: PositiveInteger = 50_000
    fade_steps: PositiveInteger = 50_000
    discriminator_steps: Steps = argument(default=1, kw_only=True)

    # The step --------------------------------------------------------------------------------

    @override
    def prepare_batch(self, data):
        """Checks a batch and downsamples its images to the current size by averaging."""
        batch = super().prepare_batch(data)
        side = 4 << self.level()
        images = resized(batch["x"], side)
        if self.level():
            images = faded(resized(resized(images, side // 2), side), images, self.fraction())
        return batch | {"x": images}

    @override
    def generated(self, use, batch):
        latents = self.normal(use, [keras.ops.shape(batch["x"])[0], self.latent_dim])
        return self._made(latents)

    @override
    def discriminate(self, images, batch, keep_state=False, network=None):
        network = self.in_use(self.discriminator)
        return super().discriminate(images, batch, keep_state, network)

    @override
    def discriminator_inputs(self, images, batch):
        return [images, self._fractions(images)]

    @override
    def call(self, latents, training=False):
        """Returns images for latents `[batch, latents]`, enlarged if the networks still grow."""
        return resized(self._made(latents), self.edges["x"].shape[0])

    def _made(self, latents):
        part = self.in_use(self.generator)
        return part([latents, self._fractions(latents)], training=self.training)

    def _fractions(self, examples):
        return tf.fill(keras.ops.shape(examples)[:1], self.fraction())

    # Growth ----------------------------------------------------------------------------------

    def level(self) -> int:
        """Returns the index of the image size in the next step: 0 for 4x4."""
        with tf.init_scope():
            step = int(keras.ops.convert_to_numpy(self.step))
        joined = (step - self.stable_steps) // (self.fade_steps + self.stable_steps) + 1
        return min(max(joined, 0), len(self.generator.outputs) - 1)

    def fraction(self) -> tf.Tensor:
        """Returns the completed fraction of the current size's fade-in, from 0 to 1."""
        period = self.fade_steps + self.stable_steps
        begin = self.level() * period - self.fade_steps
        return Linear(0.0, 1.0, self.fade_steps, max(begin, 0))(self.step.value)

    @override
    def _make_function(self, step_function):
        """Creates a graph for each size; each step runs the graph for the current size."""
        make = super()._make_function
        graph = functools.cache(lambda level: make(step_function))
        return lambda iterator: graph(self.level())(iterator)

    @override
    def graph(self, key, function, specs):
        return super().graph((key, self.level()), function, specs)

    def in_use(self, network):
        """Returns the layers of a network that are used at the current size."""
        return self._levels[network][self.level()]

    @override
    def networks_of(self, optimizer):
        return [self.in_use(network) for network in super().networks_of(optimizer)]

    @override
    def default_optimizer(self):
        return JoiningAdam(1e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

    @override
    def compile(self, *, steps_per_execution=1, **kwargs):
        """Compiles the model as in `GAN`.

        Because the image size may change only between executions, `steps_per_execution="auto"`
        means 1.
        """
        if steps_per_execution == "auto":
            steps_per_execution = 1
        checked_integer("steps_per_execution", steps_per_execution, minimum=1)
        if self.stable_steps % steps_per_execution or self.fade_steps % steps_per_execution:
            raise ValueError(
                f"stable_steps is {self.stable_steps} and fade_steps is {self.fade_steps}: "
                f"expected multiples of steps_per_execution={steps_per_execution}. "
                "Alternatively, use steps_per_execution=1."
            )
        super().compile(steps_per_execution=steps_per_execution, **kwargs)

    # Building --------------------------------------------------------------------------------

    @override
    def set_up(self):
        require_logits(self.discriminator)
        super().set_up()
        sizes = [len(network.outputs) for network in (self.generator, self.discriminator)]
        if sizes[0] != sizes[1]:
            raise ValueError(
                f"The generator has {sizes[0]} outputs, but the discriminator has {sizes[1]}: "
                "expected one output per image size in each network."
            )
        # The layers used at each size. Keras does not track them here, because the networks own
        # their weights.
        self.__dict__["_levels"] = {
            network: [keras.Model(network.inputs, output) for output in network.outputs]
            for network in (self.generator, self.discriminator)
        }

    @override
    @classmethod
    @checked_arguments(square=True)
    def for_images(  # type: ignore[override]
        cls,
        shape: tuple,
        latent_dim: int = 512,
        filters: int = 512,
        width: int = 16_384,
        **kwargs,
    ):
        """Builds the model with the paper's networks.

        Args:
            shape: `(side, side, channels)` of the images; the side is a power of two, at least 8.
            latent_dim: Number of latent dimensions.
            filters: See `progressive_generator`.
            width: See `progressive_generator`.
            **kwargs: Additional arguments for the class.
        """
        generator = progressive_generator(shape, latent_dim, filters, width)
        return cls(generator, progressive_discriminator(shape, filters, width), **kwargs)


@keras.saving.register_keras_serializable("keras_gen")
class JoiningAdam(keras.optimizers.Adam):
    """Adam for growing networks: weights that are added later start with a new optimizer state.

    Kingma, Ba: "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1, where t counts
    *each weight's own* updates. Keras counts the optimizer's steps: when a weight is added late,
    its moments are still zero, but the bias correction has already vanished. Under a constant
    gradient, the first update of the weight is (1 - beta_1) / sqrt(1 - beta_2) times too large: 3.2
    times with the defaults, and 10 times with beta_1=0 and beta_2=0.99, as in progressive growing.

    A weight is updated if its gradient is passed to `apply`. Build the optimizer with all weights,
    and pass the weights that are currently used to `minimize`. If all weights are always used, this
    optimizer is equivalent to `keras.optimizers.Adam`.

    Deviation: as in Keras, epsilon is the "epsilon hat" at the end of sec. 2. The averages of
    `use_ema` start at the optimizer's first step, for all weights.

    Args:
        *args, **kwargs: See `keras.optimizers.Adam`.

    Attributes:
        updates: Number of updates of each weight, int64 scalars in the order in which `build`
            received the weights.

    Example:
    ```python
    optimizer = JoiningAdam(1e-3, beta_1=0.0, beta_2=0.99)
    optimizer.build(network.trainable_variables)
    minimize(loss, optimizer, part_in_use)
    [int(count) for count in optimizer.updates]  # 1 for weights in use, 0 for others
    ```
    """

    @override
    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        # Like the moments, the counters have no aggregation: every replica updates its own copy.
        self.updates = [self.add_variable((), dtype="int64", name="updates") for _ in var_list]

    @override
    def update_step(self, gradient, variable, learning_rate):
        index = index_of(self, variable)
        ops = keras.ops
        m, v = moments(self, index)
        count = self.updates[index]
        rate = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(gradient, variable.dtype)
        beta_1 = ops.cast(self.beta_1, variable.dtype)
        beta_2 = ops.cast(self.beta_2, variable.dtype)
        self.assign_add(count, 1)
        t = ops.cast(count, variable.dtype)
        alpha = rate * ops.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        # Where the gradient may be sparse, this method uses functions instead of operators.
        self.assign_add(m, ops.subtract(g, m) * (1 - self.beta_1))
        self.assign_add(v, ops.subtract(ops.square(g), v) * (1 - self.beta_2))
        if self.amsgrad:
            largest = largest_square(self, index)
            self.assign(largest, ops.maximum(largest, v))
            v = largest
        self.assign_sub(variable, m * alpha / (ops.sqrt(v) + self.epsilon))
