"""Single frames as the JSON that users of charging protocol viewers know: one V2GTP message, one HAL frame, one MME."""

from __future__ import annotations

import base64
from typing import Any

from ..exi.declare import Element
from ..exi.errors import ExiError
from ..exi.tree import lines as tree_lines
from ..exi.xmltext import to_xml
from ..sdp import messages as sdp
from ..v2g import schemas
from ..v2gtp import PayloadType, V2gtpError, unpack
from . import hal

PAYLOAD_TYPES = {
    PayloadType.EXI: "EXI_Message",
    PayloadType.ISO20_MAIN: "COMMON_Message",
    PayloadType.ISO20_AC: "AC_Message",
    PayloadType.ISO20_DC: "DC_Message",
    PayloadType.ISO20_ACDP: "ACDP_Message",
    PayloadType.ISO20_WPT: "WPT_Message",
    PayloadType.SDP_REQUEST: "SDP_Request",
    PayloadType.SDP_RESPONSE: "SDP_Response",
}
SDP = (PayloadType.SDP_REQUEST, PayloadType.SDP_RESPONSE)
DECODERS = {"app": "SUPPORTED_APP", "din": "DIN70121", "iso2": "ISO15118_2"}
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


class FrameError(ValueError):
    """Bytes that are no such frame; the text says where and why."""


def prepare() -> None:
    """Load every schema now, so that no first message waits for it."""
    for name in schemas.SCHEMAS:
        schemas.schema(name)


def v2g(data: bytes, schema: str | None = None) -> dict[str, Any]:
    """One V2G message with its V2GTP header, or without one (then the header's fields are those it would have)."""
    kind, exi = _payload(data)
    if kind in SDP:
        return _v2gtp(kind, exi, "SDP", _sdp(data))
    name, message = _message(kind, exi, schema)
    kind = kind if kind is not None else schemas.SCHEMAS[name].payload_type or PayloadType.EXI
    return _v2gtp(kind, exi, DECODERS.get(name, "ISO15118_20"), DECLARATION + to_xml(message))


def tree(data: bytes, schema: str | None = None) -> list[str]:
    """The fields of one V2G message as indented lines; of discovery none."""
    kind, exi = _payload(data)
    return [] if kind in SDP else tree_lines(_message(kind, exi, schema)[1])


def _payload(data: bytes) -> tuple[int | None, bytes]:
    return (None, data) if data[:1] == b"\x80" else _unpacked(data)


def _message(kind: int | None, exi: bytes, schema: str | None) -> tuple[str, Element]:
    try:
        name = schema or schemas.detect(exi, kind).schema
        if name not in schemas.SCHEMAS:
            raise FrameError(f"{name!r} is no schema ({', '.join(schemas.SCHEMAS)})")
        return name, schemas.schema(name).decode(exi)
    except ExiError as error:
        raise FrameError(str(error)) from None


def _unpacked(data: bytes) -> tuple[int, bytes]:
    try:
        payload = unpack(data)
    except V2gtpError as error:
        raise FrameError(str(error)) from None
    return payload.type, payload.data


def _sdp(data: bytes) -> dict[str, Any]:
    try:
        return sdp.parse(data)._asdict()
    except sdp.SdpError as error:
        raise FrameError(str(error)) from None


def _v2gtp(kind: int, data: bytes, decoder: str, payload: str | dict[str, Any]) -> dict[str, Any]:
    return {
        "protocolVersion": 1,
        "invProtocolVersion": 254,
        "payloadTypeRaw": int(kind),
        "payloadType": PAYLOAD_TYPES.get(PayloadType(kind)) if kind in PAYLOAD_TYPES else f"{kind:#06x}",
        "payloadLength": len(data),
        "payloadData": base64.b64encode(data).decode(),
        "decoder": decoder,
        "payload": payload,
    }


def adapter(data: bytes) -> dict[str, Any]:
    """One HAL frame, with or without its Ethernet header."""
    if data[12:14] == hal.ETHERTYPE.to_bytes(2, "big") and data[:2] != hal.START:
        data = data[14:]
    try:
        return hal.parse(data).plain()
    except hal.HalError as error:
        raise FrameError(str(error)) from None


def mme(data: bytes) -> dict[str, Any]:
    """One HomePlug management message with its Ethernet header (VLAN tags allowed), or from the MMV on."""
    from .links import ETHERNET, HOMEPLUG, as_ethernet, payload
    from .rows import plain
    from .small import homeplug

    found = payload(ETHERNET, data)
    frame = as_ethernet(data, found) if found.ethertype == HOMEPLUG else bytes(12) + b"\x88\xe1" + data
    event = homeplug({"frame": 0, "time": 0.0, "source": frame[6:12], "destination": frame[:6]}, frame)
    if error := getattr(event, "error", None):
        raise FrameError(error)
    shown = plain(event)
    return {"protocol": shown["protocol"], "message": shown["message"], **shown["value"]}


KINDS = {"V2G": v2g, "HAL": adapter, "MME": mme}
"""The first word of a request, and who answers it."""
