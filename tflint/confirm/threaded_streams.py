"""Runs several iterators in threads of their own and hands over their items one by one."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Sequence
from typing import Generic, Self, TypeVar

from tflint.confirm.child_process import Children

_Item = TypeVar("_Item")


class ThreadedStreams(Generic[_Item]):
    """Runs iterators in threads and hands over their items. Leaving it ends the child processes and the threads.

    A signal handler may raise an exception in the main thread at any time. `SimpleQueue` has no lock that such an
    exception could leave locked, which would block the other threads forever.
    """

    def __init__(self, iterators: Sequence[Generator[_Item, None, None]], children: Children) -> None:
        self._children = children
        self._queues: list[queue.SimpleQueue[_Item | BaseException]] = [queue.SimpleQueue() for _ in iterators]
        self._is_over = threading.Event()
        pairs = zip(iterators, self._queues, strict=True)
        self._threads = [threading.Thread(target=self._work, args=pair, daemon=True) for pair in pairs]

    def _work(self, iterator: Generator[_Item, None, None], items: queue.SimpleQueue[_Item | BaseException]) -> None:
        try:
            with contextlib.closing(iterator):
                for item in iterator:
                    if self._is_over.is_set():
                        return
                    items.put(item)
        except BaseException as error:  # raised again in the thread that waits for the item
            items.put(error)

    def __enter__(self) -> Self:
        try:
            for thread in self._threads:
                thread.start()
        except BaseException:  # an interrupt
            self.__exit__()
            raise
        return self

    def next(self, number: int) -> _Item:
        """Return the next item of an iterator, or raise the exception that ended it."""
        item = self._queues[number].get()
        if isinstance(item, BaseException):
            raise item
        return item

    def __exit__(self, *_error: object) -> None:
        self._is_over.set()
        self._children.kill_all()
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join()
