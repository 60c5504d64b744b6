"""The page that people look at: answers put into HTML on the server, with charts as SVG. Works without JavaScript.

May import answers and everything below; only functions/ stands above it. Everything that comes from a log is hostile
text: templates escape it all, and nothing here marks text as safe but the charts, which hold numbers and dates alone.
"""

from shared.page.front import front_page
from shared.page.incident import act_on_incident, incident_page
from shared.page.render import HEADERS, STYLE, error_page, render

__all__ = ["HEADERS", "STYLE", "act_on_incident", "error_page", "front_page", "incident_page", "render"]
