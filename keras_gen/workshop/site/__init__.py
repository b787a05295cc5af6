"""The documentation site, built from docs/, docstrings, recipes, and results.

`python -m keras_gen.workshop.site` builds the site from a checkout. The build requires the packages
that `pip install -e ".[docs]"` installs. Because this package reads code as text, none of its
modules imports TensorFlow.
"""
