"""What a person may ask of the store: read-only answers, as plain values."""
