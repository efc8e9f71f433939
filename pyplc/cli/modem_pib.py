"""`pyplc modem pib`: a modem's parameters as a file: read, show, compare, patch, check, write."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from ..link.ethernet import mac_text
from ..slac import pib_fields as fields
from ..slac.homeplug import HomePlug
from ..slac.modem import ModemError
from ..slac.pib import Pib, PibError
from ..slac.pib_transfer import COMMIT, RESTART_S, Progress, Transfer
from ..slac.survey import wait_awake
from ..slac.vendor_modules import FACTORY_TOO
from .modem_common import DRIVER, JSON, MODEM, REMOTE, opened, print_json, print_pairs, print_table, running, target

DIFFERENT, TROUBLE = 1, 2
"""Exit codes of `diff`, as those of diff(1)."""
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def pib() -> None:
    """The parameters of a modem (PIB), as a file: read, show, diff, patch, check, write.

    \b
    Example:  pyplc modem pib read eth1 original.pib
              pyplc modem pib patch original.pib --role pev
              pyplc modem pib write eth1 original.pev.pib
    """


def _load(path: Path) -> Pib:
    try:
        return Pib(path.read_bytes())
    except (PibError, OSError) as error:
        raise click.ClickException(f"{path}: {error}") from None


@contextmanager
def _bar(label: str) -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@pib.command()
@click.argument("interface")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--flash", is_flag=True, help="The stored one instead of the one in use.")
@click.option("--force", is_flag=True, help="Write over FILE.")
@MODEM
@DRIVER
def read(interface: str, file: Path, flash: bool, force: bool, mac: bytes | None, driver: str) -> None:
    """Read a modem's PIB into FILE. Keep it: it is your way back.

    \b
    Example:  pyplc modem pib read eth1 original.pib
    """
    if file.exists() and not force:
        raise click.ClickException(f"{file} is there already; add --force to write over it")
    found = running(_read(interface, driver, mac, flash))
    _store(file, found)
    click.echo(f"{file}: {len(found.data)} bytes of {mac_text(found.mac)}, role {fields.role_of(found)}")
    for problem in found.problems():
        click.echo(f"warning: {problem}", err=True)


async def _read(interface: str, driver: str, mac: bytes | None, flash: bool) -> Pib:
    async with opened(interface, driver) as homeplug:
        chosen = await target(homeplug, mac)
        with _bar("reading") as progress:
            return await Transfer(homeplug, chosen.mac).read(progress, flash=flash)


def _store(file: Path, content: Pib) -> None:
    """Write a PIB file for its owner only: NMK and DAK are in it."""
    try:
        file.touch(mode=0o600)
        file.write_bytes(content.data)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


@pib.command()
@click.argument("file", type=FILE)
@click.option("--keys", is_flag=True, help="Show NMK and DAK: whoever has them is in your network.")
@JSON
def show(file: Path, keys: bool, as_json: bool) -> None:
    """The known fields of a PIB file.

    \b
    Example:  pyplc modem pib show original.pib
    """
    content = _load(file)
    values = {field.name: field.show(raw, keys=keys) for field, raw in fields.present(content)}
    if as_json:
        print_json(
            {
                "manifest": content.manifest(),
                "image_bytes": content.length,
                "role": fields.role_of(content),
                "fields": values,
                "problems": content.problems(),
            }
        )
        return
    print_pairs([(name, text) for name, text in content.manifest().items()])
    known = fields.KNOWN_LENGTHS.get(content.length)
    note = f"as {known}" if known else "a length not met before: offsets may mean something else here"
    click.echo(f"image of {content.length} bytes ({note}), role {fields.role_of(content)}\n")
    rows = [
        (f"{field.offset:04x}", field.name, values[field.name], field.remark) for field, _ in fields.present(content)
    ]
    print_table(("offset", "field", "value", ""), rows)
    for problem in content.problems():
        click.echo(f"warning: {problem}", err=True)


@pib.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--keys", is_flag=True, help="Show NMK and DAK.")
@JSON
def diff(before: Path, after: Path, keys: bool, as_json: bool) -> None:
    """What differs in two PIB files. Exit code 0: nothing, 1: something, 2: they cannot be compared.

    \b
    Example:  pyplc modem pib diff original.pib original.pev.pib
    """
    try:
        found = fields.differences(_load(before), _load(after))
    except PibError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(TROUBLE)
    if as_json:
        print_json(_plain(found, keys=keys))
    elif found:
        _table(found, keys=keys)
    else:
        click.echo("no difference")
    sys.exit(DIFFERENT if found else 0)


def _plain(found: list[fields.Difference], *, keys: bool = False) -> list[dict[str, object]]:
    return [
        {"part": d.part, "offset": d.offset, "before": _text(d, d.before, keys), "after": _text(d, d.after, keys)}
        for d in found
    ]


def _table(found: list[fields.Difference], *, keys: bool = False) -> None:
    if not found:
        click.echo("nothing changes")
        return
    rows = [(f"{d.offset:04x}", d.part, _text(d, d.before, keys), _text(d, d.after, keys)) for d in found]
    print_table(("offset", "field", "before", "after"), rows)


def _text(difference: fields.Difference, raw: bytes, keys: bool) -> str:
    field = fields.BY_NAME.get(difference.part)
    return field.show(raw, keys=keys) if field else raw.hex()


@pib.command()
@click.argument("file", type=FILE)
@click.option("--role", type=click.Choice(["pev", "evse"]), help="What a vehicle's or a charger's modem needs.")
@click.option("--thorough", is_flag=True, help="With --role: what the chip maker's scripts set besides.")
@click.option("--set", "given", multiple=True, metavar="FIELD=VALUE", help="One field, by its name in 'show'.")
@click.option("--repair", is_flag=True, help="Accept wrong checksums in FILE and compute them anew.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: FILE with the role.")
@click.option("--force", is_flag=True, help="Write over the output file.")
def patch(
    file: Path,
    role: str | None,
    thorough: bool,
    given: tuple[str, ...],
    repair: bool,
    output: Path | None,
    force: bool,
) -> None:
    """Change a PIB file for a role, or single fields, with all checksums right. FILE itself stays as it is.

    \b
    Example:  pyplc modem pib patch original.pib --role pev        (writes original.pev.pib)
    """
    if role is None and not given and not repair:
        raise click.UsageError("say what to change: --role, --set or --repair")
    before = _load(file)
    if problems := before.problems():
        if not repair:
            raise click.ClickException(f"{file}: {'; '.join(problems)}. Read it again, or add --repair")
        before = before.repaired()
    try:
        after = fields.patch_role(before, role, thorough=thorough) if role else before
        after = after.edit(*(_setting(text) for text in given))
    except PibError as error:
        raise click.ClickException(f"{file}: {error}") from None
    target_file = output or file.with_suffix(f".{role or 'patched'}{file.suffix}")
    if target_file.exists() and not force:
        raise click.ClickException(f"{target_file} is there already; add --force to write over it")
    _store(target_file, after)
    known = [d for d in fields.differences(before, after) if d.part != "header or manifest"]
    _table(known)
    click.echo(f"{target_file}: {len(after.data)} bytes, role {fields.role_of(after)}, checksums right")


def _setting(text: str) -> tuple[int, bytes]:
    name, _, value = text.partition("=")
    field = fields.BY_NAME.get(name)
    if field is None or not value:
        raise click.UsageError(f"{text!r}: write FIELD=VALUE with one of {', '.join(fields.BY_NAME)}")
    if field is fields.MAC:
        raise click.UsageError("the MAC is not for change: two modems with one MAC disturb each other")
    return field.offset, fields.encode(field, value)


@pib.command()
@click.argument("files", type=FILE, nargs=-1, required=True)
@JSON
def check(files: tuple[Path, ...], as_json: bool) -> None:
    """Chain and checksums of PIB files. Exit code 1 when one is wrong.

    \b
    Example:  pyplc modem pib check *.pib
    """
    found: dict[str, list[str]] = {}
    for file in files:
        try:
            found[str(file)] = Pib(file.read_bytes()).problems()
        except (PibError, OSError) as error:
            found[str(file)] = [str(error)]
    if as_json:
        print_json(found)
    else:
        for name, problems in found.items():
            click.echo(f"{name}: {'; '.join(problems) or 'good'}")
    sys.exit(1 if any(found.values()) else 0)


@pib.command()
@click.argument("interface")
@click.argument("file", type=FILE)
@MODEM
@REMOTE
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--backup", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="Folder for it.")
@click.option("--factory-too", is_flag=True, help="Also as what the modem goes back to with its factory defaults.")
@DRIVER
@JSON
def write(
    interface: str,
    file: Path,
    mac: bytes | None,
    remote: bool,
    yes: bool,
    backup: Path,
    factory_too: bool,
    driver: str,
    as_json: bool,
) -> None:
    """Write FILE into a modem: backup first, then store, restart, read back and compare.

    Only a PIB that was read from this very modem is written: same MAC, same DAK, same length.

    \b
    Example:  pyplc modem pib write eth1 original.pev.pib
    """
    content = _load(file)
    if problems := content.problems():
        raise click.ClickException(f"{file}: {'; '.join(problems)}; nothing was written")
    if not yes and (as_json or not sys.stdin.isatty()):
        raise click.UsageError("there is nobody to ask; add --yes")
    writing = Writing(content, backup, COMMIT | FACTORY_TOO if factory_too else COMMIT, ask=not yes, quiet=as_json)
    result = running(writing.run(interface, driver, mac, remote))
    if as_json:
        print_json(result)
    elif result["written"]:
        click.echo("the modem has it: read back after its restart, every byte the same")


class Writing:
    """One write from the backup to the comparison."""

    def __init__(self, content: Pib, backup: Path, code: int, *, ask: bool, quiet: bool) -> None:
        self._content = content
        self._backup = backup
        self._code = code
        self._ask = ask
        self._quiet = quiet

    def _say(self, text: str) -> None:
        if not self._quiet:
            click.echo(text)

    async def run(self, interface: str, driver: str, mac: bytes | None, remote: bool) -> dict[str, object]:
        """The result for programs; ModemError or PibError with what to do otherwise."""
        async with opened(interface, driver) as homeplug:
            chosen = await target(homeplug, mac, change=True, remote=remote)
            transfer = Transfer(homeplug, chosen.mac)
            with _bar("reading") as progress:
                current = await transfer.read(progress)
            found = self._differences(current, local=chosen.local)
            result: dict[str, object] = {"mac": chosen.mac, "changed": _plain(found), "written": False}
            if not found:
                self._say("the modem has exactly this PIB already; nothing is written")
                return result
            kept = self._keep(current)
            self._say(f"backup of {mac_text(chosen.mac)}: {kept}")
            if not self._agreed(found):
                raise click.Abort
            with _bar("writing") as progress:
                await transfer.write(self._content, random.SystemRandom(), progress, code=self._code)
            self._say("stored; the modem restarts")
            await transfer.reset()
            await self._compare(homeplug, transfer, chosen.mac, kept)
            return {**result, "written": True, "backup": str(kept)}

    def _differences(self, current: Pib, *, local: bool) -> list[fields.Difference]:
        """What would change; PibError when this PIB is not this modem's."""
        found = fields.differences(current, self._content)
        for field in (fields.MAC, fields.DAK, fields.MFG):
            before, after = fields.value(current, field), fields.value(self._content, field)
            if before != after:
                shown = f"{field.show(after)} instead of {field.show(before)}"
                raise PibError(
                    f"this PIB has another {field.name} ({shown}): it is of another modem. Read this modem's own PIB "
                    "and patch that"
                )
        if not local and not any(fields.value(current, fields.DAK)):
            raise PibError(
                "this modem does not tell its DAK from afar: writing what was read would lose it. "
                "Do it from its own host"
            )
        return found

    def _keep(self, current: Pib) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        self._backup.mkdir(parents=True, exist_ok=True)
        file = self._backup / f"{current.mac.hex()}-{stamp}.pib"
        _store(file, current)
        return file

    def _agreed(self, found: list[fields.Difference]) -> bool:
        if not self._quiet:
            _table([d for d in found if d.part != "header or manifest"])
        return not self._ask or click.confirm("Write this into the modem? Do not cut its power meanwhile.")

    async def _compare(self, homeplug: HomePlug, transfer: Transfer, mac: bytes, kept: Path) -> None:
        """ModemError unless the modem comes back with what was written."""
        if not await wait_awake(homeplug, mac, RESTART_S):
            raise ModemError(
                f"the PIB is stored, but the modem has not answered for {RESTART_S:g} s: take its power away for a "
                f"moment, then see 'pyplc modem list'; its old PIB is {kept}"
            )
        with _bar("comparing") as progress:
            after = await transfer.read(progress)
        if after != self._content:
            left = fields.differences(self._content, after)
            what = ", ".join(sorted({d.part for d in left}))
            raise ModemError(f"read back, the PIB differs from what was written in: {what}; its old PIB is {kept}")
