"""Posts a parcel over HTTP and says what became of it; nothing a receiver does raises here.

Addresses are resolved here, each is judged, and the connection goes to the judged address itself:
no second look-up can lead elsewhere. Redirects are not followed and proxies not used.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import httpcore
import httpx

from flowscore.language.variables import hide
from flowscore.mail.webhooks.addresses import Reach, read_address
from flowscore.mail.webhooks.parcels import Parcel, pack, sign

if TYPE_CHECKING:
    from flowscore.mail.webhooks.settings import WebhookSettings

CONNECT = 5.0  # seconds, for each address
TOTAL = 15.0  # seconds, from the look-up of the name to the head of the answer
BODY = 3.0  # seconds more for the body, of which only the beginning is of interest
MOST_HEARD = 512 * 1024  # bytes of one answer, its head and interim answers included
ENOUGH = 8_192  # bytes of body read; then the connection is closed
MOST_ADDRESSES = 4  # of a name are tried

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Answered:
    """The receiver's word: its status, the beginning of its body, what it says of later."""

    status: int
    text: str = ""
    retry_after: str = ""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer that could be read; perhaps it arrived, so it goes again under the same id."""

    why: str


@dataclass(frozen=True, slots=True)
class Barred:
    """Not sent, and not to be sent."""

    why: str


Tried = Answered | Silent | Barred


@dataclass(frozen=True, slots=True)
class Written:
    """It is a file on this machine now, and that is its end."""

    where: str


@dataclass(frozen=True, slots=True)
class Hindered:
    """This machine could not, whoever receives it; that costs no attempt."""

    why: str


Outcome = Tried | Written | Hindered


def censored(outcome: Tried, names: Collection[str], values: Mapping[str, str]) -> Tried:
    """The same with every secret taken out that a receiver, or an error, repeated."""
    if not isinstance(outcome, Answered):
        return type(outcome)(hide(outcome.why, names, values))
    text, location = (hide(one, names, values) for one in (outcome.text, outcome.location))
    return Answered(outcome.status, text, outcome.retry_after, location)


@dataclass(frozen=True, slots=True)
class Ready:
    """A webhook that can go: who receives it, and how it is carried there.

    `go` never raises for what a receiver or a disk does.
    """

    origin: str
    go: Callable[[], Awaitable[Outcome]]


class Courier(Protocol):
    """Whoever carries webhooks; `outside`: to others, so a delivery gives it only a while."""

    outside: bool

    def ready(self, key: str, payload: Any) -> Ready:
        """Make a queued webhook ready; UnfitError and UnsetError say why that cannot be."""

    async def close(self) -> None:
        """Let go of connections."""


class BarredError(Exception):
    """Every address of the host is one that webhooks may not reach."""


class NotFoundError(Exception):
    """The host's name leads to no address."""


