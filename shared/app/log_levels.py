"""The libraries under the app say only what is wrong.

The production worker sets the root logger to INFO and forwards what every library says, whatever host.json asks for.
The storage client says two records of each request, with its URL, and a row's key is in the URL: that was most of the
log's bill, and it held object ids of people. The web client says whole URLs too, and a webhook's is a secret
(docs/platform-facts.md, "Functions on Python").
"""

from __future__ import annotations

import logging
from typing import Final

# Not "azure" as a whole: beneath it is `azure.functions`, which the worker itself speaks by.
LIBRARIES: Final = (
    *("azure.core", "azure.data", "azure.identity", "azure.keyvault", "azure.storage", "msal", "urllib3"),
    *("httpx", "httpcore", "kiota_http", "kiota_authentication_azure", "msgraph_core", "msgraph"),
)


def quiet_libraries(level: int = logging.WARNING) -> None:
    """Have the libraries say nothing beneath `level`. To be called before a client is made."""
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(level)
