"""What an account's settings make of an item: its sender, its lane, its wishes for texts.

Decided once per account as far as possible.
"""

from __future__ import annotations

from typing import NamedTuple

from smppgw import addresses
from smppgw.addresses import Address
from smppgw.api.faults import nearest
from smppgw.api.item import CommonIn
from smppgw.config import AccountSettings
from smppgw.errors import Refusal
from smppgw.queue.model import Lane
from smppgw.sms.encoding import NO_WISHES, Wishes

_LANES = {lane.label: lane for lane in Lane}


class Account(NamedTuple):
    """One account, ready for items."""

    name: str
    settings: AccountSettings
    lane: Lane
    default_source: Address | None
    wishes: Wishes  # of items that say nothing

    def source_of(self, message: CommonIn) -> Address:
        """Raises Refusal: `sender_missing`, and those of `addresses.sender`."""
        if message.sender is not None:
            return addresses.sender(message.sender, default_region=self.settings.default_region)
        if self.default_source is None:
            raise Refusal("sender_missing", "no `from`, and the account has no default_sender", field="from")
        return self.default_source

    def recipient_of(self, message: CommonIn) -> Address:
        """Raises the Refusals of `addresses.recipient`."""
        settings = self.settings
        return addresses.recipient(message.to, default_region=settings.default_region, strict=settings.strict_numbers)

    def lane_of(self, message: CommonIn) -> Lane:
        """Raises Refusal `lane_unknown`."""
        return self.lane if message.lane is None else _lane(message.lane)


def prepared(name: str, settings: AccountSettings) -> Account:
    source = None
    if settings.default_sender is not None:
        source = addresses.sender(settings.default_sender, default_region=settings.default_region)
    wishes = Wishes(smart=settings.smart_encoding, on_unencodable=settings.on_unencodable)
    return Account(name, settings, _lane(settings.default_lane), source, NO_WISHES if wishes == NO_WISHES else wishes)


def _lane(label: str) -> Lane:
    lane = _LANES.get(label)
    if lane is None:
        raise Refusal("lane_unknown", f"a lane is one of {', '.join(_LANES)}" + nearest(label, _LANES), field="lane")
    return lane
