"""Webhooks leave the house: signed POSTs out of the outbox, retried, and never to inside."""
