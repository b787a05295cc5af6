"""`python -m keras_gen.workshop.site`: builds the documentation site."""

import argparse
import subprocess
import sys
from pathlib import Path

from keras_gen import __version__
from keras_gen.workshop.site.build import build
from keras_gen.workshop.site.versions import add_version, new_version


def main() -> int:
    """Builds the site from the checkout in the working directory."""
    parser = argparse.ArgumentParser(
        prog="python -m keras_gen.workshop.site", description=__doc__
    )
    parser.add_argument(
        "--versions",
        type=Path,
        metavar="FOLDER",
        help="Add the built site to this folder under its version, and list all versions.",
    )
    given = parser.parse_args()
    try:
        if given.versions:
            new_version(given.versions, __version__)  # raises an error before the site is built
        folder = build(Path.cwd())
        page = folder / "index.html"
        if given.versions:
            page = add_version(folder, given.versions, __version__)
    except (FileNotFoundError, FileExistsError, ValueError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"first page: {page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
