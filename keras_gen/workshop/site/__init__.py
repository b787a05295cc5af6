"""The documentation site, built from docs/, docstrings, recipes, and results.

`python -m keras_gen.workshop.site` builds it from a checkout. It requires the packages that
`pip install -e ".[docs]"` installs. No module in this package imports TensorFlow: code is read as
text.
"""
