"""Domain adaptation: classifying examples in one domain using labels from another domain."""

from keras_gen.adaptation.adda import ADDA
from keras_gen.adaptation.dann import DANN
from keras_gen.adaptation.domain_confusion import DomainConfusion
