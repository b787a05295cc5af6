"""What setup.cfg cannot say: a built package holds recipes, their results, exports, and some docs.

`keras-gen find` reads these docs. A checkout has all of them beside the package, where `keras-gen`
finds them after `pip install -e .`.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

PLACE = Path("keras_gen", "shipped")
EXPORTS = (
    "conditional_gan_mnist",
    "cyclegan_monet",
    "dcgan_fashion_mnist",
    "vae_mnist",
    # Chapters of the course load these.
    "adversarial_examples_mnist",
    "big_gan_fashion_mnist",
    "disentanglement_factors",
    "progressive_gan_fashion_mnist",
    "srgan_set5",
    "style_gan_fashion_mnist",
)


def shipped() -> list[Path]:
    """The files, relative to the root: of an export those of its highest version."""
    files = [*Path("recipes").glob("*.py"), *Path("recipes").glob("*.toml")]
    files += (Path("docs", name) for name in ("glossary.md", "tasks.md", "which_model.md"))
    files += Path("docs/course").glob("[0-9]*.md")
    files += Path("recipes/results").glob("*.[jt]*")
    files.append(Path("saved_models/index.json"))
    for name in EXPORTS:
        versions = Path("saved_models", name).glob("[0-9]*")
        newest = max(versions, key=lambda folder: int(folder.name))
        files += (file for file in newest.rglob("*") if file.is_file())
    return sorted(files)


class BuildWithShipped(build_py):
    """Copies these files into the built package."""

    def run(self):
        """Builds the package."""
        super().run()
        if self.editable_mode:
            return
        for file in shipped():
            target = Path(self.build_lib, PLACE, file)
            self.mkpath(str(target.parent))
            self.copy_file(str(file), str(target))

    def get_source_files(self):
        """What the source distribution holds: a package is built from it too."""
        return [*super().get_source_files(), *map(str, shipped())]


setup(cmdclass={"build_py": BuildWithShipped})
