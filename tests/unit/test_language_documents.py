"""The language guard on documents: Markdown, pages, templates."""

import pytest

from contracts.language import (
    QUOTATION_END,
    QUOTATION_START,
    find_violations_in_html,
    find_violations_in_markdown,
    find_violations_in_template,
    markdown_text,
    visible_text,
)


@pytest.mark.parametrize(
    "text",
    [
        "Run `git checkout main`, then go on.",
        "Use ``a `store` b`` here.",
        "```sql\nSELECT id FROM t ORDER BY id\n```\nDone.",
        "> ~~~\n> ORDER BY\n> ~~~\n",
        "See [the folder](services/escrow/store/README.md).",
        "[rules]: https://example.com/store",
        "<https://example.com/shop> and https://example.com/buy",
        "Read on <!-- the store comes later --> here.",
        f"{QUOTATION_START}\nNever say buy.\n{QUOTATION_END}\nEnd.",
    ],
)
def test_code_addresses_comments_and_marked_quotations_are_not_read(text: str) -> None:
    assert find_violations_in_markdown(text) == []


@pytest.mark.parametrize(
    ("text", "term", "line"),
    [
        ("# Title\n\nOur store.", "store", 3),
        ("```\nORDER\n```\nA sale.", "sale", 4),
        ("[to the shop](https://example.com)", "shop", 1),
        ("- one\n- `x` is a deal", "deal", 2),
        (f"{QUOTATION_START}\nNever say hurry.", "hurry", 2),
        ("an unclosed ` mark and a bargain", "bargain", 1),
        ("one ` mark\n\nthen a sale\n\nand ` another", "sale", 3),
    ],
)
def test_prose_in_markdown_is_read_and_its_line_is_known(text: str, term: str, line: int) -> None:
    (violation,) = find_violations_in_markdown(text)
    assert violation.term == term
    assert text[violation.start : violation.end] == term
    assert text.count("\n", 0, violation.start) + 1 == line


def test_masking_a_document_changes_neither_length_nor_lines() -> None:
    text = "A `store`.\n\n```\nbuy\nsell\n```\n<!-- x\ny -->\nEnd"
    masked = markdown_text(text)
    assert len(masked) == len(text)
    assert masked.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "html",
    [
        "<script>let order = 1</script><style>.shop{}</style>",
        "<p>Run <code>checkout</code>.</p>",
        '<a href="/store" class="cart" data-order="1">Open</a>',
        "<td>flash</td><td>light</td>",
        '<input type="text" value="whatever">',
    ],
)
def test_what_a_person_cannot_see_in_a_page_is_not_read(html: str) -> None:
    assert find_violations_in_html(html) == []


@pytest.mark.parametrize(
    ("html", "terms"),
    [
        ("<p>Our <b>st</b>ore</p>", ["store"]),
        ("<p>flash&nbsp;sale</p>", ["flash\u00a0sale"]),
        ('<img alt="A customer">', ["customer"]),
        ('<input type="submit" value="Buy now">', ["Buy now"]),
        ('<button aria-label="Checkout">x</button>', ["Checkout"]),
        ('<meta name="description" content="Big savings">', ["savings"]),
        ("<title>The shop</title>", ["shop"]),
        ("<li>order</li><li>now</li>", ["order"]),
        ("daily<br>deals", ["daily deals"]),
        ("<pre>buy</pre>sale", ["sale"]),
    ],
)
def test_what_a_person_meets_in_a_page_is_read(html: str, terms: list[str]) -> None:
    assert [v.term for v in find_violations_in_html(html)] == terms


def test_positions_in_a_page_refer_to_its_visible_text() -> None:
    html = "<h1>Welcome</h1><p>Our shop</p>"
    (violation,) = find_violations_in_html(html)
    assert visible_text(html)[violation.start : violation.end] == "shop"


@pytest.mark.parametrize(
    "template",
    [
        "Dear {{ customer.name }}, your funds are held.",
        "{% if order %}Held{% endif %}{# a deal #}",
        "Units: {order}, ${cart}",
    ],
)
def test_placeholders_of_a_template_are_not_read(template: str) -> None:
    assert find_violations_in_template(template) == []


def test_the_words_of_a_template_are_read() -> None:
    (violation,) = find_violations_in_template("Dear {{ name }}, thank you for your purchase.")
    assert (violation.term, violation.rule) == ("purchase", "purchase")
