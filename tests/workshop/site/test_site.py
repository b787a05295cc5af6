"""The pages of the site, without what turns them into HTML: `.ci/run` does that."""

import ast
import inspect
import pkgutil
import re
from pathlib import Path

import pytest
import yaml

import keras_gen
from keras_gen.workshop.results import read_groups, words

pytest.importorskip("griffe", reason='needs the tools of the site: pip install -e ".[docs]"')

import griffe

from keras_gen.vae import factor_vae
from keras_gen.workshop.site import build, links, methods, sources, versions
from processes import ROOT

pytestmark = pytest.mark.pages


@pytest.fixture(scope="module")
def site() -> build.Site:
    return build.gather(ROOT)


@pytest.fixture(scope="module")
def models() -> methods.Methods:
    return methods.Methods(ROOT, links.Links(ROOT))


def test_functions_of_other_modules_are_methods_with_their_text():
    file = ROOT / "keras_gen/gan/gan.py"
    extensions = griffe.load_extensions("keras_gen.workshop.site.docstrings")
    module = griffe.visit("keras_gen.gan.gan", file, file.read_text(), extensions=extensions)
    truncate = module["GAN.truncate"]
    assert truncate.is_function and "nearer to 0" in truncate.docstring.value
    assert [each.name for each in truncate.parameters] == ["latents", "truncation"]
    assert str(truncate.parameters["truncation"].annotation) == "float"
    assert [each.name for each in module["GAN.__init__"].parameters][:3] == [
        "self", "generator", "discriminator",
    ]  # fmt: skip


def test_every_model_has_a_page_with_its_formula_and_code(site, models):
    assert set(models.classes) == set(keras_gen.__all__)
    assert set(models.algorithms) == set(models.classes)
    for name, algorithm in models.algorithms.items():
        text = site.texts[methods.place(name)]
        assert algorithm.formula.strip() in text
        for step in algorithm.steps:
            assert step.partition("`")[0] in text
        for method in algorithm.code:
            assert f"def {method.rpartition('.')[2]}(" in text, (name, method)


def test_a_page_has_the_recipe_its_figure_and_its_image(site, models):
    groups = read_groups(ROOT)
    with_images = 0
    for name in models.classes:
        text = site.texts[methods.place(name)]
        recipes = models.recipes_of(name)
        assert recipes, name
        assert f"[{recipes[0]}](../recipes/{recipes[0]}.py.md)" in text
        if recipes[0] in groups:
            group = models.algorithms[name].group_of(groups[recipes[0]])
            key = models.algorithms[name].figure or group.entries[0].figure.key
            assert words.value(methods.figure_of(group, key)[1]) in text
            assert group.record.command in text
        for picture in models.shown_pictures(recipes):
            assert f'<img src="../{picture.path}"' in text
            with_images += 1
        assert "](#" not in text, name  # as in a caption, whose headings are in the gallery
    assert with_images > 50


def test_a_figure_that_is_not_published_is_refused(models):
    with pytest.raises(ValueError, match="vae_mnist does not publish 'nothing'"):
        methods.figure_of(models.groups["vae_mnist"][0], "nothing")


def test_the_navigation_names_pages_and_has_all_of_them(site):
    configuration = yaml.safe_load((ROOT / build.CONFIGURATION).read_text(encoding="utf-8"))
    named = set()

    def walk(entry):
        if isinstance(entry, str):
            named.add(entry)
        elif isinstance(entry, dict):
            for value in entry.values():
                walk(value)
        else:
            for each in entry or []:
                walk(each)

    walk([build.entry(each, site.sections) for each in configuration["nav"]])
    assert named <= set(site.texts)
    left_out = {page for page in set(site.texts) - named if not page.startswith("api/")}
    assert not left_out


