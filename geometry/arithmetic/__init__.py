"""Numbers that know more than a float: intervals, balls, rounded numbers, and the formats that round them."""

__all__ = []
