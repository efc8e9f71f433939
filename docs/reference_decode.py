"""The reference page of `pyplc decode`: lines of JSON, columns, colours, numbers, from the declarations."""

from __future__ import annotations

import inspect
from typing import Any

from declared import MADE, row_of

from pyplc.capture import events as e
from pyplc.capture import hal, station
from pyplc.capture.frames import DECODERS, PAYLOAD_TYPES
from pyplc.capture.quantities import QUANTITIES
from pyplc.capture.rows import PHASES, plain, row, usual
from pyplc.capture.tls_ciphers import LOOKAHEAD, SUITES
from pyplc.cli.decode_capture import CAPTURES, COLOURS
from pyplc.sdp.messages import SdpResponse
from pyplc.service.decoder import LONGEST
from pyplc.slac.messages import SlacParamReq
from pyplc.v2g import schemas
from pyplc.v2g.din import messages as din

NOWHERE = e.Endpoint("fe80::1", 1)
AT: dict[str, Any] = {"frame": 1, "time": 0.0}
ENDS: dict[str, Any] = {"sender": NOWHERE, "receiver": NOWHERE}
FRAME = bytes.fromhex("faaf010703000100000000 0012000f0012000f4240000013880000219500002d8a05b1fbbf")
SETUP = din.V2G_Message(
    Header=din.MessageHeader(SessionID=bytes(8)), Body=din.Body(BodyElement=din.SessionSetupReq(EVCCID=bytes(6)))
)
SAMPLES: tuple[e.Event, ...] = (
    e.Message(**AT, **ENDS, session=1, connection=1, side="ev", payload_type=0x8001, exi=b"", schema="din", value=SETUP,
              name="SessionSetupReq", protocol="urn:din:70121:2012:MsgDef"),
    e.Sdp(**AT, **ENDS, name="SECC_DiscoveryRes", side="evse", message=SdpResponse("fe80::1", 1, 0, 0)),
    e.HomePlug(**AT, name="CM_SLAC_PARAM.REQ", type=0x6064, version=1, oui=b"", payload=b"",
               message=SlacParamReq(run_id=bytes(8))),
    e.Pilot(**AT, name="CP_REPORT.IND", state="B", duty_percent=5.0, frequency=1000.0, voltage=9.0),
    e.Tls(**AT, name="negotiated", connection=1, side="evse", text=""),
    e.Key(**AT, label="CLIENT_RANDOM", client_random=b"", secret=b""),
    e.Connection(**AT, **ENDS, change=e.Change.GAP, connection=1, session=1, side="ev"),
    e.Hal(**AT, message=hal.parse(FRAME)),
    e.Recorded(**AT, station="ev", side="ev", kind="decision", value={}, text=""),
    e.Neighbour(**AT, name="neighbour solicitation", sender="", receiver="", target="", link_address=b""),
    e.Syslog(**AT, text=""),
    e.Diagnostic(**AT, title="", text=""),
    e.Comment(**AT, text=""),
    e.Damage(**AT, text=""),
)  # fmt: skip
FIELDS = {
    "frame": "number of the packet that completed it, from 1; of a key from a secrets block 0",
    "time": "seconds since 1970",
    "session": "number of the session in the capture, from 1; 0 where it belongs to none",
    "side": "`ev`, `evse`, or empty",
    "protocol": "of V2G messages the namespace, else as below",
    "message": "its name",
    "schema": f"of V2G messages: {', '.join(f'`{name}`' for name in schemas.SCHEMAS)}; empty where none can read it",
    "guessed": "true: no handshake in the capture told the schema",
    "exi_hex": "of V2G messages the EXI bytes",
    "value": "what it says, in the standard's names; null where it cannot be read",
    "xml": "with `--xml`: of V2G messages that can be read",
    "error": "only where something cannot be read: why",
}


def decode() -> str:
    """Everything a program needs that reads what `pyplc decode` writes."""
    lines = [MADE, "# pyplc decode\n", "How to use it: [a folder of captures](../how-to/captures.md).\n"]
    lines += ["## A line of JSON\n", "An object a line; the first ten keys are always there, in this order.\n"]
    lines += ["| key | what |", "|---|---|", *(row_of(f"`{key}`", what) for key, what in FIELDS.items()), ""]
    lines += ["## What there is\n", "Those with `no` in the last column are shown with `--all`, or by `--only NAME`.\n"]
    lines += ["| what | `protocol` | `message`, for example | keys of `value` | colour | shown |"]
    lines += ["|---|---|---|---|---|---|", *map(_kind, SAMPLES), ""]
    lines.append(
        f"Of HomePlug those are shown whose names begin {', '.join(PHASES)}; of TCP those of a V2G session; of our own "
        f"records all but {', '.join(station.QUIET)}. Red: a response code that is not OK, what cannot be read, a gap "
        "in a session, damage.\n"
    )
    lines += ["## Columns of --csv\n", "`frame,time,session,side,message`, then, in V, A, W, Wh and percent:\n"]
    lines += ["| column | elements |", "|---|---|"]
    lines += [row_of(f"`{name}`", ", ".join(elements)) for name, elements in QUANTITIES.items()]
    lines += ["", "## The JSON of one frame\n"]
    lines.append(
        "`pyplc decode v2g|hal|mme HEX --json` and `pyplc serve decoder` (text `V2G <hex>`, `HAL <hex>`, `MME <hex>`; "
        f'{LONGEST} characters at most; ports 1023 to 65535; errors are `{{"error": "..."}}`).\n'
    )
    lines += ["| `payloadTypeRaw` | `payloadType` |", "|---|---|"]
    lines += [row_of(f"{int(kind)} ({int(kind):#06x})", name) for kind, name in PAYLOAD_TYPES.items()]
    lines += ["", f"`decoder` is {', '.join(DECODERS.values())}, ISO15118_20, SDP or HAL.\n"]
    lines += ["## TLS suites that can be opened\n", f"{', '.join(suite.name for suite in SUITES.values())}."]
    lines += [f"Behind a lost record the next {LOOKAHEAD} numbers are tried.\n"]
    lines += ["## Files\n", f"In a folder: {', '.join(CAPTURES)}, each also with .gz. Named alone: any name."]
    return "\n".join(lines)


def _kind(event: e.Event) -> str:
    said = plain(event)
    value = said["value"] or {}
    keys = "the message" if isinstance(event, e.Message) else ", ".join(f"`{key}`" for key in value)
    protocol = "namespace" if isinstance(event, e.Message) else said["protocol"]
    what = (inspect.getdoc(type(event)) or "").split(". ")[0].split("\n")[0].split(":")[0].split(";")[0].rstrip(".")
    return row_of(what, protocol, said["message"], keys, COLOURS[row(event).group], "yes" if usual(event) else "no")
