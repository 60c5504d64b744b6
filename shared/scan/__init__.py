"""The scan: what is due (plan, due), sending it (launch), and reading one slice (job, hold, reading, sessions, changes,
writing, splitting).

Uses the app, its tables and Graph; stands beside alerts and people and knows nothing of them.
"""
