"""Docstrings as the site's pages show them."""

import re

import griffe


class Examples(griffe.Extension):
    """Shows sessions of Python, `Example:` and lines with `>>>` below, as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs) -> None:
        """Renames the section of an object's docstring: the name in the plural means code."""
        if obj.docstring:
            text = obj.docstring.value
            obj.docstring.value = re.sub(r"^Example:(?=\n +>>>)", "Examples:", text, flags=re.M)
