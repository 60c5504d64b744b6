"""What the app does by night and at an operator's word: exports, retention, erasing a person, watching the scan.

Use cases: may import `app`, `operations`, alerts, scan and people, and everything below them.
"""

from shared.maintenance.erase import Erased, NoSuchPerson, StillOnRoster, erase_person
from shared.maintenance.night import maintain, maintain_again
from shared.maintenance.watch import watch_scan

__all__ = ["Erased", "NoSuchPerson", "StillOnRoster", "erase_person", "maintain", "maintain_again", "watch_scan"]
