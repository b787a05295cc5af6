"""Models that encode examples to codes and decode them."""

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.autoencoders.classifying import ClassifyingAutoencoder
from keras_gen.autoencoders.contractive import ContractiveAutoencoder
from keras_gen.autoencoders.denoising import DenoisingAutoencoder
from keras_gen.autoencoders.document import DocumentAutoencoder
from keras_gen.autoencoders.pretraining import pretrain_layers
from keras_gen.autoencoders.sparse import SparseAutoencoder
