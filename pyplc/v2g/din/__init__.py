"""DIN 70121."""

from .messages import *  # noqa: F403
