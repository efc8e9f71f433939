"""ISO 15118-2:2013."""

from .messages import *  # noqa: F403
