"""Fuzzes the SMPP codec, sessions and receipts, guided by coverage (see scripts/fuzz).

Atheris (libFuzzer) mutates what reached new code, starting from tests/vectors and the samples of
scripts/fuzz_targets.py, which also says what must hold. Progress comes as one line every few seconds. What breaks a
rule is saved as a file together with the command that shows it again, and the exit code is 1.

    scripts/fuzz                              a minute
    scripts/fuzz --seconds 3600 --seed 7      an hour, repeatable
    scripts/fuzz --reproduce build/fuzz/crash-0123abcd
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "build" / "fuzz"
MOST_OCTETS = 4096
PROGRESS_S = 5.0
_STATUS = re.compile(
    r"^#(?P<runs>\d+)\s+\S+\s+cov: (?P<cov>\d+).*?corp: (?P<corpus>\d+)(?:/\S+)?.*?exec/s: (?P<rate>\d+)"
)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60, help="how long (default: 60)")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the mutations: the same seed walks the same way (default: 1)"
    )
    parser.add_argument("--folder", type=Path, default=FOLDER, help="corpus and findings (default: build/fuzz)")
    parser.add_argument("--keep-corpus", action="store_true", help="go on from what earlier runs found")
    parser.add_argument("--reproduce", type=Path, metavar="FILE", help="run one saved input and show what it does")
    parser.add_argument("--worker", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser.parse_args()


def worker(options: list[str]) -> None:
    """The process that fuzzes: never returns, libFuzzer ends it."""
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["smppgw.smpp", "smppgw.sms"]):
        from scripts import fuzz_targets
        from smppgw.smpp import CommandId, pdu_class
    for command in CommandId:
        cls = pdu_class(command)
        if cls is not None:  # compiled from the tables at run time, so no import shows them
            cls.straight = staticmethod(atheris.instrument_func(cls.straight))
    atheris.Setup([sys.argv[0], *options], fuzz_targets.run)
    atheris.Fuzz()


def prepared(folder: Path, *, keep_corpus: bool) -> list[str]:
    """Writes the seeds and the dictionary; the options that name them."""
    from scripts.fuzz_targets import seeds, words

    corpus, dictionary = folder / "corpus", folder / "words.dict"
    corpus.mkdir(parents=True, exist_ok=True)
    if not keep_corpus:
        for old in corpus.iterdir():
            old.unlink()
    for index, octets in enumerate(seeds()):
        (corpus / f"seed-{index:03d}").write_bytes(octets)
    lines = ('"' + "".join(f"\\x{octet:02x}" for octet in word) + '"' for word in words())
    dictionary.write_text("\n".join(lines) + "\n", encoding="ascii")
    return [f"-dict={dictionary}", str(corpus)]


def fuzz(seconds: int, seed: int, folder: Path, *, keep_corpus: bool) -> int:
    """Runs the worker, tells how it goes, and returns the exit code."""
    options = prepared(folder, keep_corpus=keep_corpus)
    options += [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={MOST_OCTETS}",
        f"-artifact_prefix={folder}/",
    ]
    options += ["-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    command = [sys.executable, "-m", "scripts.fuzz", "--worker", *options]
    began = time.monotonic()
    told = began - PROGRESS_S
    status = ""
    stats: dict[str, str] = {}
    tail: deque[str] = deque(maxlen=60)
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace") as process:
        assert process.stderr is not None
        for line in process.stderr:
            found = _STATUS.match(line)
            if found is None:
                tail.append(line)
                stats |= dict(re.findall(r"^stat::(\w+):\s+(\d+)", line))
                continue
            status = (
                f"{found['runs']} executions, {found['rate']} per second, {found['corpus']} inputs in the corpus, "
                f"{found['cov']} places reached"
            )
            if time.monotonic() - told >= PROGRESS_S:
                told = time.monotonic()
                print(f"{told - began:5.0f} s  {status}", flush=True)
        code = process.wait()
    print(f"{time.monotonic() - began:5.0f} s  {status}")
    if code == 0:
        print(f"Nothing found in {stats.get('number_of_executed_units', '?')} executions.")
        return 0
    print("".join(tail), end="")
    findings = sorted(path for path in folder.iterdir() if path.is_file() and "-" in path.name)
    if not findings:
        print(f"The fuzzer ended with exit code {code} and saved nothing.")
    for path in findings:
        shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        print(f"Found: scripts/fuzz --reproduce {shown}")
    return 1


def main() -> int:
    options = arguments()
    if options.worker is not None:
        worker(options.worker)
    if options.reproduce is not None:
        from scripts.fuzz_targets import run

        run(options.reproduce.read_bytes())
        print("Nothing is wrong with it now.")
        return 0
    return fuzz(options.seconds, options.seed, options.folder.resolve(), keep_corpus=options.keep_corpus)


if __name__ == "__main__":
    raise SystemExit(main())
