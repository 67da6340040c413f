"""The rows: contacts, events, ledger, outbox; knows no scenario."""
