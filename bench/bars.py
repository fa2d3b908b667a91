"""The bars that a sync has to reach, and what was reached: from what bench/phases.py told of its phases."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

Told = Mapping[str, Any]  # what one process of bench/phases.py printed

UNCHANGED = ("unchanged, raw", "unchanged", "same body")
# phase -> how many of so many films get another row of history
HISTORY = {
    "first": lambda count: count, "10 % changed": lambda count: count // 10, "5 % removed": lambda count: count // 20,
    "returned": lambda count: count // 20, "rollback": lambda count: count // 10,
}  # fmt: skip
# Of decoding or of loading, as many times as fast at least.
FASTER = {
    "first, of loading": ("load_cpu", "first", 0.12),
    "unchanged with raw bytes, of decoding": ("decode_cpu", "unchanged, raw", 0.5),
    "unchanged without, of decoding": ("decode_cpu", "unchanged", 0.18),
    "unchanged by body digest, of decoding": ("decode_cpu", "same body", 2),
    "10 % changed, of decoding": ("decode_cpu", "10 % changed", 0.10),
}
STATEMENTS = {"sqlite": 45, "postgresql": 15}  # for each thousand rows that changed, and twelve more
UNCHANGED_STATEMENTS = 8
GROWTH, GROWTH_OF = 13, {"first": 15, "rollback": 15}  # ten times the rows cost so many times the CPU at most
PEAK_MIB = {100_000: 220, 1_000_000: 400}
# Rows of the same table that other scripts measure, on databases of their own.
ELSEWHERE = (
    ("pages and searches of a million; diff, rollback, storage of 50 versions", "bench.reads"),
    ("SQLite: p99 of a small write beside four syncs", "bench.together small"),
    ("the same of twenty who write", "bench.together small --writers 20"),
    ("PostgreSQL: deadlocks, lost updates, doubles", "bench.together items"),
    ("two seconds from a cancel to the end of its run, in each phase", "bench.cancel"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One property held against its bar. at_least: more is better."""

    name: str
    must: float
    reached: float
    at_least: bool = False
    exact: bool = False

    @property
    def holds(self) -> bool:
        if self.exact:
            return self.reached == self.must
        return self.reached >= self.must if self.at_least else self.reached <= self.must

    @property
    def bar(self) -> str:
        sign = "=" if self.exact else ">=" if self.at_least else "<="
        return f"{sign} {_figure(self.must)}"

    @property
    def verdict(self) -> str:
        return "holds" if self.holds else "MISSED"

    def __str__(self) -> str:
        return f"{self.name:<44}{self.bar:<13}{_figure(self.reached):>12}  {self.verdict}"


def table(rows: Iterable[Row]) -> str:
    return "\n".join([f"{'property':<44}{'must':<13}{'reached':>12}", *map(str, rows)])


def _figure(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 or number == int(number) else f"{number:.2f}"


def middle(runs: list[Told]) -> dict[str, Any]:
    """One telling out of several of the same size: the median of every figure."""
    first = runs[0]
    phases = {
        name: {figure: median(run["phases"][name][figure] for run in runs) for figure in phase}
        for name, phase in first["phases"].items()
    }
    ratios = {name: median(_times(run, name) for run in runs) for name in FASTER if FASTER[name][1] in phases}
    baselines = {name: median(run[name] for run in runs) for name in ("decode_cpu", "load_cpu", "started")}
    return {**first, **baselines, "phases": phases, "ratios": ratios}


def _times(run: Told, name: str) -> float:
    baseline, phase, _ = FASTER[name]
    return float(run[baseline] / run["phases"][phase]["cpu"])


def rows_of(told: Told) -> Iterator[Row]:
    """Every bar of one size."""
    count, phases = told["count"], told["phases"]
    for name, reached in told["ratios"].items():
        yield Row(name, FASTER[name][2], reached, at_least=True)
    for name, phase in phases.items():
        expected = HISTORY[name](count) if name in HISTORY else 0
        yield Row(f"rows of history: {name}", expected, phase["history"], exact=True)
    for name, phase in phases.items():
        if name in UNCHANGED:
            yield Row(f"statements: {name}", UNCHANGED_STATEMENTS, phase["statements"])
        elif name != "rollback":  # it matches nothing, so it is no part of what was promised
            most = 12 + STATEMENTS[told["vendor"]] * HISTORY[name](count) / 1000
            yield Row(f"statements: {name}", most, phase["statements"])
    if count in PEAK_MIB:
        yield Row("peak of memory, MiB", PEAK_MIB[count], max(phase["peak"] for phase in phases.values()))


def growth_of(small: Told, large: Told) -> Iterator[Row]:
    """What ten times the rows cost."""
    for name, phase in large["phases"].items():
        if name in small["phases"]:
            reached = phase["cpu"] / max(small["phases"][name]["cpu"], 0.001)
            yield Row(f"CPU of ten times as many: {name}", GROWTH_OF.get(name, GROWTH), reached)
