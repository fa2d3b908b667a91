"""JSON and CSV: nesting, numbers, columns, cells, formulas."""

from tests.hostile.making import FILM, MIB, SCRIPT, hostile


@hostile("refused")
def json_nested_two_hundred_thousand_deep() -> str:
    return "[" * 200_000 + "]" * 200_000


@hostile("refused")
def json_nested_below_the_limit_of_the_parser() -> str:
    return '[{"title": ' + "[" * 900 + "]" * 900 + "}]"


@hostile("refused")
def json_objects_in_objects() -> str:
    return '{"a":' * 100_000 + "1" + "}" * 100_000


@hostile("refused")
def json_with_nan() -> str:
    return '[{"title": "A", "year": NaN}, {"title": "B", "rating": Infinity}]'


@hostile("refused")
def json_with_a_number_of_100000_digits() -> str:
    return f'[{{"title": "A", "year": {"9" * 100_000}}}]'


@hostile("refused")
def json_with_a_fraction_of_100000_digits() -> str:
    return f'[{{"title": "A", "rating": 0.{"3" * 100_000}}}]'


@hostile("refused")
def json_with_an_exponent_of_100000_digits() -> str:
    return f'[{{"title": "A", "rating": 1e-{"0" * 100_000}1}}]'


@hostile("")
def json_with_digits_almost_too_many() -> str:
    """Runs that a careless pattern would begin to count at every digit."""
    return '[{"title": "A", "note": "' + ("1" * 399 + " ") * 50_000 + '"}]'


@hostile("refused")
def json_with_a_lone_surrogate() -> str:
    return r'[{"title": "A \ud800 B", "year": 1990}]'


@hostile("refused")
def json_with_a_raw_surrogate() -> str:
    return '[{"title": "A \ud800 B", "year": 1990}]'


@hostile("")
def json_with_a_zero_sign() -> str:
    return r'[{"title": "A\u0000B", "year": 1990, "imdb_id": "tt0000001"}]'


@hostile("")
def json_with_a_key_a_hundred_thousand_times() -> str:
    return '[{"title": "A", ' + ", ".join('"year": 1990' for _ in range(100_000)) + "}]"


@hostile("refused", large=True)
def json_of_millions_of_empty_objects() -> str:
    return "[" + "{}," * (20 * MIB) + "{}]"


@hostile("refused", large=True)
def json_of_millions_of_numbers() -> str:
    return "[" + "1," * (25 * MIB) + "1]"


@hostile("refused")
def json_of_rows_that_break() -> str:
    """Few enough to be parsed; none of them can be read."""
    return "[" + "[]," * 1_000_000 + "{}]"


@hostile("")
def json_with_script_in_titles() -> str:
    return f'[{{"title": "{SCRIPT}", "year": 1990, "imdb_id": "tt0000001"}}]'


@hostile("")
def json_with_wrong_types_everywhere() -> str:
    return '[{"title": {"a": []}, "year": [1], "ids": {"imdb": {"a": 1}}, "genres": {"x": {}}}, [[]], null, true, 3, "tt1"]'


@hostile("")
def json_with_a_million_genres() -> str:
    return '[{"title": "A", "year": 1990, "genres": [' + ", ".join(f'"g{n}"' for n in range(500_000)) + "]}]"


@hostile("")
def json_with_a_key_of_a_megabyte() -> str:
    return f'[{{"{"k" * MIB}": 1, "title": "A", "year": 1990}}]'


@hostile("refused")
def json_cut_off() -> str:
    return '[{"title": "A", "year": 1990}, {"title": "B", '


# -- CSV ----------------------------------------------------------------------------------------------------------------


@hostile("read")
def csv_with_200_columns() -> str:
    more = ",".join(f"c{n}" for n in range(197))
    return f"Title,Year,IMDb ID,{more}\n" + "".join(f"Film {n},1990,tt{n:07},{'x,' * 196}x\n" for n in range(1, 200))


@hostile("refused")
def csv_with_5000_columns() -> str:
    return "Title," + ",".join(f"c{n}" for n in range(5000)) + "\n" + "Film," + "x," * 4999 + "x\n"


@hostile("read")
def csv_with_fields_of_a_megabyte() -> str:
    return "Title,Year,Note\n" + "".join(f'Film {n},1990,"{"long " * (MIB // 5)}"\n' for n in range(5))


@hostile("refused")
def csv_with_a_field_of_nine_megabytes() -> str:
    return f'Title,Year\n"{"x" * (9 * MIB)}",1990\n'


@hostile("refused", large=True)
def csv_with_a_quotation_that_never_ends() -> str:
    return 'Title,Year\nA,1990\n"' + "never closed\n" * 2_000_000


@hostile("refused", large=True)
def csv_of_sixty_million_commas() -> str:
    return "Title,Year\nA,1990\n" + "," * (60 * MIB) + "\n"


@hostile("refused", large=True)
def csv_of_commas_over_many_lines() -> str:
    return "Title,Year\nA,1990\n" + ('"\n"' + "," * 100_000) * 600


@hostile("")
def csv_with_nul_bytes() -> bytes:
    return b"Title,Year\nA\x00B,1990\n\x00\x00,1991\n"


@hostile("read")
def csv_with_formulas() -> str:
    cells = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\tx", "＝1+1", "＋1", "－1", "＠a", "'=1"]
    return "Title,Year\n" + "".join(f'"{cell}",{1990 + n}\n' for n, cell in enumerate(cells))


@hostile("read")
def csv_with_script_in_titles() -> str:
    return f'Title,Year,IMDb ID,Note\n"{SCRIPT}",1990,tt0000001,"{SCRIPT}"\n<b>bold</b>,1991,tt0000002,javascript:alert(3)\n'


@hostile("read")
def csv_with_templates_in_titles() -> str:
    return "Title,Year\n{{ 7 }}{% debug %},1990\n${7*7}#{7*7},1991\n%s%n%x{0.__class__},1992\n"


@hostile("read")
def csv_with_signs_that_turn_and_hide() -> str:
    return "Title,Year\nA\u202eB\u202c,1990\nC\u200b\u200d\u2060D,1991\n\x07\x1b[31mE,1992\nF\u0085G\u2028H,1993\n\ufeffI,1994\n"


@hostile("read")
def csv_with_towers_of_accents() -> str:
    return "Title,Year\n" + "Z" + "\u0301" * 200_000 + ",1990\nplain,1991\n"


@hostile("")
def csv_with_numbers_of_100000_digits() -> str:
    return f"Title,Year,Votes\nA,{'9' * 100_000},{'9' * 100_000}\nB,1990,1\n"


@hostile("refused", large=True)
def csv_of_rows_that_break() -> str:
    return FILM + "A,soon,no\n" * 1_500_000


@hostile("")
def csv_with_the_same_column_again() -> str:
    return "Title,Title,Year,Year,Title\nA,B,1990,1991,C\n,,,,\n"


@hostile("refused")
def csv_with_rubbish_as_delimiter() -> str:
    return "sep=\n\nsep=\x00\n" + "\x1f" * 1000


@hostile("")
def csv_with_broken_utf8_in_the_middle() -> bytes:
    return "Title,Year\nDöner,1990\nGrün,1991\n".encode() + b"B\xc3,1992\nC\xff\xfe,1993\n"
