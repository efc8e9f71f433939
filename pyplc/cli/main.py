"""The command `pyplc`: one module per verb, imported only when it is called."""

from __future__ import annotations

import importlib

import click

VERBS = {
    "anonymise": "Make a capture that can be shared: pseudonyms for every identifier.",
    "config": "Settings files: take over pyPLC's, check one.",
    "decode": "Decode a capture, an interface, or one message.",
    "doctor": "Look for what keeps a station from working.",
    "encode": "Encode one message given as JSON or XML.",
    "ev": "Be a vehicle on a real interface.",
    "evse": "Be a charger on a real interface.",
    "explain": "Say what happened in a capture, and why it stopped.",
    "hw": "Devices: test them, list them, emulate one.",
    "listen": "Follow the matching of other stations.",
    "modem": "PLC modems: find, configure, watch, emulate.",
    "scenario": "Faults as data: what goes wrong, and which reaction is right.",
    "schema": "Fields, types, ranges and units of a message.",
    "serve": "Services for other programs: a decoder.",
    "service": "A station as a service: install, remove, status.",
    "sim": "Simulate a whole charging session, no hardware needed.",
    "wireshark": "Dissector, colours, profile and live capture for Wireshark.",
}
"""Every verb with its line of help: the help text needs no import."""


class Verbs(click.Group):
    """Finds a verb in `pyplc.cli.<verb>.command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        command: click.Command = importlib.import_module(f"pyplc.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(VERBS.items()))


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pyplc")
def main() -> None:
    """A CCS charging station: a vehicle, a charger, or both, with hardware or with none.

    \b
    Example:  pyplc sim                    a complete session on this screen
              pyplc decode charge.pcapng   what a capture says, a line a message
    """
