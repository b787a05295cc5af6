"""The API pages: one page per package, and one page per module with public names."""

import posixpath
from collections.abc import Mapping
from pathlib import Path

import griffe

from keras_gen.workshop.site.links import Links
from keras_gen.workshop.site.sources import PACKAGE, described, find, path_of, summary_of

FOLDER = "api"


def place(module: str) -> str:
    """Returns the path of a module's or package's page."""
    return f"{FOLDER}/{module.removeprefix(f'{PACKAGE}.').replace('.', '/')}.md"


def room_place(room: str) -> str:
    """Returns the path of a package's page, which differs from the path of a module's page."""
    return f"{FOLDER}/{room.replace('.', '/')}/index.md"


def pages(
    root: Path, rooms: Mapping[str, Mapping[str, griffe.Object]], links: Links, methods: set[str]
) -> dict[str, str]:
    """Returns all API pages by path. Classes in `methods` also have a method page."""
    made = {f"{FOLDER}/index.md": _index(root, rooms)}
    modules: dict[str, dict[str, griffe.Object]] = {}
    for room, names in rooms.items():
        made[room_place(room)] = _room(root, room, list(names.values()))
        for definition in names.values():
            line = import_line(root, room, definition, methods)
            modules.setdefault(definition.module.path, {})[line] = definition
    for module, imports in modules.items():
        made[place(module)] = _module(module, imports, links, methods)
    return made


def _index(root: Path, rooms: Mapping[str, Mapping[str, griffe.Object]]) -> str:
    parts = [
        "# API",
        "",
        described(root, PACKAGE),
        "",
        "| package | contents | names |",
        "|-|-|-|",
    ]
    for room, names in rooms.items():
        link = posixpath.relpath(room_place(room), FOLDER)
        about = described(root, f"{PACKAGE}.{room}").partition("\n\n")[0].replace("\n", " ")
        parts.append(f"| [`{PACKAGE}.{room}`]({link}) | {about} | {len(names)} |")
    return "\n".join([*parts, ""])


def _room(root: Path, room: str, definitions: list[griffe.Object]) -> str:
    page = room_place(room)
    parts = [f"# {PACKAGE}.{room}", "", described(root, f"{PACKAGE}.{room}"), ""]
    parts += ["| name | |", "|-|-|"]
    for definition in definitions:
        link = posixpath.relpath(place(definition.module.path), posixpath.dirname(page))
        anchor = f"{definition.module.path}.{definition.name}"
        summary = summary_of(definition).replace("|", "\\|")
        parts.append(f"| [`{definition.name}`]({link}#{anchor}) | {summary} |")
    return "\n".join([*parts, ""])


def import_line(root: Path, room: str, definition: griffe.Object, methods: set[str]) -> str:
    """Returns the statement that imports a public name."""
    name = definition.name
    if name in methods:
        return f"from {PACKAGE} import {name}"
    # A package that defines no names itself has the names of its modules.
    in_room = find(root, f"{PACKAGE}.{room}", name)
    package = f"{PACKAGE}.{room}" if in_room else definition.module.path
    return f"from {package} import {name}"


def _module(
    module: str, imports: Mapping[str, griffe.Object], links: Links, methods: set[str]
) -> str:
    page = place(module)
    definitions = list(imports.values())
    path = path_of(definitions[0])
    names = [definition.name for definition in definitions]
    title = names[0] if len(names) == 1 else module.removeprefix(f"{PACKAGE}.")
    parts = [f"# {title}", "", f"Source: [{path}]({links.to_file(page, path)})."]
    for name in methods.intersection(names):
        link = links.to_file(page, f"methods/{name}.md")
        parts.append(
            f"See [{name}]({link}) for the formula, the training step, and the results."
        )
    parts += ["", "```python", *imports, "```"]
    for name in names:
        parts += ["", f"::: {module}.{name}", "    options:", "      heading_level: 2"]
    return "\n".join([*parts, ""])
