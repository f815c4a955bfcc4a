"""A load of transactions and reads whose every answer is checked, for tests that break things.

Every transaction inserts a document of its own and its twin, so one that is lost or done in part
shows; one that is done again fails, since its documents exist.

  - A steady lane sends one transaction after the other with all the time it needs, and expects all
    to succeed; each also counts, and checks that the counter is as the one before left it. Every
    other steady lane names its own session.
  - Rival lanes do the same with one counter that they share, and expect to lose races.
  - A hasty lane gives its transactions too little time for a failover, and expects that what it is
    told is true: done, certainly not done, or unknown; the unknown are asked about at the end.
  - A linearizable reader sees at least what was acknowledged before it asked and at most what was
    sent before it was answered, and no version older than one that was seen before it asked.
  - A session reader never goes back in time, lane by lane and version by version.
  - An auditor reads counters and their twins in one transaction, and expects to find them equal.
"""

import itertools
import queue
import random
import threading
import time

from harness import Pipe

STEADY_TIMEOUT_MS = 20000
RIVAL_COUNTER = 'rival'
NOT_DONE = ('deadline', 'unavailable', 'busy')
READ_BACK_COUNT = 50
COUNTERS = ('counters', 'counter_twins')
WRITES = ('writes', 'write_twins')


def on_both(collections, name, **fields):
    """An operation on a document and on its twin."""
    return [{**fields, 'collection': collection, 'id': name} for collection in collections]


class Asker:
    """A `skein pipe` that many threads use at once, each waiting for its own replies."""

    def __init__(self, cluster, outstanding=64):
        self.pipe = Pipe(cluster, outstanding)
        self.lock = threading.Lock()
        self.waiting = {}
        self.tags = itertools.count(1)
        self.thread = threading.Thread(target=self.receive, daemon=True)
        self.thread.start()

    def receive(self):
        while True:
            reply = self.pipe.receive()
            if reply is None:
                break
            with self.lock:
                self.waiting.pop(reply['tag']).put(reply)
        with self.lock:
            for mailbox in self.waiting.values():
                mailbox.put({'error': {'code': 'pipe_ended'}})

    def ask(self, **request):
        mailbox = queue.SimpleQueue()
        with self.lock:
            tag = next(self.tags)
            self.waiting[tag] = mailbox
            self.pipe.send({**request, 'tag': tag})
        return mailbox.get()

    def close(self):
        """The exit code of the pipe."""
        self.pipe.process.stdin.close()
        self.thread.join()
        self.pipe.process.stdout.close()
        return self.pipe.process.wait(timeout=60)


class Lane:
    """Transactions one after the other; a thread's work."""

    def __init__(self, load, name):
        self.load = load
        self.name = name
        self.sent = 0
        self.versions = {}  # number of a transaction known to be done: its version
        self.undone = set()  # numbers of those known not to be done

    def inserts(self):
        return on_both(WRITES, f'{self.name}-{self.sent}', op='insert', document={'n': self.sent})

    def note_done(self, reply):
        self.versions[self.sent] = reply['version']
        self.load.see_version(reply['version'])

    def fail(self, reply):
        self.load.complain(f'{self.name}-{self.sent} failed: {reply["error"]}')

    def run(self):
        while not self.load.is_ending:
            self.sent += 1
            self.send()
            time.sleep(self.load.pause)


def counting(counter, document_version, count):
    """Operations that count, if the counter was not written since it had that version."""
    return [{'op': 'check', 'collection': COUNTERS[0], 'id': counter,
             'document_version': document_version},
            *on_both(COUNTERS, counter, op='put', document={'n': count})]


class SteadyLane(Lane):

    def __init__(self, load, name, names_session):
        super().__init__(load, name)
        self.names_session = names_session
        self.version = load.make_counter(name)  # of the counter

    def send(self):
        operations = counting(self.name, self.version, self.sent) + self.inserts()
        request = {'do': 'txn', 'operations': operations, 'timeout_ms': STEADY_TIMEOUT_MS}
        if self.names_session:
            request |= {'session': self.name, 'sequence': self.sent, 'done_below': self.sent}
        reply = self.load.writes.ask(**request)
        if 'error' in reply:
            self.fail(reply)
            self.load.end()
        else:
            self.version = reply['version']
            self.note_done(reply)


