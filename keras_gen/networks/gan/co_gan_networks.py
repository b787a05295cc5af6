"""Networks of CoGAN (Liu, Tuzel 2016), which share layers between two domains."""

import keras
from keras import layers, ops

from keras_gen.checked_arguments import checked_arguments
from keras_gen.networks.blocks import batch_norm, conv, cropped, float32, halved_sides, he_conv


@checked_arguments
def co_gan_generator(
    image_shape: tuple = (28, 28, 1), latent_dim: int = 100, filters: int = 64
) -> keras.Model:
    """Builds both generators: shared transposed convolutions and separate last layers.

    Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, sec. 3. The shared layers
    determine the content that the two images have in common, such as the digit.

    Args:
        image_shape: `(height, width, channels)` of the images in both domains, with sides of at
            least 4 pixels.
        latent_dim: Number of latent dimensions.
        filters: Number of channels before the last layers.

    Returns:
        A model that maps float latents `[batch, latent_dim]` to pairs of float32 images in [-1, 1],
        `[batch, 2, *image_shape]`.

    Example:
        >>> generator = co_gan_generator((28, 28, 1), filters=8)
    """
    sides = halved_sides(image_shape, 2, "image_shape")
    double = dict(layer=layers.Conv2DTranspose, strides=2, padding="same")
    latents = keras.Input((latent_dim,))
    x = layers.Reshape((1, 1, latent_dim))(latents)
    x = conv(4 * filters, sides, layer=layers.Conv2DTranspose)(x)
    for width in (2 * filters, filters):
        x = layers.ReLU()(batch_norm()(x))
        x = conv(width, 4, **double)(x)
    x = cropped(layers.ReLU()(batch_norm()(x)), image_shape)
    images = []
    for domain in "xy":
        last = conv(image_shape[-1], 5, padding="same", use_bias=True, name=f"last_{domain}")
        images.append(layers.Activation("tanh", dtype="float32")(last(x)))
    return keras.Model(latents, ops.stack(images, axis=1), name="generator")


@checked_arguments
def co_gan_discriminator(
    image_shape: tuple = (28, 28, 1),
    classes: int = 0,
    filters: int = 20,
    hidden: int = 500,
) -> keras.Model:
    """Builds both discriminators: separate first layers, followed by shared layers.

    Liu, Tuzel: "Coupled Generative Adversarial Networks", NeurIPS 2016, sec. 3. Each discriminator
    is a LeNet without normalization.

    Args:
        image_shape: `(height, width, channels)` of the images in both domains, with sides of at
            least 4 pixels.
        classes: Number of classes that a second output predicts, or 0 for no second output.
        filters: Number of channels in the first layers; the second layer has 2.5 times as many.
        hidden: Number of units in the dense layer.

    Returns:
        A model that maps pairs of images in [-1, 1] `[batch, 2, *image_shape]` to float32 logits
        `[batch, 2]` and, with classes, class logits `[batch, 2, classes]`.

    Example:
        >>> discriminator = co_gan_discriminator((28, 28, 1), classes=10, filters=4, hidden=16)
    """
    halved_sides(image_shape, 2, "image_shape")
    shared = [
        he_conv(5 * filters // 2, 5),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(hidden, kernel_initializer="he_normal"),
        layers.LeakyReLU(negative_slope=0.2),
    ]
    logit = layers.Dense(1)
    class_logits = layers.Dense(classes) if classes else None
    pairs = keras.Input((2, *image_shape))
    outputs = []
    class_outputs = []
    for place in range(2):
        x = layers.MaxPooling2D(2)(he_conv(filters, 5)(pairs[:, place]))
        for layer in shared:
            x = layer(x)
        outputs.append(logit(x))
        if class_logits:
            class_outputs.append(class_logits(x))
    logits = float32(layers.Concatenate()(outputs))
    if not classes:
        return keras.Model(pairs, logits, name="discriminator")
    class_pairs = float32(ops.stack(class_outputs, axis=1))
    return keras.Model(pairs, [logits, class_pairs], name="discriminator")
