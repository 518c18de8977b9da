"""`python -m contracts.verify_proof FILE…`: check downloaded proofs without any service, and say in words what they show.

Takes proofs of commitments and copies of the platform's public file, in any mixture; several files are compared with each
other, so that a history which was shown differently to two people comes out. Exit status: 0 everything holds, 1 something
does not (it is named), 2 a file cannot be read. It needs this folder and the `cryptography` and `pydantic` packages.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from contracts.proofs.checking import NOT_PROVEN, Step, check_commitment, check_platform_file, check_together
from contracts.proofs.files import (
    FILE_BYTES_MAX,
    CommitmentProof,
    PlatformFile,
    UnreadableError,
    read_proof_file,
)

HOLDS, FAILS, UNREADABLE = 0, 1, 2


def main(names: Sequence[str]) -> int:
    """Check these files; returns the exit status."""
    if not names or any(name in ("-h", "--help") for name in names):
        _say(str(__doc__))
        return HOLDS if names else UNREADABLE
    proofs: dict[str, CommitmentProof] = {}
    files: dict[str, PlatformFile] = {}
    unreadable = 0
    for name in dict.fromkeys(names):
        try:
            found = read_proof_file(_content(name))
        except (UnreadableError, OSError) as error:
            unreadable += 1
            sys.stderr.write(f"{name}: cannot be read: {error}\n")
            continue
        if isinstance(found, CommitmentProof):
            proofs[name] = found
        else:
            files[name] = found
    failed = sum(_tell(f"{name}: the proof of commitment {proof.commitment_id}", check_commitment(proof))
                 for name, proof in proofs.items())  # fmt: skip
    failed += sum(_tell(f"{name}: the platform's file", check_platform_file(lines)) for name, lines in files.items())
    failed += _tell("the files together", check_together(files, proofs))
    if proofs or files:
        _say("Not shown by any of this:\n" + "\n".join(f"  - {words}" for words in NOT_PROVEN))
    if unreadable:
        return UNREADABLE
    _say(f"{failed} of the checks FAILED." if failed else "Everything that was checked holds.")
    return FAILS if failed else HOLDS


def _content(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return file.read(FILE_BYTES_MAX + 1)


def _tell(title: str, steps: Sequence[Step]) -> int:
    """Print the steps; returns how many fail."""
    if steps:
        _say(title)
        for step in steps:
            _say(f"  {'holds ' if step.holds else 'FAILS '} {step.words}")
    return sum(not step.holds for step in steps)


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
