"""`python -m keras_gen.workshop.site`: builds the documentation site."""

import subprocess
import sys
from pathlib import Path

from keras_gen.workshop.site.build import build


def main() -> int:
    """Builds the site of the checkout in the working directory."""
    try:
        folder = build(Path.cwd())
    except (FileNotFoundError, ValueError) as error:
        print(f"site: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        return error.returncode
    print(f"{folder / 'index.html'} is the first page")
    return 0


if __name__ == "__main__":
    sys.exit(main())
