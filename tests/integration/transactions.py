"""Transactions and reads whose history is written down, for skein-check to judge.

Every lane is one client that asks one thing after the other, through one of a few pipes.

  - A list lane appends numbers to lists and reads lists, up to four in a transaction. It appends
    with $push, or puts the longer list if it is still what was read. It reads in transactions, by
    a reader, and all lists of a group by a find, in one piece or page by page.
  - A bank lane moves money between accounts if there is enough, and reads all accounts, in a
    transaction or by a find.
  - A register lane reads, writes, and writes if the value is the one that it expects.
  - An index lane makes and drops indexes that the finds of the others may use.

A third of the requests have too little time for a failover, so that outcomes become unknown. Of
half of these the end is asked for.
"""

import json
import os
import random
import subprocess
import threading
import time

import harness
from workload import Asker

CHECK = os.path.join(harness.BIN, 'skein-check')
CHECK_SECONDS = 120
PATIENT_MS = 20000
HASTY_MS = (20, 50, 100, 200)
NOT_DONE = ('deadline', 'unavailable', 'busy', 'read_only', 'refused', 'conflict', 'exists',
            'absent')
PIPE_ENDED = 'pipe_ended'
# A sequence that is given up may be so because another copy of the same transaction failed.
UNDECIDED = (PIPE_ENDED, 'expired')
LISTS_OF_GROUP = 5
APPENDS_OF_GROUP = 120
ACCOUNT_NAMES = [f'a{i}' for i in range(6)]
ACCOUNT_BEGIN = 50
OPEN_TRIES = 5
REGISTER_NAMES = [f'r{i}' for i in range(4)]


def operation(name, collection, key, **fields):
    return {'op': name, 'collection': collection, 'id': key, **fields}


class Lane:
    """A client; a thread's work."""

    kind = None

    def __init__(self, load, process):
        self.load = load
        self.process = process
        self.asker = load.askers[process % len(load.askers)]
        self.random = random.Random(process)

    def run(self):
        while not self.load.is_ending:
            self.send()
            time.sleep(self.load.pause)

    def timeout_ms(self):
        return self.random.choice(HASTY_MS) if self.random.random() < 1 / 3 else PATIENT_MS

    def transact(self, operations, asked, read_results):
        """Does a transaction and writes down `asked` with what read_results(reply) gives."""
        begin = time.monotonic_ns()
        reply = self.asker.ask(do='txn', operations=operations, timeout_ms=self.timeout_ms())
        end = time.monotonic_ns()
        code = reply.get('error', {}).get('code')
        if code is None:
            self.record(asked, begin, end, 'ok', results=read_results(reply),
                        version=reply['version'])
        elif code == 'unknown_outcome':
            self.record_unknown(asked, begin, reply['error'])
        elif code in UNDECIDED:
            self.record(asked, begin, None, 'unknown')
        elif code in NOT_DONE:
            self.record(asked, begin, end, 'fail')
        else:
            self.load.complain(f'{operations} failed: {reply["error"]}')
        return code

    def record_unknown(self, asked, begin, error):
        """As unknown, or as what it turns out to be."""
        status = None
        if self.random.random() < 0.5:
            status = self.load.ask_status(error)
        if status is None or status['status'] == 'expired':
            self.record(asked, begin, None, 'unknown')
        elif status['status'] == 'committed':
            self.record(asked, begin, time.monotonic_ns(), 'ok', version=status['version'],
                        results=[step[0] == 'compare_and_set' or None for step in asked])
        else:
            self.record(asked, begin, time.monotonic_ns(), 'fail')

    def record(self, asked, begin, end, outcome, **more):
        self.load.record({'process': self.process, 'kind': self.kind, 'invoke': begin,
                          'complete': end, 'outcome': outcome, 'operations': asked, **more})

    def read(self, **request):
        """(reply, begin, end) of a linearizable read; None after one that failed in good order."""
        begin = time.monotonic_ns()
        reply = self.asker.ask(level='linearizable', timeout_ms=self.timeout_ms(), **request)
        end = time.monotonic_ns()
        if 'error' not in reply:
            return reply, begin, end
        if reply['error']['code'] not in NOT_DONE + (PIPE_ENDED, 'too_old'):
            self.load.complain(f'{request} failed: {reply["error"]}')
        return None


