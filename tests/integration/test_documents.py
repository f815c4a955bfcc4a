"""The data model as its users meet it: every operation, the settings of collections, every limit on
both of its sides, and every error of the list that the data can give, all through the command line
tool on real processes.
"""

import json
import signal
import time

import harness
from documents import DocumentCase, nested, operation

MIB = 1024 * 1024


class Operations(DocumentCase):

    def test_update_applies_every_operator(self):
        self.skein('put', self.c, 'x', '{"n": 5, "f": 1.5, "list": [1, 2, 1], "gone": 1}')
        patch = {'n': {'$inc': 2}, 'f': {'$mul': 2}, 'low': {'$min': 3}, 'high': {'$max': 4},
                 'list': {'$pull': 1}, 'new': {'$push': 'a'}, 'gone': {'$unset': True},
                 'deep.er': 'set', 'at': {'$now': True}}
        done = self.skein('update', self.c, 'x', json.dumps(patch))
        self.assertEqual(set(done), {'id', 'version', 'time'})
        got = self.skein('get', self.c, 'x')['document']
        now = got.pop('at')
        self.assertEqual(got, {'n': 7, 'f': 3.0, 'low': 3, 'high': 4, 'list': [2], 'new': ['a'],
                               'deep': {'er': 'set'}})
        self.assertRegex(now['$time'], r'^20\d\d-')

    def test_update_of_an_absent_document_needs_upsert(self):
        self.assert_exit('absent', 'update', self.c, 'x', '{"n": {"$inc": 1}}')
        self.skein('update', self.c, 'x', '{"n": {"$inc": 1}}', '--upsert')
        self.skein('update', self.c, 'x', '-', '--upsert', stdin='{"n": {"$inc": 1}}')
        self.assertEqual(self.skein('get', self.c, 'x')['document'], {'n': 2})

    def test_update_and_delete_hold_to_their_conditions(self):
        self.skein('put', self.c, 'x', '{"stock": 1}')
        where = '{"stock": {"$gte": 2}}'
        self.assert_exit('refused', 'update', self.c, 'x', '{"a": 1}', '--where', where)
        self.assert_exit('refused', 'delete', self.c, 'x', '--where', where)
        self.skein('update', self.c, 'x', '{"stock": {"$inc": 1}}', '--where', '{"stock": 1}')
        self.assertEqual(self.skein('delete', self.c, 'x', '--where', where)['id'], 'x')
        self.assert_exit('absent', 'delete', self.c, 'x', '--where', where)

    def test_an_increment_keeps_its_bounds(self):
        self.skein('put', self.c, 'x', '{"n": 1}')
        self.assert_exit('refused', 'update', self.c, 'x', '{"n": {"$inc": -2, "min": 0}}')
        self.assert_exit('refused', 'update', self.c, 'x', '{"n": {"$inc": 9, "max": 9}}')
        self.skein('update', self.c, 'x', '{"n": {"$inc": -1, "min": 0}}')
        self.assertEqual(self.skein('get', self.c, 'x')['document'], {'n': 0})

    def test_a_transaction_sees_its_own_effects(self):
        results = self.done(
            operation('put', self.c, 'a', document={'n': 1}),
            operation('update', self.c, 'a', patch={'n': {'$inc': 1}}),
            operation('find', self.c, where={'n': 2}), operation('count', self.c),
            operation('delete', self.c, 'a'), operation('count', self.c),
            operation('get', self.c, 'a'))
        self.assertEqual([row['id'] for row in results[2]['documents']], ['a'])
        self.assertEqual(results[2]['documents'][0]['document'], {'n': 2})
        self.assertEqual((results[3]['count'], results[5]['count']), (1, 0))
        self.assertIsNone(results[6]['document'])

    def test_a_failed_transaction_leaves_nothing(self):
        self.assert_refused(self.ask(operation('put', self.c, 'a', document={}),
                                     operation('check', self.c, 'a', absent=True)),
                            'refused', number=1)
        self.assertEqual(self.skein('count', self.c), {'count': 0})
        self.assertEqual(self.lines('find', self.c), [])

    def test_check_takes_a_version_a_condition_or_absence(self):
        version = self.skein('put', self.c, 'x', '{"n": 1}')['version']
        self.done(operation('check', self.c, 'x', document_version=version),
                  operation('check', self.c, 'x', where={'n': 1}),
                  operation('check', self.c, 'y', absent=True))
        for wrong in ({'document_version': version + 1}, {'where': {'n': 2}}, {'absent': True}):
            self.assert_refused(self.ask(operation('check', self.c, 'x', **wrong)), 'refused',
                                number=0)

    def test_unchanged_names_the_document_that_changed(self):
        version = self.skein('put', self.c, 'x', '{"n": 1}')['version']
        self.done(operation('unchanged', self.c, ids=[['x', version], ['y', 0]]))
        self.skein('put', self.c, 'x', '{"n": 1}')
        self.assert_refused(self.ask(operation('unchanged', self.c, ids=[['x', version]])),
                            'conflict', '"x"', number=0)
        self.assert_refused(self.ask(operation('unchanged', self.c, find={'where': {}}, digest=1)),
                            'conflict', number=0)

    def test_operations_of_one_kind_are_alone_in_their_transaction(self):
        self.assert_refused(self.ask(operation('create_collection', self.c),
                                     operation('put', self.c, 'x', document={})), 'bad_request')
        self.assert_refused(self.ask(operation('history', self.c, 'x')), 'bad_request')



