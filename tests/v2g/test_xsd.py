"""The declarations against the published schemas, read in place: names, order, occurrence, types, facets, numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import reference

from pyplc.exi.declare import Binary, Bits, Boolean, Element, Enumerated, Field, Integer, Text, Unsigned, fields
from pyplc.v2g import schemas

sys.path.insert(0, str(Path(__file__).parent))
from xsdread import Item, Set  # beside this file

V2 = ("V2G_CI_MsgDef", "V2G_CI_MsgHeader", "V2G_CI_MsgBody", "V2G_CI_MsgDataTypes", "xmldsig-core-schema")
FILES = {
    "app": ("app_protocol", ("V2G_CI_AppProtocol",)),
    "din": ("din_70121", V2),
    "iso2": ("iso15118_2", V2),
    "xmldsig": ("xmldsig", ("xmldsig-core-schema",)),
    **{
        f"iso20_{name.lower()}": ("iso15118_20", (f"V2G_CI_{file}", "V2G_CI_CommonTypes", "xmldsig-core-schema"))
        for name, file in (("common", "CommonMessages"), ("AC", "AC"), ("DC", "DC"), ("ACDP", "ACDP"), ("WPT", "WPT"))
    },
}
FREE = {"KeyInfoType", "X509DataType", "PGPDataType", "SPKIDataType", "DSAKeyValueType", "KeyValueType"}
FREE |= {"TransformType", "ObjectType"}
"""Types of xmldsig with free choices: the vectors prove them."""


def xsd(name: str) -> Set:
    folder, files = FILES[name]
    return Set(*(reference.path(f"xsd/{folder}/{file}.xsd") for file in files))


def declared_simple(field: Field) -> Any:
    match field.type:
        case Boolean():
            return ("boolean",)
        case Enumerated():
            return ("enum", tuple(member.text for member in field.type.kind))
        case Bits() | Integer() | Unsigned():
            return ("integer", field.type.low, field.type.high)
        case Text():
            return ("string", field.type.min_length, field.type.max_length)
        case Binary():
            return ("base64" if field.type.base64 else "hex", field.type.min_length, field.type.max_length)
    raise TypeError(field.type)


def compare(found: Set, kind: str, cls: type[Element], seen: set[str]) -> None:
    if kind in seen or kind in FREE:
        return
    seen.add(kind)
    assert cls.XSD.abstract == (found.types[kind].get("abstract") == "true"), kind
    assert cls.XSD.mixed == (found.types[kind].get("mixed") == "true"), kind
    items = found.content(kind)
    declared = [field for field in fields(cls) if field.kind != "any"]
    key = lambda attribute, name: (not attribute, name if attribute else "")  # noqa: E731  # attributes first, sorted
    items.sort(key=lambda item: key(item.attribute, item.name))
    declared.sort(key=lambda field: key(field.kind == "attribute", field.name))
    assert [f.name if f.kind != "content" else "" for f in declared] == [item.name for item in items], kind
    for field, item in zip(declared, items, strict=True):
        compare_item(found, kind, field, item, seen)


def compare_item(found: Set, kind: str, field: Field, item: Item, seen: set[str]) -> None:
    place = f"{kind}/{item.name}"
    assert (field.low, field.high) == (item.low, item.high), place
    if item.head:
        assert [member.name for member in field.members] == found.members(item.name), place
        for member in field.members:
            compare(found, found.type_of(member.name), member.type, seen)
    elif isinstance(field.type, type):
        compare(found, item.type, field.type, seen)
    else:
        assert declared_simple(field) == item.type, place


@pytest.mark.parametrize("name", FILES)
def test_types_are_the_schemas(name: str) -> None:
    found, schema = xsd(name), schemas.schema(name)
    seen: set[str] = set()
    for root in schema.roots.values():
        compare(found, found.type_of(root.name), root.type, seen)
    assert seen or name == "xmldsig"


@pytest.mark.parametrize("name", FILES)
def test_numbers_are_the_schemas(name: str) -> None:
    found, schema = xsd(name), schemas.schema(name)
    elements = sorted((element, namespace) for element, (namespace, _) in found.globals.items())
    assert schema.bits == len(elements).bit_length()
    for number, root in schema.roots.items():
        assert elements[number][0] == root.name
    names = sorted(found.names)
    assert schema.names == len(names)
    for element, fragment in schema.fragments.items():
        namespace = fragment.namespace or fragment.type.XSD.namespace
        assert names[fragment.number] == (element, namespace)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("iso20")])
def test_every_message_is_declared(name: str) -> None:
    found, schema = xsd(name), schemas.schema(name)
    (_, (first, *_)) = FILES[name]
    own = {
        element
        for element, (_, node) in found.globals.items()
        if element.endswith(("Req", "Res")) and not node.get("abstract")
    }
    assert own == {root.name for root in schema.roots.values()}, first