class ListLane(Lane):

    kind = 'list'

    def send(self):
        draw = self.random.random()
        if draw < 0.5:
            self.send_updates()
        elif draw < 0.7:
            self.send_put_of_what_was_read()
        elif draw < 0.85:
            self.read_one()
        else:
            self.read_group(self.load.group(), self.random.choice((1, 2, 100)))

    def draw_key(self):
        return f'{self.load.group()}-{self.random.randrange(LISTS_OF_GROUP)}'

    def send_updates(self):
        asked, operations = [], []
        for _ in range(self.random.randint(1, 4)):
            key = self.draw_key()
            if self.random.random() < 0.5:
                number = self.load.next_number()
                asked.append(['append', key, number])
                operations.append(operation('update', self.load.lists, key, upsert=True, patch={
                    'list': {'$push': number}, 'group': group_of(key)}))
            else:
                asked.append(['read', key])
                operations.append(operation('get', self.load.lists, key))
        self.transact(operations, asked, lambda reply: list_results(asked, reply))

    def send_put_of_what_was_read(self):
        key = self.draw_key()
        known = self.asker.ask(do='get', collection=self.load.lists, id=key, level='any',
                               timeout_ms=PATIENT_MS)
        if 'error' in known:
            return
        before = (known['document'] or {'list': []})['list']
        number = self.load.next_number()
        document = {'list': before + [number], 'group': group_of(key)}
        condition = ({'document_version': known['document_version']} if known['document']
                     else {'absent': True})
        self.transact([operation('check', self.load.lists, key, **condition),
                       operation('put', self.load.lists, key, document=document)],
                      [['read', key], ['append', key, number]],
                      lambda reply: [before, None])

    def read_one(self):
        key = self.draw_key()
        read = self.read(do='get', collection=self.load.lists, id=key)
        if read is not None:
            reply, begin, end = read
            self.record([['read', key]], begin, end, 'ok', version=reply['version'],
                        results=[(reply['document'] or {'list': []})['list']])

    def read_group(self, group, limit):
        """All pages are of the version of the first. False if it was not answered."""
        request = {'do': 'find', 'collection': self.load.lists, 'where': {'group': group},
                   'limit': limit}
        read = self.read(**request)
        if read is None:
            return False
        first, begin, end = read
        rows = list(first['documents'])
        cursor = first['cursor']
        while cursor is not None:
            page = self.read(cursor=cursor, **request)
            if page is None:
                return False
            rows += page[0]['documents']
            cursor = page[0]['cursor']
            if page[0]['version'] != first['version']:
                self.load.complain(f'a page of version {first["version"]} came at {page[0]}')
        self.record_group(group, rows, (begin, end), first['version'])
        return True

    def record_group(self, group, rows, times, version):
        found = {row['id']: row['document']['list'] for row in rows}
        if len(found) != len(rows):
            self.load.complain(f'a find gave a document twice: {rows}')
        keys = [f'{group}-{number}' for number in range(LISTS_OF_GROUP)]
        self.record([['read', key] for key in keys], *times, 'ok', version=version,
                    results=[found.get(key, []) for key in keys])


def group_of(key):
    return key.split('-')[0]


def list_results(asked, reply):
    """What was read; nothing is known of it when the reply repeats an outcome."""
    if reply.get('replayed'):
        return [None] * len(asked)
    return [(result['document'] or {'list': []})['list'] if step[0] == 'read' else None
            for step, result in zip(asked, reply['results'])]


