"""A naive second reading of the language, which the engine is held against.

`generate.cases()` draws a case, `cases.write` lays it out as a project folder, `cases.commands`
gives the command lines for it, and `cases.disagreements` compares the export with `expected`.
What the specification leaves open is listed in CHOICES.md.
"""
