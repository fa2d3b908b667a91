"""A file of Python values, written once and read from the start as often as needed: keeps a sync's memory flat."""

import marshal
import pickle
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Generic, NamedTuple, Self, TypeVar

from lists.dialects import Dialect

T = TypeVar("T")
BLOCK = 500  # rows that are looked at at a time


def blocks(values: Sequence[T], size: int = 0) -> Iterator[Sequence[T]]:
    """Slices of a sequence: as many as one statement names one by one."""
    size = size or Dialect.of().rows
    for start in range(0, len(values), size):
        yield values[start : start + size]


class Codec(NamedTuple):
    """A value as plain tuples, lists, dicts, texts, bytes and numbers, and back: marshal takes a third of pickle's time."""

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


class Spool(Generic[T]):
    """Values in blocks of `size`. The file is ours alone, has no name, and goes when it is closed."""

    def __init__(self, codec: Codec | None = None, size: int = BLOCK):
        self._file = tempfile.TemporaryFile(prefix="listkeeper-")  # noqa: SIM115 - closed by close()
        self._codec, self._size = codec, size
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
        if not self._open:
            return
        if self._codec is None:
            packed = pickle.dumps(self._open, protocol=pickle.HIGHEST_PROTOCOL)
        else:
            packed = marshal.dumps([self._codec.pack(value) for value in self._open])
        # Whole blocks: marshal reads a file in pieces of a few bytes.
        self._file.seek(0, 2)
        self._file.write(len(packed).to_bytes(8, "big") + packed)
        self._open = []

    def blocks(self) -> Iterator[list[T]]:
        self._flush()
        at = 0  # a reading of its own: two may go on at once
        while True:
            self._file.seek(at)
            size = int.from_bytes(self._file.read(8), "big")
            if not size:
                return
            packed = self._file.read(size)
            at += 8 + size
            if self._codec is None:
                yield pickle.loads(packed)  # noqa: S301 - our own unnamed file
            else:
                yield [self._codec.unpack(value) for value in marshal.loads(packed)]  # noqa: S302 - likewise

    def __iter__(self) -> Iterator[T]:
        for block in self.blocks():
            yield from block

    def __len__(self) -> int:
        return self.count

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
