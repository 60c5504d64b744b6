"""From pending events to webhooks: dispatch, delivery, digests, and what people do with deliveries.

Use cases: imports app, store, messages, incidents and what stands below; never scan or people.
"""
