"""Triggers only: each decodes, calls one function of shared/, and encodes.

One blueprint a file; `http` has the habits of all routes, `openapi` describes them. May import everything in shared/.
"""
