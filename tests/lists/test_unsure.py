"""Changes of a tracklist that look unsure wait for a person: scores, holding, deciding, and what becomes of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from lists import services
from lists.confidence import of_changes
from lists.judging import of_addition, of_modification, of_removal
from lists.models import Audit, Claim, Conflict, Entry, Proposal, Version
from sync.models import Run
from tests.lists import unsure as shared
from tests.lists.unsure import play, plays, shown, unsure, waiting

night, radio = shared.night, shared.radio
TWELVE = [f"Track {n}" for n in range(1, 13)]


# -- scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-07")
@pytest.mark.parametrize(
    ("added", "changed", "removed", "score"),
    [
        (0, 0, 0, 100), (0, 1, 0, 90), (0, 40, 0, 90), (1, 0, 0, 90), (5, 0, 0, 90), (6, 0, 0, 70), (5, 1, 0, 80),
        (0, 0, 1, 80), (0, 0, 3, 80), (0, 0, 4, 60), (1, 0, 3, 80), (6, 0, 4, 50), (5, 5, 4, 60), (6, 1, 3, 70),
    ],
)  # fmt: skip
def test_the_confidence_of_a_change_set(added, changed, removed, score):
    assert of_changes(added, changed, removed) == score


@pytest.mark.covers("TL-13")
@pytest.mark.parametrize(
    ("before", "after", "confidence", "severity", "choice"),
    [
        ({"artist": None}, {"artist": "Bicep"}, 90, "medium", "take"),
        ({"title": "Glue"}, {"title": "Glue (Mix)"}, 85, "medium", "look"),
        ({"title": "Glue"}, {"title": "Rain"}, 30, "medium", "keep"),
        ({"label": "Ninja Tune"}, {"label": "Feel My Bicep"}, 70, "low", "look"),
        ({"label": None}, {"label": "Ninja Tune"}, 90, "low", "take"),
        ({"title": "A", "artist": "B", "label": None}, {"title": "X", "artist": "Y", "label": "Z"}, 50, "high", "look"),
        ({"title": None, "label": "A"}, {"title": "T", "label": "B"}, 80, "medium", "look"),
    ],
)  # fmt: skip
def test_what_is_told_otherwise_is_judged_by_its_fields(before, after, confidence, severity, choice):
    judged = of_modification(before, after)
    assert (judged.confidence, judged.severity, judged.choice) == (confidence, severity, choice)


@pytest.mark.parametrize(
    ("judged", "severity", "choice"),
    [
        (of_removal({"title": "Glue"}, edge=False), "low", "look"), (of_removal({"title": "Glue"}, edge=True), "medium", "keep"),
        (of_removal({"title": "The Intro"}, edge=False), "medium", "keep"), (of_removal({"title": "Introvert"}, edge=False), "low", "look"),
        (of_addition({"title": "Glue"}), "low", "take"), (of_addition({}), "low", "look"),
        (of_addition({"title": "Glue", "confidence": 0.3}), "low", "keep"),
    ],
)  # fmt: skip
def test_what_comes_and_goes_is_judged(judged, severity, choice):
    assert (judged.severity, judged.choice) == (severity, choice)


# -- holding ---------------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-08")
def test_a_confident_change_is_taken_and_an_unsure_one_waits(radio, night):
    assert radio.sync([*plays(*range(1, 13)), *plays(13, 14)]).added == 2
    assert not Proposal.objects.exists()
    run = radio.sync([*plays(*range(1, 15)), *plays(*range(20, 27))])
    assert (run.state, run.added, run.held, run.version) == (Run.State.COMPLETED, 0, 7, None)
    assert shown(night) == [f"Track {n}" for n in range(1, 15)]
    assert unsure().result["confidence"] == 0.7


@pytest.mark.covers("TL-08")
def test_the_threshold_is_the_lists_own(radio, night, ines):
    changed = [*plays(*range(1, 12)), play(12, title="Trick 12")]
    services.change_rules(night, by=ines, accept_confidence=0.91)
    assert radio.sync(changed).held == 1
    services.change_rules(night, by=ines, accept_confidence=0.9)
    assert radio.sync(changed).updated == 1
    assert Proposal.objects.get().state == Proposal.State.WITHDRAWN
    assert Conflict.objects.get().state == Conflict.State.WITHDRAWN


def test_the_first_answer_of_an_empty_list_is_taken(night, live):
    assert live(night).sync(plays(*range(1, 40))).added == 39


def test_a_list_of_films_takes_changes_unless_its_owner_wants_to_look(films, live, ines):
    source = live(films)
    rows = [{"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990} for n in range(1, 31)]
    source.sync(rows[:10])
    assert source.sync(rows[:18]).added == 8
    services.change_rules(films, by=ines, review_unsure=True)
    assert source.sync(rows).held == 12
    services.decide(waiting(kind="added"), by=ines, choice="take")
    assert len(shown(films)) == 30, "rows that were known without reading are kept with it"
    assert source.sync(rows).version is None
    assert source.sync(rows[:18]).state == Run.State.COMPLETED


def test_the_next_complete_answer_replaces_or_withdraws_what_waits(radio, night):
    radio.sync([*plays(*range(1, 13)), *plays(*range(20, 27))])
    first = {row.subject: row.pk for row in waiting()}
    assert len(first) == 7
    radio.sync([*plays(*range(1, 13)), *plays(*range(20, 27))])
    assert {row.subject: row.pk for row in waiting()} == first, "the same contradiction is the same row"
    radio.sync([*plays(*range(1, 13)), *plays(*range(21, 28))])
    now = {row.subject: row.pk for row in waiting()}
    assert len(now) == 7
    assert len(now.items() & first.items()) == 6
    radio.sync(plays(*range(1, 13)))
    assert waiting() == []
    assert Proposal.objects.get().state == Proposal.State.WITHDRAWN
    radio.sync([*plays(*range(1, 13)), *plays(*range(20, 27))])
    assert {row.subject: row.pk for row in waiting()} == first, "and the same again"
    assert shown(night) == TWELVE


# -- the five kinds --------------------------------------------------------------------------------------------------


@pytest.mark.covers("TL-13")
def test_each_kind_of_change_is_a_question(radio, night, live):
    Entry.objects.filter(list=night).update(state="listed")
    night.refresh_from_db()
    night.facts = {"performer": "Ines"}
    night.save()
    radio.sync(plays(*range(2, 13)))  # missing once
    rows = [play(2, title="Trick 2"), *plays(*range(3, 13)), *plays(*range(30, 42))]
    radio.sync(rows)
    kinds = [row.kind for row in waiting()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "added": 12,
        "removed": 1,
        "modified": 1,
        "restructure": 1,
    }
    by_kind = {row.kind: row for row in waiting()}
    assert (by_kind["removed"].severity, by_kind["removed"].recommendation["choice"]) == ("medium", "keep")
    assert by_kind["removed"].before["title"] == "Track 1"
    assert (by_kind["modified"].before, by_kind["modified"].options[0]["value"]) == (
        {"title": "Track 2"}, {"title": "Trick 2"},
    )  # fmt: skip
    assert by_kind["restructure"].severity == "high"
    assert by_kind["added"].recommendation["choice"] == "take"
    assert shown(night) == TWELVE


# -- deciding --------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(radio):
    """Seven new plays, one told otherwise."""
    radio.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 27))])
    return radio


def one(title: str) -> Conflict:
    return next(row for row in waiting() if (row.options[0]["value"] or {}).get("title") == title)


@pytest.mark.covers("TL-14")
def test_one_play_is_taken_and_the_others_are_left(held, night, ines):
    (version,) = services.decide([one("Track 22")], by=ines, choice="take")
    assert (version.kind, version.added, version.changed) == (Version.Kind.DECISION, 1, 0)
    assert shown(night) == [*TWELVE, "Track 22"]
    assert len(waiting()) == 7
    services.decide([one("Trick 1")], by=ines, choice="keep")
    assert shown(night)[0] == "Track 1"
    services.decide(waiting(), by=ines, choice="take")
    assert shown(night) == [*TWELVE, *(f"Track {n}" for n in range(20, 27))]
    proposal = Proposal.objects.get()
    assert (proposal.state, proposal.result["taken"], proposal.result["kept"]) == (Proposal.State.CONFIRMED, 7, 1)
    assert proposal.body is None


def test_taking_one_by_one_counts_nothing_as_missing_and_takes_nothing_refused(radio, night, ines):
    names = ["Glue", "Opal", "Aura", "Kites", "Rain", "Sundial", "Meera"]
    new = [play(20 + n, artist=f"{name} Maker", title=name) for n, name in enumerate(names)]
    radio.sync([*plays(*range(1, 12)), *new])  # the twelfth is lacking for the first time
    services.decide([one("Glue")], by=ines, choice="keep")
    for title in ("Opal", "Aura", "Kites"):
        services.decide([one(title)], by=ines, choice="take")
    assert Claim.objects.get(entry__title="Track 12").missing == 0
    radio.sync([*plays(*range(1, 12)), *new, *plays(*range(130, 142))])
    services.decide([Conflict.objects.get(kind="restructure", state="open")], by=ines, choice="take")
    assert "Glue" not in shown(night)
    assert len(shown(night)) == 12 + 6 + 12


@pytest.mark.covers("TL-14")
def test_what_was_decided_against_is_not_asked_again_while_the_source_stands_by_it(held, night, ines):
    services.decide(waiting(), by=ines, choice="keep")
    assert Proposal.objects.get().state == Proposal.State.KEPT
    run = held.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 27))])
    assert (run.held, run.version, waiting()) == (0, None, [])
    run = held.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 28))])
    assert (run.added, shown(night)) == (1, [*TWELVE, "Track 27"]), "only what is new is taken"
    held.sync([*plays(*range(1, 13)), *plays(27)])
    held.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 28))])
    assert len(waiting()) == 8, "it gave it up, and says it anew"


@pytest.mark.covers("TL-14", "TL-18")
def test_what_does_not_clash_is_merged_and_what_clashes_stays(radio, night, ines):
    radio.sync(
        [
            play(1, title="Trick 1", label="Ninja Tune"),
            play(2, title="Track 2 (Mix)"),
            *plays(*range(3, 13)),
            *plays(*range(20, 27)),
        ]
    )
    services.decide(waiting(), by=ines, choice="merge")
    assert shown(night) == ["Track 1", "Track 2 (Mix)", *TWELVE[2:], *(f"Track {n}" for n in range(20, 27))]
    assert Entry.objects.get(list=night, title="Track 1").values["label"] == "Ninja Tune"
    assert waiting() == []


@pytest.mark.covers("TL-14")
def test_a_change_is_taken_in_a_persons_own_words(held, night, ines):
    services.decide([one("Trick 1")], by=ines, choice="type", value={"title": "Mine"})
    services.decide([one("Track 20")], by=ines, choice="type", value={"artist": "Somebody"})
    assert shown(night)[0] == "Mine"
    assert Entry.objects.get(list=night, title="Track 20").artist == "Somebody"


@pytest.mark.covers("TL-14")
def test_the_newest_or_the_surest_word_decides(held, night, ines):
    row = one("Trick 1")
    services.edit_entries(night, {row.entry_id: {"title": "Edited"}}, by=ines)
    Conflict.objects.filter(pk=row.pk).update(options=[{**row.options[0], "at": row.options[0]["at"] - 10}])
    services.decide([row], by=ines, choice="newest")
    assert shown(night)[0] == "Edited"
    services.decide([one("Track 20")], by=ines, choice="newest")
    services.decide([one("Track 21")], by=ines, choice="confidence")
    assert shown(night)[-2:] == ["Track 20", "Track 21"]


@pytest.mark.covers("TL-16")
def test_the_question_about_all_answers_each(radio, night, ines):
    radio.sync([*plays(*range(1, 13)), *plays(*range(30, 42))])
    whole = Conflict.objects.get(kind="restructure")
    services.decide([whole], by=ines, choice="take")
    assert len(shown(night)) == 24
    assert waiting() == []
    assert set(Conflict.objects.values_list("state", flat=True)) == {"decided"}


@pytest.mark.covers("TL-16")
def test_more_changes_than_can_be_asked_about_are_one_question(radio, night, ines, monkeypatch):
    for module in ("unsure", "taking"):
        monkeypatch.setattr(f"lists.services.{module}.MOST", 3)
    rows = [*plays(*range(1, 13)), *plays(*range(30, 42))]
    radio.sync(rows)
    (whole,) = waiting()
    with pytest.raises(services.Unfit):
        services.decide([whole], by=ines, choice="merge")
    services.decide([whole], by=ines, choice="keep")
    assert Proposal.objects.get().state == Proposal.State.KEPT
    assert (radio.sync(rows).held, waiting()) == (0, [])
    radio.sync([*rows, *plays(50)])
    (whole,) = waiting()
    services.decide([whole], by=ines, choice="take")
    assert len(shown(night)) == 25


@pytest.mark.covers("TL-17")
def test_after_seven_days_it_closes_in_favour_of_what_the_list_shows(held, night):
    assert services.close_lapsed(at=timezone.now() + timedelta(days=6, hours=23)) == 0
    assert services.close_lapsed(at=timezone.now() + timedelta(days=7, minutes=1)) == 8
    assert shown(night) == TWELVE
    assert set(Conflict.objects.values_list("state", "choice")) == {("expired", "keep")}
    assert Proposal.objects.get().state == Proposal.State.KEPT
    assert Audit.objects.filter(action="closed at its deadline", actor=None).count() == 8
    assert held.sync([play(1, title="Trick 1"), *plays(*range(2, 13)), *plays(*range(20, 27))]).held == 0


@pytest.mark.covers("HIST-10")
def test_a_decision_keeps_what_was_what_came_what_stands_and_how(held, ines):
    row = one("Trick 1")
    services.decide([row], by=ines, choice="take")
    row.refresh_from_db()
    assert (row.before, row.options[0]["value"], row.after) == (
        {"title": "Track 1"},
        {"title": "Trick 1"},
        {"title": "Trick 1"},
    )
    assert (row.choice, row.decided_by, row.decided_at is not None) == ("take", ines, True)
    kept = one("Track 20")
    services.decide([kept], by=ines, choice="keep")
    kept.refresh_from_db()
    assert (kept.before, kept.after, kept.choice) == (None, None, "keep")


def test_a_list_that_moved_is_compared_anew(held, night, ines):
    entry = Entry.objects.get(list=night, title="Track 5")
    services.remove_entries(night, [entry.pk], by=ines)
    services.decide(waiting(), by=ines, choice="take")
    assert "Track 5" not in shown(night)
    assert len(shown(night)) == 18


def test_a_source_that_is_taken_away_takes_its_questions_with_it(held, night, ines):
    services.remove_source(held, by=ines, keep=True)
    assert waiting() == []
    assert Proposal.objects.get().state == Proposal.State.WITHDRAWN


# -- what is said of the list itself ---------------------------------------------------------------------------------


def told(**facts) -> list[dict]:
    return [{"about": facts}, *plays(*range(1, 13))]


@pytest.mark.covers("TL-13", "TL-16")
def test_a_source_that_tells_the_list_otherwise_asks(night, live, ines):
    source = live(night)
    source.sync(told(performer="Ines", date="2026-05-01"))
    source.sync(told(performer="Jonas", date="2026-05-01", genre="House"))
    night.refresh_from_db()
    assert night.facts == {"performer": "Ines", "date": "2026-05-01", "genre": "House"}, "only what is new is taken"
    (row,) = waiting()
    assert (row.kind, row.severity, row.before, row.options[0]["value"]) == (
        "metadata", "low", {"performer": "Ines"}, {"performer": "Jonas"},
    )  # fmt: skip
    services.decide([row], by=ines, choice="keep")
    source.sync([*told(performer="Jonas", date="2026-05-01"), play(13)])
    assert waiting() == [], "nobody is asked again"
    source.sync([*told(performer="Somebody", date="2026-05-01"), play(13)])
    (row,) = waiting()
    (version,) = services.decide([row], by=ines, choice="take")
    night.refresh_from_db()
    assert (night.facts["performer"], version.facts["performer"], version.kind) == ("Somebody", "Somebody", "decision")


def test_what_is_left_out_of_a_sync_asks_nothing(films, ines, live):
    first, second = live(films, "first"), live(films, "second")
    said = {"key": "tt1", "ids": {"imdb": "tt0000001"}, "title": "Film 1", "year": 1990}
    first.sync([said])
    services.change_rules(films, by=ines, strategy="ask", review_unsure=True, accept_confidence=1)
    other = {**said, "title": "Another title", "overview": "What nobody said yet."}
    assert second.sync([other]).held == 1
    services.decide(waiting(kind="modified"), by=ines, choice="keep")
    run = second.sync([other])
    assert (run.state, run.conflicted, waiting()) == (Run.State.COMPLETED, 0, [])
    services.change_rules(films, by=ines, review_unsure=None, accept_confidence=None)
    assert (second.sync([other]).conflicted, len(waiting(kind="field"))) == (1, 1)


def test_a_question_about_a_value_has_its_severity_too(films, ines, upload):
    services.change_rules(films, by=ines, strategy="ask")
    row = {"key": "tt1", "ids": {"imdb": "tt0000001"}, "title": "Heat", "year": 1995}
    upload(films, [row])
    upload(films, [{**row, "title": "Heat (Director's Cut)", "year": 1996}], source=None, name="other.json")
    found = dict(Conflict.objects.values_list("field", "severity"))
    assert found == {"title": "medium", "year": "low"}
    assert Conflict.objects.get(field="title").confidence == 0.85
