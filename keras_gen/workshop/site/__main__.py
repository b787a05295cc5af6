"""`python -m keras_gen.workshop.site`: builds the documentation site, or the cards of methods."""

import argparse
import subprocess
import sys
from pathlib import Path

from keras_gen import __version__
from keras_gen.workshop.site.build import build
from keras_gen.workshop.site.links import Links
from keras_gen.workshop.site.method_cards import write_cards
from keras_gen.workshop.site.methods import Methods
from keras_gen.workshop.site.versions import add_version, new_version


def main() -> int:
    """Builds the site from the checkout in the working directory."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_gen.workshop.site",
        description="Build the documentation site from the checkout in the working directory.",
    )
    parser.add_argument(
        "--versions",
        type=Path,
        metavar="FOLDER",
        help="add the built site to FOLDER/VERSION, and update the list of versions",
    )
    parser.add_argument(
        "--cards",
        type=Path,
        metavar="PDF",
        help="write a PDF with one A5 card per method, without building the site",
    )
    given = parser.parse_args()
    try:
        if given.cards:
            write_cards(Methods(Path.cwd(), Links(Path.cwd())), given.cards)
            print(f"wrote {given.cards}")
            return 0
        if given.versions:
            new_version(given.versions, __version__)  # raises an error before the site is built
        folder = build(Path.cwd())
        page = folder / "index.html"
        if given.versions:
            page = add_version(folder, given.versions, __version__)
    except (OSError, ValueError) as error:
        own = isinstance(error, OSError) and error.filename is None and error.strerror
        print(f"site: {own or error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"first page: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
