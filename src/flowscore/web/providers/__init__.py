"""Mail providers tell here what became of mail: each has its way to prove itself, and its words."""
