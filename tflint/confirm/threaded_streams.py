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
    """Runs iterators in threads and hands over their items. Leaving it ends the child processes and the threads."""

    def __init__(self, iterators: Sequence[Generator[_Item, None, None]], children: Children) -> None:
        self._children = children
        self._queues: list[queue.Queue[_Item | BaseException]] = [queue.Queue(2) for _ in iterators]
        self._is_over = threading.Event()
        pairs = zip(iterators, self._queues, strict=True)
        self._threads = [threading.Thread(target=self._work, args=pair, daemon=True) for pair in pairs]

    def _work(self, iterator: Generator[_Item, None, None], items: queue.Queue[_Item | BaseException]) -> None:
        try:
            with contextlib.closing(iterator):
                for item in iterator:
                    if not self._put(items, item):
                        return
        except BaseException as error:  # raised again in the thread that waits for the item
            self._put(items, error)

    def _put(self, items: queue.Queue[_Item | BaseException], item: _Item | BaseException) -> bool:
        """Hand over an item; return whether the other side still waits for items."""
        while not self._is_over.is_set():
            with contextlib.suppress(queue.Full):
                items.put(item, timeout=0.1)
                return True
        return False

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
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
            thread.join()
