"""Converts formulas between dollar signs to MathML on the pages of the site.

Browsers render MathML without scripts, additional fonts, or network access.
"""

from latex2mathml.converter import convert
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor

# Formulas are processed after code, and before emphasis, because emphasis would replace their
# underscores.
PRIORITY = 186
BLOCK = r"\$\$([^$]+)\$\$"
INLINE = r"(?<![\\$\w])\$(?!\s)([^$\n]+?)(?<!\s)\$(?![\w$])"


class Formula(InlineProcessor):
    """Converts the LaTeX code that a pattern finds to MathML."""

    def __init__(self, pattern: str, display: str, md: Markdown):
        super().__init__(pattern, md)
        self.display = display

    def handleMatch(self, m, data):  # noqa: N802 - Python-Markdown's name
        """Returns the formula as HTML (which is not processed further), and its position."""
        mathml = convert(m[1].strip(), display=self.display)
        return self.md.htmlStash.store(mathml), m.start(0), m.end(0)


class Formulas(Extension):
    """Converts formulas: $...$ within a line, and $$...$$ on separate lines."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - Python-Markdown's name
        """Adds the processors for both types of formulas."""
        md.inlinePatterns.register(Formula(BLOCK, "block", md), "formula block", PRIORITY + 1)
        md.inlinePatterns.register(Formula(INLINE, "inline", md), "formula", PRIORITY)


def makeExtension(**options) -> Formulas:  # noqa: N802 - Python-Markdown's name
    """Returns the extension, which Python-Markdown requests by the name of this module."""
    return Formulas(**options)
