"""What the tests of changes in several versions share."""


def film(n: int, **more):
    return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, "title": f"Film {n}", "year": 1990, **more}


def films_(*numbers: int, **more):
    return [film(n, **more) for n in numbers]


class Stopped(BaseException):
    """As if the process had died."""


def stop() -> None:
    raise Stopped


def made(list_, after: int) -> list[tuple[int, int, int]]:
    rows = list_.versions.filter(number__gt=after).order_by("number")
    return list(rows.values_list("added", "changed", "removed"))
