#!/usr/bin/env python3
"""A step in Python, written from ipc/PROTOCOL.md alone.

    step_python.py [PARTS [FAIL_AFTER]]

Works through PARTS parts, from where the last checkpoint was; fails once FAIL_AFTER are done
in its first try.
"""

import os
import struct
import sys

import msgpack


def say(**message):
    """Writes one frame to the worker, or nothing when started by hand."""
    fd = os.environ.get("REEVE_FD")
    if fd:
        body = msgpack.packb(message)
        os.write(int(fd), struct.pack("<I", len(body)) + body)


def start():
    """What this run is: task, attempt, try and, if there was one, the last checkpoint."""
    fd = os.environ.get("REEVE_START_FD")
    if not fd:
        return {}
    with open(int(fd), "rb") as frame:
        data = frame.read()
    (length,) = struct.unpack_from("<I", data)
    assert length == len(data) - 4, "the start frame is not whole"
    return msgpack.unpackb(data[4:], strict_map_key=False)


def main():
    parts = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    fail_after = int(sys.argv[2]) if len(sys.argv) > 2 else None
    run = start()
    first = (run.get("checkpoint") or {"done": 0})["done"]
    print(f"task {run.get('task')} attempt {run.get('attempt')} try {run.get('try')} from {first}")

    say(type="begin", name="parts", count=parts)
    for part in range(first, parts):
        if fail_after == part and run.get("try", 1) == 1:
            say(type="fail", detail=f"{part} of {parts}")
            return 3
        say(type="progress", fraction=(part + 1) / parts, label=f"part {part + 1}")
        say(type="bytes", done=(part + 1) * 1000, total=parts * 1000, rate=500)
        say(type="checkpoint", value={"done": part + 1})
    say(type="complete", detail=f"{parts} of {parts}")
    say(type="label", label="nearly there")
    say(type="output", name="parts", text=str(parts))
    say(type="notification", text="the parts are done")
    say(type="warning", text="it was only a test")
    say(type="a message of a later version", key="is skipped")
    say(type="result", value={"parts": parts, "list": [1, 2.5, None, True]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
