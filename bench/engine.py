"""What a sync costs, held against the bars that it has to reach: one table.

    python -m bench.engine [--items 10000,100000] [--analysed] [--times 3] [--phases first,unchanged] [--all]

On the database of DATABASE_URL, which is dropped and made anew under the name "<its name>_bench"; without one a fresh SQLite
file. Each run of each size is a process of its own, and every figure the median of them. Costs are seconds of CPU of this
process and of the database's process for it; ratios are against baselines taken before and after in the same process:

    decode    orjson, item by item
    load      ready tuples of the entry rows into a table with the same columns and indexes, no history, one transaction

--all also runs the scripts that measure the rest of the table.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from typing import Any

from bench.bars import ELSEWHERE, growth_of, middle, rows_of, table
from bench.import_file import beside, fresh_database

ONCE_FROM = 1_000_000  # so many are measured once, fewer three times


def child(count: int, phases: str, *, analysed: bool) -> dict[str, Any]:
    """One run, in a process and on a database of its own."""
    with tempfile.TemporaryDirectory(prefix="listkeeper-bench-") as folder:
        env = {**os.environ, "LISTKEEPER_DATA": folder, "DJANGO_SETTINGS_MODULE": "config.settings"}
        env |= {"LISTKEEPER_LOG_LEVEL": "WARNING", "LISTKEEPER_FILE_ROWS": str(max(count, 300_000)),
                "LISTKEEPER_MAX_RUN_SECONDS": "86400"}  # fmt: skip
        if url := beside():
            env["DATABASE_URL"] = url
            fresh_database(url)
        words = [str(count), folder, phases, *(["analysed"] if analysed else [])]
        done = subprocess.run(
            [sys.executable, "-m", "bench.phases", *words], env=env, stdout=subprocess.PIPE, check=True
        )
        return dict(json.loads(done.stdout))


def report(told: list[dict[str, Any]]) -> None:
    for one in told:
        count = one["count"]
        print(f"\n{one['vendor']}, {count:,} films, {one['state']}: decoding {one['decode_cpu']:.2f} s, "
              f"loading {one['load_cpu']:.2f} s of CPU; the process began with {one['started']:.0f} MiB")  # fmt: skip
        print(f"{'phase':<18}{'CPU s':>8}{'wall s':>8}{'items/s':>10}{'statements':>11}{'history':>9}{'peak MiB':>9}")
        for name, phase in one["phases"].items():
            print(f"{name:<18}{phase['cpu']:>8.2f}{phase['wall']:>8.2f}{count / phase['wall']:>10,.0f}"
                  f"{phase['statements']:>11,.0f}{phase['history']:>9,.0f}{phase['peak']:>9.0f}")  # fmt: skip
        print(f"\n{table(rows_of(one))}")
    for small, large in pairwise(told):
        if large["count"] == 10 * small["count"]:
            print(f"\n{large['vendor']}, {large['state']}, {small['count']:,} and {large['count']:,}")
            print(*growth_of(small, large), sep="\n")


def elsewhere(*, run: bool) -> None:
    print()
    for what, script in ELSEWHERE:
        print(f"{what:<74}python -m {script}", flush=True)
        if run:
            subprocess.run([sys.executable, "-m", *script.split()], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", default="10000,100000")
    parser.add_argument("--analysed", action="store_true")
    parser.add_argument("--times", type=int, default=0, help="3, and once for a million")
    parser.add_argument("--phases", default="", help="those whose name begins so; the first one always")
    parser.add_argument("--all", action="store_true", help="and what other scripts measure")
    args = parser.parse_args()
    told = []
    for count in map(int, args.items.split(",")):
        times = args.times or (1 if count >= ONCE_FROM else 3)
        told.append(middle([child(count, args.phases, analysed=args.analysed) for _ in range(times)]))
    report(told)
    elsewhere(run=args.all)


if __name__ == "__main__":
    main()
