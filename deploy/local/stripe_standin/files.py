"""Uploaded files: a PDF that goes along with the evidence in a dispute.

Owns reading a multipart body and keeping a file's facts with its digest, so that a test can compare what arrived with what
was sent. It takes PDF only and does not look inside; Stripe also takes pictures, and checks how many pages there are.
"""

from __future__ import annotations

import base64
import hashlib
from email.parser import BytesParser
from email.policy import HTTP

from deploy.local.stripe_standin import settings
from deploy.local.stripe_standin.core import Call, Standin
from deploy.local.stripe_standin.errors import invalid
from deploy.local.stripe_standin.forms import Pairs
from deploy.local.stripe_standin.store import Facts

PATH = "/v1/files"
PURPOSES = ("dispute_evidence",)
MULTIPART = b"multipart/form-data"


def multipart_pairs(body: bytes, content_type: bytes) -> Pairs:
    """The fields of a multipart body; a file becomes its name and its content in base64."""
    head = b"Content-Type: " + content_type + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    if not message.is_multipart():
        raise invalid("The request's body cannot be read.")
    pairs: Pairs = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise invalid("The request's body cannot be read.")
        if part.get_filename() is None:
            pairs.append((name, content.decode("utf-8", errors="replace")))
        else:
            pairs += [
                (f"{name}[name]", part.get_filename() or ""),
                (f"{name}[content]", base64.b64encode(content).decode()),
            ]
    return pairs


def upload(standin: Standin, call: Call) -> Facts:
    """POST /v1/files."""
    purpose = call.params.need_text("purpose", choices=PURPOSES)
    given = call.params.group("file")
    if given is None:
        raise invalid("Missing required param: file.", param="file", code="parameter_missing")
    name = given.text("name", max_chars=255)
    encoded = given.text("content", max_chars=settings.FILE_BYTES_MAX * 2) or ""
    given.finish()
    call.params.finish()
    content = base64.b64decode(encoded)
    if not content.startswith(b"%PDF-") or len(content) > settings.FILE_BYTES_MAX:
        raise invalid("The file is not a PDF that can be taken as evidence.", param="file")
    facts: Facts = {
        "filename": name,
        "purpose": purpose,
        "size": len(content),
        "_sha256": hashlib.sha256(content).hexdigest(),
    }
    standin.add("file", facts)
    return standin.show("file", facts)


def digest(standin: Standin, file_id: str) -> str:
    """A file's SHA-256, for a test that compares."""
    return str(standin.find("file", file_id)["_sha256"])
