"""Random lives of a list: whatever two sources send, the list is the fold of what they said, and the past stays.

The expectation is written a second time here, slowly and without a database: films by identity, the first source's
values before the second's, the first source's order with the rest behind their neighbours.
"""

import json
import os
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lists import services
from lists.models import Entry
from lists.versions import diff, entries_of, values_of
from sync import tasks, uploads
from sync.models import Run

LONG = bool(os.environ.get("LISTKEEPER_LONG_TESTS"))

FILMS = range(12)


def row(n: int, variant: int) -> dict:
    """Film n as a source tells it. 0 to 7 have an id; 8 to 11 have none. 6 and 7 share title and year."""
    title = "Twins" if n in (6, 7) else f"Film {n}"
    said = {"title": title, "year": 1988, **({"rating": float(variant)} if variant else {})}
    if variant == 3:
        said["genres"] = ["Drama"]
    if n < 8:
        return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, **said}
    return {"key": f"film {n}|1988|", **said}


upload_step = st.tuples(
    st.sampled_from(["a", "b"]),
    st.lists(st.tuples(st.sampled_from(FILMS), st.integers(0, 3)), max_size=12, unique_by=lambda pair: pair[0]),
)
again_step = st.tuples(st.just("again"), st.sampled_from(["a", "b"]))
lives = st.lists(st.one_of(upload_step, upload_step, again_step), min_size=1, max_size=20 if LONG else 8)


class Life:
    """A list, its two sources, what each said last, and every version as it was when it was made."""

    def __init__(self, user):
        self.user = user
        self.list = services.create_list(user, name="Life")
        self.sources = {
            name: services.add_source(self.list, adapter="scripted", name=name, by=user, sync_enabled=False)
            for name in ("a", "b")
        }
        self.said: dict[str, list[dict]] = {"a": [], "b": []}
        self.photos: dict[int, list] = {}

    def upload(self, name: str, rows: list[dict]) -> Run:
        proposal = uploads.start(
            json.dumps(rows).encode(), by=self.user, list_=self.list, adapter="scripted",
            config={"source": self.sources[name].pk},
        )  # fmt: skip
        tasks.prepare_upload(proposal.pk)
        proposal.refresh_from_db()
        assert proposal.state == "open", proposal.error
        promised = proposal.result["counts"]
        run = uploads.confirm(proposal, by=self.user)
        tasks.execute_run(run.pk)
        run.refresh_from_db()
        assert run.state == Run.State.COMPLETED, run.error
        assert (run.added, run.updated, run.removed) == (promised["added"], promised["changed"], promised["removed"])
        self.said[name] = rows
        return run

    def expected(self) -> list[tuple]:
        order: list[str] = []
        for name in ("a", "b"):
            before = None
            for said in self.said[name]:
                if said["key"] not in order:
                    order.insert(order.index(before) + 1 if before else 0, said["key"])
                before = said["key"]
        values: dict[str, dict] = {}
        for name in ("b", "a"):
            for said in self.said[name]:
                shown = {k: v for k, v in said.items() if k not in ("key", "ids")}
                values[said["key"]] = values.get(said["key"], {}) | shown
        return [(key, values[key]) for key in order]

    def shown(self) -> list[tuple]:
        found = []
        for entry in Entry.objects.filter(list=self.list).listed().order_by("rank", "id").select_related("item"):
            keys = set(entry.claims.values_list("key", flat=True))
            assert len(keys) == 1, "one film, one key: both sources call it the same"
            found.append((keys.pop(), entry.values))
        return found

    def photograph(self) -> None:
        self.list.refresh_from_db()
        version = self.list.current
        if version is not None and version.number not in self.photos:
            self.photos[version.number] = [(row.id, values_of(row)) for row in entries_of(version)]

    def check(self) -> None:
        assert self.shown() == self.expected()
        self.photograph()
        assert self.list.item_count == len(self.expected())
        current = self.list.current
        if current is not None:
            assert [values for _, values in self.photos[current.number]] == [v for _, v in self.expected()]
        versions = {version.number: version for version in self.list.versions.all()}
        for number, photo in self.photos.items():
            assert [(row.id, values_of(row)) for row in entries_of(versions[number])] == photo
        assert services.refold(self.list, kind="rules") is None, "a refold changes nothing"
        self.check_diffs(versions)

    def check_diffs(self, versions: dict) -> None:
        """A difference is what changed between the two photographs, no more and no less."""
        numbers = sorted(self.photos)
        for old, new in pairwise(numbers):
            before, after = dict(self.photos[old]), dict(self.photos[new])
            found = {d.entry: d.kind for d in diff(versions[old], versions[new]).rows if d.kind != "moved"}
            expected = dict.fromkeys(after.keys() - before.keys(), "added")
            expected |= dict.fromkeys(before.keys() - after.keys(), "removed")
            expected |= {pk: "changed" for pk in before.keys() & after.keys() if before[pk] != after[pk]}
            assert found == expected


@pytest.mark.covers("VER-01", "VER-02", "VER-04", "LIST-05", "LIST-06", "OPS-01")
@given(life=lives)
@settings(
    max_examples=200 if LONG else 25,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_list_is_the_fold_of_what_its_sources_said(ines, life):
    here = Life(ines)
    for what, detail in life:
        rows = here.said[detail] if what == "again" else [row(n, variant) for n, variant in detail]
        name = detail if what == "again" else what
        same = rows == here.said[name]
        versions = here.list.versions.count()
        run = here.upload(name, rows)
        if same:
            assert run.version is None
            assert here.list.versions.count() == versions, "an unchanged upload makes no version"
        here.check()
