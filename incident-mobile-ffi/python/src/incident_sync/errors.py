"""Why an outbox did not do what it was asked. Nothing is lost by any of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from ._generated import incident_mobile_ffi as ffi
from .model import Violation, violation

P = ParamSpec("P")
T = TypeVar("T")


class OutboxError(Exception):
    """Any of the errors below."""


class InvalidError(OutboxError):
    """The draft or the reason breaks rules; all of them are in ``violations``. Correct it."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("; ".join(v.detail for v in violations))
        self.violations = violations

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.violations,), self.__dict__


class MalformedError(OutboxError):
    """The text is no JSON document."""


class InvalidReporterError(OutboxError):
    """The reporter's identity is none that a token could carry."""


class InvalidArgumentError(OutboxError, ValueError):
    """The call asks for what cannot be, such as a list of fewer than no entries: correct the code."""


class AlreadyCancelledError(OutboxError):
    """The report was called off before, for another reason."""


class NotFoundError(OutboxError):
    """This reporter has no entry of that key."""


class StillPendingError(OutboxError):
    """The entry still waits to be sent: cancel it instead."""


class FullError(OutboxError):
    """The queue holds as much as it may: sync first."""


class NoSpaceError(OutboxError):
    """The device has no room left: free some."""


class UnavailableError(OutboxError):
    """The file cannot be used at the moment and was not touched: try again later."""


class CorruptError(OutboxError):
    """The file was corrupt while in use and has been repaired: ask again."""


class NewerSchemaError(OutboxError):
    """A newer version wrote the file: update."""


class ClosedError(OutboxError):
    """The outbox was closed: open it again."""


_GENERATED: Any = ffi.OutboxError
"""Its kinds are attributes that no type checker sees."""
_KINDS: dict[type, tuple[type[OutboxError], str]] = {
    _GENERATED.InvalidReporter: (InvalidReporterError, "a reporter's identity has 1 to 255 characters and no control character"),
    _GENERATED.AlreadyCancelled: (AlreadyCancelledError, "the report is already cancelled for another reason, which stays"),
    _GENERATED.NotFound: (NotFoundError, "this reporter has no such entry, or no longer: look at the list again"),
    _GENERATED.StillPending: (StillPendingError, "an entry that still waits to be sent is not discarded: cancel it instead"),
    _GENERATED.Full: (FullError, "the outbox holds as much as it may: sync, then report again"),
    _GENERATED.NoSpace: (NoSpaceError, "the device has no room left: free some, then try again"),
    _GENERATED.Corrupt: (CorruptError, "the outbox was corrupt and has been repaired; ask again"),
    _GENERATED.NewerSchema: (NewerSchemaError, "a newer version has taken the outbox over, and nothing is lost: update this one"),
    _GENERATED.Closed: (ClosedError, "the outbox is closed: open it again"),
}


def convert(error: ffi.OutboxError) -> OutboxError:
    """The error of this package for one of the library."""
    if isinstance(error, _GENERATED.Invalid):
        return InvalidError(tuple(violation(v) for v in error.violations))
    if isinstance(error, _GENERATED.Malformed):
        return MalformedError(error.detail)
    if isinstance(error, _GENERATED.InvalidArgument):
        return InvalidArgumentError(error.detail)
    if isinstance(error, _GENERATED.Unavailable):
        return UnavailableError(error.detail)
    kind, words = _KINDS[type(error)]
    return kind(words)


class _Interruption(threading.local):
    """What interrupted the call under way of this thread, while the library had it."""

    error: BaseException | None = None


_INTERRUPTION = _Interruption()


def interrupted(error: BaseException) -> None:
    """Lets the call under way raise this once it is over."""
    _INTERRUPTION.error = error


def _raise_interruption() -> None:
    error, _INTERRUPTION.error = _INTERRUPTION.error, None
    if error is not None:
        raise error


def typed(call: Callable[P, T]) -> Callable[P, T]:
    """Lets a function raise the errors of this package.

    A text that holds a lone surrogate has no UTF-8 form: as a draft it is refused like any other bad text.
    """

    @wraps(call)
    def inner(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except ffi.OutboxError as error:
            raise convert(error) from None
        except ffi.InternalError as bug:
            # A bug of the core's: the file is as its last commit left it.
            raise UnavailableError(f"the core failed: {bug}") from bug
        except UnicodeEncodeError:
            raise MalformedError("a text holds a lone surrogate") from None
        finally:
            _raise_interruption()

    return inner
