"""Lead scoring and marketing automation from YAML files."""

__version__ = "0.1.0"
