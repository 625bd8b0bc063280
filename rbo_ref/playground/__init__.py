"""One page of HTML to play with and to judge by: it fetches nothing, and needs no server."""

from rbo_ref.playground.assembly import page

__all__ = ["page"]
