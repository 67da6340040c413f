"""Where words meet rows: conditions and triggers compiled to SQL and told in English."""
