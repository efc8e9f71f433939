"""Why a capture ends without a link: the paragraph of `slac.failure`, from the attempt that came furthest."""

from __future__ import annotations

from ...slac.failure import Failure, Side
from ...slac.postmortem import Seen, furthest
from .story import Story


def no_link(story: Story) -> Failure | None:
    """Why there is no link; None where there is one, or where nobody matched."""
    if story.exchanges or story.sdp("Request"):
        return None
    asked, answered = story.homeplug("CM_SLAC_PARAM.REQ"), story.homeplug("CM_SLAC_PARAM.CNF")
    side: Side = "ev" if asked else "evse"
    own = asked[-1].source if asked else answered[-1].source if answered else None
    if own is None:
        return None
    events = story.homeplug()
    passed = [Seen(e.time, e.message, e.source, e.destination) for e in events if e.message is not None]
    return furthest(passed, own, side)
