"""A worker host for one machine: runs an Azure Functions app of the Python v2 model without Azure or Core Tools.

    python -m local.host --app DIR [--port N] [--lease-seconds N] [--grace-seconds N] [--log-level LEVEL]
                         [--stop-on-eof]

The functions run in azure-functions-runtime, the library that runs them in Azure, in this process. Around it this
package does what the Functions host does: it calls functions by HTTP, on schedules and for queue messages, and sends
what they output to queues. Settings are environment variables. Standard output gets one line,
``ready http://127.0.0.1:PORT``, once work is accepted; everything else, the app's prints too, goes to standard error.

Exit codes: 0 after SIGINT or SIGTERM, 1 when the app or a setting is wrong (standard error says why), 2 on misuse.

What differs from Azure:
- Triggers are http, timer and queue, outputs http and queue; anything else stops the start.
- HTTP listens on 127.0.0.1 only and ignores auth levels. A known path with another method is 405 (Azure: 404).
- Schedules are in UTC and their status is kept in memory, not in a blob: a run missed while the host was down is not
  made up for. A run that starts more than a second late is past due (unless useMonitor is false).
- ``POST /admin/functions/NAME`` answers when the timer function has ended: 202, or 500 if it failed (Azure answers 202
  at once). Timer functions only.
- functionTimeout, retry policies and logging in host.json are ignored.
"""