class BankLane(Lane):

    kind = 'bank'

    def send(self):
        draw = self.random.random()
        if draw < 0.6:
            self.send_transfer()
        elif draw < 0.8:
            self.read_in_transaction()
        else:
            self.read_by_find()

    def send_transfer(self):
        source, target = self.random.sample(ACCOUNT_NAMES, 2)
        amount = self.random.randint(1, 30)
        give = {'patch': {'balance': {'$inc': -amount, 'min': 0}}}
        if self.random.random() < 0.5:
            give = {'patch': {'balance': {'$inc': -amount}},
                    'where': {'balance': {'$gte': amount}}}
        operations = [operation('update', self.load.accounts, source, **give),
                      operation('update', self.load.accounts, target,
                                patch={'balance': {'$inc': amount}})]
        self.random.shuffle(operations)
        self.transact(operations, [['transfer', source, target, amount]], lambda reply: [None])

    def read_in_transaction(self):
        operations = [operation('get', self.load.accounts, name) for name in ACCOUNT_NAMES]
        begin = time.monotonic_ns()
        reply = self.asker.ask(do='txn', operations=operations, timeout_ms=self.timeout_ms())
        end = time.monotonic_ns()
        if 'error' not in reply and not reply.get('replayed'):
            balances = [result['document']['balance'] for result in reply['results']]
            self.record([['read']], begin, end, 'ok',
                        results=[dict(zip(ACCOUNT_NAMES, balances))])

    def read_by_find(self):
        read = self.read(do='find', collection=self.load.accounts, order='-balance')
        if read is not None:
            reply, begin, end = read
            rows = reply['documents']
            balances = [row['document']['balance'] for row in rows]
            if balances != sorted(balances, reverse=True):
                self.load.complain(f'not in order: {balances}')
            self.record([['read']], begin, end, 'ok', results=[
                {row['id']: row['document']['balance'] for row in rows}])


class RegisterLane(Lane):

    kind = 'register'

    def __init__(self, load, process):
        super().__init__(load, process)
        self.known = {}  # name: the value that was read last

    def send(self):
        name = self.random.choice(REGISTER_NAMES)
        draw = self.random.random()
        if draw < 0.4:
            self.read_value(name)
        elif draw < 0.6:
            value = self.load.next_number()
            self.transact(
                [operation('put', self.load.registers, name, document={'value': value})],
                [['write', name, value]], lambda reply: [None])
        else:
            self.compare_and_set(name)

    def read_value(self, name):
        read = self.read(do='get', collection=self.load.registers, id=name)
        if read is not None:
            reply, begin, end = read
            value = reply['document'] and reply['document']['value']
            self.known[name] = value
            self.record([['read', name]], begin, end, 'ok', results=[value])

    def compare_and_set(self, name):
        expected, value = self.known.get(name), self.load.next_number()
        condition = {'absent': True} if expected is None else {'where': {'value': expected}}
        asked = [['compare_and_set', name, expected, value]]
        operations = [operation('check', self.load.registers, name, **condition),
                      operation('put', self.load.registers, name, document={'value': value})]
        begin = time.monotonic_ns()
        code = self.transact(operations, asked, lambda reply: [True])
        if code in ('refused', 'absent'):
            # It is known, too, that the value was another.
            self.record(asked, begin, time.monotonic_ns(), 'ok', results=[False])
        elif code is None:
            self.known[name] = value


class IndexLane(Lane):

    def run(self):
        while not self.load.is_ending:
            for collection, field in ((self.load.lists, 'group'),
                                      (self.load.accounts, 'balance')):
                self.change(op='create_index', collection=collection, index='passing',
                            fields=[field])
                time.sleep(0.2)
                self.change(op='drop_index', collection=collection, index='passing')

    def change(self, **change):
        while not self.load.is_ending:
            reply = self.asker.ask(do='txn', operations=[change], timeout_ms=PATIENT_MS)
            code = reply.get('error', {}).get('code')
            if code in (None, 'exists', 'absent'):
                return
            if code not in NOT_DONE + UNDECIDED + ('unknown_outcome',):
                self.load.complain(f'{change} failed: {reply["error"]}')


