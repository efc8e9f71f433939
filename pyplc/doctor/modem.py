"""The PLC modem: there, with a firmware that works, configured for this station's side of SLAC."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ..link.ethernet import mac_text
from ..link.ports import LinkError
from ..slac import pib_fields as fields
from ..slac.chips import BOOTLOADER
from ..slac.modem import ModemError
from ..slac.pib import Pib, PibError
from ..slac.pib_transfer import Transfer
from ..slac.survey import survey
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
    try:
        async with p.homeplug() as homeplug:
            content = await Transfer(homeplug, p.modem.mac).read()
        right = fields.patch_role(content, wanted)
    except (LinkError, ModemError, PibError) as error:
        yield warning(f"its PIB cannot be judged: {error}", f"pyplc modem info {p.interface}")
        return
    yield _judged(p.interface, wanted, content, fields.differences(content, right))


def _judged(interface: str, wanted: str, content: Pib, found: list[fields.Difference]) -> Finding:
    """A PIB, and what the role's patch would change in it."""
    wrong = {d.part: fields.BY_NAME[d.part].show(d.before) for d in found if d.part in fields.BY_NAME}
    says = ", ".join(f"{name} is {value or 'empty'}" for name, value in wrong.items())
    mend = (
        f"pyplc modem pib read {interface} mine.pib && pyplc modem pib patch mine.pib --role {wanted} && "
        f"pyplc modem pib write {interface} mine.{wanted}.pib"
    )
    if problems := content.problems():
        return failed(f"the modem's PIB is damaged: {'; '.join(problems)}", mend.replace(" --role", " --repair --role"))
    if any(name in DECIDING for name in wrong):
        return failed(f"not set up as {wanted}: {says}", mend)
    if wrong:
        return warning(f"set up as {wanted}, but {says}", mend)
    return good(f"set up as {wanted}, all {len(fields.NEEDED[wanted])} fields")
