"""The command line tool as its users meet it: outputs, exit codes, errors, every command."""

import json
import re
import subprocess
import unittest

import harness
from harness import Cluster, Pipe


class CommandLine(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(readers=2, monitors=1)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def skein(self, *words, **options):
        return self.cluster.skein(*words, **options)

    def test_put_and_get(self):
        put = self.skein('put', 'c', 'x', '{"n": 1, "b": {"$bin": "AAE="}}')
        self.assertEqual(set(put), {'id', 'version', 'time'})
        self.assertEqual(put['id'], 'x')
        got = self.skein('get', 'c', 'x')
        self.assertEqual(set(got), {'id', 'document', 'document_version', 'time', 'version'})
        self.assertEqual(got['document'], {'n': 1, 'b': {'$bin': 'AAE='}})
        self.assertEqual(got['document_version'], put['version'])
        self.assertEqual(got['time'], put['time'])
        self.assertGreaterEqual(got['version'], put['version'])

    def test_ids_are_strings_unless_written_as_integers(self):
        self.assertEqual(self.skein('put', 'ids', 'i:42', '{"n": "number"}')['id'], 42)
        self.assertEqual(self.skein('put', 'ids', '42', '{"n": "string"}')['id'], '42')
        self.assertEqual(self.skein('get', 'ids', 'i:42')['document']['n'], 'number')
        self.assertEqual(self.skein('get', 'ids', '42')['document']['n'], 'string')

    def test_insert_makes_ids_and_refuses_those_that_exist(self):
        first = self.skein('insert', 'made', '{}')
        second = self.skein('insert', 'made', '-', stdin='{"n": 2}')
        self.assertEqual(len(first['id']), 26)
        self.assertLess(first['id'], second['id'])
        self.assertEqual(self.skein('insert', 'made', '{}', '--id', 'x')['id'], 'x')
        self.assertEqual(self.cluster.refusal('insert', 'made', '{}', '--id', 'x'), (1, 'exists'))

    def test_delete(self):
        self.skein('put', 'c', 'gone', '{}')
        self.assertEqual(self.skein('delete', 'c', 'gone')['id'], 'gone')
        self.assertEqual(self.cluster.refusal('get', 'c', 'gone'), (1, 'absent'))
        self.assertEqual(self.cluster.refusal('delete', 'c', 'gone'), (1, 'absent'))

    def test_txn_is_all_or_nothing(self):
        operations = [{'op': 'put', 'collection': 't', 'id': 'a', 'document': {'n': 1}},
                      {'op': 'get', 'collection': 't', 'id': 'a'},
                      {'op': 'insert', 'collection': 't', 'id': 'b', 'document': {}}]
        done = self.skein('txn', '-', stdin=json.dumps(operations))
        self.assertEqual(set(done), {'version', 'time', 'results'})
        self.assertEqual(done['results'][0], {})
        self.assertEqual(done['results'][1]['document'], {'n': 1})
        self.assertEqual(done['results'][2], {'id': 'b'})
        operations[0]['document'] = {'n': 2}
        self.assertEqual(self.cluster.refusal('txn', '-', stdin=json.dumps(operations)),
                         (1, 'exists'))
        self.assertEqual(self.skein('get', 't', 'a')['document'], {'n': 1})

    def test_txn_status_claims_what_has_not_run(self):
        self.assertEqual(self.skein('txn-status', 'nobody', '1'), {'status': 'not_committed'})
        pipe = Pipe(self.cluster)
        operation = {'op': 'put', 'collection': 't', 'id': 's', 'document': {}}
        pipe.send({'tag': 1, 'do': 'txn', 'session': 'mine', 'sequence': 1,
                   'operations': [operation]})
        pipe.send({'tag': 2, 'do': 'txn', 'session': 'nobody', 'sequence': 1,
                   'operations': [operation]})
        replies = {reply['tag']: reply for reply in pipe.close()[0]}
        self.assertEqual(self.skein('txn-status', 'mine', '1'),
                         {'status': 'committed', 'version': replies[1]['version']})
        self.assertEqual(replies[2]['error']['code'], 'expired')

    def test_reads_at_levels_and_versions(self):
        old = self.skein('put', 'v', 'x', '{"n": 1}')
        for level in ('linearizable', 'session', 'any'):
            got = self.skein('get', 'v', 'x', '--level', level)
            self.assertEqual(got['id'], 'x')
        got = self.skein('get', 'v', 'x', '--level', 'session', '--after-version',
                         str(old['version']))
        self.assertGreaterEqual(got['version'], old['version'])

    def test_bad_usage_exits_2_and_says_why(self):
        for words in (('get', 'c'), ('get', 'c', 'x', '--levle', 'any'), ('dance',),
                      ('put', 'c', 'x', '{'), ('put', 'c', 'x', '[]'), ('get', 'c', ''),
                      ('get', 'c', 'x', '--level', 'high'), ('--timeout', '0', 'status'),
                      ('get', 'c', 'x', '--after-version', '-1'), ('txn', '/nonexistent'),
                      ('put', '', 'x', '{}'), ('bench', '--workload', 'dance'),
                      ('update', 'c', 'x'), ('find', 'c', '--where', '{'), ('find',),
                      ('find', 'c', '--order', ''), ('count', 'c', '--limit', '3'),
                      ('collection', 'dance', 'c'), ('collection', 'drop'),
                      ('index', 'create', 'c'),
                      ('index', 'drop', 'c', 'x', 'y'), ('load', 'c', '/nonexistent'),
                      ('dump', 'c', '--level', 'snapshot'), ('history', 'c')):
            with self.subTest(words=words):
                self.assertEqual(self.cluster.refusal(*words)[0], 2)

    def test_every_command_has_help(self):
        names = re.findall(r'(?m)^  ([a-z-]+) {2,}[A-Z]', harness.run('--help'))
        for name in ('update', 'find', 'count', 'history', 'collection', 'index', 'load', 'dump'):
            self.assertIn(name, names)
        for name in names:
            with self.subTest(command=name):
                text = harness.run(name, '--help')
                self.assertTrue(text.startswith(f'skein {name} '))
                self.assertLess(max(len(line) for line in text.splitlines()), 100)
        self.assertIn('number of the line', harness.run('load', '--help'))

    def test_errors_for_people_are_one_line(self):
        result = harness.call('--at', self.cluster.at, '--format', 'plain', 'get', 'c', 'no')
        self.assertEqual(result.stdout, '')
        self.assertRegex(result.stderr, r'^skein: absent: [^\n]+\n$')

    def test_tables_are_for_people(self):
        self.skein('put', 'f', 'x', '{"n": [1, null], "text": "a\\tb"}')
        text = harness.run('--at', self.cluster.at, '--format', 'table', 'get', 'f', 'x')
        self.assertRegex(text, r'(?m)^id +x$')
        self.assertRegex(text, r'(?m)^document +\{"n":\[1,null\],"text":"a\\tb"\}$')
        text = harness.run('--at', self.cluster.at, '--format', 'table', 'status')
        lines = [line.split() for line in text.splitlines()]
        self.assertIn(['cluster', 'dev'], lines)
        self.assertIn(['role', 'name', 'state', 'endpoint', 'pid', 'applied', 'lag_versions'],
                      lines)

    def test_finds_are_tables_with_a_row_a_document(self):
        for name in ('a', 'b', 'c'):
            self.skein('put', 'rows', name, '{"n": 1}')
        text = harness.run('--at', self.cluster.at, '--format', 'table', 'find', 'rows', '--limit',
                           '2')
        lines = [line.split() for line in text.splitlines()]
        self.assertEqual(lines[0], ['id', 'document', 'document_version', 'time'])
        self.assertEqual([line[:2] for line in lines[1:3]], [['a', '{"n":1}'], ['b', '{"n":1}']])
        self.assertEqual(lines[3][0], 'cursor')
        text = harness.run('--at', self.cluster.at, '--format', 'table', 'collection', 'list')
        self.assertRegex(text, r'(?m)^rows +3 ')

    def test_plain_values_are_separated_by_tabs(self):
        self.skein('put', 'f', 'y', '{"n": 1}')
        text = harness.run('--at', self.cluster.at, '--format', 'plain', 'get', 'f', 'y')
        self.assertEqual(text.rstrip('\n').split('\t')[:2], ['y', '{"n":1}'])
        text = harness.run('--at', self.cluster.at, '--format', 'plain', 'status')
        self.assertEqual([line.split('\t')[0] for line in text.splitlines()[1:3]],
                         ['coordinator', 'coordinator'])

    def test_a_result_that_cannot_be_written_is_a_failure(self):
        with open('/dev/full', 'w', encoding='utf-8') as full:
            result = subprocess.run([harness.SKEIN, '--at', self.cluster.at, 'status'],
                                    stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(result.returncode, 6)

    def test_a_cluster_that_is_not_there_is_unavailable(self):
        result = harness.call('--at', 'tcp://127.0.0.1:1', '--timeout', '300', 'get', 'c', 'x')
        self.assertEqual(result.returncode, 4)
        self.assertIn('unavailable', result.stderr)

    def test_status(self):
        status = self.skein('status')
        for name in ('cluster', 'epoch', 'primary', 'version', 'processes'):
            self.assertIn(name, status)
        for process in status['processes']:
            for name in ('role', 'name', 'state', 'endpoint', 'pid', 'applied', 'lag_versions'):
                self.assertIn(name, process)

    def test_why_tells_how_the_cluster_was_born(self):
        why = self.skein('why')
        self.assertEqual(set(why), {'failovers'})
        last = why['failovers'][0]
        for name in ('epoch', 'old', 'new', 'cause', 'started', 'phases', 'total_ms'):
            self.assertIn(name, last)
        self.assertEqual(last['new'], self.skein('status')['primary'])
        for phase in last['phases']:
            self.assertEqual(set(phase), {'name', 'ms'})

    def test_switchover_moves_the_primary(self):
        old = self.cluster.primary()
        done = self.skein('switchover')
        self.assertEqual(set(done), {'old', 'new', 'epoch', 'ms'})
        self.assertEqual(done['old'], old)
        self.assertNotEqual(done['new'], old)
        self.assertEqual(self.cluster.primary(), done['new'])
        self.assertEqual(self.skein('switchover', old)['new'], old)
        self.assertEqual(self.cluster.refusal('switchover', 'nobody'), (1, 'absent'))

    def test_digest_agrees(self):
        self.skein('put', 'c', 'digest', '{}')
        digest = self.skein('digest')
        self.assertEqual(set(digest), {'version', 'agree', 'nodes'})
        self.assertTrue(digest['agree'])
        self.assertEqual(len({node['digest'] for node in digest['nodes']}), 1)
        self.assertEqual({node['name'] for node in digest['nodes']}, {'s1', 's2', 's3'})

    def test_monitor_shows_live_messages(self):
        lines = self.skein('monitor', '--count', '20')
        self.assertEqual(len(lines), 20)
        for line in lines:
            for name in ('time_us', 'from', 'to', 'kind', 'request', 'epoch', 'position', 'size',
                         'duration_us', 'outcome'):
                self.assertIn(name, line)

    def test_bench_measures(self):
        for workload in ('write', 'read', 'mixed', 'update', 'txn', 'find', 'echo'):
            with self.subTest(workload=workload):
                result = self.skein('bench', '--workload', workload, '--seconds', '1', '--clients',
                                    '8', '--keys', '100')
                self.assertEqual(result['workload'], workload)
                self.assertGreater(result['ops'], 0)
                self.assertEqual(result['errors'], 0)
                self.assertEqual(result['unknown'], 0)
                self.assertLessEqual(result['p50_us'], result['p99_us'])
                self.assertLessEqual(result['p99_us'], result['p999_us'])


class PipeTool(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(storage=1, readers=1)
        cls.cluster.__enter__()

    @classmethod
    def tearDownClass(cls):
        cls.cluster.__exit__(None, None, None)

    def test_every_request_is_answered_once(self):
        pipe = Pipe(self.cluster, outstanding=100)
        for number in range(1000):
            pipe.send({'tag': number, 'do': 'txn', 'operations': [
                {'op': 'put', 'collection': 'p', 'id': number, 'document': {'n': number}}]})
        replies, code = pipe.close()
        self.assertEqual(code, 0)
        self.assertEqual(sorted(reply['tag'] for reply in replies), list(range(1000)))
        self.assertTrue(all('error' not in reply for reply in replies))
        versions = [reply['version'] for reply in replies]
        self.assertEqual(len(set(versions)), 1000)

    def test_reads_see_what_was_acknowledged(self):
        pipe = Pipe(self.cluster)
        for number in range(100):
            pipe.send({'tag': 'w', 'do': 'txn', 'operations': [
                {'op': 'put', 'collection': 'p', 'id': 'x', 'document': {'n': number}}]})
            written = pipe.receive()
            pipe.send({'tag': 'r', 'do': 'get', 'collection': 'p', 'id': 'x'})
            read = pipe.receive()
            self.assertEqual(read['document'], {'n': number})
            self.assertEqual(read['document_version'], written['version'])
        self.assertEqual(pipe.close(), ([], 0))

    def test_finds_page_by_the_cursor_of_the_reply(self):
        pipe = Pipe(self.cluster)
        pipe.send({'tag': 'w', 'do': 'txn', 'operations': [
            {'op': 'put', 'collection': 'f', 'id': number, 'document': {'n': number}}
            for number in range(5)]})
        pipe.receive()
        cursor, numbers = None, []
        while True:
            pipe.send({'tag': 'f', 'do': 'find', 'collection': 'f', 'where': {'n': {'$gte': 1}},
                       'order': '-n', 'limit': 3, 'cursor': cursor})
            page = pipe.receive()
            self.assertLessEqual({'tag', 'version', 'documents', 'cursor'}, set(page))
            numbers += [row['document']['n'] for row in page['documents']]
            cursor = page['cursor']
            if cursor is None:
                break
        pipe.close()
        self.assertEqual(numbers, [4, 3, 2, 1])

    def test_absent_documents_are_null(self):
        pipe = Pipe(self.cluster)
        pipe.send({'tag': None, 'do': 'get', 'collection': 'p', 'id': 'nothing'})
        reply = pipe.receive()
        self.assertIsNone(reply['document'])
        self.assertIsNone(reply['tag'])
        pipe.close()

    def test_bad_lines_are_answered_and_the_rest_goes_on(self):
        pipe = Pipe(self.cluster)
        pipe.process.stdin.write('nonsense\n\n{"tag": {"a": 1}, "do": "dance"}\n')
        pipe.send({'tag': 3, 'do': 'get', 'collection': 'p', 'id': 'x'})
        pipe.process.stdin.write('{"tag": 4, "do": "get"')
        replies, code = pipe.close()
        self.assertEqual(code, 0)
        codes = [(reply['tag'], reply.get('error', {}).get('code')) for reply in replies]
        self.assertCountEqual(codes, [(None, 'bad_request'), (None, 'bad_request'),
                                      ({'a': 1}, 'bad_request'), (3, None),
                                      (None, 'bad_request')])

    def test_a_repeat_of_a_sequence_is_replayed(self):
        request = {'tag': 1, 'do': 'txn', 'session': 'again', 'sequence': 1, 'operations': [
            {'op': 'insert', 'collection': 'p', 'document': {}}]}
        pipe = Pipe(self.cluster)
        pipe.send(request)
        first = pipe.receive()
        pipe.send(request)
        second = pipe.receive()
        pipe.close()
        self.assertTrue(second['replayed'])
        self.assertEqual(first['version'], second['version'])
        self.assertEqual(first['results'], second['results'])

    def test_a_failing_operation_is_named(self):
        pipe = Pipe(self.cluster)
        pipe.send({'tag': 1, 'do': 'txn', 'operations': [
            {'op': 'put', 'collection': 'p', 'id': 'a', 'document': {}},
            {'op': 'insert', 'collection': 'p', 'id': 'a', 'document': {}}]})
        error = pipe.receive()['error']
        pipe.close()
        self.assertEqual((error['code'], error['operation']), ('exists', 1))


if __name__ == '__main__':
    harness.main()