class RivalLane(Lane):

    def send(self):
        read = self.load.get(id=RIVAL_COUNTER, level='any')
        if read is None:
            return
        operations = counting(RIVAL_COUNTER, read['document_version'], read['document']['n'] + 1)
        reply = self.load.writes.ask(do='txn', operations=operations + self.inserts(),
                                     timeout_ms=STEADY_TIMEOUT_MS)
        if 'error' not in reply:
            self.note_done(reply)
        elif reply['error']['code'] == 'refused':
            self.undone.add(self.sent)
        else:
            self.fail(reply)


class HastyLane(Lane):

    def __init__(self, load, name):
        super().__init__(load, name)
        self.unknown = {}  # number of a transaction: the error that names session and sequence

    def send(self):
        reply = self.load.writes.ask(do='txn', operations=self.inserts(),
                                     timeout_ms=random.choice((10, 50, 100, 200)))
        code = reply.get('error', {}).get('code')
        if code is None:
            self.note_done(reply)
        elif code in NOT_DONE:
            self.undone.add(self.sent)
        elif code == 'unknown_outcome':
            self.unknown[self.sent] = reply['error']
        else:
            self.fail(reply)

    def resolve(self, cluster):
        """Asks how the unknown ended."""
        for number, error in self.unknown.items():
            status = cluster.skein('--timeout', str(STEADY_TIMEOUT_MS), 'txn-status',
                                   error['session'], str(error['sequence']))
            if status['status'] == 'committed':
                self.versions[number] = status['version']
            elif status['status'] == 'not_committed':
                self.undone.add(number)
            else:
                self.load.complain(f'{self.name}-{number} has status {status}')


