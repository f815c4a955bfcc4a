"""Finds, their orders and pages, and indexes: how they are made, kept true under writes, and what
unique ones refuse.
"""

import json
import threading

import harness
from documents import DocumentCase, operation


class Finds(DocumentCase):

    def numbers(self, page):
        return [row['document']['n'] for row in page['documents']]

    def test_find_prints_a_line_a_document_and_a_cursor(self):
        self.put_many(5, lambda n: {'n': n})
        lines = self.lines('find', self.c, '--order', 'n', '--limit', '3')
        self.assertEqual(len(lines), 4)
        for line in lines[:3]:
            self.assertEqual(set(line), {'id', 'document', 'document_version', 'time'})
        self.assertEqual(set(lines[3]), {'cursor'})
        rest = self.lines('find', self.c, '--order', 'n', '--limit', '3', '--cursor',
                          lines[3]['cursor'])
        self.assertEqual([row['document']['n'] for row in lines[:3] + rest], [0, 1, 2, 3, 4])

    def test_conditions_mean_what_they_say(self):
        self.put_many(20, lambda n: {'n': n, 't': f't{n % 3}', 'f': n / 2, 'deep': {'er': n % 5}})
        self.done(operation('put', self.c, 'odd', document={'n': 'text', 'm': None}))
        for where, wanted in (
                ({'n': {'$gte': 3, '$lt': 6}}, {3, 4, 5}), ({'n': {'$in': [1, 99, 7.0]}}, {1, 7}),
                ({'f': 2}, {4}), ({'deep.er': 4, 't': 't1'}, {4, 19}),
                ({'$or': [{'n': 1}, {'n': {'$gt': 18}}]}, {1, 19}),
                ({'$not': {'n': {'$gte': 0}}}, {'text'}), ({'m': {'$exists': True}}, {'text'}),
                ({'n': {'$type': 'text'}}, {'text'}), ({'n': {'$prefix': 'te'}}, {'text'}),
                ({'$and': [{'n': {'$gt': 1}}, {'n': {'$lte': 2}}]}, {2}),
                ({'n': {'$ne': 3}, '$or': [{'n': 3}, {'n': 4}]}, {4}), ({'m': None}, {'text'})):
            with self.subTest(where=where):
                self.assertEqual(set(self.numbers(self.find(where=where))), wanted)
                self.assertEqual(self.skein('count', self.c, '--where', json.dumps(where)),
                                 {'count': len(wanted)})

    def test_order_goes_by_any_field_in_both_directions(self):
        self.put_many(30, lambda n: {'n': n, 'm': n % 7})
        for order in ('n', '-n'):
            numbers = [n for page in self.pages(order=order, limit=7) for n in self.numbers(page)]
            self.assertEqual(numbers, sorted(range(30), reverse=order == '-n'))
        self.skein('index', 'create', self.c, 'by_m', 'm')
        for order in ('m', '-m'):
            rows = [row['document'] for page in self.pages(order=order, limit=4)
                    for row in page['documents']]
            self.assertEqual([row['m'] for row in rows],
                             sorted((n % 7 for n in range(30)), reverse=order == '-m'))
            self.assertEqual(len({row['n'] for row in rows}), 30)

    def test_pages_stay_at_one_version_whatever_is_written(self):
        self.put_many(300, lambda n: {'n': n})
        numbers, versions = [], set()
        for page in self.pages(order='n', limit=20):
            numbers += self.numbers(page)
            versions.add(page['version'])
            self.done(operation('put', self.c, 1000 + len(numbers), document={'n': 150.5}),
                      operation('delete', self.c, (len(numbers) + 25) % 300),
                      operation('update', self.c, (len(numbers) + 40) % 300, upsert=True,
                                patch={'n': -1}))
        self.assertEqual(numbers, list(range(300)))
        self.assertEqual(len(versions), 1)

    def test_explain_names_the_index_and_the_rows(self):
        self.put_many(50, lambda n: {'n': n, 'm': n % 5})
        scan = self.skein('find', self.c, '--where', '{"m": 3}', '--explain')
        self.assertEqual((scan['index'], scan['examined']), (None, 50))
        self.skein('index', 'create', self.c, 'by_m', 'm')
        used = self.skein('find', self.c, '--where', '{"m": 3}', '--explain')
        self.assertEqual((used['index'], used['examined']), ('by_m', 10))
        page = self.find(where={'m': 3})
        self.assertEqual(page['stats']['index'], 'by_m')
        told = self.find(where={'m': 3, 'n': 3}, index='by_m')
        self.assertEqual(self.numbers(told), [3])

    def test_wrong_finds_are_refused(self):
        self.put_many(5, lambda n: {'n': n})
        self.assert_exit('absent', 'find', self.c, '--index', 'no', says='no')
        self.assert_exit('bad_request', 'find', self.c, '--limit', '0')
        self.assert_exit('too_large', 'find', self.c, '--limit', '1001')
        self.assert_exit('bad_request', 'find', self.c, '--where', '{"n": {"$foo": 1}}',
                         says='$foo')
        self.assert_exit('type', 'find', self.c, '--where', '[1]')
        self.assert_exit('bad_request', 'find', self.c, '--where', '{')
        self.assert_exit('bad_request', 'find', self.c, '--order', 'a..b')
        self.assertEqual(len(self.lines('find', self.c, '--limit', '1000')), 5)
        self.assertEqual(self.lines('find', 'nobody_made_this'), [])
        self.assertEqual(self.skein('count', 'nobody_made_this'), {'count': 0})

    def test_cursors_that_are_not_ours_are_refused(self):
        self.put_many(5, lambda n: {'n': n})
        words = ('find', self.c, '--order', 'n', '--limit', '2')
        cursor = self.lines(*words)[-1]['cursor']
        flipped = ('B' if cursor[10] == 'A' else 'A').join((cursor[:10], cursor[11:]))
        for forged in ('x', 'AAAA', '!', cursor[:-3], cursor + 'AAAA', flipped, 'A' * 20000):
            with self.subTest(cursor=forged[:30]):
                self.assert_exit('bad_request', *words, '--cursor', forged)
        for other in (('find', self.c, '--order', '-n'), ('find', self.c, '--limit', '2'),
                      ('find', self.c, '--order', 'n', '--where', '{"n": 1}'),
                      ('find', 'other', '--order', 'n')):
            with self.subTest(words=other):
                self.assert_exit('bad_request', *other, '--cursor', cursor)
        self.assertEqual(len(self.lines(*words, '--cursor', cursor)), 3)

    def test_levels_and_tokens(self):
        version = self.skein('put', self.c, 'x', '{"n": 1}')['version']
        for words in (('--level', 'linearizable'), ('--level', 'any'),
                      ('--level', 'session', '--after-version', str(version))):
            page = self.lines('find', self.c, *words)
            self.assertLessEqual(len(page), 1)
        reply = self.find(level='session', after_version=version)
        self.assertGreaterEqual(reply['version'], version)
        self.assertEqual(self.numbers(reply), [1])


