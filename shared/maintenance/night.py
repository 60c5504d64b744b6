"""What the timer `maintain` does: an export first, so that it still holds what retention deletes then."""

from __future__ import annotations

from shared.maintenance.export import export_tables
from shared.maintenance.retention import delete_expired
from shared.maintenance.watch import report_days
from shared.monitor import Monitor


async def maintain(monitor: Monitor) -> None:
    """Export the tables, delete what is past its time, report the last days."""
    await export_tables(monitor, monitor.exports)
    await delete_expired(monitor)
    await report_days(monitor)
