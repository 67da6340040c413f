"""Verbs over sets: each takes a connection and an instant and returns counts."""
