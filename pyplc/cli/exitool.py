"""What `decode`, `encode` and `schema` share: bytes and texts from the command line, and lines of JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ..exi.declare import Element
from ..exi.errors import ExiError, ExiValueError
from ..v2g import schemas


def text_of(argument: str) -> str:
    """The text meant: itself, the file behind @, or the standard input for -."""
    if argument == "-":
        return sys.stdin.read()
    if argument.startswith("@"):
        return Path(argument[1:]).read_text()
    return argument


def octets(argument: str, is_base64: bool) -> bytes:
    """The bytes meant; a file may also hold them raw. ExiError if they are none."""
    if argument.startswith("@"):
        raw = Path(argument[1:]).read_bytes()
        if raw[:1] in (b"\x80", b"\x01", b"$") and not raw.isascii():
            return raw
    text = text_of(argument)
    try:
        if is_base64:
            import base64

            return base64.b64decode(text, validate=False)
        cleaned = text.translate({ord(c): None for c in " \t\r\n:-,"}).lower()
        return bytes.fromhex(cleaned.removeprefix("0x").replace("0x", ""))
    except ValueError as error:
        kind = "base64" if is_base64 else "hex"
        raise ExiError(f"not {kind}: {error}") from None


def strip_header(data: bytes) -> tuple[bytes, int | None]:
    """A stream without its V2GTP header, and the payload type if there was one; ExiError for a wrong header."""
    if data[:1] != b"\x01":
        return data, None
    if len(data) < 8 or data[1] != 0xFE:
        raise ExiError(f"a V2GTP header is 01 fe and six more bytes, not {data[:8].hex(' ')}", 0)
    length = int.from_bytes(data[4:8], "big")
    if length != len(data) - 8:
        raise ExiError(f"the V2GTP header says {length} bytes, {len(data) - 8} follow", 32)
    return data[8:], int.from_bytes(data[2:4], "big")


def find(exi: bytes, payload_type: int | None, name: str | None, fragment: bool = False) -> schemas.Detected:
    """The schema to use: the one named, or the one that fits. A fragment says nothing of its schema."""
    if name is not None:
        return schemas.Detected(known(name), True, "as you said")
    if fragment:
        raise ExiError(f"say with --schema which schema the fragment is of ({', '.join(schemas.SCHEMAS)})")
    return schemas.detect(exi, payload_type)


def known(name: str) -> str:
    """A schema's name, checked; ExiError with the names there are."""
    if name not in schemas.SCHEMAS:
        raise ExiError(f"{name!r} is no schema ({', '.join(schemas.SCHEMAS)})")
    return name


def decode(exi: bytes, name: str, fragment: bool, **switches: bool) -> tuple[Element, str, str | None]:
    """A message, its element name, and the namespace of the element if it is not the type's."""
    schema = schemas.schema(known(name))
    if fragment:
        tag, message = schema.decode_fragment(exi)
        return message, tag, schema.fragments[tag].namespace
    message = schema.decode(exi, **switches)
    return message, message.tag(), None


def decode_text(exi: bytes, name: str, fragment: bool, form: str, **switches: bool) -> str:
    """A message as text: xml, json, repr or tree."""
    message, tag, namespace = decode(exi, name, fragment, **switches)
    if form == "xml":
        from ..exi.xmltext import to_xml

        return to_xml(message, tag, namespace, indent=2)
    if form == "json":
        return json.dumps(to_json(message, tag), indent=2, ensure_ascii=False)
    if form == "repr":
        return repr(message)
    from ..exi.tree import lines

    return "\n".join(lines(message, tag))


def to_json(message: Element, tag: str) -> dict[str, Any]:
    """A message under its element name."""
    from ..exi.jsontext import to_plain

    return {tag: to_plain(message)}