class Trouble(DocumentCase):
    """Errors that are not the data's fault."""

    def test_a_cluster_that_is_not_there_is_unavailable(self):
        self.assert_exit('unavailable', '--at', 'tcp://127.0.0.1:1', '--timeout', '200', 'count',
                         self.c)

    def test_a_version_that_does_not_come_in_time_is_a_deadline(self):
        self.skein('put', self.c, 'x', '{}')
        for level in ('snapshot', 'session'):
            self.assert_exit('deadline', '--timeout', '300', 'get', self.c, 'x', '--level', level,
                             '--at-version' if level == 'snapshot' else '--after-version',
                             '1000000000')

    def test_a_bound_on_the_lag_that_cannot_be_kept_is_stale(self):
        self.skein('put', self.c, 'x', '{}')
        self.cluster.wait_until_whole()
        primary = self.cluster.primary()
        majority = [primary, 's2' if primary == 's1' else 's1']
        for name in majority:
            self.cluster.kill(name, signal.SIGSTOP)
        try:
            self.assert_exit('stale', 'get', self.c, 'x', '--level', 'any', '--max-lag-ms', '1')
        finally:
            for name in majority:
                self.cluster.kill(name, signal.SIGCONT)
        self.assertEqual(self.skein('get', self.c, 'x', '--level', 'any', '--max-lag-ms',
                                    '60000')['id'], 'x')

    def put(self, session, sequence, **more):
        return self.ask(operation('put', self.c, 'x', document={'n': sequence}), session=session,
                        sequence=sequence, **more)

    def test_what_was_given_up_or_forgotten_is_expired(self):
        session = f'{self.c[-40:]}-{time.monotonic_ns()}'
        self.assertNotIn('error', self.put(session, 1))
        self.assertNotIn('error', self.put(session, 2, done_below=2))
        self.assert_refused(self.put(session, 1), 'expired', 'outcomes below 2 were given up')
        self.assert_refused(self.put(f'{session}-new', 257), 'expired', 'begin a new one')
        self.assertNotIn('error', self.put(f'{session}-new', 256))
        self.assertEqual(self.skein('txn-status', session, '3')['status'], 'not_committed')
        self.assert_refused(self.put(session, 3), 'expired', 'will never run')
        self.assertEqual(self.skein('txn-status', session, '1')['status'], 'expired')

    def test_a_session_that_gives_nothing_up_is_busy(self):
        session = f'{self.c[-40:]}-{time.monotonic_ns()}'
        for sequence in range(1, 257):
            self.assertNotIn('error', self.put(session, sequence, done_below=1))
        # The client tries again until its time is over; a copy may be on its way at that moment.
        for _ in range(20):
            reply = self.put(session, 257, done_below=1, timeout_ms=500)
            if reply['error']['code'] != 'unknown_outcome':
                break
        self.assert_refused(reply, 'busy', 'nothing was done')
        self.assertNotIn('error', self.put(session, 257, done_below=2))
        self.assertTrue(self.put(session, 256)['replayed'])

    def test_what_exists_is_not_inserted_and_may_be_put(self):
        self.assertEqual(self.done(operation('insert', self.c, 'x', document={'n': 1})),
                         [{'id': 'x'}])
        self.assert_refused(self.ask(operation('insert', self.c, 'x', document={'n': 2})),
                            'exists', 'put would replace it', number=0)
        self.assert_exit('exists', 'insert', self.c, '{}', '--id', 'x', says='"x"')
        self.assertEqual(self.skein('get', self.c, 'x')['document'], {'n': 1})

    def test_an_unknown_outcome_can_be_asked_for(self):
        self.cluster.wait_until_whole()
        primary = self.cluster.primary()
        self.cluster.kill(primary, signal.SIGSTOP)
        try:
            reply = self.ask(operation('update', self.c, 'x', patch={'n': {'$inc': 1}},
                                       upsert=True), timeout_ms=200)
        finally:
            self.cluster.kill(primary, signal.SIGCONT)
        self.assert_refused(reply, 'unknown_outcome')
        words = ('txn-status', reply['error']['session'], str(reply['error']['sequence']))
        status = self.skein(*words)['status']
        self.assertIn(status, ('committed', 'not_committed'))
        self.assertEqual(self.skein(*words)['status'], status)
        self.assertEqual(self.skein('count', self.c)['count'], 1 if status == 'committed' else 0)


