"""The report: what became of leads, mails and scenarios in a period, section by section."""