def read(text: str, name: str) -> tuple[Element, str]:
    """The message that XML or JSON describes, and its element name; ExiValueError if it describes none."""
    if text.lstrip().startswith("<"):
        from ..exi import xmltext

        node = xmltext.parse(text)
        tag = xmltext.local_name(node.tag)
        return xmltext.from_element(node, type_of(name, tag), tag), tag
    from ..exi.jsontext import from_plain

    try:
        plain = json.loads(text)
    except ValueError as error:
        raise ExiValueError(f"neither XML nor JSON: {error}") from None
    if not isinstance(plain, dict) or len(plain) != 1:
        raise ExiValueError("the JSON of a message is an object with one key, its element name")
    ((tag, inner),) = plain.items()
    return from_plain(inner, type_of(name, tag), tag), tag


def type_of(name: str, tag: str) -> type[Element]:
    """The type of a root or fragment element; ExiValueError if the schema has none of this name."""
    schema = schemas.schema(known(name))
    for root in schema.roots.values():
        if root.name == tag:
            return root.type
    if tag in schema.fragments:
        return schema.fragments[tag].type
    raise ExiValueError(f"schema {name} has no message {tag}")


def schema_of(text: str) -> str:
    """The schema of XML, from its namespace; ExiValueError where one must be given."""
    for urn, name in NAMESPACES.items():
        if urn in text:
            return name
    raise ExiValueError(f"say which schema with --schema ({', '.join(schemas.SCHEMAS)})")


NAMESPACES = {
    "urn:iso:15118:2:2010:AppProtocol": "app",
    "urn:din:70121:2012:": "din",
    "urn:iso:15118:2:2013:": "iso2",
    "urn:iso:std:iso:15118:-20:CommonMessages": "iso20_common",
    "urn:iso:std:iso:15118:-20:ACDP": "iso20_acdp",
    "urn:iso:std:iso:15118:-20:AC": "iso20_ac",
    "urn:iso:std:iso:15118:-20:DC": "iso20_dc",
    "urn:iso:std:iso:15118:-20:WPT": "iso20_wpt",
}


def encode(message: Element, name: str, fragment: str | None) -> tuple[bytes, bytes | None]:
    """The bytes of a message, and their SHA-256 if it is a fragment."""
    schema = schemas.schema(known(name))
    if fragment is None:
        return schema.encode(message), None
    import hashlib

    data = schema.encode_fragment(message, fragment)
    return data, hashlib.sha256(data).digest()


def decode_line(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a batch: schema, kind and exi_hex to xml, json and message."""
    from ..exi.xmltext import to_xml

    exi, payload_type = strip_header(octets(str(line["exi_hex"]), False))
    fragment = line.get("kind") == "fragment"
    found = find(exi, payload_type, line.get("schema"), fragment)
    message, tag, namespace = decode(exi, found.schema, fragment)
    out = {"xml": to_xml(message, tag, namespace), "json": to_json(message, tag), "message": tag}
    body = getattr(getattr(message, "Body", None), "BodyElement", None)
    if body is not None:
        out["message"] = body.tag()
    return out if found.certain else {**out, "schema": found.schema, "guess": found.reason}


def encode_line(line: dict[str, Any]) -> dict[str, Any]:
    """A line of a batch: schema, kind and xml or json to exi_hex, with sha256 for fragments."""
    source = line["xml"] if "xml" in line else json.dumps(line["json"])
    name = line.get("schema") or schema_of(source)
    message, tag = read(source, name)
    data, digest = encode(message, name, tag if line.get("kind") == "fragment" else None)
    return {"exi_hex": data.hex(), **({"sha256": digest.hex()} if digest else {})}


def batch(path: str, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A line of JSON for each line of a file; what fails gives a line with `error` (and `bit`)."""
    with nullcontext(sys.stdin) if path == "-" else Path(path).open() as source:
        for text in source:
            if text.strip():
                print(json.dumps(_converted(text, convert), ensure_ascii=False))


def _converted(text: str, convert: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    try:
        return convert(json.loads(text))
    except ExiError as error:
        return {"error": error.reason, "bit": error.bit}
    except KeyError as error:
        return {"error": f"the line has no {error}"}
    except (ValueError, AttributeError) as error:
        return {"error": f"no line of JSON with an object: {error}"}
