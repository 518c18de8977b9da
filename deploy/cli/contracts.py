"""`./alpmera contracts`: write the generated files of `contracts/`, and refuse a break nobody announced."""

from __future__ import annotations

import typer

from deploy.cli.console import complain, say


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @app.command()
    def contracts(
        check: bool = typer.Option(False, "--check", help="Write nothing; exit 1 when a file is out of date."),
    ) -> int:
        """Generate the message schemas, the catalogue and the interface description.

        A message whose new shape would break its readers is refused: make a new version of it beside the old one.
        """
        from contracts.envelope import known_messages
        from deploy.contracts_files import generate
        from deploy.contracts_files.compatibility import breaks

        known = known_messages()
        broken: list[str] = []
        for name, old in generate.committed_schemas().items():
            if name not in known:
                broken.append(f"{name}: the message is gone")
                continue
            broken += [f"{name}{found}" for found in breaks(old, generate.schema_of(known[name]))]
        if broken:
            for line in broken:
                complain(line)
            complain("These changes break readers. Add a new message type beside the old one instead.")
            return 1
        stale = {
            path: text
            for path, text in generate.expected_files().items()
            if not (generate.ROOT / path).exists() or (generate.ROOT / path).read_text() != text
        }
        for path, text in stale.items():
            if check:
                complain(f"{path} is out of date: run ./alpmera contracts")
                continue
            (generate.ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (generate.ROOT / path).write_text(text)
            say(f"wrote {path}")
        return 1 if check and stale else 0
