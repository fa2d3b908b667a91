"""What a sync need not do when nothing, or little, is new; and what it must do all the same."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lists import services
from lists.models import Claim, Entry, ExternalId, Item, Proposal
from sync import pipeline
from sync.models import Run
from tests.scripted import ScriptedRaw, ScriptedStamped


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def many(*numbers: int):
    return [film(n) for n in numbers]


@pytest.fixture
def read():
    """Titles of the rows that were read since the test last asked."""
    ScriptedRaw.parsed.clear()

    def read() -> list[str]:
        titles, ScriptedRaw.parsed[:] = list(ScriptedRaw.parsed), []
        return titles

    return read


@pytest.fixture
def raw(films, live):
    return live(films, adapter="scripted_raw", grace=0)


def written_to(queries) -> set[str]:
    """Tables that statements write to."""
    words = (query["sql"].replace('"', "").split() for query in queries)
    return {
        word for first, *rest in words if first in ("INSERT", "UPDATE", "DELETE") for word in rest[:3] if "_" in word
    }


class TestRowsWhoseBytesAreKnown:
    def test_are_not_read(self, raw, read):
        raw.sync(many(1, 2, 3))
        assert read() == ["Film 1", "Film 2", "Film 3"]
        run = raw.sync([film(1), film(2, rating=7.5), film(3), film(4)])
        assert read() == ["Film 2", "Film 4"]
        assert (run.found, run.unchanged, run.updated, run.added) == (4, 2, 1, 1)
        assert Entry.objects.get(title="Film 2").rating == 7.5

    def test_write_nothing(self, raw, films):
        raw.sync(many(1, 2, 3))
        films.refresh_from_db()
        with CaptureQueriesContext(connection) as queries:
            assert raw.sync(many(1, 2, 3)).unchanged == 3
        tables = {model._meta.db_table for model in (Item, ExternalId, Entry, Claim, Entry.history.model)}
        assert not written_to(queries) & tables
        before = films.current_id
        films.refresh_from_db()
        assert films.current_id == before

    def test_that_are_missing_leave(self, raw, titles, films):
        raw.sync(many(1, 2, 3, 4, 5))
        assert raw.sync(many(1, 2, 4, 5)).removed == 1
        assert titles(films) == ["Film 1", "Film 2", "Film 4", "Film 5"]

    def test_that_were_missing_are_back(self, films, live):
        source = live(films, adapter="scripted_raw", grace=1)
        source.sync(many(*range(1, 8)))
        source.sync(many(*range(1, 7)))
        assert Claim.objects.get(key="tt7").missing == 1
        source.sync(many(*range(1, 8)))
        assert Claim.objects.get(key="tt7").missing == 0

    def test_that_stand_elsewhere_are_moved(self, raw, titles, films, read):
        raw.sync(many(1, 2, 3))
        read()
        raw.sync(many(3, 1, 2))
        assert (titles(films), read()) == (["Film 3", "Film 1", "Film 2"], [])

    def test_that_come_twice_are_doubles_with_their_name(self, raw):
        raw.sync(many(1, 2))
        run = raw.sync([film(1), film(1), film(2), film(2, rating=3.0)])
        assert (run.found, run.duplicates, run.updated) == (2, 2, 0)
        assert [double["title"] for double in run.details["doubles"]] == ["Film 1", "Film 2"]

    def test_that_come_behind_another_word_under_their_key_are_doubles(self, raw):
        raw.sync(many(1, 2))
        run = raw.sync([film(1, rating=3.0), film(1), film(2)])
        assert (run.found, run.duplicates, run.updated) == (2, 1, 1)
        assert [double["title"] for double in run.details["doubles"]] == ["Film 1"]

    def test_an_unreadable_row_whose_key_is_known_stays(self, raw, titles, films):
        raw.sync(many(1, 2))
        assert raw.sync([film(1), {"broken": "tt2"}]).skipped == 1
        assert titles(films) == ["Film 1", "Film 2"]

    def test_other_bytes_that_say_the_same_change_nothing_but_are_known_from_then_on(self, raw, read):
        raw.sync([film(1, genres=["Drama"])])
        said = film(1, genres=["Drama"])
        run = raw.sync([dict(reversed(said.items()))])
        assert (run.unchanged, read()[-1:]) == (1, ["Film 1"])
        raw.sync([dict(reversed(said.items()))])
        assert read() == []

    def test_are_read_again_by_another_version_of_the_adapter(self, raw, read, monkeypatch):
        raw.sync(many(1))
        read()
        monkeypatch.setattr(ScriptedRaw, "version", 2)
        raw.sync(many(1))
        assert read() == ["Film 1"]

    def test_records_are_known_without_bytes_too(self, films, live):
        source = live(films)
        source.sync(many(1, 2))
        assert all(Claim.objects.values_list("mark", flat=True))
        assert source.sync(many(1, 2)).unchanged == 2


class TestWhatSomebodyDoesMeanwhile:
    def test_a_claim_that_was_taken_away_is_read_again(self, films, live, ines, titles, monkeypatch):
        """Its row was passed over as known; by the time of the plan nothing stands of it any more."""
        source = live(films, adapter="scripted_raw")
        source.sync(many(*range(10)))
        assert source.sync(many(0, 1)).held == 8
        publish, waiting = pipeline._publish, [True]

        def late(*args, **named):
            while waiting:
                waiting.pop()
                services.apply_held(Proposal.objects.get(kind="held", state="open"), by=ines)
            return publish(*args, **named)

        monkeypatch.setattr(pipeline, "_publish", late)
        assert source.sync(many(*range(10))).state == Run.State.COMPLETED
        assert titles(films) == [f"Film {n}" for n in range(10)]


class TestAnAnswerThatIsTheLastOne:
    @pytest.fixture
    def whole(self, films, live):
        return live(films, adapter="scripted_whole", grace=1)

    def test_is_not_read(self, whole):
        whole.sync(many(1, 2))
        run = whole.sync(many(1, 2))
        assert (run.outcome, run.found, run.unchanged, run.version) == ("not-modified", 2, 2, None)

    def test_lacks_again_what_it_lacked(self, whole, titles, films):
        whole.sync(many(*range(8)))
        assert whole.sync(many(*range(7))).removed == 0
        run = whole.sync(many(*range(7)))
        assert (run.outcome, run.removed) == ("not-modified", 1)
        assert titles(films) == [f"Film {n}" for n in range(7)]

    def test_is_read_where_not_all_of_it_was_taken(self, whole):
        whole.sync([film(1), {"broken": "tt2"}])
        assert whole.sync([film(1), {"broken": "tt2"}]).skipped == 1

    def test_leaves_what_waits_for_a_person(self, whole):
        whole.sync(many(*range(10)))
        whole.sync(many(0, 1))
        assert whole.sync(many(0, 1)).outcome == "not-modified"
        assert Proposal.objects.get(kind="held").state == "open"

    def test_is_read_by_another_mode_of_the_source(self, whole):
        whole.sync(many(1, 2))
        whole.mode = "collecting"
        whole.save()
        assert whole.sync(many(1, 2)).outcome == "window"

    def test_a_service_that_says_so_is_believed(self, raw, read):
        raw.sync(many(1, 2))
        read()
        run = raw.sync({"same": True})
        assert (run.outcome, run.unchanged, read()) == ("not-modified", 2, [])

    def test_a_service_that_says_so_lacks_again_what_it_lacked_though_it_says_no_number(self, films, live, titles):
        source = live(films, adapter="scripted_raw", grace=1)
        source.sync(many(*range(8)))
        source.sync(many(*range(7)))
        run = source.sync({"same": True})
        assert (run.outcome, run.error, run.removed) == ("not-modified", "", 1)

    def test_a_file_that_is_uploaded_again(self, films, upload, titles):
        upload(films, many(1, 2))
        run = upload(films, many(1, 2))
        assert (run.outcome, run.unchanged) == ("not-modified", 2)
        assert titles(films) == ["Film 1", "Film 2"]

    def test_what_is_owed_is_written_all_the_same(self, whole, films, ines, titles):
        whole.sync(many(1, 2))
        services.block(by=ines, scope="mine", pattern="Film 1")
        whole.sync(many(1, 2))
        assert titles(films) == ["Film 2"]


@pytest.mark.covers("SAFE-03", "SRC-23")
class TestAWordBesideTheList:
    @pytest.fixture
    def says(self, films, live, monkeypatch):
        """says(stamp, rows) -> (run, how often the rows were asked for)."""
        source = live(films, adapter="scripted_stamped", grace=1)

        def says(stamp: str, rows: list, **more):
            monkeypatch.setattr(ScriptedStamped, "looked", 0)
            return source.sync({"stamp": stamp, "rows": rows, **more}), ScriptedStamped.looked

        return says

    def test_spares_the_reading_of_a_list_that_lacked_nothing(self, says):
        says("1", many(1, 2))
        run, looked = says("1", many(1, 2))
        assert (run.outcome, run.found, looked) == ("not-modified", 2, 0)

    def test_is_no_second_look(self, says, films, titles):
        says("1", many(*range(40)))
        run, _ = says("2", many(*range(33)))  # a bad day
        assert (run.removed, run.held) == (0, 0)
        run, looked = says("2", many(*range(41)))
        assert (run.removed, run.added, looked) == (0, 1, 1)
        assert len(titles(films)) == 41
        assert says("2", many(*range(41)))[1] == 0

    def test_lets_go_what_the_list_itself_lacks_twice(self, says):
        says("1", many(*range(10)))
        says("2", many(*range(9)))
        assert says("2", many(*range(9)))[0].removed == 1

    def test_is_not_believed_where_something_is_missing_for_whatever_reason(self, says, films, titles):
        says("1", many(*range(10)))
        Claim.objects.filter(key="tt9").update(missing=1)
        run, looked = says("1", many(*range(10)))
        assert (looked, run.removed, len(titles(films))) == (1, 0, 10)
        assert not Claim.objects.filter(missing__gt=0).exists()

    def test_does_not_speak_for_an_answer_of_which_something_is_held(self, says):
        says("1", many(*range(10)))
        assert says("2", [])[0].held == 10
        run, looked = says("2", many(*range(10)))
        assert (run.unchanged, looked) == (10, 1)
        assert Proposal.objects.get(kind="held").state == "withdrawn"

    def test_does_not_speak_for_an_empty_answer(self, says, films, titles):
        says("1", [])
        says("1", many(1, 2))
        assert titles(films) == ["Film 1", "Film 2"]

    def test_does_not_speak_for_a_part(self, says):
        says("1", [film(1), {"broken": "tt2"}])
        assert says("1", many(1, 2))[0].added == 1

    def test_leaves_the_same_answer_to_be_a_second_look(self, says):
        says("1", many(*range(10)), body=True)
        says("2", many(*range(9)), body=True)
        run, looked = says("2", many(*range(9)), body=True)
        assert (run.outcome, run.removed, looked) == ("not-modified", 1, 1)


def test_each_source_accepts_an_answer_on_its_own(films, live):
    first, second = live(films, "a", adapter="scripted_whole"), live(films, "b", adapter="scripted_whole")
    first.sync(many(1))
    assert second.sync(many(1)).outcome == "complete-unverified"