class HttpCourier:
    """Real HTTP, over connections that are kept for the length of one delivery."""

    outside = True

    def __init__(self, settings: WebhookSettings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self.clock = clock
        self.ways = _Ways(settings.reach)
        self.pool = httpcore.AsyncConnectionPool(
            ssl_context=_trust(), max_connections=64, network_backend=self.ways
        )

    def ready(self, key: str, payload: Any) -> Ready:
        """A signed POST to come; signed when it goes."""
        parcel = pack(key, payload, self.settings)
        return Ready(parcel.origin, lambda: self.post(parcel))

    async def post(self, parcel: Parcel) -> Outcome:
        """One POST, signed now; what it was told, without the secrets."""
        outcome = await self._outcome(parcel, sign(parcel, self.settings, self.clock()))
        return censored(outcome, parcel.names, self.settings.variables)

    async def _outcome(self, parcel: Parcel, signature: Headers) -> Tried:
        """A redirect is an answer like any other."""
        try:
            return await self._post(parcel, signature)
        except BarredError as error:
            return Barred(str(error))
        except NotFoundError as error:
            return Silent(str(error))
        except (TimeoutError, httpcore.TimeoutException):
            return Silent(f"no answer within {TOTAL:g} seconds")
        except httpcore.LocalProtocolError as error:
            return Barred(f"it cannot be written as HTTP: {_words(error)}")
        except httpcore.RemoteProtocolError as error:
            return Silent(f"the answer is no HTTP: {_words(error)}")
        except Exception as error:  # whatever else a receiver makes of a connection
            return Silent(_words(_root(error)))

    async def _post(self, parcel: Parcel, signature: Headers) -> Answered:
        url = parcel.url
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        headers = [(b"Host", url.netloc), *parcel.headers, *signature]
        patience = {"connect": CONNECT, "read": TOTAL, "write": TOTAL, "pool": TOTAL}
        async with asyncio.timeout(TOTAL) as deadline:
            async with self.pool.stream(
                "POST",
                target,
                headers=headers,
                content=parcel.body,
                extensions={"timeout": patience},
            ) as response:
                deadline.reschedule(None)  # it has answered: its body cannot undo that
                return Answered(
                    response.status,
                    await _beginning(response),
                    _header(response, b"retry-after"),
                    _header(response, b"location"),
                )

    async def close(self) -> None:
        """Let go of connections and of name look-ups that still hang."""
        await self.pool.aclose()
        self.ways.close()


async def _beginning(response: httpcore.Response) -> str:
    """The first bytes of the body; a slow or broken rest is no matter."""
    taken = bytearray()
    try:
        async with asyncio.timeout(BODY), aclosing(response.aiter_stream()) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                taken += chunk
                if len(taken) >= ENOUGH:
                    break
    except (TimeoutError, httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return taken[:ENOUGH].decode("utf-8", "replace")


def _header(response: httpcore.Response, name: bytes) -> str:
    found = (value for key, value in response.headers if key.lower() == name)
    return next(found, b"").decode("latin-1")[:500]


def _root(error: BaseException) -> BaseException:
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:200] or type(error).__name__


def _trust() -> ssl.SSLContext:
    """The certificate authorities of `SSL_CERT_FILE` or `SSL_CERT_DIR`, else Mozilla's."""
    return httpx.create_ssl_context()


class _Bounded(httpcore.AsyncNetworkStream):
    """A connection whose other end may only say so much in answer to what is written.

    Interim answers without end would else keep this process at reading them.
    """

    def __init__(self, way: httpcore.AsyncNetworkStream) -> None:
        self.way = way
        self.heard = 0

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Raises ReadError once it is too much."""
        if self.heard > MOST_HEARD:
            raise httpcore.ReadError("its answer has no end")
        data = await self.way.read(max_bytes, timeout)
        self.heard += len(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """What is written asks for another answer."""
        self.heard = 0
        await self.way.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close the connection."""
        await self.way.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """The same bound holds for what comes through TLS."""
        return _Bounded(await self.way.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """What the connection knows of itself."""
        return self.way.get_extra_info(info)


class _Ways(httpcore.AsyncNetworkBackend):
    """Makes connections, to judged addresses alone."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self.plain = httpcore.AnyIOBackend()
        # Of its own, since a look-up that hangs would keep the loop's pool from ending.
        self.threads = ThreadPoolExecutor(16, thread_name_prefix="webhook-names")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """One address of the host after the other, until one takes the connection."""
        failed: Exception = NotFoundError("its host has no address")
        for address in await self._judged(host, port):
            try:
                way = await self.plain.connect_tcp(address, port, timeout, local_address)
                return _Bounded(way)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    async def _judged(self, host: str, port: int) -> list[str]:
        """The addresses that may be reached; none of them is a refusal that names one."""
        why = ""
        found = []
        for text in await self._addresses(host, port):
            reason = self.reach.why_not(host, read_address(text))
            if not reason:
                found.append(text)
            why = why or reason
        if why and not found:
            raise BarredError(
                f"its host is inside: {why}; if webhooks may go there, name the host in "
                "FLOWSCORE_WEBHOOK_ALLOW_PRIVATE"
            )
        return found[:MOST_ADDRESSES]

    async def _addresses(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            rows = await loop.run_in_executor(self.threads, _look_up, host, port)
        except (OSError, UnicodeError) as error:
            raise NotFoundError(f"its host cannot be found: {_words(error)}") from error
        return list(dict.fromkeys(str(row[4][0]) for row in rows))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never: a webhook goes to a machine."""
        raise BarredError(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """As the plain backend does."""
        await self.plain.sleep(seconds)

    def close(self) -> None:
        """Look-ups that hang end by themselves."""
        self.threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
