"""`pyplc hw`: devices: test them, list the serial ports, be one without having one, follow CAN displays."""

from __future__ import annotations

import asyncio
import importlib
import signal
import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from ..config import EvseSettings, EvSettings
from ..hw.compose import Hardware, compose
from ..hw.ports import DeviceError
from ..hw.registry import DRIVERS, driver
from ..hw.walk import Outcome, Step, walk
from .common import FAILED, settings

ON_A_LINE = ("dieter", "celeron55", "arduino", "serial-oled")
COLOURS = {"ok": "green", "failed": "red", "skipped": "yellow"}


@click.group()
def command() -> None:
    """Devices: test them, list them, emulate one.

    \b
    Example:  pyplc hw test my.toml            switch each output, read each input
              pyplc hw ports                   serial ports and what they are
              pyplc hw emulate dieter          be a Dieter on a pseudo terminal
    """


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--charger", is_flag=True, help="The file is a charger's; a vehicle's without it.")
@click.option(
    "--part", "parts", multiple=True, help="Only this part: pilot, contactor, lock, inlet, ... May be repeated."
)
@click.option("--yes", is_flag=True, help="Ask nothing. Steps that can move current are skipped.")
@click.option("--live", is_flag=True, help="With --yes: do the steps that can move current, too. Be there and look.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line a step; asks nothing.")
def test(file: Path, charger: bool, parts: tuple[str, ...], yes: bool, live: bool, as_json: bool) -> None:
    """Switch each output and read each input of a settings file's devices.

    It asks before anything that can move current, and what you saw afterwards. Whatever happens, it ends with state B,
    open contactors and an open lock. The exit code is 1 when a step failed.

    \b
    Example:  pyplc hw test my.toml
              pyplc hw test my.toml --part lock --yes
              pyplc hw test --charger charger.toml --json
    """
    if live and not (yes or as_json):
        raise click.ClickException("--live goes with --yes or --json; without them each dangerous step is asked for")
    quiet = yes or as_json or not sys.stdin.isatty()
    failures = asyncio.run(_test(file, "charger" if charger else "vehicle", set(parts), quiet, live, as_json))
    sys.exit(FAILED if failures else 0)


async def _test(file: Path, role: str, parts: set[str], quiet: bool, live: bool, as_json: bool) -> int:
    made = _composed(file, role)
    if parts and (unknown := parts - set(made.named)):
        raise click.ClickException(f"no such part: {', '.join(sorted(unknown))}; there is: {', '.join(made.named)}")
    if all(not one.real for one in made.drivers.values()):
        raise click.ClickException(f"{file}: everything is simulated; there is nothing to be tested")

    async def ask(question: str) -> bool:
        return await asyncio.to_thread(click.confirm, question)  # the devices are kept alive meanwhile

    async def allow(step: Step) -> bool:
        if quiet:
            return live
        click.secho(f"  {step.live}", fg="yellow")
        return await ask(f"  {step.title}?")

    async def noticed(step: Step) -> bool:
        return quiet or await ask(f"  Did you notice that {step.notice}?")

    failures = 0
    made.tell(lambda text, level: click.echo(f"  {text}", err=True))
    async with made:
        try:
            await made.ready()
        except DeviceError as error:
            raise click.ClickException(str(error)) from None
        async for outcome in walk(made, role, parts, allow, noticed):
            failures += outcome.verdict == "failed"
            _say(outcome, as_json)
    return failures


def _composed(file: Path, role: str) -> Hardware:
    try:
        if role == "charger":
            evse = settings(file, EvseSettings)
            return compose(evse.hardware, evse.devices, evse.charger.energy, evse.plant)
        ev = settings(file, EvSettings)
        return compose(ev.hardware, ev.devices, ev.vehicle.energy, ev.plant)
    except DeviceError as error:
        raise click.ClickException(f"{file}: {error}") from None


def _say(outcome: Outcome, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(outcome._asdict()).decode())
        return
    verdict = click.style(f"{outcome.verdict:7}", fg=COLOURS[outcome.verdict])
    click.echo(f"{verdict} {outcome.part} ({outcome.device}): {outcome.title}: {outcome.detail}")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def ports(as_json: bool) -> None:
    """List the serial ports, USB before others: `auto` takes the first that is no console.

    \b
    Example:  pyplc hw ports
    """
    from ..hw.serial_line import ports_there

    try:
        there = ports_there()
    except DeviceError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(msgspec.json.encode([port._asdict() for port in there]).decode())
        return
    for port in there:
        usb = f"usb:{port.ids}" if port.ids else ""
        click.echo(f"{port.device:16} {usb:28} {port.what}{'  <- auto' if port.auto else ''}")
    if not there:
        click.echo("no serial port")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def drivers(as_json: bool) -> None:
    """List the drivers: what each can be, and the extra it needs.

    \b
    Example:  pyplc hw drivers
    """
    rows: list[dict[str, Any]] = []
    for name in DRIVERS:
        found = driver(name)
        parts = [f"{role} {part}" for role, those in found.parts.items() for part in those]
        rows.append({"name": name, "summary": found.summary, "parts": parts, "extra": found.extra})
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    for row in rows:
        click.echo(f"{row['name']:12} {row['summary']}" + (f"  (extra {row['extra']})" if row["extra"] else ""))
        click.echo(f"             {', '.join(row['parts'])}")


