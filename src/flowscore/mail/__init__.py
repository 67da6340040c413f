"""Where words leave the house: templates, transport, delivery."""
