"""What all hostile files are made with: the table that they stand in, and plain things to hide harm in."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FORMATS = Path(__file__).resolve().parent.parent / "data" / "formats"
MIB = 2**20
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FILM = "Title,Year,IMDb ID\n"


@dataclass(frozen=True)
class Hostile:
    """ends: "refused" (nothing of it may be taken), "read" (there is a preview) or "" (either, said in a sentence).

    large: more than a test would like to hold twice.
    """

    name: str
    make: Callable[[], bytes]
    ends: str = ""
    large: bool = False


HOSTILE: dict[str, Hostile] = {}


def hostile(ends: str = "", *, large: bool = False) -> Callable[[Callable[[], bytes | str]], Callable[[], bytes | str]]:
    def add(make: Callable[[], bytes | str]) -> Callable[[], bytes | str]:
        def body() -> bytes:
            made = make()
            return made.encode("utf-8", "surrogatepass") if isinstance(made, str) else made

        HOSTILE[make.__name__] = Hostile(make.__name__, body, ends, large)
        return make

    return add


def packed(*files: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files:
            archive.writestr(name, content, compress_type=how)
    return out.getvalue()


def film_rows(count: int) -> str:
    return FILM + "".join(f"Film {n},{1900 + n % 100},tt{n:07}\n" for n in range(1, count + 1))


def good(key: str, otherwise: str) -> str:
    found = next(FORMATS.glob(f"{key}.*"), None)
    return found.read_text("utf-8") if found else otherwise
