"""Proof files and their offline check: the committed vectors hold, and whatever is changed in them is named."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.proofs.checking import check_commitment, first_difference
from contracts.proofs.checkpoint import FIRST_PREVIOUS_HASH
from contracts.proofs.files import CommitmentProof, UnreadableError, read_proof_file
from contracts.verify_proof import main
from deploy.contracts_files.proof_vectors import made_up_checkpoint, made_up_platform, made_up_transfers

ROOT = Path(__file__).parents[2]
VECTORS = json.loads((ROOT / "contracts" / "proofs" / "vectors.json").read_text())
PROOF: dict[str, Any] = VECTORS["commitment_proof"]
LINES: list[dict[str, Any]] = VECTORS["platform_file"]

Change = Callable[[dict[str, Any]], None]


def failing(proof: dict[str, Any]) -> list[str]:
    read = read_proof_file(json.dumps(proof).encode())
    assert isinstance(read, CommitmentProof)
    return [step.words for step in check_commitment(read) if not step.holds]


def changed(change: Change) -> dict[str, Any]:
    proof = copy.deepcopy(PROOF)
    change(proof)
    return proof


def written(folder: Path, name: str, content: str) -> str:
    (folder / name).write_text(content)
    return str(folder / name)


def platform_text(lines: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_the_committed_proof_and_file_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [written(tmp_path, "p", json.dumps(PROOF, indent=2)), written(tmp_path, "f", platform_text(LINES))]
    assert main(names) == 0
    told = capsys.readouterr().out
    assert "Everything that was checked holds." in told
    assert "FAILS" not in told
    assert "what Stripe really holds" in told
    assert VECTORS["platform_head"][:16] in told


def _set(*path: Any, value: Any) -> Change:
    def change(proof: dict[str, Any]) -> None:
        at: Any = proof
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_set("checkpoint", "signature", value="0" * 128), "is signed by key"),
        (_set("checkpoint", "public_key", value="0" * 64), "is signed by key"),
        (_set("checkpoint", "body", "position", value=8), "is signed by key"),
        (_set("checkpoint", "body", "sums", "escrow", value=99_999), "balance to zero"),
        (_set("state", "amounts", "escrow", value=501), "are inside the totals"),
        (_set("state", "salt", value="0" * 64), "are inside the totals"),
        (_set("state", "index", value=99), "are inside the totals"),
        (_set("state", "path", 0, "sums", "escrow", value=0), "are inside the totals"),
        (_set("state", "path", value=[]), "shorter than its tree"),
        (_set("commitment_id", value="00000000-0000-0000-0000-000000000003"), "are inside the totals"),
        (_set("campaign_id", value="00000000-0000-0000-0000-000000000003"), "this campaign's"),
        (_set("movements", 1, "transfer", "entries", 0, "amount_minor", value=-1_499), "movement 6"),
        (_set("movements", 1, "transfer", "reason", value="cancelled"), "movement 6"),
        (_set("movements", 1, "transfer", "position", value=5), "movement 5"),
        (_set("movements", 1, "path", 0, value="0" * 64), "movement 6"),
        (lambda proof: proof["movements"].pop(), "add up to these amounts"),
        (lambda proof: proof["movements"].reverse() or proof["movements"].pop(), "add up to these amounts"),
        (_set("earlier", "checkpoint", "body", "history_root", value="0" * 64), "not rewritten"),
        (_set("earlier", "path", value=[]), "not rewritten"),
        (_set("platform", "index", value=1), "is among those of platform checkpoint"),
        (_set("platform", "checkpoint", "body", "owed", "usd", value=1), "platform checkpoint 2 is signed"),
    ],
)
def test_what_was_changed_in_a_proof_is_named(change: Change, named: str) -> None:
    assert any(named in words for words in failing(changed(change)))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (json.dumps(PROOF).encode()[:-40], "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[" * 100_000, "Invalid JSON"),
        (b"[]", "object"),
        (b"null", "object"),
        (json.dumps(changed(_set("state", "amounts", "escrow", value=-1))).encode(), "state.amounts.escrow"),
        (json.dumps(changed(_set("state", "amounts", "escrow", value=10**400))).encode(), "state.amounts.escrow"),
        (json.dumps(changed(_set("state", "amounts", "escrow", value="500"))).encode(), "state.amounts.escrow"),
        (json.dumps(changed(_set("state", "amounts", "escrow", value=500.0))).encode(), "state.amounts.escrow"),
        (json.dumps(changed(_set("state", "amounts", "escrow", value=True))).encode(), "state.amounts.escrow"),
        (json.dumps(changed(_set("checkpoint", "body", "history_root", value="xy"))).encode(), "history_root"),
        (json.dumps(changed(_set("checkpoint", "body", "stack_time", value="now"))).encode(), "stack_time"),
        (json.dumps(changed(_set("state", "path", value=[PROOF["state"]["path"][0]] * 65))).encode(), "state.path"),
        (json.dumps(changed(_set("unheard_of", value=1))).encode(), "unheard_of"),
        (platform_text(LINES).encode()[:-40], "line 2"),
        (json.dumps(LINES[0] | {"body": LINES[0]["body"] | {"owed": {"usd": -5}}}).encode(), "line 1: body.owed.usd"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    content: bytes, named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").write_bytes(content)
    assert main([str(tmp_path / "p")]) == 2
    assert named in capsys.readouterr().err


@given(st.binary(max_size=200))
def test_no_content_ends_in_anything_but_a_clear_refusal(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        read_proof_file(content)


def test_a_removed_or_changed_line_of_the_platform_file_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([written(tmp_path, "gone", platform_text(LINES[1:]))]) == 1
    assert "line 1 carries number 2" in capsys.readouterr().out
    poorer = copy.deepcopy(LINES)
    poorer[0]["body"]["owed"]["usd"] -= 1
    assert main([written(tmp_path, "poorer", platform_text(poorer))]) == 1
    told = capsys.readouterr().out
    assert "line 1: the signature" in told
    assert "line 2 does not continue" in told


def test_two_files_of_one_platform_that_differ_are_a_fork(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transfers = made_up_transfers(5)
    checkpoints = [
        made_up_checkpoint(transfers[:5], number=1, previous_hash=FIRST_PREVIOUS_HASH),
        made_up_checkpoint(transfers[:6], number=2, previous_hash=FIRST_PREVIOUS_HASH),
    ]
    other = [line.model_dump(mode="json") for line in made_up_platform(checkpoints)]
    names = [written(tmp_path, "one", platform_text(LINES)), written(tmp_path, "other", platform_text(other))]
    assert main(names) == 1
    assert "differ from line 2 on" in capsys.readouterr().out
    short = read_proof_file(platform_text(LINES[:1]).encode())
    whole = read_proof_file(platform_text(LINES).encode())
    assert isinstance(short, tuple)
    assert isinstance(whole, tuple)
    assert first_difference(short, whole) is None
    names = [written(tmp_path, "proof", json.dumps(PROOF)), written(tmp_path, "other", platform_text(other))]
    assert main(names) == 1
    assert "platform checkpoint 2 of" in capsys.readouterr().out


def test_the_verifier_imports_nothing_of_the_services() -> None:
    check = "import sys, contracts.verify_proof; sys.exit(any(n.split('.')[0] in ('services', 'deploy') for n in sys.modules))"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0


def test_a_file_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/at/all"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main([]) == 2
