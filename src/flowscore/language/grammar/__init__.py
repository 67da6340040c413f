"""How YAML becomes words: for each key one row that says what it takes and what it means."""
