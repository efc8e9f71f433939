"""Why a capture ends without a link: the paragraph of `slac.failure`, from the attempt that came furthest."""

from __future__ import annotations

from ...slac.failure import Failure, Heard, Sent, Side, explain
from ..events import HomePlug
from .story import Story

Attempt = list[HomePlug]


def no_link(story: Story) -> Failure | None:
    """Why there is no link; None where there is one, or where nobody matched."""
    if story.exchanges or story.sdp("Request"):
        return None
    asked, answered = story.homeplug("CM_SLAC_PARAM.REQ"), story.homeplug("CM_SLAC_PARAM.CNF")
    side: Side = "ev" if asked else "evse"
    own = asked[-1].source if asked else answered[-1].source if answered else None
    if own is None:
        return None
    found = [explain(_seen_by(attempt, own), side) for attempt in _attempts(story, own)]
    return max(reversed(found), key=lambda failure: failure.stage, default=None)


def _attempts(story: Story, own: bytes) -> list[Attempt]:
    """The frames, divided where matching begins again with another run; what comes before the first is left out."""
    attempts: list[Attempt] = []
    run: bytes | None = None
    for event in story.homeplug():
        if event.message is None:
            continue
        begins = event.name == "CM_SLAC_PARAM.REQ" or (event.name == "CM_SLAC_PARAM.CNF" and not attempts)
        if begins and event.message.run_id != run and own in (event.source, event.destination):
            run = event.message.run_id
            attempts.append([])
        if attempts:
            attempts[-1].append(event)
    return attempts


def _seen_by(attempt: Attempt, own: bytes) -> list[Sent | Heard]:
    """What the station with this MAC sent and heard; times from the attempt's first frame."""
    runs = {event.message.run_id for event in attempt if event.source == own and hasattr(event.message, "run_id")}
    zero = attempt[0].time
    found: list[Sent | Heard] = []
    for event in attempt:
        if event.source == own:
            found.append(Sent(event.time - zero, event.message, event.destination))
        else:
            run = getattr(event.message, "run_id", None)
            found.append(Heard(event.time - zero, event.message, event.source, run is None or run in runs or not runs))
    return found
