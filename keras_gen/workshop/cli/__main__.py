"""`python -m keras_gen.workshop.cli`."""

import sys

from keras_gen.workshop.cli import main

if __name__ == "__main__":
    sys.exit(main())
