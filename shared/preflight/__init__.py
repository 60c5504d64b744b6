"""Whether an installation has what it needs: permissions, licences, storage, queues, webhooks; and what to do."""