class Schemas(DocumentCase):

    def listed(self):
        rows = [row for row in self.lines('collection', 'list') if row['name'] == self.c]
        return rows[0] if rows else None

    def test_collections_are_made_listed_and_dropped(self):
        made = self.skein('collection', 'create', self.c, '{"history": 60, "ttl": 3600}')
        self.assertEqual(made['collection'], self.c)
        self.assert_exit('exists', 'collection', 'create', self.c)
        self.skein('put', self.c, 'x', '{"n": 1}')
        listed = self.listed()
        self.assertEqual(listed['documents'], 1)
        self.assertGreater(listed['bytes'], 0)
        self.assertEqual(listed['settings'], {'history': 60, 'ttl': 3600})
        self.skein('collection', 'drop', self.c)
        self.assertIsNone(self.listed())
        self.assert_exit('absent', 'get', self.c, 'x')
        self.assert_exit('absent', 'collection', 'drop', self.c)
        self.skein('collection', 'create', self.c)
        self.assertEqual(self.skein('count', self.c), {'count': 0})

    def test_a_collection_can_be_made_with_indexes(self):
        self.skein('collection', 'create', self.c, json.dumps({
            'indexes': [{'name': 'by_n', 'fields': ['n']},
                        {'name': 'by_m', 'fields': ['m', 'n'], 'unique': True}]}))
        indexes = {index['name']: index for index in self.listed()['indexes']}
        self.assertEqual(indexes['by_n']['fields'], ['n'])
        self.assertEqual(indexes['by_m']['unique'], True)
        self.assertEqual({index['state'] for index in indexes.values()}, {'ready'})

    def test_bad_settings_are_refused(self):
        for settings in ('{"ttl": -1}', '{"history": "x"}', '{"check": [{"n": {"$foo": 1}}]}',
                         '{"colour": 1}', '{"indexes": 3}', '{"indexes": [{"name": "x"}]}'):
            with self.subTest(settings=settings):
                self.assert_exit('bad_request', 'collection', 'create', self.c, settings)
        self.assertIsNone(self.listed())
        self.assert_exit('type', 'collection', 'create', self.c, '[]')

    def test_every_document_satisfies_the_checks(self):
        self.skein('collection', 'create', self.c, '{"check": [{"stock": {"$gte": 0}}]}')
        self.skein('put', self.c, 'x', '{"stock": 1}')
        self.assert_exit('refused', 'put', self.c, 'y', '{"stock": -1}')
        self.assert_exit('refused', 'put', self.c, 'y', '{}')
        self.assert_exit('refused', 'update', self.c, 'x', '{"stock": {"$inc": -2}}')
        self.assertEqual(self.skein('count', self.c), {'count': 1})

    def test_history_keeps_versions_and_times(self):
        self.skein('collection', 'create', self.c, '{"history": 600}')
        written = [self.skein('put', self.c, 'x', json.dumps({'n': n})) for n in range(3)]
        gone = self.skein('delete', self.c, 'x')
        versions = self.lines('history', self.c, 'x')
        self.assertEqual([row['document'] for row in versions],
                         [None, {'n': 2}, {'n': 1}, {'n': 0}])
        self.assertEqual([row['document_version'] for row in versions],
                         [gone['version']] + [put['version'] for put in reversed(written)])
        for n, put in enumerate(written):
            at = self.skein('get', self.c, 'x', '--at-version', str(put['version']))
            self.assertEqual(at['document'], {'n': n})
            at = self.skein('get', self.c, 'x', '--at-time', str(put['time']))
            self.assertEqual(at['document'], {'n': n})
        self.assert_exit('absent', 'get', self.c, 'x', '--at-version', str(gone['version']))

    def test_versions_that_are_not_kept_are_too_old(self):
        version = self.skein('put', self.c, 'x', '{}')['version']
        self.skein('put', self.c, 'x', '{}')
        self.assert_exit('too_old', 'get', self.c, 'x', '--at-version', str(version))
        self.assert_exit('too_old', 'get', self.c, 'x', '--at-time', '2001-01-01T00:00:00Z')
        self.assert_exit('bad_request', 'get', self.c, 'x', '--at-time', 'yesterday')

    def test_documents_expire(self):
        self.skein('collection', 'create', self.c, '{"ttl": 1}')
        self.skein('put', self.c, 'x', '{}')
        harness.wait_for(lambda: self.skein('count', self.c) == {'count': 0}, 'the document to go')
        self.assert_exit('absent', 'get', self.c, 'x')

    def test_documents_expire_at_the_time_in_a_field(self):
        self.skein('collection', 'create', self.c, '{"ttl": "until"}')
        self.done(operation('put', self.c, 'past', document={'until': {
                      '$time': '2001-01-01T00:00:00Z'}}),
                  operation('put', self.c, 'future', document={'until': {
                      '$time': '2999-01-01T00:00:00Z'}}),
                  operation('put', self.c, 'never', document={}))
        harness.wait_for(lambda: self.skein('count', self.c) == {'count': 2}, 'the document to go')
        self.assertEqual({row['id'] for row in self.lines('find', self.c)}, {'future', 'never'})