def test_all_public_names_are_on_pages_of_the_api(site):
    assert all(page.endswith(".md") for page in site.texts)
    room = site.texts["api/workshop/run/index.md"]
    assert "[`Run`](run.md#keras_gen.workshop.run.run.Run)" in room
    text = "\n".join(text for page, text in site.texts.items() if page.startswith("api/"))
    for name in ("keras_gen.vae.vae.VAE", "keras_gen.core.minimize.minimize"):
        assert f"::: {name}\n" in text
    names = re.findall(r"^::: (\S+)$", text, re.MULTILINE)
    assert len(names) == len(set(names)) > 500
    for line in (
        "from keras_gen import VAE",
        "from keras_gen.metrics import frechet_distance",
        "from keras_gen.serving.export import export",
    ):
        assert f"\n{line}\n" in text


def test_a_class_shows_the_arguments_that_it_declares():
    extensions = griffe.load_extensions("keras_gen.workshop.site.docstrings")
    path = Path(factor_vae.__file__)
    module = griffe.visit(factor_vae.__name__, path, path.read_text(), extensions=extensions)
    shown = {each.name: each for each in module["FactorVAE"].parameters}
    assert [*shown] == [*inspect.signature(factor_vae.FactorVAE.__init__).parameters]
    assert (shown["gamma"].annotation, shown["gamma"].default) == ("float | Schedule", "35.0")
    assert shown["discriminator"].annotation == "keras.Model"
    assert "beta" not in module["FactorVAE"].members


def test_programs_keep_their_code():
    page = links.source_page("recipes/a.py", '"""One:\n```python\nx\n```\n"""\n')
    assert page.endswith('\n``````python\n"""One:\n```python\nx\n```\n"""\n``````\n')


def test_links_are_turned():
    kept = links.Links(ROOT)
    text = "[a](../recipes/vae_mnist.py) [b](guide.md#data) ![c](x.png) [d](https://e.org) [e](#f)"
    turned = kept.turned("docs/tasks.md", f"{text}\n```\n[a](../recipes/vae_mnist.py)\n```\n")
    assert turned == text.replace(".py)", ".py.md)") + "\n```\n[a](../recipes/vae_mnist.py)\n```\n"
    assert kept.shown == {"recipes/vae_mnist.py"}
    assert kept.copied == {"docs/x.png"}


def test_captions_are_those_of_the_gallery():
    image = '<img src="../recipes/results/a_b.png" width="10" alt="x">'
    text = f"[{image}](#a)\n\n{image}\n\nA [word](#words).\n"
    (picture,) = methods.read_pictures(text)
    assert picture == methods.Picture("recipes/results/a_b.png", 10, "x", "A [word](#words).")
    assert picture.shown("methods/A.md").endswith("\n\nA [word](../docs/gallery.md#words).")
    assert methods.of_recipe("a", [picture], ["a", "a_b"]) == []
    assert methods.of_recipe("a_b", [picture], ["a", "a_b"]) == [picture]


def test_content_of_other_sites_is_found(tmp_path):
    own = '<img src="x.png"> <a href="https://e.org">x</a> <link rel="icon" href="../x.png">'
    (tmp_path / "index.html").write_text(own)
    assert build.loaded_from_elsewhere(tmp_path) == []
    others = ["//e.org/e.css", "https://e.org/e.js", "https://e.org/e.png"]
    loaded = '<link rel="stylesheet" href="{}"> <script async src="{}"></script> <img src="{}">'
    (tmp_path / "a.html").write_text(loaded.format(*others))
    assert build.loaded_from_elsewhere(tmp_path) == others


def test_versions_stand_side_by_side(tmp_path):
    built = tmp_path / "html"
    built.mkdir()
    (built / "index.html").write_text("first")
    folder = tmp_path / "all"
    for version in ("0.9.0", "0.10.0", "0.10.0rc1"):
        page = versions.add_version(built, folder, version)
    assert re.findall('href="(.*?)/index.html"', page.read_text()) == [
        "0.10.0", "0.10.0rc1", "0.9.0",
    ]  # fmt: skip
    assert (folder / "0.9.0" / "index.html").read_text() == "first"
    with pytest.raises(FileExistsError, match=r"0\.9\.0 again"):
        versions.add_version(built, folder, "0.9.0")
    assert sorted(path.name for path in folder.iterdir()) == [
        "0.10.0", "0.10.0rc1", "0.9.0", "index.html",
    ]  # fmt: skip


