"""What an apply would change, what it did change, and the way back: definitions and versions."""
