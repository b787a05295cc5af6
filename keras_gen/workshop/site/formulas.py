"""Formulas between dollar signs, in pages of the site, become MathML.

Browsers draw MathML themselves: without scripts, without fonts of its own, and without a network.
"""

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

# Before emphasis (which would take the underscores of a formula), and after code.
PRIORITY = 186
BLOCK = r"\$\$([^$]+)\$\$"
INLINE = r"(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<!\s)\$(?![\w$])"


class Formula(InlineProcessor):
    """Turns the LaTeX code that a pattern finds into MathML."""

    def __init__(self, pattern: str, display: str, md: Markdown):
        super().__init__(pattern, md)
        self.display = display

    def handleMatch(self, m, data):  # noqa: N802 - Python-Markdown's name
        """Returns the formula as HTML that is left alone, and where it stood."""
        mathml = convert(m[1].strip(), display=self.display)
        return self.md.htmlStash.store(mathml), m.start(0), m.end(0)


class Formulas(Extension):
    """$...$ in a line, $$...$$ on lines of its own."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Adds both kinds of formulas."""
        md.inlinePatterns.register(Formula(BLOCK, "block", md), "formula block", PRIORITY + 1)
        md.inlinePatterns.register(Formula(INLINE, "inline", md), "formula", PRIORITY)


def makeExtension(**options) -> Formulas:  # noqa: N802 - Python-Markdown's name
    """Returns the extension, as Python-Markdown asks for it by this module's name."""
    return Formulas(**options)
