"""Making a capture anonymous: three times over it, then a look whether anything is left.

First what is needed to know beforehand (TLS and network keys, addresses), then the messages once for their identifiers
and once more for the text in them, at last the packets.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable
from typing import BinaryIO, NamedTuple

from ...exi.declare import Element
from .. import ip, links
from ..events import Event, HomePlug, Key, Neighbour, Recorded
from ..export import Exporter
from ..files import Item, Noted, Packet
from ..keylog import KeyLog
from ..reader import Reader
from ..tcp import Flow
from .frames import Rewriter
from .pseudonyms import Pseudonyms
from .records import Records
from .streams import Counts, Streams
from .text import Scrubber, forms, telling
from .values import Values

LONG = 6
"""Bytes of an identifier that cannot be anywhere by chance."""
IN_EXI = ("mac", "session", "bytes", "text", "word")
"""Kinds of identifiers that stand in messages, where nothing begins at a byte."""


class Done(NamedTuple):
    """What was made: packets written and left out, what became of connections, identifiers replaced."""

    packets: int
    left_out: int
    counts: Counts
    identifiers: int


def anonymise(
    source: Callable[[], Iterable[Item]], out: BinaryIO, application: str, names: Pseudonyms, *,
    keys: Iterable[Key] = (), schema: str | None = None,
) -> Done:  # fmt: skip
    """Write the capture of `source` (read several times) as pcapng with pseudonyms of `names`.

    Secrets blocks and exported PDUs are left out: the sessions they open are plain afterwards.
    """
    log = _learn(source, names, keys, schema)
    blank = Scrubber(names)
    follow(source, Streams(log, Values(names, str), schema))
    for item in source():
        if isinstance(item, Noted):
            Records(names, blank, Values(names, str))(item.json)
        elif isinstance(item, Packet) and item.link_type != links.EXPORTED:
            Rewriter(names, blank, Streams(log, _same), {})(item._replace(comment=None))
    scrub = Scrubber(names)
    streams = Streams(log, Values(names, scrub), schema)
    flows = follow(source, streams)
    rewrite = Rewriter(names, scrub, streams, flows)
    records = Records(names, scrub, Values(names, scrub))
    exporter = Exporter(out, application)
    written = left_out = 0
    for item in source():
        if isinstance(item, Noted):
            exporter.record(item._replace(json=records(item.json)))
        elif isinstance(item, Packet) and item.link_type == links.EXPORTED:
            left_out += 1
        elif isinstance(item, Packet):
            exporter.packet(rewrite(item))
            written += 1
    return Done(written, left_out, streams.counts(), len({key for key in names.known if key[0] != "word"}))


def _same(message: Element) -> Element:
    return message


def _learn(source: Callable[[], Iterable[Item]], names: Pseudonyms, keys: Iterable[Key], schema: str | None) -> KeyLog:
    """TLS secrets, network keys and addresses, wherever in the capture they are."""
    from ...slac.keys import nid_of

    reader = Reader(keys=keys, schema=schema)
    for item in source():
        if isinstance(item, Packet) and item.link_type != links.EXPORTED:
            _learn_addresses(item, names)
        for event in reader.feed(item):
            for nmk in _nmks(event):
                names.nmks[nid_of(nmk)[:6]] = nmk
            if isinstance(event, Neighbour):
                _learn_address(_packed(event.target), names)
    return reader.keylog


def _nmks(event: Event) -> list[bytes]:
    if isinstance(event, Recorded):
        known = str(event.value.get("nmk") or "")
        return [bytes.fromhex(known)] if re.fullmatch("[0-9a-fA-F]{32}", known) else []
    if not isinstance(event, HomePlug) or event.message is None:
        return []
    found = (getattr(event.message, "nmk", b""), getattr(event.message, "key", b"")[:16])
    return [nmk for nmk in found if len(nmk) == 16 and any(nmk)]


def _learn_addresses(item: Packet, names: Pseudonyms) -> None:
    link = links.payload(item.link_type, item.data)
    found = ip.parse(item.data, link.start, link.ethertype) if link.ethertype == links.IPV6 else None
    for address in (found.source, found.destination) if found is not None else ():
        _learn_address(address, names)


def _learn_address(address: bytes, names: Pseudonyms) -> None:
    if len(address) == 16 and address[0] != 0xFF and any(address):
        names.addresses.setdefault(address[13:], address)


def _packed(text: str) -> bytes:
    import socket

    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def follow(source: Callable[[], Iterable[Item]], streams: Streams) -> dict[int, Flow]:
    """Feed the TCP segments; the flow of each by packet number."""
    flows: dict[int, Flow] = {}
    for item in source():
        if not isinstance(item, Packet) or item.link_type == links.EXPORTED:
            continue
        link = links.payload(item.link_type, item.data)
        found = ip.parse(item.data, link.start, link.ethertype) if link.ethertype in (links.IPV4, links.IPV6) else None
        if found is None or found.protocol != ip.TCP or len(item.data) < found.start + 20:
            continue
        key = found.source + found.destination + item.data[found.start : found.start + 4]
        flow = streams.segment(key, item.data, found.start, found.end, item.ns)
        if flow is not None:
            flows[item.number] = flow
    streams.end()
    return flows


def left(data: bytes, names: Pseudonyms) -> list[str]:
    """Identifiers of the original that are still in `data`: as bytes (at any bit, as EXI has them), hex or text."""
    bare = data.lower().translate(None, b":- ")
    found: list[str] = []
    for (kind, old), new in names.known.items():
        if old == new or kind == "low":
            continue
        raw = old.encode() if isinstance(old, str) else old if isinstance(old, bytes) else b""
        if len(raw) < LONG or not telling(raw):
            continue
        seen = raw in data or (kind in IN_EXI and any(each in data for each in _shifted(raw)))
        if isinstance(old, bytes):
            seen = seen or raw.hex().encode() in bare
            seen = seen or any(form.encode() in data for form in _rare_forms(old))
        if seen:
            found.append(f"{kind} {old.hex() if isinstance(old, bytes) else old}")
    return found


def _rare_forms(old: bytes) -> list[str]:
    """How bytes are written otherwise than as hex: long ones in base64, short ones in log lines, addresses."""
    if len(old) > 16:
        return [base64.b64encode(old).decode()]
    return [form for form in forms(old) if "0x" in form or len(old) in (4, 16) and form.count(":") > 1]


def _shifted(raw: bytes) -> list[bytes]:
    """The bytes at each place a bit stream can have them: without the first and last, which others share."""
    number, size = int.from_bytes(raw, "big"), len(raw)
    moved = ((number << 8 - shift).to_bytes(size + 1, "big")[1:size] for shift in range(1, 8))
    return [each for each in moved if len(each) >= LONG - 1 and len(set(each)) >= 4]
