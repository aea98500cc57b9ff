"""What every result line says of the machine it was measured on."""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path


def fdatasync_p50_ms(folder: Path, times: int = 200) -> float:
    """Median time of appending 4 KiB and fdatasync in `folder`, in milliseconds."""
    path = folder / "fdatasync.probe"
    taken = []
    handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        for _ in range(times):
            os.write(handle, b"x" * 4096)
            started = time.perf_counter()
            os.fdatasync(handle)
            taken.append(time.perf_counter() - started)
    finally:
        os.close(handle)
        path.unlink()
    return round(statistics.median(taken) * 1000, 3)
