"""How the pages become a site: ``python -m sphinx -W docs build/site``."""

import inspect

from docutils.parsers.rst.states import Inliner

from rbo_ref import __version__

project, author, release = "rbo-ref", "The rbo-ref developers", __version__
project_copyright = "the rbo-ref developers; BSD-3-Clause"
extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.mathjax", "numpydoc"]
exclude_patterns = ["build"]

default_role = "py:obj"  # a single backtick names an object
html_theme, html_title = "furo", f"rbo-ref {release}"

autosummary_generate = False
autodoc_typehints = "none"  # docstrings say shapes and dtypes, too
autodoc_member_order = "bysource"
numpydoc_show_class_members = False


def _is_an_absolute_value(self, match, lineno):
    """A bar is no reference to a substitution: in these pages and docstrings it stands around a vector."""
    end = match.end("start")
    return match.string[:end], [], match.string[end:], []


Inliner.dispatch["|"] = _is_an_absolute_value


def _of_its_fields(app, what, name, obj, options, signature, returns):
    """What a class is called with: it may take anything only to enter itself as a tree of arrays."""
    if what != "class" or signature is None:
        return None
    parameters = inspect.signature(obj).parameters.values()
    plain = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in parameters]
    return str(inspect.Signature(plain)), returns


def setup(app):
    app.connect("autodoc-process-signature", _of_its_fields)
