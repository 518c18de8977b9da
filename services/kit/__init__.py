"""The library the services stand on: database work, outbox and relay, gates and inbox, intents, deadlines, clocks, traces."""
