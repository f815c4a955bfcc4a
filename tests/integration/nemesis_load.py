"""What clients do while the nemesis works: the load of transactions.py and more lanes beside it.

  - A set lane adds documents to groups and finds all of a group by an index.
  - A counter lane counts by $inc, and sends what it counts again and again, by two clients, also
    when it was done: it must count once.
  - A session lane writes a key of its own and reads all keys in a session, which never goes back.
    It writes with $max: what is done late, when its outcome was unknown, changes nothing.
  - A probe asks for something that should be served within PROBE_MS, all the time: that is what is
    called availability.

Clients may be killed: then what they had asked has an unknown outcome.
"""

import collections
import json
import os
import subprocess
import threading
import time

import harness
import transactions
from transactions import (NOT_DONE, PATIENT_MS, PIPE_ENDED, UNDECIDED, Lane, ListLane,
                          operation)
from workload import Asker

PROBE_MS = 1000
PROBE_PAUSE = 0.1
SETS, COUNTERS, KEYS = 'sets', 'counters', 'keys'
ADDS_OF_GROUP = 100
COUNTER_NAMES = ('n1', 'n2', 'n3')
COPIES_MAX = 4
FINAL_PROCESS = 900  # number of the client that reads all in the end
FINAL_TRIES = 10


class MortalAsker(Asker):
    """A `skein pipe` that may be killed, and is started anew then."""

    def __init__(self, cluster):
        self.cluster = cluster
        super().__init__(cluster)

    def ask(self, **request):
        try:
            return super().ask(**request)
        except (BrokenPipeError, ValueError):
            return {'error': {'code': PIPE_ENDED}}

    def kill(self):
        self.pipe.process.kill()
        self.thread.join()
        self.pipe.process.wait()
        self.pipe.process.stdout.close()
        with self.lock:
            # Who asked after the end was told is told now.
            for mailbox in self.waiting.values():
                mailbox.put({'error': {'code': PIPE_ENDED}})
            self.waiting.clear()
            self.pipe = harness.Pipe(self.cluster)
            self.thread = threading.Thread(target=self.receive, daemon=True)
            self.thread.start()


class SetLane(Lane):

    kind = 'set'

    def group(self):
        return f'g{self.load.set_numbers // ADDS_OF_GROUP}'

    def send(self):
        if self.random.random() < 0.6:
            number, group = self.load.next_set_number(), self.group()
            self.transact([operation('insert', self.load.sets, str(number),
                                     document={'group': group, 'number': number})],
                          [['add', group, number]], lambda reply: [None])
        else:
            self.read_set(self.group())

    def read_set(self, group):
        read = self.read(do='find', collection=self.load.sets, where={'group': group}, limit=1000)
        if read is not None:
            reply, begin, end = read
            self.record([['read', group]], begin, end, 'ok', version=reply['version'],
                        results=[[row['document']['number'] for row in reply['documents']]])
        return read is not None


