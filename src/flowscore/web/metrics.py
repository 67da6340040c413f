"""What the web door counts of itself, for `/metrics` (Prometheus text format)."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, disable_created_metrics

disable_created_metrics()  # when a counter began tells nobody anything here

TOLD = "What mail providers told, by what became of it."


class Metrics:
    """The counters of one server; a registry of its own, so that several can live in a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.responses = self._counter("responses", "Answers by HTTP status.", "status")
        self.events = self._counter("events_received", "Calls taken, by source.", "source")
        self.rejects = self._counter("rejects", "Calls rejected, by source.", "source")
        self.refused = self._counter("requests_refused", "Requests refused, by code.", "code")
        self.hits = self._counter("hits", "Opens and clicks, by what became of them.", "outcome")
        self.told = self._counter("provider_events", TOLD, "provider", "outcome")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"flowscore_{name}", text, labels, registry=self.registry)
