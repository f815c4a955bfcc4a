#!/usr/bin/env python3
"""How long a failover takes, seen by clients: from the fault to the first acknowledged write.

    tests/bench/failover.py [--bin DIR] [--kills N] [--stops N] [--switchovers N] [--rate N]
                            [--svg FILE]

Writes go to a local cluster at a steady rate, each sent at its time whether or not the ones before
it were answered. `kill` is SIGKILL and `stop` SIGSTOP to the primary: measured is the time until
the first write that was sent after the signal is acknowledged. `switchover` is planned: measured
is the longest time without an acknowledgement around it, which has the pause between two writes in
it. Requests have 10 s; those that fail are counted. The second table has the steps of
`skein why`. --svg draws the first one.
"""

import argparse
import os
import signal
import sys
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
KEYS = 1000


class Stream:
    """Writes at a steady rate through one pipe, and when each was sent and acknowledged."""

    def __init__(self, cluster, rate):
        self.pipe = Pipe(cluster, outstanding=60000)
        self.pause = 1 / rate
        self.sent = []  # times
        self.acknowledged = []  # (time, time at which it was sent)
        self.failed = []  # errors
        self.is_ending = False
        self.threads = [threading.Thread(target=run, daemon=True)
                        for run in (self.send, self.receive)]
        for thread in self.threads:
            thread.start()

    def send(self):
        due = time.monotonic()
        while not self.is_ending:
            number = len(self.sent)
            self.sent.append(time.monotonic())
            self.pipe.send({'tag': number, 'do': 'txn', 'timeout_ms': 10000, 'operations': [
                {'op': 'put', 'collection': 'bench', 'id': str(number % KEYS),
                 'document': {'n': number}}]})
            due += self.pause
            time.sleep(max(0, due - time.monotonic()))
        self.pipe.process.stdin.close()

    def receive(self):
        while True:
            reply = self.pipe.receive()
            if reply is None:
                return
            if 'error' in reply:
                self.failed.append(reply['error'])
            else:
                self.acknowledged.append((time.monotonic(), self.sent[reply['tag']]))

    def stop(self):
        self.is_ending = True
        for thread in self.threads:
            thread.join()

    def first_after(self, moment):
        """Waits for the first acknowledgement of a write sent after the moment; its time."""
        start = len(self.acknowledged)
        while True:
            for acknowledged, sent in self.acknowledged[start:]:
                if sent > moment:
                    return acknowledged
            time.sleep(0.001)

    def longest_gap(self, begin, end):
        times = [moment for moment, _ in self.acknowledged if begin <= moment <= end]
        return max(later - earlier for earlier, later in zip(times, times[1:]))


class Bench:

    def __init__(self, cluster, stream):
        self.cluster = cluster
        self.stream = stream
        self.phases = {}  # (fault, name of the phase): times in ms

    def settle(self):
        self.cluster.start()
        self.cluster.wait_until_whole()
        time.sleep(0.5)

    def note_phases(self, fault, epoch_before):
        latest = self.cluster.skein('why')['failovers']
        if not any(failover['epoch'] > epoch_before for failover in latest):
            print(f'{fault}: `skein why` tells nothing after epoch {epoch_before}')
        for failover in latest:
            if failover['epoch'] > epoch_before and failover['new'] is not None:
                for phase in failover['phases']:
                    self.phases.setdefault((fault, phase['name']), []).append(phase['ms'])
                self.phases.setdefault((fault, '= total'), []).append(failover['total_ms'])

    def signal_primary(self, number):
        """ms until a write sent after the signal was acknowledged."""
        status = self.cluster.skein('status')
        pid = self.cluster.pids()[status['primary']]
        os.kill(pid, number)
        moment = time.monotonic()
        first = self.stream.first_after(moment)
        if number == signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
        self.settle()
        self.note_phases('kill' if number == signal.SIGKILL else 'stop', status['epoch'])
        return (first - moment) * 1000

    def switch_over(self):
        """ms of the longest time without an acknowledgement, and what the command says."""
        epoch = self.cluster.skein('status')['epoch']
        begin = time.monotonic()
        done = self.cluster.skein('switchover')
        time.sleep(0.3)
        gap = self.stream.longest_gap(begin - 0.1, time.monotonic())
        self.settle()
        self.note_phases('switchover', epoch)
        return gap * 1000, done['ms']


def print_row(name, values, failed=''):
    if values:
        figures = [min(values), quantile(values, 0.5), quantile(values, 0.9),
                   quantile(values, 0.99), max(values)]
        print(f'{name:44}{len(values):5}' + ''.join(f'{f:9.1f}' for f in figures)
              + f'{failed:>9}', flush=True)


def print_head():
    print(f'{"ms":44}{"count":>5}' + ''.join(
        f'{word:>9}' for word in ('min', 'median', 'p90', 'p99', 'max', 'failed')))


def measure(arguments):
    with Cluster(writers=2) as cluster:
        stream = Stream(cluster, arguments.rate)
        time.sleep(1)
        bench = Bench(cluster, stream)
        print_head()
        rows = []
        for name, count, number in (('kill', arguments.kills, signal.SIGKILL),
                                    ('stop', arguments.stops, signal.SIGSTOP)):
            before = len(stream.failed)
            rows.append((name, [bench.signal_primary(number) for _ in range(count)]))
            print_row(*rows[-1], len(stream.failed) - before)
        before = len(stream.failed)
        pairs = [bench.switch_over() for _ in range(arguments.switchovers)]
        rows.append(('switchover', [gap for gap, _ in pairs]))
        print_row(*rows[-1], len(stream.failed) - before)
        print_row('switchover, by its own account', [ms for _, ms in pairs])
        stream.stop()
        print()
        print_head()
        for (fault, name), values in bench.phases.items():
            print_row(f'{fault}: {name}', values)
        print(f'\n{len(stream.sent)} writes sent, {len(stream.acknowledged)} acknowledged, '
              f'{len(stream.failed)} failed {stream.failed[:3]}')
        if arguments.svg:
            with open(arguments.svg, 'w', encoding='utf-8') as file:
                file.write(draw('From the fault to the next acknowledged write', rows))
        return 1 if stream.failed else 0


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--bin', default=os.path.join(TOP, 'build', 'release', 'bin'))
    parser.add_argument('--kills', type=int, default=10)
    parser.add_argument('--stops', type=int, default=10)
    parser.add_argument('--switchovers', type=int, default=10)
    parser.add_argument('--rate', type=int, default=1000)
    parser.add_argument('--svg')
    return parser.parse_args()


if __name__ == '__main__':
    options = parse()
    os.environ.setdefault('SKEIN_BIN', os.path.abspath(options.bin))
    sys.path.insert(0, os.path.join(TOP, 'tests', 'integration'))
    import isolation
    from failover_chart import draw, quantile
    from harness import Cluster, Pipe
    isolation.enter()
    sys.exit(measure(options))
