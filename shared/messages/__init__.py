"""What an alert says: when it is told, in which message, in the form of which channel, and when it is tried again.

Pure: imports incidents, rules, signin, wire and basics. Sending is in shared/alerts, rows are in shared/store.
"""
