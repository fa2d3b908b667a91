"""Playlists, sheets and tracklists with traps for patterns, and bytes that are no text at all."""

import random

from tests.hostile.making import MIB, SCRIPT, hostile


@hostile("")
def m3u_with_an_attribute_of_ten_megabytes() -> str:
    return f'#EXTM3U\n#EXTINF:-1 tvg-name="{"x" * (10 * MIB)}",News\nhttp://tv.example/1\n'


@hostile("")
def m3u_with_an_attribute_that_never_ends() -> str:
    return '#EXTM3U\n#EXTINF:-1 tvg-name="' + 'a="b ' * 1_000_000 + ",News\nhttp://tv.example/1\n"


@hostile("")
def m3u_of_equal_signs() -> str:
    return "#EXTM3U\n#EXTINF:-1 " + "a=" * 3_000_000 + ",News\nhttp://tv.example/1\n"


@hostile("")
def m3u_of_blanks() -> str:
    return "#EXTM3U\n#EXTINF:-1 " + " " * (5 * MIB) + "x\nhttp://tv.example/1\n"


@hostile("")
def m3u_of_quotation_marks() -> str:
    return "#EXTM3U\n#EXTINF:-1 " + '"' * (5 * MIB) + ",News\nhttp://tv.example/1\n"


@hostile("")
def m3u_of_commas() -> str:
    return "#EXTM3U\n#EXTINF:-1" + "," * (5 * MIB) + "News\nhttp://tv.example/1\n"


@hostile("")
def m3u_with_a_huge_address() -> str:
    return "#EXTM3U\n#EXTINF:-1,News\nhttp://" + "a/" * (3 * MIB) + "1.ts\n#EXTINF:-1,More\nhttp://tv.example/2\n"


@hostile("")
def m3u_with_an_address_of_question_marks() -> str:
    return "#EXTM3U\n#EXTINF:-1,News\nhttp://tv.example/?" + "&a=b" * MIB + "\n"


@hostile("")
def m3u_with_an_address_of_at_signs() -> str:
    return "#EXTM3U\n#EXTINF:-1,News\nhttp://" + "a:b@" * MIB + "tv.example/1\n"


@hostile("", large=True)
def m3u_of_options_only() -> str:
    return "#EXTM3U\n" + "#EXTVLCOPT:http-user-agent=x\n" * 1_000_000


@hostile("refused", large=True)
def m3u_of_a_million_rows() -> str:
    return "#EXTM3U\n" + "".join(f"#EXTINF:-1,C{n}\nhttp://a/{n}\n" for n in range(1_000_000))


@hostile("")
def m3u_with_script_in_titles() -> str:
    return f'#EXTM3U\n#EXTINF:-1 tvg-logo="javascript:alert(1)" group-title="{SCRIPT}",{SCRIPT}\njavascript:alert(1)\n'


@hostile("")
def cue_of_blanks() -> str:
    return "TRACK 01 AUDIO\nINDEX 01 00:00:00\n" + f"FILE x{' ' * 1990}y\n" * 3_000


@hostile("", large=True)
def cue_of_empty_lines() -> str:
    return "TRACK 01 AUDIO\nINDEX 01 00:00:00\n" + "\n" * (60 * MIB)


@hostile("")
def cue_of_a_hundred_thousand_tracks() -> str:
    return "".join(f"TRACK {n} AUDIO\nINDEX 01 {'9' * 20}:00:00\n" for n in range(50_000))


@hostile("")
def cue_of_quotation_marks() -> str:
    return "TRACK 01 AUDIO\nTITLE " + '"' * (5 * MIB) + "\nINDEX 01 00:00:00\n" + "TITLE '\"\n" * 100_000


SET = "00:00 Ann - One\n05:00 Bob - Two\n10:00 Cid - Three\n"


@hostile("")
def tracklist_of_dashes() -> str:
    return SET + "00:00 " + " - " * MIB + "\n01:00 A - B\n"


@hostile("")
def tracklist_of_brackets() -> str:
    return SET + "00:00 A - B " + "(" * MIB + "\n01:00 C - D " + "[" * MIB + "\n"


@hostile("")
def tracklist_of_blanks() -> str:
    return SET + "00:00 A" + " " * MIB + "x\n01:00 B - C" + "\t" * MIB + "x\n02:00 D - E\n"


@hostile("")
def tracklist_of_times() -> str:
    return SET + "00:00 A - B\n" + "00:" * MIB + " C - D\n" + "1" * MIB + ":00 E - F\n"


@hostile("")
def tracklist_of_short_lines() -> str:
    return SET + "".join(f"{n // 60:02}:{n % 60:02} {' ' * 200}-{' ' * 200}x{' ' * 200}[\n" for n in range(5000))


# -- bytes that are no text ----------------------------------------------------------------------------------------------


@hostile("")
def a_million_empty_lines() -> str:
    return "Title,Year\n" + "\n" * 1_000_000 + "A,1990\n"


@hostile("refused", large=True)
def empty_lines_only() -> str:
    return "\n" * (60 * MIB)


@hostile("refused", large=True)
def one_line_of_sixty_megabytes() -> str:
    return "x" * (60 * MIB)


@hostile("refused", large=True)
def high_bytes_of_sixty_megabytes() -> bytes:
    return b"Title,Year\n" + b"\xe9" * (60 * MIB)


@hostile("refused", large=True)
def half_of_utf8_letters() -> bytes:
    return b"Title,Year\n" + "é".encode() * (20 * MIB) + b"\xff\n"


@hostile("")
def overlong_utf8() -> bytes:
    return b"Title,Year\n\xc0\xaf\xc1\x81\xe0\x80\xaf\xf0\x80\x80\xaf,1990\n\xf8\x88\x80\x80\x80,1991\n\x81\x8d\n"


@hostile("refused")
def surrogates_in_utf8() -> bytes:
    return "Title,Year\nDöner,1990\n".encode() + b"\xed\xa0\x80\xed\xb0\x80,1991\n"


@hostile("refused")
def mark_of_utf16_before_utf8() -> bytes:
    return b"\xff\xfe" + b"Title,Year\nHarbour,1990\n" + b"x"


@hostile("")
def mark_of_utf8_before_utf16() -> bytes:
    return b"\xef\xbb\xbf" + "Title,Year\nHarbour,1990\n".encode("utf-16-le")


@hostile("refused")
def mark_of_utf32_before_latin() -> bytes:
    return b"\xff\xfe\x00\x00" + b"Title,Year\nHarbour,1990\n"


@hostile("refused")
def nothing_but_zeros() -> bytes:
    return bytes(5 * MIB)


@hostile("refused")
def nothing_but_chance() -> bytes:
    return b"\x00" + random.Random(3).randbytes(2 * MIB)


@hostile("refused")
def a_program() -> bytes:
    return b"\x7fELF\x02\x01\x01\x00" + bytes(200) + random.Random(4).randbytes(10_000)
