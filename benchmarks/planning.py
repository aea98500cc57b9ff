"""What planning a text costs, beside smpplib's make_parts in the same run. Prints one JSON line.

    python benchmarks/planning.py [--seconds 0.3]

Times are microseconds per text: the best of several rounds, ours and theirs by turns, so that a busy machine disturbs
least and both alike. `speedup_gsm7_100`: how many times as fast as make_parts 100 characters in GSM-7 are planned.
`chinese_300_by_gsm7_100`: what 300 Chinese characters cost beside what make_parts takes for those, at most 1. Where
both sides can, what they make is compared first: smpplib knows no national tables, clusters and smart encoding.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import smpplib.gsm

sys.path.insert(0, str(Path(__file__).parents[1]))

from smppgw.sms.encoding import DEFAULT_ENCODING, NO_WISHES, Encoding, Language, OnUnencodable, Packing, Wishes
from smppgw.sms.plan import plan

ROUNDS = 15

GSM7 = "Your parcel will arrive today between 14:00 and 16:00. Track it at https://example.com/t/4711: be in!"[:100]
CHINESE = "您的包裹将于今天下午送达，请保持电话畅通。取件码四七一一。" * 11
TURKISH = "Şifreniz değişti. Bu işlemi siz yapmadıysanız çağrı merkezimizi arayın. "
EMOJI = "See you there 😀👍 "
CLUSTERS = "👩🏽‍🚀 and 🇬🇧 "
TYPOGRAPHIC = "It’s “here” – at last… "

ALL_TABLES = Encoding(national=tuple(Language))
PACKED = Encoding(packing=Packing.PACKED)
SMART = Wishes(smart=True)
TRANSLITERATED = Wishes(on_unencodable=OnUnencodable.TRANSLITERATE)

#: name -> text, encoding, wishes; all but the first in more than one segment.
CASES: dict[str, tuple[str, Encoding, Wishes]] = {
    "gsm7_100": (GSM7, DEFAULT_ENCODING, NO_WISHES),
    "gsm7_300": (GSM7 * 3, DEFAULT_ENCODING, NO_WISHES),
    "gsm7_300_packed": (GSM7 * 3, PACKED, NO_WISHES),
    "chinese_300": (CHINESE[:300], DEFAULT_ENCODING, NO_WISHES),
    "chinese_300_all_tables": (CHINESE[:300], ALL_TABLES, NO_WISHES),
    "chinese_300_smart": (CHINESE[:300], DEFAULT_ENCODING, SMART),
    "turkish_300": ((TURKISH * 5)[:300], DEFAULT_ENCODING, NO_WISHES),
    "turkish_300_all_tables": ((TURKISH * 5)[:300], ALL_TABLES, NO_WISHES),
    "emoji_300": ((EMOJI * 20)[:300], DEFAULT_ENCODING, NO_WISHES),
    "clusters_300": ((CLUSTERS * 30)[:300], DEFAULT_ENCODING, NO_WISHES),
    "smart_300": ((TYPOGRAPHIC * 14)[:300], DEFAULT_ENCODING, SMART),
    "transliterated_300": ((TURKISH * 5)[:300], DEFAULT_ENCODING, TRANSLITERATED),
}
#: What smpplib plans, too, by the names of the cases.
THEIRS = ("gsm7_100", "gsm7_300", "chinese_300")


def check(name: str) -> None:
    """Both make the same octets, but for the reference."""
    text, encoding, wishes = CASES[name]
    theirs, data_coding, esm_class = smpplib.gsm.make_parts(text)
    reference = theirs[0][3] if esm_class else 0
    ours = plan(text, encoding=encoding, wishes=wishes, reference=reference)
    if (list(ours.segments), ours.data_coding, ours.esm_class) != (theirs, data_coding, esm_class):
        raise SystemExit(f"the two plan {name} differently: nothing to compare")


def figures(seconds: float) -> dict[str, float]:
    calls: dict[str, Callable[[], object]] = {}
    for name, (text, encoding, wishes) in CASES.items():
        calls[name] = lambda text=text, encoding=encoding, wishes=wishes: plan(text, encoding=encoding, wishes=wishes)
    for name in THEIRS:
        calls[f"smpplib_{name}"] = lambda text=CASES[name][0]: smpplib.gsm.make_parts(text)
    loops = {name: loops_of(call, seconds) for name, call in calls.items()}
    fastest = dict.fromkeys(calls, float("inf"))
    for _ in range(ROUNDS):
        for name, call in calls.items():
            fastest[name] = min(fastest[name], timed(call, loops[name]) / loops[name])
    return {name: round(seconds * 1e6, 2) for name, seconds in fastest.items()}


def loops_of(call: Callable[[], object], seconds: float) -> int:
    """How often to call it in one of the rounds that take so many seconds together."""
    call()
    return max(1, int(seconds / ROUNDS / max(timed(call, 1), 1e-6)))


def timed(call: Callable[[], object], loops: int) -> float:
    began = time.perf_counter()
    for _ in range(loops):
        call()
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=0.3, help="for each case, all rounds together")
    arguments = parser.parse_args()
    for name in THEIRS:
        check(name)
    measured = figures(arguments.seconds)
    result = {
        "benchmark": "planning",
        "python": platform.python_version(),
        "us_per_text": measured,
        "segments": {name: plan(text, encoding=e, wishes=w).parts for name, (text, e, w) in CASES.items()},
        "speedup_gsm7_100": round(measured["smpplib_gsm7_100"] / measured["gsm7_100"], 1),
        "chinese_300_by_gsm7_100": round(measured["chinese_300"] / measured["smpplib_gsm7_100"], 2),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