class CounterLane(Lane):

    kind = 'counter'

    def __init__(self, load, process):
        super().__init__(load, process)
        self.session = f'counting{load.chapter}-{process}'
        self.sequence = 0

    def send(self):
        if self.random.random() < 0.3:
            self.read_count(self.random.choice(COUNTER_NAMES))
        else:
            self.count(self.random.choice(COUNTER_NAMES), self.random.randint(1, 3))

    def read_count(self, name):
        read = self.read(do='get', collection=self.load.counters, id=name)
        if read is not None:
            reply, begin, end = read
            self.record([['read', name]], begin, end, 'ok',
                        results=[(reply['document'] or {'n': 0})['n']])
        return read is not None

    def count(self, name, amount):
        self.sequence += 1
        request = {'do': 'txn', 'session': self.session, 'sequence': self.sequence,
                   'done_below': self.sequence, 'operations': [
                       operation('update', self.load.counters, name, upsert=True,
                                 patch={'n': {'$inc': amount}})]}
        begin = time.monotonic_ns()
        replies = [self.ask_copy(request) for _ in range(self.random.choice((1, 1, 2)))]
        codes = [reply.get('error', {}).get('code') for reply in replies]
        while len(codes) < COPIES_MAX and not (None in codes or set(codes) <= set(NOT_DONE)):
            replies.append(self.ask_copy(request))
            codes.append(replies[-1].get('error', {}).get('code'))
        end = time.monotonic_ns()
        self.check_copies(replies)
        outcome = ('ok' if None in codes else 'fail' if set(codes) <= set(NOT_DONE) else 'unknown')
        self.record([['increment', name, amount]], begin,
                    None if outcome == 'unknown' else end, outcome,
                    **({'results': [None]} if outcome == 'ok' else {}))

    def ask_copy(self, request):
        asker = self.random.choice(self.load.askers)
        return asker.ask(**request, timeout_ms=self.timeout_ms())

    def check_copies(self, replies):
        """All that were done are the same one, done at one version."""
        done = [reply for reply in replies if 'error' not in reply]
        if len({reply['version'] for reply in done}) > 1:
            self.load.complain(f'{self.session} {self.sequence} was done more than once: {done}')
        for reply in replies:
            code = reply.get('error', {}).get('code')
            if code not in (None, 'unknown_outcome') + UNDECIDED + NOT_DONE:
                self.load.complain(f'{self.session} {self.sequence} failed: {reply["error"]}')


class SessionLane(Lane):

    kind = 'session'

    def __init__(self, load, process):
        super().__init__(load, process)
        self.number = 0
        self.version = 0

    def send(self):
        if self.random.random() < 0.3:
            self.write()
        else:
            self.read_key(f'k{self.random.choice(self.load.session_processes)}')

    def write(self):
        self.number += 1
        key = f'k{self.process}'
        begin = time.monotonic_ns()
        reply = self.asker.ask(do='txn', timeout_ms=self.timeout_ms(), operations=[
            operation('update', self.load.keys, key, upsert=True,
                      patch={'n': {'$max': self.number}})])
        end = time.monotonic_ns()
        code = reply.get('error', {}).get('code')
        asked = [['write', key, self.number]]
        if code is None:
            self.version = max(self.version, reply['version'])
            self.record(asked, begin, end, 'ok', results=[None], version=reply['version'])
        elif code in NOT_DONE:
            self.record(asked, begin, end, 'fail')
        else:
            self.record(asked, begin, end, 'unknown')

    def read_key(self, key):
        begin = time.monotonic_ns()
        reply = self.asker.ask(do='get', collection=self.load.keys, id=key, level='session',
                               after_version=self.version, timeout_ms=self.timeout_ms())
        end = time.monotonic_ns()
        if 'error' not in reply:
            self.version = max(self.version, reply['version'])
            self.record([['read', key]], begin, end, 'ok', version=reply['version'],
                        results=[reply['document'] and reply['document']['n']])


