"""Built sites of several versions: one folder per version, and a page that lists versions."""

import os
import re
import shutil
from pathlib import Path

from packaging.version import Version

from keras_gen.files.writing import partial_path, replacing

NUMBERED = re.compile(r"\d+(\.\w+)+")
LIST = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>keras_gen, all versions</title>
</head>
<body>
<h1>keras_gen, all versions</h1>
<ul>
{entries}
</ul>
</body>
</html>
"""


def add_version(site: Path, folder: Path, version: str) -> Path:
    """Copies a built site to the folder of its version, and lists all versions.

    Args:
        site: Folder of the built site, which contains `index.html`.
        folder: Folder that contains all versions. It is created if it does not exist.
        version: Version, such as `"0.1.0"`.

    Returns:
        The path of the page that lists all versions, with the newest version first.

    Raises:
        FileExistsError: If this version already exists, because a published site must not change.

    Example: `add_version(Path("build/site/html"), Path("site"), "0.1.0")`
    """
    target = new_version(folder, version)
    folder.mkdir(parents=True, exist_ok=True)
    partial = partial_path(target)
    shutil.copytree(site, partial)
    os.replace(partial, target)
    names = [path.name for path in folder.iterdir() if NUMBERED.fullmatch(path.name)]
    entries = [
        f'<li><a href="{name}/index.html">{name}</a></li>' for name in newest_first(names)
    ]
    page = folder / "index.html"
    with replacing(page) as file:
        file.write(LIST.format(entries="\n".join(entries)).encode())
    return page


def new_version(folder: Path, version: str) -> Path:
    """Returns the folder for a new version; raises a FileExistsError if the folder exists."""
    target = folder / version
    if target.exists():
        raise FileExistsError(
            f"{target} already exists: delete it to publish version {version} again, or raise "
            "`__version__` in keras_gen/__init__.py."
        )
    return target


def newest_first(names: list[str]) -> list[str]:
    """Sorts versions from newest to oldest; a prerelease comes after its release."""
    return sorted(names, key=Version, reverse=True)
