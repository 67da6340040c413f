"""Whether the service is well, and what it counts: `/healthz` and `/metrics`."""

# FastAPI reads annotations at run time: no `from __future__ import annotations` here.

import hmac
from collections import Counter

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import Connection, text
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from flowscore.clock import MINUTE
from flowscore.errors import FlowscoreError
from flowscore.store.spelling import SPELLINGS
from flowscore.web.reception import Reception
from flowscore.web.refusals import RefusedError


def router(desk: Reception) -> APIRouter:
    """Both; `/metrics` asks for the token of FLOWSCORE_METRICS_TOKEN where one is set."""
    routes = APIRouter(tags=["health"])
    desk.metrics.registry.register(StoreCollector(desk))

    @routes.get("/healthz", summary="Whether the service can take what comes in")
    async def healthz() -> Response:
        problem = await run_in_threadpool(_problem, desk)
        status = {"status": "ok"} if not problem else {"status": "failing", "problem": problem}
        return JSONResponse(status, 503 if problem else 200)

    @routes.get("/metrics", summary="Counters, in the text format of Prometheus")
    async def metrics(request: Request) -> Response:
        _refuse_stranger(request, desk)
        page = await run_in_threadpool(generate_latest, desk.metrics.registry)
        return Response(page, media_type=CONTENT_TYPE_LATEST)

    return routes


def _problem(desk: Reception) -> str:
    """A word for whoever watches; what exactly is wrong stands in the log."""
    if not desk.writer.is_alive:
        return "the writer has stopped"
    try:
        with desk.store.read() as connection:
            connection.execute(text("SELECT 1"))
    except FlowscoreError:
        return "the store cannot be read"
    return ""


def _refuse_stranger(request: Request, desk: Reception) -> None:
    token = desk.settings.metrics_token
    if token is None:
        return
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.get_secret_value().encode()):
        raise RefusedError("a bearer token is needed here", "unauthorized", 401)


class StoreCollector:
    """Gauges that are looked up when they are asked for; the outbox at most once a minute."""

    def __init__(self, desk: Reception) -> None:
        self.desk = desk
        self._outbox: tuple[int, list[Metric]] | None = None

    def describe(self) -> list[Metric]:
        """Nothing is looked up when the collector is registered."""
        return []

    def collect(self) -> list[Metric]:
        """All of them; of a store that cannot be read only that it cannot."""
        lines = _gauge("writer_lines", "Lines that wait to be written.", self.desk.writer.lines)
        try:
            found = self._look()
        except FlowscoreError:
            return [lines, _gauge("up", UP, 0)]
        return [lines, _gauge("up", UP, 1), *found]

    def _look(self) -> list[Metric]:
        now = self.desk.clock()
        owed = _gauge("ticks_owed", TICKS_OWED, ticks_owed(self.desk, now))
        with self.desk.store.read() as connection:
            inbox = SPELLINGS[self.desk.store.dialect].inbox
            waiting = connection.scalar(text(f"SELECT count(*) FROM {inbox}")) or 0
            if self._outbox is None or now - self._outbox[0] >= MINUTE:
                self._outbox = now, _outbox(connection)
        return [owed, _gauge("inbox_lines", "Lines that wait for a tick.", waiting),
                *self._outbox[1]]  # fmt: skip


UP = "Whether the store could be read."
TICKS_OWED = "Instants of the grid that have come and were not worked off; 0 with nothing to do."
WITHHELD = "Mails that were withheld, by reason."


def ticks_owed(desk: Reception, now: int) -> int:
    """Instants of the grid since the last tick; 0 while a tick would find nothing to do."""
    from flowscore.engine.tick import owed

    mark, step = desk.workspace.watermark(), desk.settings.tick_every
    if not owed(desk.store, now, step):
        return 0
    return 1 if mark is None else max(1, (now - mark) // step)


BY_STATE = """
    SELECT status, coalesce(CASE WHEN status = 'withheld' THEN reason END, ''), count(*)
    FROM messages GROUP BY 1, 2
"""


def _outbox(connection: Connection) -> list[Metric]:
    """Messages by state, and the withheld ones by reason: a walk over all of them."""
    states = GaugeMetricFamily("flowscore_outbox", "Messages by state.", labels=["state"])
    withheld = GaugeMetricFamily("flowscore_withheld", WITHHELD, labels=["reason"])
    totals: Counter[str] = Counter()
    for status, reason, number in connection.execute(text(BY_STATE)):
        totals[status] += number
        if reason:
            withheld.add_metric([reason], number)
    for status, number in totals.items():
        states.add_metric([status], number)
    return [states, withheld]


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"flowscore_{name}", text, value=value)
