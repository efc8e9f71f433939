"""`pyplc modem`: PLC modems."""

from __future__ import annotations

import click

from .modem_emulate import emulate


@click.group()
def command() -> None:
    """PLC modems: emulate one."""


command.add_command(emulate)
