"""What a wrong port may be: other formulas, by which it is judged as by the right one."""

__all__ = ()
