"""For each rule about code, tests and texts what breaks it and what keeps it, so that no check can be
one that never fails. The words that a rule over all files looks for are put together from parts."""

from textwrap import indent

from tests.house.repository import Example, Snippet


def _lines(count: int) -> str:
    return '"""Module."""\n' + "x = 1\n" * (count - 1)


def _function(lines: int) -> str:
    return "async def act():\n" + "    x = 1\n" * (lines - 1)


def _service(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("services/campaigns/handlers.py", text) for text in texts)


def _domain(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("services/escrow/domain/fees.py", text) for text in texts)


def _test(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("tests/unit/test_x.py", text) for text in texts)


def _page(*texts: str) -> tuple[Snippet, ...]:
    return tuple(("docs/page.md", text) for text in texts)


_SIZE = (
    Example(
        "module_is_short",
        bad=(("services/kit/work.py", _lines(400)), ("tests/unit/test_x.py", _lines(500))),
        good=(("services/kit/work.py", _lines(399)), ("docs/long.md", _lines(900))),
    ),
    Example(
        "function_is_short",
        bad=_service(_function(70), "class A:\n" + indent(_function(99), "    ")),
        good=_service(_function(69)),
    ),
    Example(
        "module_has_docstring",
        bad=_service("x = 1\n", "", "# a comment is not a docstring\n", '"""  """\n'),
        good=_service('"""What it owns."""\n'),
    ),
    Example(
        "package_file_holds_a_docstring_only",
        bad=(("services/kit/__init__.py", '"""Kit."""\nfrom services.kit.work import Work\n'),),
        good=(("services/kit/__init__.py", '"""Kit."""\n'), ("services/kit/a.py", "x = 1\ny = 2")),
    ),
    Example(
        "web_file_is_short",
        bad=(
            ("services/gateway/web/src/app.tsx", "x\n" * 250),
            ("services/gateway/web/src/queries.ts", "x\n" * 400),
        ),
        good=(
            ("services/gateway/web/src/app.tsx", "x\n" * 249),
            ("services/gateway/web/src/queries.ts", "x\n" * 399),
            ("services/gateway/web/src/api.ts", "/* This file was auto-generated */\n" * 999),
            ("services/gateway/web/src/schema.d.ts", "x\n" * 9000),
        ),
    ),
)

_PYTHON = (
    Example(
        "time_comes_from_the_kit",
        bad=_service(
            "from datetime import datetime, UTC\nx = datetime.now(UTC)",
            "import datetime as dt\nx = dt.datetime.utcnow()",
            "from datetime import date\nx = date.today()",
            "import time\nx = time.time()",
            "from time import time as clock\nx = clock()",
            "from datetime import datetime\nfield(default_factory=datetime.utcnow)",
        )
        + _test("import time\ndef test_x():\n    assert time.time()"),
        good=(
            ("services/kit/clock.py", "from datetime import datetime\nx = datetime.now()"),
            ("deploy/local/kafka.py", "import time\nx = time.time()"),
            *_service("import time\nx = time.monotonic()", "x = row.time.time()"),
        ),
    ),
    Example(
        "nothing_is_printed",
        bad=_service("print('x')", "def a():\n    print()"),
        good=_service("logger.info('x')", "self.print()") + (("deploy/cli/up.py", "print('x')"),),
    ),
    Example(
        "money_module_has_no_float",
        bad=_domain("x = float(y)", "x = 0.5", "def fee(x: float): ...", "x = a / b", "x /= 2")
        + (("contracts/money.py", "x = 1.0"),),
        good=_domain("x = a // b", "x = 5", "x = '0.5'") + _service("wait_seconds = 0.5"),
    ),
    Example(
        "amount_never_meets_a_float",
        bad=_service(
            "def hold(amount_minor: float): ...",
            "fee_minor: float | None = None",
            "x = float(row.amount_minor)",
            "x = unit_price_minor / 100",
        ),
        good=_service(
            "def hold(amount_minor: int): ...",
            "timeout_seconds: float = 0.5",
            "fee_share_ratio: float = 0.1",
            "x = amount_minor // 100",
        ),
    ),
    Example(
        "imports_stand_at_the_top",
        bad=_service("def a():\n    import json", "async def a():\n    from x import y"),
        good=_service("import json\ndef a(): ...", "if TYPE_CHECKING:\n    import json"),
    ),
    Example(
        "stripe_has_two_homes",
        bad=_service(
            "import stripe",
            "from stripe import Refund",
            "import stripe.error as e",
            "import importlib\nimportlib.import_module('stripe')",
        )
        + (("services/escrow/usecases/hold_funds.py", "import stripe"),),
        good=(
            ("services/escrow/calls.py", "import stripe"),
            ("services/escrow/calls/refunds.py", "from stripe import Refund"),
            ("services/gateway/routes/webhooks.py", "import stripe"),
            *_service("from deploy.local import stripe_standin", "import stripes"),
        ),
    ),
)