class Limits(DocumentCase):
    """Each limit on both of its sides, and what is no document."""

    def assert_document(self, document, code=None, words=''):
        for name in ('put', 'insert'):
            reply = self.ask(operation(name, self.c, f'{name}{time.monotonic_ns()}',
                                       document=document))
            if code is None:
                self.assertNotIn('error', reply)
            else:
                self.assert_refused(reply, code, words, number=0)

    def test_depth(self):
        self.assert_document(nested(24))
        self.assert_document(nested(25), 'too_deep')
        self.assert_exit('too_deep', 'put', self.c, 'x', json.dumps(nested(25)))
        self.assert_exit('too_deep', 'put', self.c, 'x', '{"a": ' * 5000 + '1' + '}' * 5000)

    def test_document_size(self):
        self.assert_document({'a': 'x' * (MIB - 8)})
        self.assert_document({'a': 'x' * (MIB - 7)}, 'too_large')
        self.assert_exit('too_large', 'put', self.c, 'x', '-',
                         stdin=json.dumps({'a': 'x' * 2 * MIB}))

    def test_a_document_that_an_update_makes_too_large(self):
        self.done(operation('put', self.c, 'x', document={'a': 'x' * (MIB - 100)}))
        self.assert_refused(self.ask(operation('update', self.c, 'x', patch={'b': 'x' * 100})),
                            'too_large', number=0)
        self.done(operation('put', self.c, 'y', document=nested(24)))
        self.assert_refused(self.ask(operation(
            'update', self.c, 'y', patch={'.'.join('a' * 23): {'b': {}}})), 'too_deep', number=0)

    def test_transaction_size_and_count(self):
        put = operation('put', self.c, 'x', document={'a': 'x' * (MIB - 1000)})
        self.done(*[put] * 4)
        self.assert_refused(self.ask(*[put] * 5), 'too_large')
        get = operation('get', self.c, 'x')
        small = operation('get', self.c, 'nothing')
        self.assertEqual(len(self.done(*[small] * 4096)), 4096)
        self.assert_refused(self.ask(*[small] * 4097), 'too_large')
        self.assert_refused(self.ask(*[get] * 8), 'too_large', 'answer')
        self.assert_refused(self.ask(), 'bad_request')

    def test_what_a_transaction_writes(self):
        """Also if it writes the same again and again: 4096 times a MiB would be 4 GiB."""
        self.done(operation('put', self.c, 'x', document={'a': 'x' * (MIB - 8)}))
        update = operation('update', self.c, 'x', patch={})
        self.done(*[update] * 4)
        for count in (5, 4096):
            self.assert_refused(self.ask(*[update] * count), 'too_large', '4608 KiB', number=4)
        self.assertEqual(self.skein('count', self.c), {'count': 1})

    def test_what_a_transaction_looks_at(self):
        just = 48 * MIB // 256
        where = {'$and': [{'a': {'$exists': True}}] * 256}
        for key, size in (('just', just), ('more', just + 1)):
            self.done(operation('put', self.c, key, document={'a': 'x' * (size - 8)}))
        self.done(operation('check', self.c, 'just', where=where))
        self.assert_refused(self.ask(operation('check', self.c, 'more', where=where)), 'too_large',
                            'would look at more than 48 MiB of documents', number=0)
        self.assert_refused(self.ask(operation('count', self.c, where=where)), 'too_large',
                            'an index on collection', number=0)
        self.assertEqual(self.skein('count', self.c, '--where', json.dumps(where)), {'count': 2})

    def test_conditions_paths_and_checks(self):
        for count, code in ((256, None), (257, 'too_large')):
            self.expect(code, operation('count', self.c, where={'$or': [{'a': 1}] * count}))
        for size, code in ((512, None), (513, 'bad_request')):
            self.expect(code, operation('count', self.c, where={'a' * size: 1}))
            self.expect(code, operation('find', self.c, order='a' * size))
            self.expect(code, operation('update', self.c, 'x', patch={'a' * size: 1}, upsert=True))
        for count, code in ((16, None), (17, 'too_large')):
            self.expect(code, operation('create_collection', f'{self.c}{count}',
                                        settings={'check': [{}] * count}))
        for levels, code in ((24, None), (25, 'too_deep')):
            self.expect(code, operation('count', self.c, where=self.nested_condition(levels)))

    @staticmethod
    def nested_condition(levels):
        condition = {}
        for _ in range(levels - 1):
            condition = {'$not': condition}
        return condition

    def expect(self, code, asked):
        reply = self.ask(asked)
        if code is None:
            self.assertNotIn('error', reply)
        else:
            self.assert_refused(reply, code, number=0)

    def test_indexes(self):
        def create(name, fields, **more):
            return operation('create_index', self.c, index=name, fields=fields, **more)

        self.expect(None, create('x' * 64, ['a']))
        self.expect('bad_request', create('x' * 65, ['a']))
        self.expect(None, create('eight', [f'f{n}' for n in range(8)]))
        self.expect('bad_request', create('nine', [f'f{n}' for n in range(9)]))
        self.expect(None, create('unique', ['b'], unique=True))
        self.expect(None, operation('put', self.c, 'x', document={'b': 'x' * 1022}))
        self.expect('too_large', operation('put', self.c, 'x', document={'b': 'x' * 1023}))
        self.expect('unique', operation('put', self.c, 'y', document={'b': 'x' * 1022}))
        for number in range(61):
            self.expect(None, create(f'i{number}', ['c']))
        self.expect('too_large', create('one_more', ['c']))

    def test_collections(self):
        names = [f'{self.c}{number}' for number in
                 range(1024 - len(self.lines('collection', 'list')))]
        put = [operation('put', name, 'x', document={}) for name in names]
        self.assert_refused(self.ask(*put, operation('put', 'one more', 'x', document={})),
                            'too_large', 'there are 1024 already', number=len(put))
        self.done(*put)
        self.assert_refused(self.ask(operation('create_collection', 'one more')), 'too_large',
                            'there are 1024 already', number=0)
        self.done(*put)
        for name in names:
            self.done(operation('drop_collection', name))

    def test_pages(self):
        self.put_many(1001, lambda n: {'n': n})
        self.assertEqual(len(self.find()['documents']), 100)
        self.assertEqual(len(self.find(limit=1000)['documents']), 1000)
        self.assert_refused(self.asker.ask(do='find', collection=self.c, limit=1001), 'too_large')
        self.assert_refused(self.ask(operation('find', self.c)), 'too_large', 'give a limit')
        self.done(operation('delete', self.c, 0))
        self.assertEqual(len(self.done(operation('find', self.c))[0]['documents']), 1000)

    def test_deadlines(self):
        self.skein('put', self.c, 'x', '{}')
        for timeout in ('1', '600000'):
            result = harness.call('--at', self.cluster.at, '--timeout', timeout, 'get', self.c, 'x')
            self.assertIn(result.returncode, (0, 4) if timeout == '1' else (0,))
        for timeout in ('0', '600001', '-1', 'x'):
            self.assert_exit('bad_request', '--timeout', timeout, 'get', self.c, 'x')
        for timeout in (0, 600001, -1, 1.5):
            reply = self.asker.ask(do='get', collection=self.c, id='x', timeout_ms=timeout)
            self.assert_refused(reply, 'bad_request')

    def test_sessions(self):
        for size, code in ((64, None), (65, 'bad_request'), (0, 'bad_request')):
            reply = self.ask(operation('put', self.c, 'x', document={}), session='s' * size,
                             sequence=time.monotonic_ns() % 256 + 1)
            if code is None:
                self.assertNotIn('error', reply)
            else:
                self.assert_refused(reply, code)

    def test_malformed_documents(self):
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a": 1, "a": 2}')
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a": NaN}')
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a": 1e999}')
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a\\u0000": 1}')
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a": "\\ud800"}')
        self.assert_exit('bad_request', 'put', self.c, 'x', '{"a": 9223372036854775808}')
        self.assert_exit('bad_request', 'put', self.c, 'x', b'{"a": "\xff"}')
        for document in ('[]', '5', 'null', '"text"'):
            self.assert_exit('type', 'put', self.c, 'x', document)

    def test_names_and_ids(self):
        self.done(operation('put', self.c, 'x' * 256, document={}))
        self.done(operation('put', 'c' * 128, 'x', document={}))
        self.done(operation('put', self.c, -2**63, document={}))
        for key in ('', 'x' * 257, 1.5, True, None, [1], 'a\0b'):
            with self.subTest(key=key):
                self.assert_refused(self.ask({**operation('get', self.c), 'id': key}),
                                    'bad_request')
        for name in ('', 'c' * 129, '$c', 5):
            with self.subTest(name=name):
                self.assert_refused(self.ask(operation('get', name, 'x')), 'bad_request')

    def test_unknown_operations_fields_and_operators(self):
        for wrong in (operation('dance', self.c, 'x'), operation('get', self.c, 'x', levle='any'),
                      operation('get', self.c), operation('put', self.c, 'x'),
                      operation('update', self.c, 'x', patch={'a': {'$foo': 1}}),
                      operation('update', self.c, 'x', patch={'a': {'$inc': 1, 'mn': 0}}),
                      operation('update', self.c, 'x', patch={'a..b': 1}),
                      operation('update', self.c, 'x', patch={'a': 1, 'a.b': 2}),
                      operation('find', self.c, where={'a': {'$foo': 1}}),
                      operation('find', self.c, where={'$foo': []}),
                      operation('find', self.c, where={'$or': []}),
                      operation('find', self.c, where={'a': {'$in': 5}}),
                      operation('count', self.c, where={'a': {'$prefix': 5}}),
                      operation('delete', self.c, 'x', where={'a': {'$type': 'colour'}}),
                      operation('find', self.c, order='$foo'),
                      operation('find', self.c, limit=0),
                      operation('check', self.c, 'x'), operation('unchanged', self.c)):
            with self.subTest(operation=wrong):
                self.assert_refused(self.ask(wrong), 'bad_request')

    def test_operators_on_values_of_other_types(self):
        self.done(operation('put', self.c, 'x', document={'t': 'text', 'n': 2**63 - 1}))
        for patch in ({'t': {'$inc': 1}}, {'t': {'$push': 1}}, {'n': {'$inc': 1}},
                      {'t.u': 1}, {'n': {'$mul': 2}}):
            with self.subTest(patch=patch):
                self.assert_refused(self.ask(operation('update', self.c, 'x', patch=patch)),
                                    'type', number=0)
        for field in ('where', 'patch'):
            self.assert_refused(self.ask(operation('update', self.c, 'x', **{
                'patch': {}, field: [1]})), 'type')

    def test_a_find_in_a_transaction_is_bounded(self):
        self.put_many(10001, lambda n: {'n': n})
        self.assert_refused(self.ask(operation('find', self.c, where={'n': -1})), 'too_large',
                            'index', number=0)
        self.assertEqual(self.done(operation('count', self.c))[0]['count'], 10001)
        self.assert_refused(self.ask(operation('count', self.c, where={'n': -1})), 'too_large',
                            'index', number=0)
        self.assertEqual(self.skein('count', self.c, '--where', '{"n": -1}'), {'count': 0})


if __name__ == '__main__':
    harness.main()
