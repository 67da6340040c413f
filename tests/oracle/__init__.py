"""A naive second reading of the language, which the engine is held against."""
