"""MyModel: a one-line description, and the paper."""

import keras

from keras_gen.core import GenerativeModel, capability
from keras_gen.core.kinds_of_data import Images
from keras_gen.declared import Positive, network
from keras_gen.losses.per_example import per_example_mean
from keras_gen.networks import time_unet


@keras.saving.register_keras_serializable("my_model")
class MyModel(GenerativeModel):
    """Restores images from noisy copies.

    Author: "Title", venue year. Describe the method here, and how it deviates from the paper.

    Args:
        network: Network that maps noisy images `[batch, height, width, channels]`, and the standard
            deviations `[batch]` of their noise, to images.
        deviation: Maximum standard deviation of the noise, for images in [-1, 1].
        seed: Seed for the noise.

    Raises:
        ValueError: If `deviation` is not positive.

    Example:
    ```python
    model = MyModel.for_images((8, 8, 1), widths=(8,))
    model.compile()
    model.fit(np.zeros((8, 8, 8, 1), "uint8"), batch_size=4)
    images = model.denoise(np.zeros((2, 8, 8, 1), "uint8"))
    ```
    """

    # Arguments of the constructor, which are checked and stored automatically.
    network: keras.Model = network("x deviations -> x")
    deviation: Positive = 0.5

    def train_step(self, data):
        """Takes one step: prepares a batch, adds noise, minimizes the error, and reports."""
        x = self.prepare_batch(data)["x"]  # in [-1, 1]
        count = keras.ops.shape(x)[0]
        deviations = self.deviation * self.uniform("deviations", [count])
        noise = self.normal("noise", keras.ops.shape(x))

        def error():
            noisy = x + deviations[:, None, None, None] * noise
            found = self.network([noisy, deviations], training=self.training)
            return per_example_mean(keras.ops.square(found - x))

        loss = self.minimize(error)
        return self.report(loss=loss)

    @capability
    def denoise(self, x):
        """Denoises images, assuming the maximum noise; this method is also an export signature."""
        deviations = keras.ops.full([keras.ops.shape(x)[0]], self.deviation)
        return {"x": self.network([x, deviations], training=False)}

    def set_up(self):
        """Declares the data: images, which are checked and are scaled to [-1, 1] and back."""
        self.edges["x"] = Images(tuple(self.network.inputs[0].shape[1:]))

    @classmethod
    def for_images(cls, shape: tuple, widths: tuple = (16, 32), **kwargs):
        """Builds the model with a standard network."""
        return cls(time_unet(shape, widths, attention=False), **kwargs)