class RunLoad(transactions.Load):
    """The load of one chapter of a run. Its history is a file that grows."""

    def __init__(self, cluster, chapter, folder):
        self.chapter = chapter
        self.sets, self.counters, self.keys = (
            f'{name}{chapter}' for name in (SETS, COUNTERS, KEYS))
        self.set_numbers = 0
        self.session_processes = ()
        self.path = os.path.join(folder, f'history-{chapter}')
        self.file = open(self.path, 'w', encoding='utf-8')
        self.kinds = collections.Counter()  # records by kind and outcome
        super().__init__(cluster, pause=0.01, chapter=chapter)

    def make_asker(self):
        return MortalAsker(self.cluster)

    def lanes(self):
        others = super().lanes()
        first = len(others) + 5
        self.session_processes = range(first, first + 3)
        return others + [SetLane] * 2 + [CounterLane] * 2 + [SessionLane] * 3

    def next_set_number(self):
        with self.lock:
            self.set_numbers += 1
            return self.set_numbers

    def record(self, line):
        with self.lock:
            self.file.write(json.dumps(line) + '\n')
            self.kinds[line['kind'], line['outcome']] += 1
            self.done_count += line['outcome'] == 'ok'

    def stop(self):
        """Ends the load. To be judged afterwards."""
        self.end()
        for thread in self.threads:
            thread.join(timeout=4 * PATIENT_MS / 1000 * harness.SLOWNESS)
            if thread.is_alive():
                self.complain('a request was never answered')
        for asker in self.askers:
            if asker.close() != 0:
                self.complain('a pipe failed')
        self.file.close()
        return self.complaints

    def read_all(self):
        """Reads what there is in the end, as a further client."""
        self.file = open(self.path, 'a', encoding='utf-8')
        self.askers = [self.make_asker()]
        sets, lists, counters = (kind(self, FINAL_PROCESS) for kind in
                                 (SetLane, ListLane, CounterLane))
        for lane in (sets, lists, counters):
            lane.timeout_ms = lambda: PATIENT_MS
        reads = [lambda name=name: counters.read_count(name) for name in COUNTER_NAMES]
        reads += [lambda group=group: sets.read_set(f'g{group}')
                  for group in range(self.set_numbers // ADDS_OF_GROUP + 1)]
        reads += [lambda group=group: lists.read_group(f'g{group}', 100)
                  for group in range(self.numbers // transactions.APPENDS_OF_GROUP + 1)]
        for read in reads:
            for _ in range(FINAL_TRIES):
                if read() is not False:
                    break
            else:
                self.complain(f'something can\'t be read in the end, of chapter {self.chapter}')
        self.askers[0].close()
        self.file.close()

    def start_judging(self):
        return subprocess.Popen(['nice', transactions.CHECK, self.path], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)


class Probe:
    """Asks all the time, and notes second by second what was served in time."""

    def __init__(self, cluster):
        self.is_ending = False
        self.lock = threading.Lock()
        self.begin = time.monotonic()
        self.asked = collections.Counter()  # by second since the begin
        self.served = collections.Counter()
        self.served_at = {'write': self.begin, 'read': self.begin}  # last time
        self.outages = []  # (seconds, kind, when it began), those of a second and more
        self.asker = MortalAsker(cluster)
        self.threads = [threading.Thread(target=self.run, args=work, daemon=True)
                        for work in (('write', 0), ('write', 1), ('read', 2), ('read', 3))]
        for thread in self.threads:
            thread.start()

    def request(self, kind, number):
        if kind == 'read':
            return {'do': 'get', 'collection': 'probes', 'id': f'p{number - 2}'}
        return {'do': 'txn', 'operations': [
            operation('put', 'probes', f'p{number}', document={'at': time.time_ns()})]}

    def run(self, kind, number):
        while not self.is_ending:
            asked = time.monotonic()
            reply = self.asker.ask(**self.request(kind, number), timeout_ms=PROBE_MS)
            now = time.monotonic()
            self.note(kind, asked, now, 'error' not in reply and
                      now - asked < 2 * PROBE_MS / 1000 * harness.SLOWNESS)
            time.sleep(max(0, PROBE_PAUSE - (now - asked)))

    def note(self, kind, asked, now, is_served):
        second = int(asked - self.begin)
        with self.lock:
            self.asked[second] += 1
            if is_served:
                self.served[second] += 1
                self.end_outage(kind, now)

    def end_outage(self, kind, now):
        """What was not served until now is an outage when it lasted."""
        if now - self.served_at[kind] >= 1:
            self.outages.append((now - self.served_at[kind], kind, self.served_at[kind]))
        self.served_at[kind] = now

    def stop(self):
        self.is_ending = True
        for thread in self.threads:
            thread.join()
        for kind in self.served_at:
            self.end_outage(kind, time.monotonic())
        self.asker.close()

    def share(self):
        return sum(self.served.values()) / max(1, sum(self.asked.values()))

    def shares(self):
        """By second."""
        return [self.served[second] / self.asked[second] if self.asked[second] else 0
                for second in range(max(self.asked, default=0) + 1)]
