"""The page that people look at: answers put into HTML on the server, with charts as SVG. Works without JavaScript.

May import answers and everything below; only functions/ stands above it. Everything that comes from a log is hostile
text: templates escape it all, and nothing here marks text as safe but the charts, which hold numbers and dates alone.
No figure is computed here that an answer of the API does not give too.
"""

from shared.page.asked import PageQuery, Visit
from shared.page.pages import FORMS, PAGES, FormAt, PageAt
from shared.page.render import HEADERS, STYLE, error_page, render

__all__ = ["FORMS", "HEADERS", "PAGES", "STYLE", "FormAt", "PageAt", "PageQuery", "Visit", "error_page", "render"]
