"""Numbers that know more than a float: balls, rounded numbers, and the formats that round them."""

__all__ = []
