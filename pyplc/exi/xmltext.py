"""Messages as XML, the way their schema writes it, and back."""

from __future__ import annotations

import re
from typing import Any

from .declare import Element, Field, Simple, fields
from .errors import ExiValueError
from .plaintext import read, write
from .walk import attributes, content

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped (a vehicle was met that sends NUL)."""
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_ATTRIBUTE = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
"""As xml.sax.saxutils, which takes 0.1 s to import."""


def _text(kind: Simple, value: Any) -> str:
    return _NO_XML.sub("?", write(kind, value)).translate(_TEXT)


def _quoted(text: str) -> str:
    return f'"{text.translate(_ATTRIBUTE)}"'


class _Prefixes:
    """Prefixes in order of appearance: n1 for the first namespace, and so on; none for no namespace."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {"": ""}

    def name(self, namespace: str, name: str) -> str:
        prefix = self.known.setdefault(namespace, f"n{len(self.known)}:")
        return prefix + name

    def declarations(self) -> str:
        return "".join(f" xmlns:{p[:-1]}={_quoted(ns)}" for ns, p in self.known.items() if ns)


def to_xml(message: Element, name: str | None = None, namespace: str | None = None, indent: int = 0) -> str:
    """A message as XML; `name` and `namespace` are of its element, by default its type's. `indent` 0: one line."""
    prefixes = _Prefixes()
    tag = prefixes.name(message.XSD.namespace if namespace is None else namespace, name or message.tag())
    lines: list[str] = []
    _write(message, tag, prefixes, lines, 0)
    head = lines[0]
    end = len(tag) + 1
    lines[0] = head[:end] + prefixes.declarations() + head[end:]
    if not indent:
        return "".join(line.lstrip("\t") for line in lines)
    return "\n".join(" " * (indent * (len(line) - len(line.lstrip("\t")))) + line.lstrip("\t") for line in lines)


def _write(message: Element, tag: str, prefixes: _Prefixes, lines: list[str], depth: int) -> None:
    given = "".join(
        f" {prefixes.name(p.namespace, p.name)}={_quoted(_NO_XML.sub('?', write(p.type, p.value)))}"
        for p in attributes(message)
    )
    parts = list(content(message))
    tabs = "\t" * depth
    if not parts:
        lines.append(f"{tabs}<{tag}{given}/>")
    elif parts[0].what == "CH":
        lines.append(f"{tabs}<{tag}{given}>{_text(parts[0].type, parts[0].value)}</{tag}>")
    else:
        lines.append(f"{tabs}<{tag}{given}>")
        for part in parts:
            inner = prefixes.name(part.namespace, part.name)
            if isinstance(part.type, type):
                _write(part.value, inner, prefixes, lines, depth + 1)
            else:
                lines.append(f"{tabs}\t<{inner}>{_text(part.type, part.value)}</{inner}>")
        lines.append(f"{tabs}</{tag}>")


def parse(xml: str) -> Any:
    """The element tree of a text; ExiValueError if it is no XML. Document types are refused (they can grow at will)."""
    from xml.etree import ElementTree

    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        raise ExiValueError("document types are refused")
    try:
        return ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise ExiValueError(f"no XML: {error}") from None


def local_name(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]


def from_element(node: Any, cls: type[Element], name: str) -> Element:
    """The value of an element tree; ExiValueError where it is none of type `cls`."""
    values: dict[str, Any] = {}
    declared = fields(cls)
    by_attribute = {f.name: f for f in declared if f.kind == "attribute"}
    for key, text in node.attrib.items():
        field = by_attribute.get(local_name(key))
        if field is None:
            raise ExiValueError(f"{name} has no attribute {local_name(key)}")
        values[field.name] = read(field.type, text, field.name)
    text_field = next((f for f in declared if f.kind == "content"), None)
    if text_field is not None:
        values[text_field.name] = read(text_field.type, node.text or "", name)
    elif (node.text or "").strip():
        raise ExiValueError(f"{name} has text {node.text.strip()!r:.60}")
    places = _places(declared)
    for child in node:
        _read_child(child, places, values, name)
    try:
        return cls(**values)
    except TypeError as error:
        raise ExiValueError(f"{name}: {error}") from None


def _places(declared: tuple[Field, ...]) -> dict[str, tuple[Field, Any]]:
    """Element name to the field it goes to and its type."""
    places: dict[str, tuple[Field, Any]] = {}
    for f in declared:
        for member in f.members:
            places[member.name] = f, member.type
        if f.kind == "element":
            places[f.name] = f, f.type
    return places


def _read_child(child: Any, places: dict[str, tuple[Field, Any]], values: dict[str, Any], name: str) -> None:
    tag = local_name(child.tag)
    if tag not in places:
        raise ExiValueError(f"{name} has no element {tag}")
    field, kind = places[tag]
    if isinstance(kind, type):
        value: Any = from_element(child, kind, tag)
    else:
        if len(child) or child.attrib:
            raise ExiValueError(f"{tag} is a simple value")
        value = read(kind, child.text or "", tag)
    if field.kind == "choices":
        values.setdefault(field.name, []).append((tag, value))
    elif field.is_list:
        values.setdefault(field.name, []).append(value)
    elif field.name in values:
        raise ExiValueError(f"{name} has {tag} twice")
    else:
        values[field.name] = value


def canonical(xml: str) -> Any:
    """A form of XML that is equal for equal content: names with namespaces, no prefixes, no white space between."""
    return _canonical(parse(xml))


def _canonical(node: Any) -> Any:
    text = (node.text or "").strip() if len(node) else node.text or ""
    return node.tag, sorted(node.attrib.items()), text, [_canonical(child) for child in node]
