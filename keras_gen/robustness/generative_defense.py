"""Defenses that project images onto a generative model's outputs (MagNet, Defense-GAN)."""

from collections.abc import Callable

import tensorflow as tf

from keras_gen.arguments import MOST_STEPS, checked_integer
from keras_gen.checked_arguments import checked_types


@checked_types
def reconstructed(network: Callable, autoencoder: Callable) -> Callable:
    """Returns a network preceded by an autoencoder that was trained on clean images.

    This is the reformer of Meng, Chen: "MagNet: A Two-Pronged Defense against Adversarial
    Examples", CCS 2017. Attacks compute gradients through both networks, and are therefore adapted
    to the defense.

    Args:
        network: Network that maps floats in [0, 1] to logits.
        autoencoder: Model that maps floats in [0, 1] to floats in [0, 1], such as a `VAE` with
            Bernoulli pixels.

    Example: `robust_accuracy(reconstructed(model, vae), digits, labels, {"pgd": PGD(0.3)})`.
    """

    def defended(x, training=False):
        return network(autoencoder(x, training=training), training=training)

    return defended


@checked_types
def projected(
    network: Callable,
    decode: Callable,
    start: Callable,
    steps: int = 50,
    rate: float = 0.5,
    momentum: float = 0.7,
) -> Callable:
    """Returns a network that receives the nearest image that a decoder can generate.

    Samangouei, Kabkab, Chellappa: "Defense-GAN: Protecting Classifiers against Adversarial Attacks
    using Generative Models", ICLR 2018, eq. (4). Gradient descent moves the latents until their
    decoded image is as close as possible to the input. The descent itself has almost no gradient.
    Therefore, the gradient that attacks use passes through the defense unchanged, as if the image
    had not been replaced (BPDA; Athalye, Carlini, Wagner: "Obfuscated Gradients Give a False Sense
    of Security", ICML 2018, sec. 5.4).

    Deviation: a single descent starts at an encoder's latents, whereas the paper uses ten descents
    from random latents.

    Args:
        network: Network that maps floats in [0, 1] to logits.
        decode: Function that maps latents to floats in [0, 1].
        start: Function that maps images to the latents at which the descent starts.
        steps: Number of gradient descent steps.
        rate: Step size of gradient descent on the squared distance, averaged over the values of an
            image.
        momentum: Momentum of gradient descent.

    Example:
    ```python
    decode = lambda z: tf.sigmoid(vae.decoder(z))
    defended = projected(model, decode, lambda x: vae.encoder(x)[0])
    ```
    """
    steps = checked_integer("steps", steps, 0, MOST_STEPS)

    def projection(x):
        def step(count, latents, speed):
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(latents)
                distance = tf.reduce_sum(tf.square(decode(latents) - x))
            slope = tape.gradient(distance, latents) / x.shape[1:].num_elements()
            speed = momentum * speed - rate * slope
            return count + 1, latents + speed, speed

        latents = start(x)
        _, found, _ = tf.while_loop(
            lambda count, *_: count < steps,
            step,
            (tf.constant(0), latents, tf.zeros_like(latents)),
            maximum_iterations=steps,
        )
        return decode(found)

    def defended(x, training=False):
        x = tf.convert_to_tensor(x)
        return network(x + tf.stop_gradient(projection(x) - x), training=training)

    return defended
