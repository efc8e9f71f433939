"""`pyplc serve`: services for other programs."""

from __future__ import annotations

import asyncio

import click


@click.group()
def command() -> None:
    """Services for other programs: a decoder."""


@command.command()
@click.option("--port", type=click.IntRange(1023, 65535), default=1111, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; 0.0.0.0 is every interface.")
@click.option("--origin", multiple=True, help="A web page that may connect, e.g. http://localhost:8000.")
@click.option("--hal-names", type=click.Path(exists=True, dir_okay=False), help="Names of HAL numbers (TOML).")
def decoder(port: int, host: str, origin: tuple[str, ...], hal_names: str | None) -> None:
    """Decode frames for other programs over a WebSocket.

    A text message `V2G <hex>`, `HAL <hex>` or `MME <hex>` is answered with JSON; errors too: {"error": "..."}.

    \b
    Example:  pyplc serve decoder --port 1111
    """
    try:
        import websockets  # noqa: F401  # is it there?
    except ImportError:
        raise click.ClickException("the decoder service needs the extra: pip install pyplc[serve]") from None
    from ..capture import hal
    from ..service import decoder as service

    try:
        if hal_names is not None:
            hal.learn(hal_names)
    except (hal.NamesError, OSError) as error:
        raise click.ClickException(str(error)) from None

    def ready(port: int) -> None:
        click.echo(f"ready on ws://{host}:{port}")

    try:
        asyncio.run(service.serve(host, port, origins=origin, ready=ready))
    except OSError as error:
        raise click.ClickException(f"cannot listen on {host}:{port}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        pass
