"""Reads XML schemas as far as V2G uses them, to compare the declarations with: element by element, facet by facet."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

X = "{http://www.w3.org/2001/XMLSchema}"
RANGES = {
    "byte": (-(1 << 7), (1 << 7) - 1),
    "unsignedByte": (0, (1 << 8) - 1),
    "short": (-(1 << 15), (1 << 15) - 1),
    "unsignedShort": (0, (1 << 16) - 1),
    "int": (-(1 << 31), (1 << 31) - 1),
    "unsignedInt": (0, (1 << 32) - 1),
    "long": (-(1 << 63), (1 << 63) - 1),
    "unsignedLong": (0, (1 << 64) - 1),
    "integer": (None, None),
}
TEXTS = ("string", "anyURI", "ID", "IDREF", "NCName")
BINARIES = {"hexBinary": "hex", "base64Binary": "base64"}


class Item(NamedTuple):
    """One attribute or element of a type. `type` is the name of a complex type, or a description of a simple one."""

    name: str
    attribute: bool
    low: int
    high: int | None
    type: Any
    head: bool = False
    """It stands for a substitution group."""


def local(name: str) -> str:
    return name.rpartition(":")[2]


class Set:
    """The documents of one schema."""

    def __init__(self, *files: Path) -> None:
        self.types: dict[str, ElementTree.Element] = {}
        self.simple: dict[str, ElementTree.Element] = {}
        self.globals: dict[str, tuple[str, ElementTree.Element]] = {}
        self.names: set[tuple[str, str]] = set()
        for file in files:
            self._load(ElementTree.parse(file).getroot())

    def _load(self, root: ElementTree.Element) -> None:
        namespace = root.get("targetNamespace", "")
        qualified = root.get("elementFormDefault") == "qualified"
        for node in root:
            name = node.get("name", "")
            if node.tag == X + "complexType":
                self.types[name] = node
            elif node.tag == X + "simpleType":
                self.simple[name] = node
            elif node.tag == X + "element":
                self.globals[name] = namespace, node
                inner = node.find(X + "complexType")
                if inner is not None:
                    self.types[f"{name}Type"] = inner
                    node.set("type", f"{name}Type")
        top = set(root)
        for node in root.iter(X + "element"):
            if node.get("name"):
                self.names.add((node.get("name", ""), namespace if qualified or node in top else ""))

    def members(self, head: str) -> list[str]:
        """A head and all that may stand for it, sorted."""
        found, todo = [head], [head]
        while todo:
            at = todo.pop()
            for name, (_, node) in self.globals.items():
                if local(node.get("substitutionGroup", "")) == at:
                    found.append(name)
                    todo.append(name)
        return sorted(found)

    def type_of(self, element: str) -> str:
        return local(self.globals[element][1].get("type", ""))

    def content(self, name: str) -> list[Item]:
        """Attributes and elements of a complex type, inherited ones first."""
        node = self.types[name]
        for kind in ("complexContent", "simpleContent"):
            inner = node.find(f"{X}{kind}/{X}extension")
            if inner is not None:
                base = local(inner.get("base", ""))
                before = self.content(base) if base in self.types else [Item("", False, 1, 1, self.describe(base))]
                return before + self._own(inner)
        return self._own(node)

    def _own(self, node: ElementTree.Element) -> list[Item]:
        out: list[Item] = []
        for child in node:
            if child.tag == X + "attribute":
                name = child.get("name") or local(child.get("ref", ""))
                kind = self.describe(local(child.get("type", "string")))
                out.append(Item(name, True, int(child.get("use") == "required"), 1, kind))
            elif child.tag in (X + "sequence", X + "choice"):
                out += self._group(child)
        return out

    def _group(self, group: ElementTree.Element) -> list[Item]:
        out: list[Item] = []
        optional = group.get("minOccurs") == "0"
        for child in group:
            if child.tag == X + "element":
                item = self._element(child)
                out.append(item._replace(low=0) if optional else item)
            elif child.tag in (X + "sequence", X + "choice"):
                out += self._group(child)
        return out

    def _element(self, node: ElementTree.Element) -> Item:
        high = node.get("maxOccurs", "1")
        occurs = int(node.get("minOccurs", "1")), None if high == "unbounded" else int(high)
        if node.get("ref"):
            name = local(node.get("ref", ""))
            kind = self.type_of(name)
            described = kind if kind in self.types else self.describe(kind)
            return Item(name, False, *occurs, described, len(self.members(name)) > 1)
        kind = local(node.get("type", ""))
        inline = node.find(X + "simpleType")
        described = kind if kind in self.types else self.describe(kind) if inline is None else self._restrict(inline)
        return Item(node.get("name", ""), False, *occurs, described)

    def describe(self, name: str) -> Any:
        """A simple type: ("boolean",), ("enum", texts), ("integer", low, high) or ("string" and the like, min, max)."""
        if name in self.simple:
            return self._restrict(self.simple[name])
        if name == "boolean":
            return ("boolean",)
        if name in RANGES:
            return ("integer", *RANGES[name])
        return (BINARIES.get(name, "string" if name in TEXTS else name), 0, None)

    def _restrict(self, node: ElementTree.Element) -> Any:
        (restriction,) = node.findall(X + "restriction")
        facets = {facet.tag.removeprefix(X): facet.get("value", "") for facet in restriction}
        values = [facet.get("value") for facet in restriction.findall(X + "enumeration")]
        if values:
            return ("enum", tuple(values))
        kind, *bounds = self.describe(local(restriction.get("base", "")))
        low, high = bounds or (None, None)
        if kind == "integer":
            low = int(facets["minInclusive"]) if "minInclusive" in facets else low
            high = int(facets["maxInclusive"]) if "maxInclusive" in facets else high
        elif kind != "boolean":
            length = facets.get("length")
            low = int(facets.get("minLength", length or low or 0))
            high = int(facets.get("maxLength", length or high)) if length or "maxLength" in facets or high else None
        return (kind, low, high)
