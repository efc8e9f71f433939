"""The amplitude map: one station asks the other to send weaker on some carriers (CM_AMP_MAP), after the link stands."""

from __future__ import annotations

from collections.abc import Sequence

from ..link.ethernet import mac_text
from ..record import Dropped, Scribe
from .homeplug import HomePlug
from .layout import Message
from .messages import AmpMapCnf, AmpMapReq
from .mme import LOCAL_MODEM
from .timing import C_EV_MATCH_RETRY, TT_AMP_MAP_EXCHANGE

MOST_CARRIERS = 1155
TAKEN = 0


def request(amplitudes: Sequence[int]) -> AmpMapReq:
    """The request for amplitudes of 0 to 15, one for each carrier: the even carrier in the low nibble."""
    even = [*amplitudes, *[0] * (len(amplitudes) % 2)]
    packed = bytes(low | high << 4 for low, high in zip(even[::2], even[1::2], strict=True))
    return AmpMapReq(carriers=len(amplitudes), rest=packed)


def amplitudes(message: AmpMapReq) -> tuple[int, ...] | None:
    """The amplitudes asked for; None when their number is 0, too large, or does not fit the frame."""
    size = (message.carriers + 1) // 2
    if not 0 < message.carriers <= MOST_CARRIERS or len(message.rest) < size:
        return None
    nibbles = [nibble for byte in message.rest[:size] for nibble in (byte & 15, byte >> 4)]
    return tuple(nibbles[: message.carriers])


async def ask(homeplug: HomePlug, peer: bytes, wanted: Sequence[int], scribe: Scribe) -> bool:
    """Ask the peer for a map; whether it was taken. An answer that does not come is no failure of the match."""
    with homeplug.inbox(AmpMapCnf) as inbox:
        for _ in range(1 + C_EV_MATCH_RETRY):
            homeplug.send(request(wanted), peer)
            try:
                answer, _ = await inbox.expect(AmpMapCnf, lambda _, source: source == peer, TT_AMP_MAP_EXCHANGE)
            except TimeoutError:
                continue
            if answer.result != TAKEN:
                scribe.note(f"CM_AMP_MAP.CNF of {mac_text(peer)} with result {answer.result}: map not taken", "warning")
            return answer.result == TAKEN
    waited = (1 + C_EV_MATCH_RETRY) * TT_AMP_MAP_EXCHANGE
    scribe.note(f"no CM_AMP_MAP.CNF of {mac_text(peer)} in {waited:g} s (TT_amp_map_exchange)")
    return False


class AmpMaps:
    """Answers the peer's requests and hands the map to the own modem; a handler for `HomePlug.listening`."""

    def __init__(self, homeplug: HomePlug, peer: bytes, scribe: Scribe) -> None:
        self._homeplug = homeplug
        self._peer = peer
        self._scribe = scribe

    def __call__(self, message: Message, source: bytes) -> None:
        if not isinstance(message, AmpMapReq) or source != self._peer:
            return
        wanted = amplitudes(message)
        if wanted is None:
            why = f"{message.carriers} carriers do not fit"
            self._scribe(Dropped(what=f"{message.NAME} of {mac_text(source)}", reason=why))
            return
        self._homeplug.send(request(wanted), LOCAL_MODEM)
        self._homeplug.send(AmpMapCnf(result=TAKEN), source)
        self._scribe.note(f"{mac_text(source)} asks for an amplitude map of {len(wanted)} carriers")
