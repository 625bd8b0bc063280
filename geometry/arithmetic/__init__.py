"""Numbers that know more than a float."""
