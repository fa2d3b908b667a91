"""A file of Python values, written once and read from the start as often as needed: keeps a sync's memory flat."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
BLOCK = 500


def blocks(values: Sequence[T], size: int = BLOCK) -> Iterator[Sequence[T]]:
    """Slices of a sequence: as many as one statement takes."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Spool(Generic[T]):
    """Values in blocks of `size`. The file is ours alone, has no name, and goes when it is closed."""

    def __init__(self, size: int = BLOCK):
        self._file = tempfile.TemporaryFile(prefix="listkeeper-")  # noqa: SIM115 - closed by close()
        self._size = size
        self._open: list[T] = []
        self.count = 0

    def append(self, value: T) -> None:
        self._open.append(value)
        self.count += 1
        if len(self._open) >= self._size:
            self._flush()

    def extend(self, values: Iterable[T]) -> None:
        for value in values:
            self.append(value)

    def _flush(self) -> None:
        if self._open:
            pickle.dump(self._open, self._file, protocol=pickle.HIGHEST_PROTOCOL)
            self._open = []

    def blocks(self) -> Iterator[list[T]]:
        self._flush()
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301 - our own unnamed file
            except EOFError:
                return

    def __iter__(self) -> Iterator[T]:
        for block in self.blocks():
            yield from block

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> "Spool[T]":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
