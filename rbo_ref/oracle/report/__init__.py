"""What a check found: for people (terminal, HTML) and for machines (JSON, JUnit XML)."""

from rbo_ref.oracle.report.html_page import page
from rbo_ref.oracle.report.junit_xml import junit
from rbo_ref.oracle.report.machine import environment
from rbo_ref.oracle.report.scene import Scene
from rbo_ref.oracle.report.verdicts import Diagnosis, Entry, Report, Result, verdict_of

__all__ = ["Diagnosis", "Entry", "Report", "Result", "Scene", "environment", "junit", "page", "verdict_of"]
