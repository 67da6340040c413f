"""What a request is refused for, as errors that the app answers in one form (INTAKE 3)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

RETRY_AFTER = 2  # seconds


class RefusedError(Exception):
    """A request that is not taken: its status, a short code for programs, a sentence for people."""

    status = 400
    code = "bad_request"
    message = "the request could not be read"

    def __init__(self, message: str = "", code: str = "", status: int = 0) -> None:
        self.message = message or self.message
        self.code = code or self.code
        self.status = status or self.status
        super().__init__(self.message)

    @property
    def headers(self) -> dict[str, str]:
        """Those that go with the answer."""
        return {}


class LaterError(RefusedError):
    """To be tried again: nothing of the request was kept."""

    @property
    def headers(self) -> dict[str, str]:
        """When to try again, in seconds (RFC 9110, 10.2.3)."""
        return {"Retry-After": str(RETRY_AFTER)}


class FullError(LaterError):
    """More comes in than can be written."""

    status = 429
    code = "too_many_requests"
    message = "too much waits to be written; send it again in a moment"


class UnwritableError(LaterError):
    """The store does not take it now: a full disk, a lost connection."""

    status = 503
    code = "unavailable"
    message = "what was sent could not be kept; send it again in a moment"


class TooLargeError(RefusedError):
    """More bytes than a body may have."""

    status = 413
    code = "too_large"
    message = "the body is too large; send less at a time, or raise FLOWSCORE_WEB_MAX_BODY"


class TooSlowError(RefusedError):
    """The body did not arrive in time."""

    status = 408
    code = "too_slow"
    message = "the body did not arrive in time"


def answer(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """The one form of every refusal; clients take any other for a network fault."""
    return JSONResponse({"code": code, "message": message}, status, headers)


async def answer_refused(_: Request, error: Exception) -> Response:
    """The answer to a request that was refused."""
    assert isinstance(error, RefusedError)
    return answer(error.status, error.code, error.message, error.headers)