def test_formulas_become_mathml():
    markdown = pytest.importorskip("markdown")
    pytest.importorskip("latex2mathml")
    html = markdown.markdown(
        "It is $x_1 * y_1$ of `$x$`.\n\n$$\n\\frac{a}{b}\n$$\n\nIt costs $5 or $6.",
        extensions=["keras_gen.workshop.site.formulas"],
    )
    assert html.count("<math") == 2
    assert "<code>$x$</code>" in html and "<em>" not in html
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block"><mrow><mfrac>' in html
    assert "It costs $5 or $6." in html


# Coming from other libraries ---------------------------------------------------------------------

ROOMS = (
    "core", "data", "diffusion", "losses", "metrics", "networks", "robustness",
    "workshop.baselines", "workshop.visualize",
)  # fmt: skip
# What users have already, and write as they like.
OF_USERS = set(
    "keras x y Xs ys Xt a b c images labels vectors attributes predicted groups columns path "
    "dataset features target real generated model network encoder decoder generator discriminator "
    "critic classifier coder".split()
)


def named(name: str):
    """What users import by this name."""
    for module in ("keras_gen", *(f"keras_gen.{room}" for room in ROOMS)):
        found = pkgutil.resolve_name(module)
        if hasattr(found, name):
            return getattr(found, name)
    raise AssertionError(f"keras_gen has no {name}")


def takes(called, keyword: str) -> bool:
    """Whether a function or a class has an argument of this name, itself or in its ancestry."""
    owner = getattr(called, "__self__", called)  # of a class method
    functions = [called]
    if inspect.isclass(owner):
        functions += [base.__init__ for base in owner.__mro__]
    return any(keyword in inspect.signature(function).parameters for function in functions)


def test_what_other_libraries_calls_are_here():
    text = (ROOT / "docs/coming_from.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\|.*\| (.*) \|$", text, re.MULTILINE)
    codes = [code for cell in cells for code in re.findall(r"`([^`]+)`", cell)]
    checked = 0
    for code in codes:
        # Commands and flags are checked with all pages; a word or an argument alone is no call.
        if re.match(r"keras-gen |python |--|keras_gen\.|\"|[a-z]\w*$|\w+=", code):
            continue
        for node in ast.walk(ast.parse(code, mode="eval")):
            if isinstance(node, ast.Name) and node.id not in OF_USERS:
                assert named(node.id), code
                checked += 1
            if isinstance(node, ast.Call):
                check_call(node, code)
    assert checked > 60


def check_call(node: ast.Call, code: str) -> None:
    text = ast.unparse(node.func)
    if text.startswith("keras.") or isinstance(node.func, ast.Call):
        return
    if text.startswith("model."):
        method = text.removeprefix("model.")
        owners = [getattr(keras_gen, name) for name in keras_gen.__all__]
        assert any(hasattr(owner, method) for owner in owners), code
        return
    head, *rest = text.split(".")
    called = named(head)
    for part in rest:
        called = getattr(called, part)
    for keyword in node.keywords:
        assert takes(called, keyword.arg), (code, keyword.arg)


def test_a_name_that_is_not_there_is_found_out():
    with pytest.raises(AssertionError, match="no WGANGPP"):
        named("WGANGPP")
    assert not takes(keras_gen.VAE.for_images, "lambda_")


def test_definitions_are_found_through_packages():
    found = sources.find(ROOT, "keras_gen.metrics", "frechet_distance")
    assert found.module.path == "keras_gen.metrics.samples.feature_distances"
    assert sources.find(ROOT, "keras_gen.metrics", "nothing") is None
    with pytest.raises(ValueError, match="defines no method 'step'"):
        sources.method_of(found, "step")
