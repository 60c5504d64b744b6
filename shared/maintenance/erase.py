"""Removing a person from what is kept, on request; the counts stay.

What is kept goes by the object id of a user. Their findings and incidents stay as evidence, of a user `erased`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.compliance.counts import Counts
from shared.maintenance.removal import Allowance, remove, remove_batch
from shared.monitor import Monitor, log_event
from shared.scan.slices import midnight
from shared.signin.text import id_key
from shared.store.alerts import PARTITION as ALERTS
from shared.store.directory import DirectoryMissing, load_directory, save_directory
from shared.store.flights import all_flights
from shared.store.incidents import SHARDS
from shared.store.packing import TooLong, pack_bytes, unpack_bytes
from shared.store.rollups import roll_up
from shared.store.sessions import person_partition
from shared.store.tables import Conflict, Operation, Row, Table, Tables, etag_of, is_newer, merge, upsert
