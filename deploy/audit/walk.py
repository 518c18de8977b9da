"""One walk over every events topic, feeding what each check needs, so that a million records are read once."""

from __future__ import annotations

import re

from deploy.audit.campaign_fold import CampaignFold
from deploy.audit.canaries import canaries_in_record
from deploy.audit.evidence import Evidence
from deploy.audit.findings import Finding, Findings
from deploy.audit.snapshot import event_producers
from deploy.audit.tally import Tally
from deploy.audit.topics import Record, TopicSource

_NOT_WHOLE = re.compile(rb'_minor"\s*:\s*(?:"|-?\d+[.eE])')


class Walk:
    """What the topics tell."""

    def __init__(self, findings: Findings, tally: Tally, fold: CampaignFold) -> None:
        self.findings = findings
        self.tally = tally
        self.fold = fold
        self.evidence = Evidence(fold.heads)

    async def over(self, source: TopicSource) -> None:
        """Read every events topic once."""
        async for record in source.read([f"{producer}.events" for producer in event_producers()]):
            self.take(record)

    def is_level(self, stream: str) -> bool:
        """Whether all that the snapshot knows of a stream is in its topic, in sequence."""
        held = self.tally.streams.get(stream)
        known = self.fold.heads.get(stream, 0)
        return known == 0 if held is None else held.last >= known

    def take(self, record: Record) -> None:
        """Feed one record."""
        place = f"{record.topic}/{record.partition}/{record.offset}"
        for what, where in canaries_in_record(record.headers, record.body):
            self.findings.add("I25", Finding(f"{what} in an event", record.key, place, {"where": where}))
        found = self.tally.take(record)
        if found is None or record.body is None:
            return
        _, seq = found
        message_type = record.header("ce_type")
        if _NOT_WHOLE.search(record.body):
            told = {"type": message_type}
            self.findings.add("I24", Finding("an amount in an event is no whole number", record.key, place, told))
        try:
            self.evidence.take(message_type, record, seq=seq)
            if record.topic == "campaigns.events":
                self.fold.take(message_type, record.key, seq, record.body)
        except (ValueError, KeyError, TypeError, IndexError) as error:
            told = {"type": message_type, "error": type(error).__name__}
            self.findings.add("I12", Finding("an event cannot be read", record.key, place, told))
