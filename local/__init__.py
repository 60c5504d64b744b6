"""What a person runs on their own machine; none of it is deployed.

`commands` (assess, directory, token, ops, preflight), `stage` (the demo and what it needs), `host` (runs the app as the
Functions host would), `graph_server` (a Graph), `sample` (a log with its truth), `benches` (`make bench`). May import
shared/; nothing imports it but tests.
"""
