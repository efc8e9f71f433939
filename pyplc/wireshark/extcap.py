"""The extcap program: Wireshark captures through pyplc, and each packet comes with what it says.

Wireshark calls it with `--extcap-interfaces`, `--extcap-dlts`, `--extcap-config`, and `--capture --fifo PIPE`
(doc/extcap of Wireshark). What goes through the pipe is pcapng: packets with comments, TLS secrets as they are found,
names of the stations, V2G messages as exported PDUs.
"""

from __future__ import annotations

import argparse
import signal
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from .. import __version__

PREFIX = "pyplc-"
ARGUMENTS = (
    "arg {number=0}{call=--keys}{display=TLS key log}{tooltip=NSS key log (SSLKEYLOGFILE); read again when it grows}"
    "{type=fileselect}{mustexist=true}{required=false}",
    "arg {number=1}{call=--schema}{display=Schema}{tooltip=Force a schema, e.g. din or iso2; empty: as negotiated}"
    "{type=string}{required=false}",
    "arg {number=2}{call=--messages}{display=V2G messages as rows of their own}"
    "{tooltip=Exported PDUs with the XML; not needed with the Lua dissector}{type=boolean}{default=true}",
    "arg {number=3}{call=--comments}{display=Comment on each packet}{type=boolean}{default=true}",
)


def main(arguments: list[str] | None = None) -> int:
    """What Wireshark asks for; the exit code."""
    parser = argparse.ArgumentParser(prog="pyplc extcap", description="Live capture with decoding, for Wireshark.")
    for name in ("interfaces", "dlts", "config"):
        parser.add_argument(f"--extcap-{name}", action="store_true")
    for name in ("interface", "version", "capture-filter"):
        parser.add_argument(f"--extcap-{name}", nargs="?", default="")
    parser.add_argument("--capture", action="store_true")
    for name in ("fifo", "keys", "schema"):
        parser.add_argument(f"--{name}", default="")
    for name in ("messages", "comments"):
        parser.add_argument(f"--{name}", nargs="?", default="true", const="true")
    asked, _ = parser.parse_known_args(arguments)
    if asked.capture:
        return _capture(asked)
    if asked.extcap_interfaces:
        print(*_interfaces(), sep="\n")
    elif asked.extcap_dlts:
        print("dlt {number=1}{name=EN10MB}{display=Ethernet}")
    elif asked.extcap_config:
        print(*ARGUMENTS, sep="\n")
    else:
        parser.print_help()
        return 1
    return 0


def _interfaces() -> Iterator[str]:
    yield f"extcap {{version={__version__}}}{{display=pyPLC}}"
    for _, name in socket.if_nameindex():
        yield f"interface {{value={PREFIX}{name}}}{{display=pyPLC: charging on {name}}}"


def _capture(asked: argparse.Namespace) -> int:
    """Capture until Wireshark has enough; 1 with a sentence for what cannot be done."""
    from ..capture import live
    from ..link.ports import LinkError
    from ..v2g.schemas import SCHEMAS

    if asked.extcap_capture_filter:
        return _refused("capture filters are not supported; use a display filter, or the interface itself")
    if asked.schema and asked.schema not in SCHEMAS:
        return _refused(f"{asked.schema!r} is no schema ({', '.join(SCHEMAS)})")
    if not asked.fifo or not asked.extcap_interface.startswith(PREFIX):
        return _refused(f"needs --fifo and --extcap-interface {PREFIX}...")
    signal.signal(signal.SIGTERM, _stop)
    try:
        with open(asked.fifo, "wb", buffering=0) as out:
            packets = live.packets(asked.extcap_interface.removeprefix(PREFIX))
            write(packets, out, asked.keys, asked.schema, asked.messages != "false", asked.comments != "false")
    except (KeyboardInterrupt, BrokenPipeError):
        return 0
    except (LinkError, OSError) as error:
        return _refused(str(error))
    return 0


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _refused(why: str) -> int:
    print(f"pyplc: {why}", file=sys.stderr)
    return 1


def write(
    packets: Iterable[object], out: BinaryIO, keys: str = "", schema: str = "", messages: bool = True,
    comments: bool = True,
) -> None:  # fmt: skip
    """Packets as they come into `out`, each with what it completes. `keys` is a file that may grow meanwhile."""
    from ..capture.events import Event, Key, Message
    from ..capture.export import Exporter, Names, describe
    from ..capture.files import Packet, Secrets
    from ..capture.links import ETHERNET
    from ..capture.output import Choice
    from ..capture.reader import Reader

    reader, names, choice = Reader(schema=schema or None), Names(), Choice()
    exporter = Exporter(out, f"pyplc {__version__}")
    exporter.interface(ETHERNET, "captured")
    log = _Growing(keys)
    for packet in packets:
        assert isinstance(packet, Packet)
        found: list[Event] = []
        if new := log.text():
            found += reader.feed(Secrets(new))
        found += reader.feed(packet)
        exporter.secrets("".join(f"{event.line}\n" for event in found if isinstance(event, Key)))
        if any([names(event) for event in found]):
            exporter.names(names.of)
        shown = [event for event in found if choice(event)]
        here = (event for event in shown if event.frame == packet.number)
        exporter.packet(packet, map(describe, here) if comments else ())
        for event in shown:
            if messages and isinstance(event, Message):
                exporter.message(event, packet.ns if event.frame == packet.number else round(event.time * 1e9))


class _Growing:
    """A key log that another program writes to."""

    def __init__(self, name: str) -> None:
        self._file = Path(name) if name else None
        self._read = 0

    def text(self) -> bytes:
        """The whole lines that are new; nothing where there is no such file (yet)."""
        try:
            if self._file is None or self._file.stat().st_size <= self._read:
                return b""
            with self._file.open("rb") as log:
                log.seek(self._read)
                new = log.read()
        except OSError:
            return b""
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        return whole


if __name__ == "__main__":
    sys.exit(main())
