"""Rules of SLAC: answers, steps, repetitions, attenuation, keys."""

from __future__ import annotations

from collections.abc import Iterator

from ...slac import timing as slac
from ..events import HomePlug
from .findings import Hit, Layer, Level, Rule
from .story import Story

WEAK_DB = 40.0
"""Mean attenuation above all that was seen in sessions that worked (5 to 30 dB); levels of modems differ widely."""


def _mean(groups: bytes) -> float:
    return sum(groups) / len(groups) if groups else 0.0


def slac_unanswered(story: Story) -> Iterator[Hit]:
    asked = story.homeplug("CM_SLAC_PARAM.REQ")
    if asked and not story.homeplug("CM_SLAC_PARAM.CNF"):
        text = f"{len(asked)} CM_SLAC_PARAM.REQ in {asked[-1].time - asked[0].time:.1f} s, no CM_SLAC_PARAM.CNF"
        if story.exchanges:
            text += " in this capture, but the session came about"
        level = Level.NOTE if story.exchanges else None
        yield Hit(asked[0].frame, asked[0].time, text, "evse", level=level)


def slac_half(story: Story) -> Iterator[Hit]:
    """Answers whose requests are not there: a listener beside the cable hears one modem only."""
    answered = story.homeplug("CM_SLAC_PARAM.CNF", "CM_SLAC_MATCH.CNF")
    if answered and not whole(story):
        text = "only the charger's half of SLAC is in the capture: what the vehicle did is not known"
        yield Hit(answered[0].frame, answered[0].time, text)


def whole(story: Story) -> bool:
    """Whether the vehicle's half of SLAC is there."""
    return bool(story.homeplug("CM_SLAC_PARAM.REQ", "CM_SLAC_MATCH.REQ"))


def slac_run_id(story: Story) -> Iterator[Hit]:
    """An answer under another RunID than the request's."""
    asked: HomePlug | None = None
    for event in story.homeplug("CM_SLAC_PARAM.REQ", "CM_SLAC_PARAM.CNF"):
        if event.message is None:
            continue
        if event.name == "CM_SLAC_PARAM.REQ":
            asked = event
        elif asked is not None and event.destination == asked.source and event.message.run_id != asked.message.run_id:
            text = f"RunID {event.message.run_id.hex()} in the answer, {asked.message.run_id.hex()} in the request"
            yield Hit(event.frame, event.time, text, "evse", group="run")


_STEPS = (
    ("CM_SLAC_PARAM.CNF", "CM_START_ATTEN_CHAR.IND", "the vehicle does not begin to sound", "ev"),
    ("CM_START_ATTEN_CHAR.IND", "CM_MNBC_SOUND.IND", "no sounds follow the announcement", "ev"),
    ("CM_MNBC_SOUND.IND", "CM_ATTEN_CHAR.IND", "the charger does not tell what it heard", "evse"),
    ("CM_ATTEN_CHAR.IND", "CM_ATTEN_CHAR.RSP", "the vehicle does not confirm the attenuation", "ev"),
    ("CM_ATTEN_CHAR.RSP", "CM_SLAC_MATCH.REQ", "the vehicle does not ask this charger to match", "ev"),
    ("CM_SLAC_MATCH.REQ", "CM_SLAC_MATCH.CNF", "the charger does not confirm the match", "evse"),
)


def slac_stuck(story: Story) -> Iterator[Hit]:
    """SLAC began, was answered, and ends before the match: tells the first step that is missing."""
    if not whole(story) or story.homeplug("CM_SLAC_MATCH.CNF") or not story.homeplug("CM_SLAC_PARAM.CNF"):
        return
    for before, after, text, side in _STEPS:
        seen = story.homeplug(before)
        if seen and not story.homeplug(after):
            level = Level.NOTE if story.exchanges else None
            yield Hit(seen[-1].frame, seen[-1].time, f"{text}: {before} is not followed by {after}", side, level=level)
            return


def slac_again(story: Story) -> Iterator[Hit]:
    matched: HomePlug | None = None
    for event in story.homeplug("CM_SLAC_MATCH.CNF", "CM_SLAC_PARAM.REQ"):
        if event.name == "CM_SLAC_MATCH.CNF":
            matched = event
        elif matched is not None and event.source == matched.destination:
            after = event.time - matched.time
            text = f"the vehicle begins SLAC again {after:.1f} s after the match"
            level = None if after > slac.TT_MATCH_JOIN else Level.NOTE
            yield Hit(event.frame, event.time, text, "ev", group="again", level=level)