class Load:
    """Starts with the object and runs until stop()."""

    def __init__(self, cluster, pause=0.005):
        self.cluster = cluster
        self.pause = pause
        self.is_ending = False
        self.complaints = []
        self.version = 0  # the highest in an answer so far
        self.lock = threading.Lock()
        self.writes = Asker(cluster)
        self.questions = Asker(cluster)
        self.make_counter(RIVAL_COUNTER)
        self.steady = [SteadyLane(self, f's{i}', i % 2 == 1) for i in range(6)]
        self.rivals = [RivalLane(self, f'r{i}') for i in range(2)]
        self.hasty = [HastyLane(self, f'h{i}') for i in range(2)]
        self.lanes = self.steady + self.rivals + self.hasty
        work = [lane.run for lane in self.lanes] + [self.audit]
        work += [self.read_linearizable, self.read_session] * 2
        self.threads = [threading.Thread(target=run, daemon=True) for run in work]
        for thread in self.threads:
            thread.start()

    def make_counter(self, name):
        """The version of the new counter."""
        reply = self.writes.ask(do='txn', timeout_ms=STEADY_TIMEOUT_MS,
                                operations=on_both(COUNTERS, name, op='put', document={'n': 0}))
        return reply['version']

    def complain(self, sentence):
        if len(self.complaints) < 20:
            self.complaints.append(sentence)

    def see_version(self, version):
        with self.lock:
            self.version = max(self.version, version)

    def done(self):
        """Transactions acknowledged so far."""
        return sum(len(lane.versions) for lane in self.lanes)

    def get(self, collection=COUNTERS[0], **request):
        """A reply to a read, or None after a failure, which is complained about."""
        reply = self.questions.ask(do='get', collection=collection, timeout_ms=STEADY_TIMEOUT_MS,
                                   **request)
        if 'error' in reply:
            self.complain(f'the read {request} failed: {reply["error"]}')
            return None
        return reply

    def read_linearizable(self):
        while not self.is_ending:
            lane = random.choice(self.steady)
            count_min, version_min = len(lane.versions), self.version
            reply = self.get(id=lane.name)
            if reply is None:
                return
            count = reply['document']['n']
            if not count_min <= count <= lane.sent:
                self.complain(f'{lane.name} reads {count} at version {reply["version"]}, '
                              f'{count_min} were acknowledged and {lane.sent} sent')
            if reply['version'] < version_min:
                self.complain(f'version {reply["version"]} was read after {version_min} was seen')
            self.see_version(reply['version'])
            time.sleep(self.pause)

    def read_session(self):
        version = 0
        counts = {}
        while not self.is_ending:
            lane = random.choice(self.steady)
            reply = self.get(id=lane.name, level='session', after_version=version)
            if reply is None:
                return
            count = reply['document']['n']
            if reply['version'] < version or count < counts.get(lane.name, 0):
                self.complain(f'a session went back from version {version} and count '
                              f'{counts.get(lane.name)} of {lane.name} to {reply}')
            version, counts[lane.name] = reply['version'], count
            time.sleep(self.pause)

    def audit(self):
        names = [RIVAL_COUNTER] + [lane.name for lane in self.steady]
        operations = [get for name in names for get in on_both(COUNTERS, name, op='get')]
        while not self.is_ending:
            count_min = self.count_rivals()
            reply = self.questions.ask(do='txn', operations=operations,
                                       timeout_ms=STEADY_TIMEOUT_MS)
            if 'error' in reply:
                self.complain(f'the audit failed: {reply["error"]}')
                return
            # A repeat of a transaction that ran before says so instead of what was read.
            if not reply.get('replayed'):
                counts = [result['document']['n'] for result in reply['results']]
                if counts[::2] != counts[1::2] or counts[0] < count_min:
                    self.complain(f'counters and twins are {counts}, with {count_min} rivals')
            time.sleep(10 * self.pause)

    def count_rivals(self):
        return sum(len(lane.versions) for lane in self.rivals)

    def end(self):
        self.is_ending = True

    def stop(self):
        """Ends the load and returns all complaints, also about what is found afterwards."""
        self.end()
        for thread in self.threads:
            thread.join(timeout=2 * STEADY_TIMEOUT_MS / 1000)
            if thread.is_alive():
                self.complain('a request was never answered')
        for lane in self.hasty:
            lane.resolve(self.cluster)
        if not self.complaints:
            self.read_back()
        for asker in (self.writes, self.questions):
            if asker.close() != 0:
                self.complain('a pipe failed')
        return self.complaints

    def read_back(self):
        self.expect_count(RIVAL_COUNTER, self.count_rivals())
        for lane in self.steady:
            self.expect_count(lane.name, len(lane.versions))
        writes = [(f'{lane.name}-{number}', {'n': number}, version)
                  for lane in self.lanes for number, version in lane.versions.items()]
        writes += [(f'{lane.name}-{number}', None, 0)
                   for lane in self.lanes for number in lane.undone]
        for start in range(0, len(writes), READ_BACK_COUNT):
            self.expect_writes(writes[start:start + READ_BACK_COUNT])

    def expect_count(self, name, count):
        reply = self.get(id=name)
        if reply is not None and reply['document']['n'] != count:
            self.complain(f'{name} counts {reply["document"]["n"]}, {count} were done')

    def expect_writes(self, writes):
        """All of them from the primary, and one of them by a reader."""
        operations = [get for name, _, _ in writes for get in on_both(WRITES, name, op='get')]
        reply = self.questions.ask(do='txn', operations=operations, timeout_ms=STEADY_TIMEOUT_MS)
        if 'error' in reply:
            self.complain(f'reading back failed: {reply["error"]}')
            return
        for index, (name, document, version) in enumerate(writes):
            for found in reply['results'][2 * index:2 * index + 2]:
                self.expect_document(name, document, version, found)
        name, document, version = random.choice(writes)
        self.expect_document(name, document, version, self.get(WRITES[0], id=name))

    def expect_document(self, name, document, version, found):
        if (found['document'], found['document_version'] or 0) != (document, version):
            self.complain(f'{name} should be {document} of version {version}, is {found}')
