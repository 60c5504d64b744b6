"""From findings to incidents: what they are, how slices add up to one, and what findings, people and time do to it.

Pure: imports rules, signin and basics. Rows are in shared/store, alerts in shared/messages and shared/alerts.
"""
