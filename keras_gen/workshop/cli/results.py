"""`keras-gen publish`, `results`, and `reproduce`: maintain the results pages."""

import argparse
import sys

from keras_gen.files.writing import place
from keras_gen.messages import printable
from keras_gen.serving import exported
from keras_gen.workshop.results import pages, words
from keras_gen.workshop.results import publish as publishing
from keras_gen.workshop.results import reproduce as reproducing


def publish(options: argparse.Namespace) -> int:
    """Converts exports to result records."""
    exports = [exported.find(options.models, model) for model in options.exports]
    for path, groups in publishing.publish(options.root, exports, options.note).items():
        for group in groups:
            print(f"wrote {path} for {group.record.command}")
            print_table([[*words.headline(e), words.verdict(e)] for e in group.entries])
    print("To update RESULTS.md, docs/results, and README.md, run `keras-gen results`.")
    return 0


def results(options: argparse.Namespace) -> int:
    """Writes or checks RESULTS.md, its subpages, and README.md in a checkout."""
    if not options.check:
        paths = pages.update(options.root)
        print("\n".join(f"wrote {path}" for path in paths) or "all files are up to date")
        return 0
    paths = list(pages.outdated(options.root))
    for path in paths:
        print(f"{path} differs from the runs in recipes/results: run `keras-gen results`.")
    return 1 if paths else 0


def reproduce(options: argparse.Namespace) -> int:
    """Reruns a published command, and compares the results."""
    try:
        comparisons = reproducing.reproduce(
            options.root or place("recipes").parent,
            options.recipe,
            options.preset,
            options.output,
        )
    except KeyboardInterrupt:
        print("keras-gen reproduce: interrupted", file=sys.stderr)
        return 1
    rows = [["METRIC", "PUBLISHED", "NOW", "DIFFERENCE", "TOLERANCE", "OK"]]
    for c in comparisons:
        rows.append(
            [
                c.metric,
                words.measured(c.published),
                words.measured(c.now),
                f"{c.difference:+.3g}",
                f"{c.tolerance:g}",
                "yes" if c.ok else "NO",
            ]
        )
    print()
    print_table(rows)
    outside = sum(not c.ok for c in comparisons)
    print(f"{len(comparisons) - outside} of {len(comparisons)} metrics within tolerance")
    return 1 if outside else 0


def print_table(rows: list[list[str]]) -> None:
    """Prints rows of cells in aligned columns."""
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(printable("  " + "  ".join(cells).rstrip()))
