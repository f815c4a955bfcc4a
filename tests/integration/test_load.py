"""Load and dump: what goes in comes out, mistakes are named before anything is sent, a load that
was killed is completed by another, a dump is one version.
"""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading

import harness
from documents import DocumentCase, nested, operation
from harness import SKEIN


class LoadAndDump(DocumentCase):

    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory(prefix='skein-test-')
        self.file = os.path.join(self.folder.name, 'lines')

    def tearDown(self):
        self.folder.cleanup()

    def write(self, *lines):
        with open(self.file, 'w', encoding='utf-8') as file:
            file.write(''.join(line + '\n' for line in lines))

    def write_many(self, count):
        self.write(*[json.dumps({'document': {'n': n, 'pad': 'x' * 100}, **(
            {'id': n} if n % 2 else {})}) for n in range(count)])

    def dump(self, collection):
        """(documents by id as printed, version)."""
        result = harness.call('--at', self.cluster.at, '--format', 'json', 'dump', collection,
                              timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout.splitlines(), json.loads(result.stderr)['version']

    def test_what_is_loaded_is_dumped(self):
        self.write_many(3000)
        loaded = self.skein('load', self.c, self.file)
        self.assertEqual(loaded['documents'], 3000)
        lines, version = self.dump(self.c)
        self.assertGreaterEqual(version, loaded['version'])
        rows = [json.loads(line) for line in lines]
        self.assertEqual({tuple(row) for row in rows}, {('id', 'document')})
        self.assertEqual(sorted(row['document']['n'] for row in rows), list(range(3000)))
        self.assertTrue(all(row['id'] == row['document']['n'] for row in rows
                            if row['document']['n'] % 2))
        again = self.skein('load', self.c + '_copy', '-', '--batch', '7',
                           stdin='\n'.join(lines))
        self.assertEqual(again['documents'], 3000)
        self.assertEqual(self.dump(self.c + '_copy')[0], lines)

    def test_a_load_can_be_repeated(self):
        self.write_many(500)
        self.skein('load', self.c, self.file)
        first = self.dump(self.c)[0]
        self.skein('load', self.c, self.file, '--batch', '3')
        self.assertEqual(self.dump(self.c)[0], first)

    def test_a_load_that_was_killed_is_completed_by_another(self):
        self.write_many(40000)
        process = subprocess.Popen([SKEIN, '--at', self.cluster.at, 'load', self.c, self.file],
                                   stdout=subprocess.PIPE)
        harness.wait_for(lambda: self.skein('count', self.c)['count'] > 0, 'the load to begin')
        process.send_signal(signal.SIGKILL)
        process.communicate()
        cut = self.skein('count', self.c)['count']
        self.assertLess(cut, 40000)
        self.skein('load', self.c, self.file, timeout=120)
        rows = [json.loads(line) for line in self.dump(self.c)[0]]
        self.assertEqual(sorted(row['document']['n'] for row in rows), list(range(40000)))

    def test_a_load_goes_on_through_a_failover(self):
        self.write_many(40000)
        self.cluster.wait_until_whole()
        process = subprocess.Popen([SKEIN, '--at', self.cluster.at, 'load', self.c, self.file],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        harness.wait_for(lambda: self.skein('count', self.c)['count'] > 0, 'the load to begin')
        self.cluster.kill(self.cluster.primary())
        printed, errors = process.communicate(timeout=60 * harness.SLOWNESS)
        self.assertEqual((process.returncode, errors), (0, ''))
        self.assertEqual(json.loads(printed)['documents'], 40000)
        self.assertEqual(len(self.dump(self.c)[0]), 40000)
        self.cluster.start()

    def test_every_bad_line_is_named_before_anything_is_sent(self):
        self.write('{"document": {"n": 1}}', 'nonsense', '', '{"id": 1}', '{"document": []}',
                   '{"document": {"n": NaN}}', json.dumps({'document': nested(25)}),
                   '{"document": {}, "version": 1}', '{"document": {}}')
        result = harness.call('--at', self.cluster.at, '--format', 'json', 'load', self.c,
                              self.file)
        self.assertEqual(result.returncode, 2)
        errors = [json.loads(line)['error'] for line in result.stderr.splitlines()]
        self.assertEqual([re.match(r'line (\d+)', error['message']).group(1)
                          for error in errors[:-1]], ['2', '4', '5', '6', '7', '8'])
        self.assertEqual([error['code'] for error in errors[:-1]],
                         ['bad_request', 'bad_request', 'type', 'bad_request', 'too_deep',
                          'bad_request'])
        self.assertIn('6 lines', errors[-1]['message'])
        self.assertEqual(self.skein('count', self.c), {'count': 0})
        self.write('{"document": {}}', '{}')
        self.assert_exit('bad_request', 'load', self.c, self.file, says='line 2')
        self.assertEqual(self.skein('count', self.c), {'count': 0})

    def test_of_lines_with_one_id_the_last_is_kept(self):
        self.write(*[json.dumps({'id': n % 50, 'document': {'n': n}}) for n in range(2000)])
        self.skein('load', self.c, self.file, '--batch', '20')
        rows = [json.loads(line) for line in self.dump(self.c)[0]]
        self.assertEqual({row['id']: row['document']['n'] for row in rows},
                         {n % 50: n for n in range(1950, 2000)})

    def test_a_line_that_the_collection_refuses_is_named(self):
        self.skein('collection', 'create', self.c, '{"check": [{"n": {"$gte": 0}}]}')
        self.write('{"document": {"n": 1}}', '', '{"document": {"n": -1}}')
        self.assert_exit('refused', 'load', self.c, self.file, says='line 3')

    def test_an_empty_file_is_loaded_and_a_missing_one_is_not(self):
        self.write()
        self.assertEqual(self.skein('load', self.c, self.file)['documents'], 0)
        self.assert_exit('bad_request', 'load', self.c, self.file + '.no', says='.no')
        self.assert_exit('bad_request', 'load', self.c, self.file, '--batch', '4097')
        self.assertEqual(self.dump(self.c)[0], [])

    def test_a_dump_is_one_version(self):
        self.put_many(4000, lambda n: {'n': 0})
        stop = threading.Event()

        def write():
            turn = 0
            while not stop.is_set():
                turn += 1
                self.done(*[operation('put', self.c, n, document={'n': turn})
                            for n in range(0, 4000, 400)])

        thread = threading.Thread(target=write)
        thread.start()
        try:
            for _ in range(3):
                rows = [json.loads(line) for line in self.dump(self.c)[0]]
                self.assertEqual(len(rows), 4000)
                self.assertEqual(len({row['document']['n'] for row in rows
                                      if row['id'] % 400 == 0}), 1)
        finally:
            stop.set()
            thread.join()


if __name__ == '__main__':
    harness.main()
