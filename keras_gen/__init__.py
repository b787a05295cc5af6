"""Reference implementations of deep generative models in Keras 3 and TensorFlow.

Every family is a package of its own: ``from keras_gen.gan import GAN``. Importing ``keras_gen``
alone imports no TensorFlow, so that ``keras-gen --help`` answers at once.
"""

__version__ = "0.1.0"
