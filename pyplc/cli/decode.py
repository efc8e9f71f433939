"""`pyplc decode`: what a message, a capture or an interface says."""

from __future__ import annotations

import os
import sys

import click

FRAMES = ("v2g", "hal", "mme")
CAPTURES = (
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\n\r\r\n",
    b"\x1f\x8b",
    b"{",
)
"""First bytes of captures on the standard input; the last are of gzip and of a station's records as JSON."""


@click.command()
@click.argument("what", nargs=-1)
@click.option("--tree", "form", flag_value="tree", help="Every field.")
@click.option("--xml", "as_xml", is_flag=True, help="As XML; with --json both.")
@click.option("--json", "form", flag_value="json", help="As JSON; a capture gives a line an event.")
@click.option("--csv", "form", flag_value="csv", help="Capture: voltage, current, SoC and limits over time.")
@click.option("--repr", "form", flag_value="repr", help="Message: as Python.")
@click.option(
    "--schema", "name", metavar="NAME", help="Force: app, din, iso2, iso20_common, _ac, _dc, _acdp, _wpt or xmldsig."
)
@click.option("--only", multiple=True, metavar="NAME", help="Capture: only these messages, e.g. CurrentDemand.")
@click.option("--session", type=int, metavar="N", help="Capture: only this session.")
@click.option("--errors", is_flag=True, help="Capture: only what is wrong.")
@click.option("--all", "everything", is_flag=True, help="Capture: also modems' talk, neighbours, logs, other TCP.")
@click.option("--keys", multiple=True, type=click.Path(exists=True, dir_okay=False), help="TLS keys (NSS key log).")
@click.option("--write-keys", type=click.Path(dir_okay=False, writable=True), help="Write the TLS keys found here.")
@click.option("--hal-names", type=click.Path(exists=True, dir_okay=False), help="Names of HAL numbers (TOML).")
@click.option("--out", type=click.Path(file_okay=False), help="Folder: a file of results for each capture.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Folder: processes (default: one a core).")
@click.option("--cluster", metavar="ADDRESS", help="Folder: work on a Dask cluster, e.g. tcp://10.0.0.1:8786.")
@click.option("--to-pcapng", metavar="OUT", help="Capture: write it for Wireshark, with comments, keys and messages.")
@click.option("--fragment", is_flag=True, help="Message: the bytes are one signed element.")
@click.option("--strict", is_flag=True, help="Message: refuse what V2G peers do not write and facets not kept.")
@click.option("--lenient", is_flag=True, help="Message: keep numbers of enumerations that the schema does not know.")
@click.option("--base64", "is_base64", is_flag=True, help="Message: base64, not hex.")
@click.option("--batch", metavar="FILE", help="Messages: a line of JSON for each line: schema, kind, exi_hex.")
def command(what: tuple[str, ...], form: str | None, as_xml: bool, name: str | None, **options: object) -> None:
    """Decode a capture (file, folder, - for a pipe), a recorded session, an interface, or one message.

    A message is hex (spaces, colons, 0x allowed), @FILE, or - for the standard input; a V2GTP header may stand in
    front. `v2g HEX`, `hal HEX` and `mme HEX` decode one frame of that kind.

    \b
    Examples:
      pyplc decode charge.pcapng                       a line a message
      pyplc decode charge.pcapng --only CurrentDemand --csv
      ssh pi tcpdump -i eth1 -U -w - | pyplc decode -
      pyplc decode captures/ --json --out decoded/
      pyplc decode 809a02000000000000000011d01b703a84459c2000
      pyplc decode v2g --json 01fe80020000001380940433f88205a4d3eed3898dac6f8dd30228
    """
    if options["hal_names"] is not None:
        _learn(str(options["hal_names"]))
    if options["batch"] is not None:
        from . import exitool

        exitool.batch(str(options["batch"]), exitool.decode_line)
    elif not what:
        raise click.UsageError("name a capture, a folder, an interface, a message as hex or @FILE, or - for a pipe")
    elif what[0] in FRAMES and len(what) > 1:
        from . import decode_frame

        decode_frame.run(what[0], "".join(what[1:]), form, as_xml, name)
    elif options["to_pcapng"] is not None:
        from . import decode_pcapng

        decode_pcapng.run(what, str(options["to_pcapng"]), name, options)
    elif _is_capture(what):
        from . import decode_capture

        decode_capture.run(what, form or ("xml" if as_xml else "list"), as_xml, name, options)
    else:
        _message("".join(what), "xml" if as_xml else form or "tree", name, options)


def _learn(file: str) -> None:
    from ..capture import hal

    try:
        hal.learn(file)
    except (hal.NamesError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _is_capture(what: tuple[str, ...]) -> bool:
    """Is this no hex, but something that holds packets?"""
    if what == ("-",):
        start = getattr(sys.stdin.buffer, "peek", lambda _: b"")(4)[:4]
        return start.startswith(CAPTURES)
    if len(what) > 1 or os.path.exists(what[0]):
        return any(os.path.exists(each) for each in what)
    return what[0].lower() not in ("", "any") and _is_interface(what[0])


def _is_interface(name: str) -> bool:
    import socket

    return any(name == known for _, known in socket.if_nameindex())


def _message(data: str, form: str, name: str | None, options: dict[str, object]) -> None:
    from ..exi.errors import ExiError
    from . import exitool

    try:
        exi, payload_type = exitool.strip_header(exitool.octets(data, bool(options["is_base64"])))
        fragment = bool(options["fragment"])
        found = exitool.find(exi, payload_type, name, fragment)
        if not found.certain:
            click.echo(f"schema {found.schema} is {found.reason}", err=True)
        switches = {key: bool(options[key]) for key in ("strict", "lenient")}
        click.echo(exitool.decode_text(exi, found.schema, fragment, form, **switches))
    except (ExiError, OSError) as error:
        hint = "" if not set(data) & set("./\\") else f"; there is no file {data!r} either"
        click.echo(f"pyplc decode: {error}{hint}", err=True)
        sys.exit(1)