def slac_retries(story: Story) -> Iterator[Hit]:
    asked = story.homeplug("CM_SLAC_PARAM.REQ")
    if len(asked) > 1 + slac.C_EV_MATCH_RETRY and story.homeplug("CM_SLAC_PARAM.CNF"):
        text = f"CM_SLAC_PARAM.REQ sent {len(asked)} times (C_EV_match_retry {slac.C_EV_MATCH_RETRY})"
        yield Hit(asked[0].frame, asked[0].time, text, "ev")


def slac_late_start(story: Story) -> Iterator[Hit]:
    answered: HomePlug | None = None
    for event in story.homeplug("CM_SLAC_PARAM.CNF", "CM_START_ATTEN_CHAR.IND"):
        if event.name == "CM_SLAC_PARAM.CNF":
            answered = event
        elif answered is not None:
            late = event.time - answered.time
            answered = None
            if late > 0.1:
                yield Hit(
                    event.frame, event.time, f"first CM_START_ATTEN_CHAR.IND {late * 1e3:.0f} ms after the CNF", "ev"
                )


def slac_attenuation(story: Story) -> Iterator[Hit]:
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        groups = getattr(event.message, "groups", b"")
        mean = _mean(groups)
        if groups and not any(groups):
            yield Hit(event.frame, event.time, "all groups are 0 dB: the modem did not measure", "evse", group="zero")
        elif mean > WEAK_DB:
            text = f"mean attenuation {mean:.1f} dB in {len(groups)} groups"
            yield Hit(event.frame, event.time, text, "evse", mean, event.source.hex(), level=Level.WARNING)
        elif mean > slac.C_EV_MATCH_SIGNALATTN_DIRECT:
            text = f"mean attenuation {mean:.1f} dB: above C_EV_match_signalattn_direct (10 dB), found 'potentially'"
            yield Hit(event.frame, event.time, text, "evse", mean, event.source.hex())


def slac_sounds(story: Story) -> Iterator[Hit]:
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        sounds = getattr(event.message, "sounds", slac.C_EV_MATCH_MNBC)
        if sounds < slac.C_EV_MATCH_MNBC:
            text = f"the charger heard {sounds} of {slac.C_EV_MATCH_MNBC} sounds"
            yield Hit(event.frame, event.time, text, "evse", -sounds, "sounds")


def slac_neighbours(story: Story) -> Iterator[Hit]:
    heard: dict[bytes, HomePlug] = {}
    for event in story.homeplug("CM_ATTEN_CHAR.IND"):
        heard.setdefault(event.source, event)
    if len(heard) > 1:
        told = ", ".join(
            f"{mac.hex(':')} {_mean(getattr(e.message, 'groups', b'')):.1f} dB" for mac, e in heard.items()
        )
        first = next(iter(heard.values()))
        yield Hit(first.frame, first.time, f"{len(heard)} chargers heard the vehicle: {told}", "evse")


def slac_key_refused(story: Story) -> Iterator[Hit]:
    """A key that no modem took: result 1 is success, 0 comes from modems far away too."""
    refused: HomePlug | None = None
    taken = False
    for event in [*story.homeplug("CM_SET_KEY.REQ", "CM_SET_KEY.CNF"), None]:
        if event is None or event.name == "CM_SET_KEY.REQ":
            if refused is not None and not taken:
                text = f"the modem {refused.source.hex(':')} answers CM_SET_KEY.REQ with result 0"
                yield Hit(refused.frame, refused.time, text, group="key")
            refused, taken = None, False
        elif event.message is not None:
            taken |= event.message.result == 1
            refused = event


E, W, D, N = Level.ERROR, Level.WARNING, Level.DEVIATION, Level.NOTE
S = Layer.SLAC
RULES = (
    Rule("slac-half", Layer.CAPTURE, N, "half of SLAC is not in the capture", "", slac_half),
    Rule("slac-run-id", S, E, "an answer under another RunID", "ISO 15118-3 Annex A", slac_run_id),
    Rule("slac-unanswered", S, E, "SLAC is not answered", "ISO 15118-3 Annex A", slac_unanswered),
    Rule("slac-stuck", S, E, "SLAC does not come to a match", "ISO 15118-3 Annex A", slac_stuck),
    Rule("slac-again", S, W, "SLAC begins again", "TT_match_join", slac_again),
    Rule("slac-retries", S, D, "SLAC needs many tries", "ISO 15118-3 table A.1", slac_retries),
    Rule("slac-late-start", S, D, "sounding begins late", "TP_match_sequence", slac_late_start),
    Rule("slac-attenuation", S, N, "weak signal", "ISO 15118-3 table A.1", slac_attenuation),
    Rule("slac-sounds", S, N, "sounds were missed", "C_EV_match_MNBC", slac_sounds),
    Rule("slac-neighbours", S, N, "several chargers answer", "ISO 15118-3 Annex A", slac_neighbours),
    Rule("key-refused", S, W, "a modem refuses the key", "", slac_key_refused),
)
"""Of SLAC."""
