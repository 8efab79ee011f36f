"""One line for each event of an outbox, for the app's log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from ._generated import incident_mobile_ffi as ffi
from .errors import interrupted

_LOGGER = logging.getLogger("incident_sync")


class Listener(ffi.OutboxLog):
    """Gives the lines to a function of the app. What that raises is logged, and costs no call of the outbox.

    An interruption is the caller's: no exception finds its way through the library, so it waits until the call is over.
    """

    def __init__(self, take: Callable[[str], object]) -> None:
        self._take = take

    def line(self, line: str) -> None:
        try:
            self._take(line)
        except Exception:  # noqa: BLE001, whatever an app's function may raise
            _LOGGER.exception("the log of an outbox failed")
        except BaseException as interruption:  # noqa: BLE001, Ctrl-C, SystemExit and the like
            interrupted(interruption)


def listener(take: Callable[[str], object] | None) -> Listener | None:
    """The function as the library wants it."""
    return None if take is None else Listener(take)