class Indexes(DocumentCase):

    def test_index_names_and_fields_are_checked(self):
        self.skein('index', 'create', self.c, 'by_n', 'n')
        self.assert_exit('exists', 'index', 'create', self.c, 'by_n', 'n')
        self.assert_exit('bad_request', 'index', 'create', self.c, 'x', 'a..b')
        self.assert_exit('bad_request', 'index', 'create', self.c, 'x', 'a,,b')
        self.assert_exit('bad_request', 'index', 'create', self.c, 'x' * 65, 'a')
        self.assert_exit('bad_request', 'index', 'create', self.c, '', 'a')
        self.assert_exit('bad_request', 'index', 'create', self.c, 'x', 'a,b,c,d,e,f,g,h,i')
        self.assert_exit('bad_request', 'index', 'create', self.c, 'x')
        self.assert_exit('absent', 'index', 'drop', self.c, 'x')
        self.assert_exit('absent', 'index', 'drop', 'nobody_made_this', 'x')
        self.skein('index', 'drop', self.c, 'by_n')
        self.assert_exit('absent', 'find', self.c, '--index', 'by_n')

    def test_there_are_64_indexes_at_most(self):
        for number in range(64):
            self.done(operation('create_index', self.c, index=f'i{number}', fields=['a']))
        self.assert_refused(self.ask(operation('create_index', self.c, index='one_more',
                                               fields=['a'])), 'too_large')

    def test_an_index_key_has_1024_bytes_at_most(self):
        self.skein('index', 'create', self.c, 'by_a', 'a', '--unique')
        self.done(operation('put', self.c, 'x', document={'a': 'x' * 900}))
        self.assert_refused(self.ask(operation('put', self.c, 'y', document={'a': 'x' * 1100})),
                            'too_large', number=0)

    def test_unique_refuses_the_second_and_exempts_what_is_missing(self):
        self.skein('index', 'create', self.c, 'by_mail', 'mail', '--unique')
        self.skein('put', self.c, 'a', '{"mail": "x"}')
        self.assert_exit('unique', 'put', self.c, 'b', '{"mail": "x"}', says='by_mail')
        self.assert_exit('unique', 'insert', self.c, '{"mail": "x"}')
        self.skein('put', self.c, 'b', '{}')
        self.skein('put', self.c, 'c', '{}')
        self.assert_exit('unique', 'update', self.c, 'b', '{"mail": "x"}')
        self.skein('delete', self.c, 'a')
        self.skein('update', self.c, 'b', '{"mail": "x"}')
        self.assert_refused(self.ask(operation('put', self.c, 'd', document={'mail': 'y'}),
                                     operation('put', self.c, 'e', document={'mail': 'y'})),
                            'unique', number=1)

    def test_a_unique_index_over_equal_values_fails(self):
        self.done(*[operation('put', self.c, key, document={'n': 1}) for key in ('a', 'b')])
        self.assert_exit('unique', 'index', 'create', self.c, 'by_n', 'n', '--unique')
        self.skein('put', self.c, 'c', '{"n": 1}')
        self.assert_exit('absent', 'find', self.c, '--index', 'by_n')
        self.skein('index', 'drop', self.c, 'by_n')
        self.skein('index', 'create', self.c, 'by_n', 'n')
        self.assertEqual(len(self.lines('find', self.c, '--index', 'by_n')), 3)

    def test_of_rivals_for_a_unique_value_one_wins(self):
        self.skein('index', 'create', self.c, 'by_n', 'n', '--unique')
        won = []

        def race(lane):
            for n in range(20):
                reply = self.ask(operation('insert', self.c, f'{lane}-{n}', document={'n': n}))
                code = reply.get('error', {}).get('code', 'ok')
                won.append((n, code))

        threads = [threading.Thread(target=race, args=(lane,)) for lane in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(n for n, code in won if code == 'ok'), list(range(20)))
        self.assertEqual({code for n, code in won}, {'ok', 'unique'})
        self.assertEqual(self.skein('count', self.c), {'count': 20})

    def test_an_index_is_built_under_writes(self):
        self.put_many(5000, lambda n: {'n': n, 'm': n % 10})
        stop = threading.Event()

        def write():
            for turn in range(1 << 30):
                if stop.is_set():
                    break
                key = turn * 7919 % 6000
                self.done(operation('put', self.c, key, document={'n': key, 'm': turn % 10}))
                self.ask(operation('delete', self.c, turn * 104729 % 6000))

        threads = [threading.Thread(target=write) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.skein('index', 'create', self.c, 'by_m', 'm', timeout=120)
        stop.set()
        for thread in threads:
            thread.join()
        for m in range(10):
            by_index = self.done(operation('find', self.c, where={'m': m}, index='by_m',
                                           limit=1000))[0]
            self.assertEqual(by_index['stats']['index'], 'by_m')
            scan = self.done(operation('find', self.c, where={'$or': [{'m': m}]}, limit=1000))[0]
            self.assertEqual(sorted(row['id'] for row in by_index['documents']),
                             sorted(row['id'] for row in scan['documents']))


if __name__ == '__main__':
    harness.main()
