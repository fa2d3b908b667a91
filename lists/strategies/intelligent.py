"""The better record speaks; of equally good ones the clearly newer."""

from lists.quality import quality
from lists.strategies._contest import Choice, Contest
from lists.strategies._standing import Standing, Verdict, through_ages
from lists.words import Word

EVEN = 10  # hundredths of quality: below it two records are equally good
CLEAR = 20  # above it one is clearly better
NEWER_S = 24 * 3600


def intelligent(contest: Contest) -> dict[str, Choice]:
    return through_ages(contest, _meet)


def _meet(standing: Standing, word: Word) -> None:
    old, new = quality(standing.values, len(standing.ids)), quality(word.values, len(word.ids))
    standing.take(word, verdict(old, new, newer_s=word.changed_at - standing.at))


def verdict(old: int, new: int, *, newer_s: int) -> Verdict:
    if abs(new - old) < EVEN and newer_s > NEWER_S:
        return Verdict.UPDATE
    if new - old > CLEAR:
        return Verdict.UPDATE
    return Verdict.KEEP if old - new > CLEAR else Verdict.MERGE
