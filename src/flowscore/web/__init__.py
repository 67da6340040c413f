"""The web door: what clients send comes in, what mails link to is shown; thin over a workspace."""
