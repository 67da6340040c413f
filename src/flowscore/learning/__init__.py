"""Points from results: close rates, the points and lines they propose, and an edit to the YAML."""
