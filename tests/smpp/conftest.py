"""Hypothesis without its deadline per example: the suite shares its cores, and slowness is no failure here."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("smppgw", deadline=None)
settings.load_profile("smppgw")
