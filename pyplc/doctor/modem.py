"""The PLC modem: there, with a firmware that works, configured for this station's side of SLAC."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..link.ethernet import mac_text
from ..link.ports import LinkError
from ..slac import pib_fields as fields
from ..slac.chips import BOOTLOADER
from ..slac.survey import read_fields, survey
from .patient import Finding, Patient, failed, good, warning

DECIDING = ("slac", "cco")
"""Fields without which there is no match; the others only make it better."""


async def modem(p: Patient) -> AsyncIterator[Finding]:
    """One answers at the end of the cable."""
    try:
        async with p.homeplug() as homeplug:
            found = await survey(homeplug)
    except LinkError as error:
        yield failed(*_split(error))
        return
    p.modem = next((modem for modem in found if modem.local), None)
    if p.modem is None:
        yield failed(
            f"no modem answers on {p.interface}",
            "give the modem power, and see with `pyplc modem list` whether it is on another interface",
        )
        return
    others = len(found) - 1
    linked = f", linked with {others} other{'s' * (others > 1)}" if p.modem.linked and others else ""
    yield good(f"{p.modem.chip or 'a modem'} {mac_text(p.modem.mac)}{linked}")


def _split(error: LinkError) -> tuple[str, str]:
    """What is wrong, and the command behind the semicolon."""
    says, _, mend = str(error).partition("; ")
    return says, mend


async def firmware(p: Patient) -> AsyncIterator[Finding]:
    """One that is not known to make trouble."""
    assert p.modem is not None
    version, trouble = p.modem.version or "no version told", p.modem.trouble
    if trouble is None:
        yield good(version)
    elif BOOTLOADER not in version and p.modem.chip == "QCA7500" and p.role != "ev":
        yield warning(f"{version}: {trouble}")
    else:
        yield failed(f"{version}: {trouble}", "use a modem with a QCA7420, QCA7000 or QCA7005 and another firmware")


async def role(p: Patient) -> AsyncIterator[Finding]:
    """The bytes of the PIB that say which half of SLAC the modem plays."""
    assert p.modem is not None
    wanted = {"ev": "pev", "evse": "evse"}.get(p.role or "")
    if wanted is None:
        yield good(f"the modem is set up as {p.modem.role or 'unknown'}")
        return
    needed = dict(fields.NEEDED[wanted])
    asked = tuple(fields.BY_NAME[name] for name in needed)
    async with p.homeplug() as homeplug:
        told = await read_fields(homeplug, p.modem.mac, asked)
    if told is None:
        yield warning("the modem does not show its PIB", f"pyplc modem info {p.interface}")
        return
    wrong = {f.name: f.show(raw) for f, raw in zip(asked, told, strict=True) if raw != fields.encode(f, needed[f.name])}
    i = p.interface
    mend = (
        f"pyplc modem pib read {i} mine.pib && pyplc modem pib patch mine.pib --role {wanted} && "
        f"pyplc modem pib write {i} mine.{wanted}.pib"
    )
    says = ", ".join(f"{name} is {value or 'empty'}" for name, value in wrong.items())
    if any(name in DECIDING for name in wrong):
        yield failed(f"not set up as {wanted}: {says}", mend)
    elif wrong:
        yield warning(f"set up as {wanted}, but {says}", mend)
    else:
        yield good(f"set up as {wanted}, all {len(needed)} fields")
