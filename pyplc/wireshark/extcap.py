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
from collections.abc import Iterator

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
    from ..capture.export_live import Wanted, write
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
            wanted = Wanted(asked.keys, asked.schema or None, asked.messages != "false", asked.comments != "false")
            write(packets, out, f"pyplc {__version__}", wanted)
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


if __name__ == "__main__":
    sys.exit(main())
