"""The one place that knows the version, of both packages."""

__version__ = "0.1.0"