class Load:
    """Starts with the object and runs until stop()."""

    def __init__(self, cluster, pause=0.002, chapter=''):
        self.cluster = cluster
        self.lists, self.accounts, self.registers = (
            f'{name}{chapter}' for name in ('lists', 'accounts', 'registers'))
        self.pause = pause
        self.is_ending = False
        self.complaints = []
        self.lock = threading.Lock()
        self.numbers = 0  # drawn so far
        self.lines = []  # of the history; texts
        self.done_count = 0  # transactions and reads with outcome ok
        self.askers = [self.make_asker() for _ in range(3)]
        self.open_accounts()
        self.threads = [threading.Thread(target=lane(self, number).run, daemon=True)
                        for number, lane in enumerate(self.lanes(), 1)]
        for thread in self.threads:
            thread.start()

    def make_asker(self):
        return Asker(self.cluster)

    def lanes(self):
        return [ListLane] * 6 + [BankLane] * 3 + [RegisterLane] * 4 + [IndexLane]

    def open_accounts(self):
        """Again until it is known to be done; an insert is done once at most."""
        begin = time.monotonic_ns()
        for _ in range(OPEN_TRIES):
            reply = self.askers[0].ask(do='txn', timeout_ms=PATIENT_MS, operations=[
                operation('insert', self.accounts, name, document={'balance': ACCOUNT_BEGIN})
                for name in ACCOUNT_NAMES])
            if reply.get('error', {}).get('code') in (None, 'exists'):
                break
        else:
            self.complain(f'accounts were not opened: {reply["error"]}')
        self.record({'process': 0, 'kind': 'bank', 'invoke': begin, 'outcome': 'ok',
                     'complete': time.monotonic_ns(), 'results': [None], 'operations': [
                         ['open', {name: ACCOUNT_BEGIN for name in ACCOUNT_NAMES}]]})

    def next_number(self):
        with self.lock:
            self.numbers += 1
            return self.numbers

    def group(self):
        """Lists are left when they have become long."""
        return f'g{self.numbers // APPENDS_OF_GROUP}'

    def complain(self, sentence):
        with self.lock:
            if len(self.complaints) < 20:
                self.complaints.append(sentence)

    def record(self, line):
        with self.lock:
            self.lines.append(json.dumps(line) + '\n')
            self.done_count += line['outcome'] == 'ok'

    def done(self):
        return self.done_count

    def ask_status(self, error):
        result = harness.call('--at', self.cluster.at, '--format', 'json', '--timeout',
                              str(PATIENT_MS), 'txn-status', error['session'],
                              str(error['sequence']))
        return json.loads(result.stdout) if result.returncode == 0 else None

    def end(self):
        self.is_ending = True

    def stop(self):
        """Ends the load and returns all complaints, also about what skein-check says."""
        self.end()
        for thread in self.threads:
            thread.join(timeout=3 * PATIENT_MS / 1000)
            if thread.is_alive():
                self.complain('a request was never answered')
        for asker in self.askers:
            if asker.close() != 0:
                self.complain('a pipe failed')
        self.judge()
        return self.complaints

    def judge(self):
        path = os.path.join(self.cluster.dir, 'history')
        with open(path, 'w', encoding='utf-8') as file:
            file.writelines(self.lines)
        judged = subprocess.run([CHECK, path], capture_output=True, text=True, check=False,
                                timeout=CHECK_SECONDS * harness.SLOWNESS)
        if judged.returncode != 0:
            self.complain(judged.stdout + judged.stderr)
            self.keep(path)

    def keep(self, path):
        """A history that was found wrong is worth looking at."""
        kept = os.path.join(harness.BIN, '..', f'wrong-history-{os.getpid()}')
        os.replace(path, kept)
        self.complain(f'the history is {os.path.abspath(kept)}')
