"""VGG feature maps, which perceptual losses use to compare images."""

import keras
from keras import layers

from keras_gen.checked_arguments import checked_arguments

CAFFE_MEANS = (103.939, 116.779, 123.68)  # mean levels of blue, green, and red in ImageNet


@checked_arguments
def vgg_features(
    layer: str = "block5_conv4", weights: str | None = "imagenet", name: str = "vgg_features"
) -> keras.Model:
    """Returns VGG19 up to one of its layers (Simonyan & Zisserman 2015).

    In Ledig et al. (2017), sec. 2.2.1, `"block5_conv4"` is phi_{5,4}, and `"block2_conv2"` is
    phi_{2,2}.

    Args:
        layer: Name of the layer in `keras.applications.VGG19`.
        weights: `"imagenet"`, which Keras downloads, or None for initial weights.
        name: Name of the model.

    Returns:
        A model that maps float images `[batch, height, width, 3]` in [-1, 1], with sides of at
        least 32 pixels, to a feature map.

    Raises:
        OSError: If the weights cannot be downloaded. In this case, use `activation_maps` of a
            classifier trained on your own images.

    Example: `features = vgg_features("block2_conv2")`.
    """
    try:
        vgg = keras.applications.VGG19(include_top=False, weights=weights)
    except Exception as error:  # the type of error depends on the connection
        raise OSError(
            f"The weights of VGG19 cannot be loaded ({error}): connect to a network, or use "
            "another network for features."
        ) from error
    images = keras.Input((None, None, 3))
    levels = layers.Rescaling(127.5, offset=127.5)(images)[..., ::-1]
    centered = layers.Normalization(mean=CAFFE_MEANS, variance=(1.0, 1.0, 1.0))(levels)
    network = keras.Model(vgg.input, vgg.get_layer(layer).output)
    return keras.Model(images, network(centered), name=name)