_SUBSCRIBER = "@broker.subscriber('t', {})\nasync def handle(message): ..."
_STATED = "ack_policy=AckPolicy.MANUAL, auto_offset_reset='earliest', group_id='escrow'"

_MESSAGING = (
    Example(
        "subscriber_states_its_delivery",
        bad=_service(
            _SUBSCRIBER.format(""),
            _SUBSCRIBER.format("group_id='g', auto_offset_reset='earliest'"),
            _SUBSCRIBER.format("ack_policy=MANUAL, auto_offset_reset='earliest'"),
            _SUBSCRIBER.format("ack_policy=MANUAL, group_id='g'"),
            _SUBSCRIBER.format("**options"),
            _SUBSCRIBER.format(_STATED.replace("earliest", "latest")),
            _SUBSCRIBER.format(_STATED.replace("MANUAL", "ACK_FIRST")),
            "broker.subscriber(*topics, batch=True)(handle)",
        ),
        good=_service(
            _SUBSCRIBER.format(_STATED),
            _SUBSCRIBER.format(_STATED.replace("'earliest'", "FIRST_OFFSET")),
            "subscriber = 1",
        ),
    ),
)

_TESTS = (
    Example(
        "no_test_is_skipped",
        bad=_test(
            "import pytest\n@pytest.mark.skip\ndef test_a(): ...",
            "import pytest\n@pytest.mark.skipif(True, reason='x')\ndef test_a(): ...",
            "import pytest\npytestmark = pytest.mark.xfail",
            "import pytest\nx = pytest.importorskip('docker')",
            "from pytest import skip\ndef test_a():\n    skip('x')",
            "import unittest\n@unittest.skipIf(True, 'x')\ndef test_a(): ...",
        ),
        good=_test("import pytest\n@pytest.mark.full\ndef test_a(): ...", "offset.skip(3)"),
    ),
    Example(
        "every_test_asserts",
        bad=_test(
            "def test_a():\n    act()",
            "async def test_a():\n    await act()",
            "class TestA:\n    def test_a(self): ...",
            "def test_a():\n    assert True",
            "def prepare():\n    act()\ndef test_a():\n    prepare()",
        ),
        good=_test(
            "def test_a():\n    assert act()",
            "def test_a():\n    with pytest.raises(ValueError):\n        act()",
            "def test_a(page):\n    expect(page).to_have_title('x')",
            "def inner():\n    assert x\ndef outer():\n    inner()\ndef test_a():\n    outer()",
            "def prepare():\n    act()",
        ),
    ),
)

_TEXT = (
    Example(
        "nothing_is_left_open",
        bad=_service("# TO" + "DO later", "# FIX" + "ME", "raise NotImplemented" + "Error")
        + _page("Coming" + " soon.", "This is not yet " + "implemented."),
        good=_service("# the todolist", "return NotImplemented") + _page("Done."),
    ),
    Example(
        "no_registry_is_named",
        bad=(
            ("requirements.lock", "--index-url https://py" + "pi.org/simple"),
            ("package-lock.json", '"resolved": "https://registry.npm' + 'js.org/x.tgz"'),
            ("deploy/local/java.py", 'REPO = "https://repo1.mav' + 'en.org/maven2"'),
            ("deploy/compose.yaml", "image: gh" + "cr.io/x/y"),
        ),
        good=(
            ("requirements.lock", "stripe==16.1.0 --hash=sha256:00"),
            ("deploy/local/java.py", 'GROUP = "org.apache.kafka"'),
            ("docs/page.md", "See notpy" + "pi.organic and https://example.org."),
        ),
    ),
    Example(
        "no_path_of_one_machine",
        bad=(
            *_page("Look into /wo" + "rk/main.", "`/ro" + "ot/x`", "/ho" + "me/maya/x"),
            ("deploy/local/paths.py", 'STATE = "/t' + 'mp/alpmera"'),
            ("tests/unit/test_x.py", 'STATE = "/ro' + 'ot/x"'),
        ),
        good=(
            *_page("https://example.org/wo" + "rk/", "a/ro" + "ot/b", "the /workers list"),
            ("tests/unit/test_x.py", 'STATE = "/t' + 'mp/alpmera"'),
        ),
    ),
    Example(
        "nothing_about_how_the_work_was_done",
        bad=_page("As asked in iss" + "ue 3.", "See shar" + "ed/design/ledger.md", "Iss" + "ue #12"),
        good=_page("An issue reported at inspection; the issue rate is 3 %."),
    ),
)

EXAMPLES = (*_SIZE, *_PYTHON, *_MESSAGING, *_TESTS, *_TEXT)
