"""Telegram's own words when it refuses, as its Bot API server gives them."""

from typing import Any


class ApiError(Exception):
    """A refused Bot API call: becomes the HTTP status ``code`` and the body that Telegram would send."""

    def __init__(self, code: int, description: str, **parameters: Any) -> None:
        super().__init__(f"{code} {description}")
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the refusal."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            body["parameters"] = self.parameters
        return body


class SandboxRefused(Exception):  # noqa: N818 - refusals are no errors of the program
    """A person asked the sandbox for what Telegram's apps would not let them do; the text says why."""


def bad_request(why: str, **parameters: Any) -> ApiError:
    """400: the call itself is wrong."""
    return ApiError(400, f"Bad Request: {why}", **parameters)


def forbidden(why: str) -> ApiError:
    """403: the bot may not reach this person or chat."""
    return ApiError(403, f"Forbidden: {why}")


def unauthorized() -> ApiError:
    """401: the token names no bot."""
    return ApiError(401, "Unauthorized")


def not_found() -> ApiError:
    """404: no such method."""
    return ApiError(404, "Not Found: method not found")


def conflict(why: str) -> ApiError:
    """409: somebody else polls for this bot."""
    return ApiError(409, f"Conflict: {why}")


def too_many(seconds: int) -> ApiError:
    """429: the flood limits; ``seconds`` until the call may come again."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
