"""What is due with the time and not with a finding: quiet incidents, ended snoozes, digests, exceptions.

Use cases of the timers: imports alerts, app, store and what stands below.
"""