@command.command()
@click.argument("device", type=click.Choice([*ON_A_LINE, "mqtt", "pyplc-mqtt"]))
@click.option("--port", type=click.Path(path_type=Path), help="Name of the pseudo terminal; default: ./tty-DEVICE.")
@click.option(
    "--role", type=click.Choice(["vehicle", "charger"]), default="vehicle", help="Whose device it is: arduino and MQTT."
)
@click.option("--broker", default="localhost", help="MQTT: the broker's host.")
@click.option("--broker-port", type=click.IntRange(1, 65535), default=1883, help="MQTT: the broker's port.")
@click.option("--topic", help="MQTT: the base topic; the driver's default without it.")
def emulate(device: str, port: Path | None, role: str, broker: str, broker_port: int, topic: str | None) -> None:
    """Be a device, on a pseudo terminal or at a broker, until interrupted. Plugged in, at a far end that gives nothing.

    \b
    Example:  pyplc hw emulate dieter --port /tmp/ttyDieter
              pyplc hw emulate serial-oled       print what is sent to the display
              pyplc hw emulate mqtt --role charger
    """
    port = port or Path(f"tty-{device}")
    if port.exists() and not port.is_symlink():
        raise click.ClickException(f"{port} exists; --port is the name of a port to be made")
    try:
        asyncio.run(_emulate(device, port, role, (broker, broker_port), topic))
    except (KeyboardInterrupt, asyncio.CancelledError):
        pass  # the way out


async def _emulate(device: str, port: Path, role: str, at: tuple[str, int], topic: str | None) -> None:
    from ..plant.parameters import PlantParameters
    from ..plant.plant import Plant

    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # the port is to vanish then, too
    plant = Plant(PlantParameters())
    plant.plug_in()
    if role == "vehicle":
        plant.pilot.set_duty(5.0)
    if "mqtt" in device:
        await _behind(device, role, at, topic, plant).run()
        return
    from ..hw.emulated.line import EmulatedLine, PseudoTerminal

    board = _board(device, role, plant)
    terminal = PseudoTerminal(EmulatedLine(board), port)
    terminal.plug()
    click.echo(f"{device} is at {port}")
    try:
        await board.run()
    finally:
        terminal.unplug()


def _board(device: str, role: str, plant: Any) -> Any:
    module = importlib.import_module(f"pyplc.hw.emulated.{device.rpartition('-')[2]}")
    match device:
        case "dieter":
            return module.EmulatedDieter(plant)
        case "celeron55":
            return module.EmulatedCeleron55(plant)
        case "arduino":
            return module.EmulatedArduino(role, plant)
        case _:
            return module.EmulatedSerialOled(click.echo)


def _behind(device: str, role: str, at: tuple[str, int], topic: str | None, plant: Any) -> Any:
    from ..hw.emulated.mqtt import EmulatedMqtt, EmulatedPyPlcMqtt
    from ..mqtt import BrokerSettings, broker

    connect = broker(BrokerSettings(host=at[0], port=at[1]))
    kind = EmulatedMqtt if device == "mqtt" else EmulatedPyPlcMqtt
    base = topic or ("pyplc/device" if device == "mqtt" else "pyPlc")
    click.echo(f"{device} of a {role} at {at[0]}:{at[1]}, below {base}")
    return kind(plant, role, base, connect)


@command.command()
@click.option("--interface", default="socketcan", help="python-can's name of the adaptor's kind.")
@click.option("--channel", default="can0", help="The bus.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many frames.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line a frame.")
def sniff(interface: str, channel: str, count: int | None, as_json: bool) -> None:
    """Follow the display frames of FoccciCape and clara on a CAN bus, in words.

    \b
    Example:  pyplc hw sniff --channel can0
    """
    from ..hw.can_display import CanSettings, open_bus
    from ..hw.can_frames import NAMES, decode

    try:
        bus = open_bus(CanSettings(interface=interface, channel=channel))
    except (DeviceError, OSError) as error:
        raise click.ClickException(f"{channel}: {error}") from None
    seen = 0
    try:
        for message in bus:
            values = decode(message.arbitration_id, bytes(message.data))
            if values is None:
                continue
            seen += 1
            if as_json:
                click.echo(
                    msgspec.json.encode(
                        {"t": message.timestamp, "frame": NAMES[message.arbitration_id], **values}
                    ).decode()
                )
            else:
                said = ", ".join(f"{name} {value}" for name, value in values.items())
                click.echo(f"{message.arbitration_id:03X} {NAMES[message.arbitration_id]:8} {said}")
            if seen == count:
                return
    except KeyboardInterrupt:
        pass  # the way out
    finally:
        bus.shutdown()
