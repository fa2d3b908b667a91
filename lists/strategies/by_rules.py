"""Rules: the source preferred for a field, then the record with more pictures, then the clearly more complete one."""

from lists.quality import filled, images
from lists.strategies._contest import Choice, Contest, said_by
from lists.strategies._standing import Standing, Verdict, through_ages
from lists.words import Word

IMAGES = ("poster", "backdrop")


def by_rules(contest: Contest) -> dict[str, Choice]:
    chosen = through_ages(contest, _meet)
    for name, sources in contest.preferred.items():
        saying = contest.contested.get(name, ())
        believed = next((word for source in sources for word in saying if word.source == source), None)
        if believed is not None:
            chosen[name] = said_by(believed, name)
    return chosen


def _meet(standing: Standing, word: Word) -> None:
    old, new = standing.values, word.values
    more_images = images(new) > images(old)
    verdict = (
        Verdict.KEEP
        if images(old) > images(new)
        else by_completeness(filled(old, len(standing.ids)), filled(new, len(word.ids)))
    )
    standing.take(word, verdict, always=IMAGES if more_images else ())


def by_completeness(old: int, new: int) -> Verdict:
    """A record is clearly more complete if it knows more than 1.2 times as much."""
    if 10 * new > 12 * old:
        return Verdict.UPDATE
    return Verdict.KEEP if 10 * old > 12 * new else Verdict.MERGE
