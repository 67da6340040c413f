"""A thread that works off what waits for it, until it is asked to leave and all is done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sized


class Worker:
    """Runs `run` in a thread of its own; what waits is touched only while `woken` is held."""

    def __init__(self, name: str, run: Callable[[], None]) -> None:
        self.woken = threading.Condition()
        self.leaving = False  # takes nothing more
        self._name = name
        self._run = run
        self._thread: threading.Thread | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the thread is there to work."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Begin to work."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work off what waits, then end; safe to call twice."""
        with self.woken:
            self.leaving = True
            self.woken.notify()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def await_work(self, waiting: Sized) -> None:
        """Until something waits, or we leave; called while `woken` is held."""
        while not waiting and not self.leaving:
            self.woken.wait()
