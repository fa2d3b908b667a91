"""XML and HTML that reads files, asks servers, swells or nests."""

from tests.hostile.making import MIB, SCRIPT, good, hostile

RSS = '<rss version="2.0"><channel><title>t</title><item><title>{}</title><guid>1</guid></item></channel></rss>'
TV = '<tv><channel id="1"><display-name>{}</display-name></channel><channel id="2"><display-name>b</display-name></channel></tv>'


@hostile("refused")
def xml_that_reads_a_file() -> str:
    return '<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + RSS.format("&x;")


@hostile("refused")
def xml_that_asks_a_server() -> str:
    return '<?xml version="1.0"?><!DOCTYPE tv [<!ENTITY x SYSTEM "http://127.0.0.1:9/">]>' + TV.format("&x;")


@hostile("refused")
def xml_with_parameter_entities() -> str:
    return '<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]>' + RSS.format("t")


@hostile("refused")
def xml_of_a_billion_laughs() -> str:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{laughs}]>' + RSS.format("&l9;")


@hostile("refused")
def xml_that_swells_quadratically() -> str:
    return f'<!DOCTYPE tv [<!ENTITY x "{"x" * 100_000}">]>' + TV.format("&x;" * 50_000)


@hostile("refused")
def xml_with_a_rule_for_attributes() -> str:
    return '<!DOCTYPE tv [<!ATTLIST channel id CDATA "x">]>' + TV.format("a")


@hostile("")
def xml_with_an_external_dtd() -> str:
    return '<?xml version="1.0"?><!DOCTYPE tv SYSTEM "http://127.0.0.1:9/xmltv.dtd">' + TV.format("a")


@hostile("refused")
def xml_nested_ten_thousand_deep() -> str:
    return "<rss><channel>" + "<a>" * 10_000 + "</a>" * 10_000 + "</channel></rss>"


@hostile("refused")
def xml_nested_and_never_closed() -> str:
    return "<tv>" + "<a>" * 1_000_000


@hostile("")
def xml_with_a_million_attributes() -> str:
    return "<tv><channel " + " ".join(f'a{n}="1"' for n in range(300_000)) + ' id="1"/></tv>'


@hostile("")
def xml_with_a_huge_attribute() -> str:
    return f'<tv><channel id="{"x" * (10 * MIB)}"><display-name>a</display-name></channel></tv>'


@hostile("")
def xml_with_a_huge_name() -> str:
    return f"<rss><channel><item><{'x' * (5 * MIB)}/></item></channel></rss>"


@hostile("")
def xml_with_script_in_titles() -> str:
    return RSS.format(f"<![CDATA[{SCRIPT}]]>")


@hostile("")
def xml_with_deep_markup_in_a_description() -> str:
    return RSS.format("t").replace("<guid>", f"<description><![CDATA[{'<div>' * 100_000}]]></description><guid>")


DIARY = (
    '<rss version="2.0" xmlns:letterboxd="https://letterboxd.com"><channel><title>t</title><item><guid>letterboxd-review-1</guid>'
    "<letterboxd:filmTitle>A</letterboxd:filmTitle><letterboxd:filmYear>1990</letterboxd:filmYear>"
    "<description><![CDATA[{}]]></description></item></channel></rss>"
)


@hostile("")
def xml_with_deep_markup_around_a_picture() -> str:
    return DIARY.format("<div>" * 100_000 + '<img src="http://a/b.jpg">')


@hostile("")
def xml_with_formatting_that_multiplies_around_a_picture() -> str:
    return DIARY.format("".join(f"<b id={n}><p>" for n in range(20_000)) + '<img src="http://a/b.jpg">')


@hostile("")
def xml_with_markup_that_multiplies_in_a_title() -> str:
    return RSS.format(f"<![CDATA[{''.join(f'<b id={n}><p>' for n in range(20_000))}]]>")


@hostile("")
def xml_with_a_title_in_many_pieces() -> str:
    return RSS.format("a<!-- -->" * 100_000)


@hostile("")
def xml_with_escaped_script_in_titles() -> str:
    return RSS.format("&lt;script&gt;alert(1)&lt;/script&gt;&amp;lt;b&amp;gt;")


@hostile("", large=True)
def xml_of_many_empty_items() -> str:
    return '<rss version="2.0"><channel><title>t</title>' + "<item/>" * 1_000_000 + "</channel></rss>"


@hostile("")
def xml_in_an_encoding_that_lies() -> bytes:
    return b'<?xml version="1.0" encoding="utf-16"?><rss version="2.0"><channel><item><title>x</title></item></channel></rss>'


@hostile("")
def html_nested_a_hundred_thousand_deep() -> str:
    page = good("tracklists_1001", "<html><head><title>x | 1001Tracklists</title></head><body></body></html>")
    head, mark, rest = page.partition("<body")
    return head + mark + " >" + "<div>" * 100_000 + rest[:2000]


@hostile("")
def html_nested_behind_a_good_page() -> str:
    page = good("tracklists_1001", "<html><head><title>x | 1001Tracklists</title></head><body></body></html>")
    return page + "<div class='tlpItem tlpTog'>" * 100_000


@hostile("refused")
def html_of_unclosed_tags() -> str:
    return "<!DOCTYPE html><html><body>" + "<" * 5_000_000


@hostile("")
def html_of_formatting_that_multiplies() -> str:
    """Each paragraph opens all formatting anew that none before has closed."""
    head, mark, rest = good("tracklists_1001", "<html><body></body>").partition("<body")
    return head + mark + ">" + "".join(f"<b id={n}><p>" for n in range(20_000)) + rest


@hostile("")
def html_with_a_trap_in_its_data() -> str:
    page = good("imdb_page", '<html><script id="__NEXT_DATA__" type="application/json">{}</script></html>')
    head, mark, rest = page.partition('type="application/json">')
    return head + mark + "[" * 200_000 + rest
