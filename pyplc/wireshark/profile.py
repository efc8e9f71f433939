"""Wireshark's colouring rules and a profile for charging, as text.

The groups are those users of charging protocol viewers know: TLS keys, discovery, V2G, test adapter; the names of the
filters too, so that rules made for such a viewer go on working.
"""

from __future__ import annotations

from typing import NamedTuple

PROFILE = "pyPLC"
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
Colour = tuple[int, int, int]


class Rule(NamedTuple):
    """One colouring rule."""

    name: str
    filter: str
    background: Colour
    text: Colour = BLACK

    def line(self) -> str:
        """The line of a file `colorfilters`."""
        colours = "".join(f"[{','.join(str(part * 257) for part in of)}]" for of in (self.background, self.text))
        return f"@{self.name}@{self.filter}@{colours}"


RULES = (
    Rule("pyPLC unreadable or failed", 'v2g.error || v2g.ResponseCode matches "^FAILED"', (200, 40, 40), WHITE),
    Rule("pyPLC failed message", 'exported_pdu && xml.cdata matches "^FAILED"', (200, 40, 40), WHITE),
    Rule("pyPLC TLS key", "tls_session_masterkey", (232, 200, 255)),
    Rule("pyPLC SECC discovery", "v2g.sdp_payload", (190, 240, 250)),
    Rule("pyPLC V2G", "v2g", (205, 245, 200)),
    Rule("pyPLC V2G message", "exported_pdu && xml", (225, 250, 220)),
    Rule("pyPLC test adapter", "hal", (255, 240, 170)),
    Rule("pyPLC HomePlug", "homeplug-av", (210, 222, 255)),
)

COLUMNS = (
    ("No.", "%m"),
    ("Time", "%t"),
    ("Source", "%s"),
    ("Destination", "%d"),
    ("Protocol", "%p"),
    ("Info", "%i"),
    ("SoC", "%Cus:v2g.EVRESSSOC or v2g.PresentSOC:0:R"),
    ("Target V", "%Cus:v2g.EVTargetVoltage:0:R"),
    ("Present V", "%Cus:v2g.EVSEPresentVoltage:0:R"),
    ("Target A", "%Cus:v2g.EVTargetCurrent:0:R"),
    ("Present A", "%Cus:v2g.EVSEPresentCurrent:0:R"),
    ("Comment", "%Cus:frame.comment:0:R"),
)


def colour_lines() -> list[str]:
    """All rules as lines."""
    return [rule.line() for rule in RULES]


def colorfilters(others: str = "") -> str:
    """A file of our rules with `others` behind them."""
    return "\n".join(["# Colouring rules of pyplc", *colour_lines()]) + "\n" + others


def preferences() -> str:
    """The preferences of the profile: columns, names of stations, TLS and TCP that go on where segments are amiss."""
    columns = ",\n".join(f'\t"{title}", "{what}"' for title, what in COLUMNS)
    return (
        "# Preferences of pyplc's profile\n"
        f"gui.column.format: \n{columns}\n"
        "nameres.network_name: TRUE\n"
        "nameres.use_external_name_resolver: FALSE\n"
        "tls.ignore_ssl_mac_failed: TRUE\n"
        "tcp.reassemble_out_of_order: TRUE\n"
    )
