"""For each rule about words and about the canon what breaks it and what keeps it."""

from contracts.language import QUOTATION_END, QUOTATION_START
from tests.house.repository import Example, Snippet


def _page(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("docs/page.md", text) for text in texts)


_WEB = "services/gateway/web/src/"

_LANGUAGE = (
    Example(
        "documents_use_our_words",
        bad=_page("Welcome to our store.", "# Checkout\n", "[a deal](x.md)"),
        good=_page("Join a campaign.", "`store/` holds SQL."),
    ),
    Example(
        "quotation_of_the_rule_has_one_home",
        bad=(("README.md", f"{QUOTATION_START}\nx\n{QUOTATION_END}"),),
        good=(
            ("docs/canon/language-rules.md", f"{QUOTATION_START}\nx\n{QUOTATION_END}"),
            ("README.md", "No quotation here."),
        ),
    ),
    Example(
        "mail_templates_use_our_words",
        bad=(
            ("services/notifications/templates/held.txt", "Thank you for your order, {{ name }}."),
            ("services/notifications/templates/held.html.j2", "<p>Dear customer</p>"),
            ("services/notifications/templates/en/held.subject", "Your purchase"),
        ),
        good=(
            ("services/notifications/templates/held.txt", "Held: {{ order }}"),
            ("services/notifications/templates/held.html", "<p class='store'>Funds held</p>"),
        ),
    ),
    Example(
        "web_catalogue_uses_our_words",
        bad=((_WEB + "catalogue.json", '{"join": {"button": "Buy now"}}'),),
        good=((_WEB + "locales/en.json", '{"order": "Commit funds", "n": 3, "u": "{order}"}'),),
    ),
    Example(
        "web_source_uses_our_words",
        bad=(
            (_WEB + "join.tsx", "return <Title order={2}>\n  Our store\n</Title>"),
            (_WEB + "join.tsx", "<p>Dear customer {name}</p>"),
            (_WEB + "join.ts", 'const text = "Hurry up and join"'),
            (_WEB + "join.tsx", '<Text\n  size="sm"\n>\n  A bargain\n</Text>'),
            (_WEB + "join.ts", 'say("x", "it\\\'s a deal, really")'),
        ),
        good=(
            (_WEB + "join.tsx", "return <Title order={2}>Join campaign</Title>"),
            (_WEB + "join.tsx", '// the order of the tiles\nconst store = create("store")'),
            (_WEB + "join.ts", 'import { store } from "a"\nx("b") + order + y("c d")'),
            (_WEB + "join.tsx", "if (a > b && order < c) {}"),
            (_WEB + "join.tsx", "{/* a deal */}\nconst f = () => order < limit"),
        ),
    ),
    Example(
        "interface_documents_use_our_words",
        bad=(
            ("contracts/openapi.json", '{"paths": {"/x": {"get": {"summary": "Buy units"}}}}'),
            ("contracts/openapi.json", '{"info": {"title": "The store"}}'),
            ("contracts/openapi.json", '{"a": {"examples": [{"note": "a discount"}]}}'),
        ),
        good=(
            ("contracts/openapi.json", '{"order": {"summary": "Commit funds"}}'),
            ("contracts/openapi.json", '{"properties": {"title": {"type": "order"}}}'),
        ),
    ),
    Example(
        "error_catalogue_uses_our_words",
        bad=(("contracts/errors.py", 'FULL = Problem(409, "The store is closed", "Wait.")'),),
        good=(
            ("contracts/errors.py", '"""The order of lines."""\nx = "order"'),
            ("contracts/errors.py", 'FULL = Problem(409, "The campaign is full", "Wait.")'),
        ),
    ),
    Example(
        "papers_use_our_words",
        bad=(
            ("services/gateway/documents/records.py", 'HEADINGS = ("Order", "Amount")'),
            ("contracts/payment_rail.py", 'WORDS = "Your purchase is held."'),
        ),
        good=(
            (
                "services/gateway/documents/records.py",
                '"""In the order of events."""\nHEADINGS = ("Reference", "Amount")',
            ),
        ),
    ),
    Example(
        "command_line_uses_our_words",
        bad=(
            ("deploy/cli/up.py", '@app.command()\ndef up():\n    """Start the store."""'),
            ("deploy/cli/up.py", 'x = typer.Option(1, help="How many orders.")'),
            ("deploy/cli/up.py", 'typer.echo(f"Ready {n}, hurry")'),
        ),
        good=(
            ("deploy/cli/up.py", '@app.command()\ndef up():\n    """Start the platform."""'),
            ("deploy/cli/up.py", 'def _x():\n    """Keep the order of the parts."""'),
        ),
    ),
)

_HEADER = "# Title\n\n- Version: 1.0.0\n- Date: 2026-11-21\n- Owner: founder\n"
_LOG = "\n## Change log\n\n- 1.0.0 (2026-11-21): first version.\n"
_SECTIONS = "\n".join(
    f"## {title}\n\nText.\n" for title in ("Context", "Options", "Decision", "Consequences", "Revisit when")
)
_PAGE = "docs/canon/page.md"
_DECISION = "docs/canon/decisions/0099-title.md"

_CANON = (
    Example(
        "canon_page_has_its_header",
        bad=(
            (_PAGE, _HEADER.replace("# Title", "Title")),
            (_PAGE, _HEADER.replace("1.0.0", "one")),
            (_PAGE, _HEADER.replace("- Date: 2026-11-21\n", "")),
            (_PAGE, _HEADER.replace("founder", "")),
            (_DECISION, _HEADER),
            (_DECISION, _HEADER + "- Status: perhaps\n"),
        ),
        good=((_PAGE, _HEADER), (_DECISION, _HEADER + "- Status: accepted\n")),
    ),
    Example(
        "canon_page_logs_its_changes",
        bad=(
            (_PAGE, _HEADER),
            (_PAGE, _HEADER + "\n## Change log\n"),
            (_PAGE, _HEADER.replace("1.0.0", "1.1.0") + _LOG),
            (_PAGE, _HEADER + _LOG.replace("2026-11-21", "2026-11-20")),
        ),
        good=((_PAGE, _HEADER + _LOG), (_PAGE, _HEADER + _LOG + "- 0.9.0 (2026-11-01): draft.\n")),
    ),
    Example(
        "decision_has_its_sections",
        bad=(
            (_DECISION, _HEADER),
            (_DECISION, _SECTIONS.replace("## Options", "## Choices")),
            (_DECISION, _SECTIONS.replace("Text.", "")),
            ("docs/canon/decisions/nine.md", _SECTIONS),
        ),
        good=((_DECISION, _SECTIONS),),
    ),
    Example(
        "links_lead_somewhere",
        bad=_page("[x](missing.md)", "[x](/README.md)", "[x](../README.md#no-such-heading)", "[x](#y)"),
        good=_page(
            "[x](../README.md)",
            "# A `b` heading, here\n[x](#a-b-heading-here)",
            "[x](https://example.org/nowhere)",
            "`[x](missing.md)`",
            "```\n[x](missing.md)\n```",
        ),
    ),
)

EXAMPLES = (*_LANGUAGE, *_CANON)
