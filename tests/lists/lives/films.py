"""The films of all lives."""

FILMS = 10


def film(n: int, variant: int) -> dict:
    """0 to 6 have an id, 7 to 9 have none; 5 and 6 share title and year."""
    title = "Twins" if n in (5, 6) else f"Film {n}"
    said = {
        "title": title,
        "year": 1980 + n // 2 * (n not in (5, 6)),
        **({"rating": float(variant)} if variant else {}),
    }
    if variant == 3:
        said["genres"] = ["Drama", f"Genre {n}"]
    if n < 7:
        return {"key": f"tt{n}", "ids": {"imdb": f"tt{n:07}"}, **said}
    return {"key": f"film {n}", **said}
