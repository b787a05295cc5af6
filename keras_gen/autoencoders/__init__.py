"""Models that encode examples as codes and decode the codes."""

from keras_gen.autoencoders.autoencoder import Autoencoder
from keras_gen.autoencoders.classifying_autoencoder import ClassifyingAutoencoder
from keras_gen.autoencoders.contractive_autoencoder import ContractiveAutoencoder
from keras_gen.autoencoders.denoising_autoencoder import DenoisingAutoencoder
from keras_gen.autoencoders.document_autoencoder import DocumentAutoencoder
from keras_gen.autoencoders.pretraining import pretrain_layers
from keras_gen.autoencoders.sparse_autoencoder import SparseAutoencoder
