#!/usr/bin/env python3
"""What a store of many payments costs, beside one of 10,000: scripts/evidence payments-scale.

Fills both with fencegate_bench_fill_payments, opens each with a gateway of its own, and measures
over HTTPS in turns A B A B: refunds, pages, statements, memory, and refunds beside a statement.
Markdown on stdout, progress on stderr. Exit code 0: every answer was as expected; it does not judge
the figures. REQUIRES: FOLDER is on the disk that is meant, with 2 KB of room a payment.
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import threading

from payments_scale_parts import Gateway, StatementReader, fill, pages_of, percentile

SMALL = 10_000
SELECTED = 1_000_000  # rows of the statement over a time


def say(text):
    print(text, file=sys.stderr, flush=True)


def table(title, head, rows):
    print(f"\n### {title}\n\n| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def times(step):
    """The p50 and p99 of a step, in milliseconds."""
    return step["p50"] / 1e3, step["p99"] / 1e3


def compare(title, names, before_each, rounds, seconds, rate):
    """Rounds in turns; then the median of each figure, and of the ratios within each round.

    `before_each` maps a name to the gateway and what is to be held open during its round."""
    figures = {name: [] for name in names}
    for number in range(rounds):
        order = names if number % 2 == 0 else names[::-1]
        for name in order:
            gateway, beside = before_each[name]
            with beside():
                run = gateway.refunds(seconds, rate)
            steps = run["latency_us"]
            figures[name].append((*times(steps["refund"]), *times(steps["cycle"]),
                                  run["safe_refunds_per_second"], run["server_cpu"]["total_us"],
                                  run["server_written_bytes"] / 1e3))
            say(f"{title}, round {number + 1}, {name}: refund p50 {figures[name][-1][0]:.2f} ms, "
                f"p99 {figures[name][-1][1]:.2f} ms")
    rows = [[name, *(f"{statistics.median(column):.2f}" for column in zip(*figures[name]))]
            for name in names]
    ratios = [[second / first for first, second in zip(*pair)] for pair in
              zip(figures[names[0]], figures[names[1]])]
    rows.append(["**ratio**", *(f"{statistics.median(column):.2f}" for column in zip(*ratios))])
    rows.append(["ratios from, to", *(f"{min(column):.2f}, {max(column):.2f}"
                                      for column in zip(*ratios))])
    table(title, [f"median of {rounds} rounds of {seconds} s", "refund p50 ms", "refund p99 ms",
                  "cycle p50 ms", "cycle p99 ms", "cycles/s", "server CPU us", "KB written"], rows)


def measure_pages(gateway, title, query, pages):
    before = gateway.memory_kb()
    gateway.forget_peak()
    seconds, rows = pages_of(gateway, query, pages)
    after = gateway.memory_kb()
    return [title, len(seconds), rows, f"{percentile(seconds, 50) * 1e3:.1f}",
            f"{percentile(seconds, 99) * 1e3:.1f}", *memory_cells(before, after)]


def memory_cells(before, after):
    return [f"{before['VmRSS'] / 1024:.0f}", f"{after['VmRSS'] / 1024:.0f}",
            f"{after['VmHWM'] / 1024:.0f}"]


def measure_statement(gateway, title, query, lines_min):
    before = gateway.memory_kb()
    gateway.forget_peak()
    reader = StatementReader(gateway, query)
    lines, size, seconds = reader.read_whole()
    after = gateway.memory_kb()
    assert lines >= lines_min, f"{title}: {lines} lines, not {lines_min}"
    return [title, lines, f"{size / 1e6:.0f}", f"{seconds:.1f}", f"{lines / seconds:.0f}",
            *memory_cells(before, after)]


@contextlib.contextmanager
def nothing():
    yield


def statement_beside(gateway, query):
    """Reads statements, one after the other, while it is held open."""
    @contextlib.contextmanager
    def reading():
        over = threading.Event()
        reader = StatementReader(gateway, query)
        thread = threading.Thread(target=reader.read_until, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
    return reading


def measure_cold(gateways, seconds, rate):
    rows = []
    for name, gateway in gateways.items():
        gateway.stop()
        gateway.forget_file()
        gateway.start()
        run = gateway.refunds(seconds, rate, warmup=0)
        steps = run["latency_us"]
        rows.append([name, f"{gateway.start_seconds:.2f}",
                     *(f"{time:.2f}" for time in (*times(steps["refund"]),
                                                  *times(steps["cycle"])))])
    table(f"Nothing of the store in memory, the first {seconds} s",
          ["store", "start s", "refund p50 ms", "refund p99 ms", "cycle p50 ms", "cycle p99 ms"],
          rows)


def measure(options, small, large, moments):
    names = [f"{SMALL} payments", f"{options.payments} payments"]
    gateways = dict(zip(names, (small, large)))
    turns = {name: (gateway, nothing) for name, gateway in gateways.items()}
    for gateway in gateways.values():  # until their locks, answers and caches are as they stay
        gateway.refunds(options.seconds, options.rate)
    compare(f"Open loop, {options.rate}/s", names, turns, options.rounds, options.seconds,
            options.rate)
    compare("Closed loop", names, turns, options.rounds // 2, options.seconds, 0)

    memory = ["RSS before MB", "after MB", "peak MB"]
    table("Pages of 100 payments", ["pages", "read", "rows", "p50 ms", "p99 ms", *memory], [
        measure_pages(large, "newest first", "", 200),
        measure_pages(large, "newest first, captured only", "&status=captured", 200),
        measure_pages(large, "newest first, refunded (rare)", "&status=refunded", 50),
        measure_pages(large, "from the middle of the time",
                      f"&created_to={moments.middle}", 200)])
    whole = "account=customer_funds&currency=EUR"
    selected = f"{whole}&from={moments.middle}&to={moments.behind_middle}"
    table("Statements as CSV", ["statement", "lines", "MB", "s", "lines/s", *memory], [
        measure_statement(large, "a time in the middle", selected,
                          min(SELECTED, options.payments // 10)),
        measure_statement(large, "the whole account", whole, options.payments)])
    beside = {"without": (large, nothing), "with": (large, statement_beside(large, whole))}
    compare(f"Refunds beside a statement, {options.payments} payments, {options.rate}/s",
            ["without", "with"], beside, options.rounds // 2, options.seconds, options.rate)
    measure_cold(gateways, options.seconds, options.rate)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build folder")
    parser.add_argument("--folder", required=True, type=pathlib.Path,
                        help="where the stores are made; those of an earlier run are used again")
    parser.add_argument("--payments", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rate", type=int, default=1_000, help="cycles a second, open loop")
    options = parser.parse_args()
    fill(options.build, options.folder / "small", SMALL)
    moments = fill(options.build, options.folder / "large", options.payments)
    with Gateway(options.build, options.folder / "small", SMALL) as small, \
            Gateway(options.build, options.folder / "large", options.payments) as large:
        measure(options, small, large, moments)


if __name__ == "__main__":
    main()
