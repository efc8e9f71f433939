"""Length facets: they do not change the coding, so neither codec needs them; whoever wants to be strict asks here."""

from __future__ import annotations

from collections.abc import Iterator

from .declare import Binary, Element, Text
from .walk import attributes, content


def problems(message: Element, path: str = "") -> Iterator[str]:
    """One sentence for each text or binary of a message that is shorter or longer than its schema allows."""
    path = path or message.tag()
    for part in [*attributes(message), *content(message)]:
        here = f"{path}/{part.name}" if part.name else path
        if isinstance(part.type, type):
            yield from problems(part.value, here)
        elif isinstance(part.type, (Text, Binary)):
            low, high, length = part.type.min_length, part.type.max_length, len(part.value)
            if length < low or (high is not None and length > high):
                yield f"{here} has length {length}, its schema allows {low} to {high}"
