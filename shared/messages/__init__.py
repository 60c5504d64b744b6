"""What an alert says: when it is told, in which message, in the form of which channel, and when it is tried again.

`plan` decides what is told and together with what, `compose` makes the message, `render` dresses it for a channel,
`sending` says which delivery goes next and `retry` when again. Pure: imports incidents, rules, signin, wire and basics.
Sending is in shared/alerts, rows are in shared/store.
"""

from shared.messages.delivery import Delivery, DeliveryState, Item, Word
from shared.messages.kind import ChannelKind
from shared.messages.message import Message
from shared.messages.plan import Plan

__all__ = ["ChannelKind", "Delivery", "DeliveryState", "Item", "Message", "Plan", "Word"]
