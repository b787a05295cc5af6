"""The documentation site, made of docs/, docstrings, recipes and their results.

`python -m keras_gen.workshop.site` builds it from a checkout, with what `pip install -e ".[docs]"`
brings. No module here imports TensorFlow: code is read as text.
"""
