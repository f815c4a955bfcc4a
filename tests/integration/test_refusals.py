"""What is malformed, unknown, forged or of another time is refused with its error, and leaves
nothing behind: version, documents, collections and indexes are what they were, on all nodes alike.

Digests are not compared over time: they cover the position in the journal, where the answer of a
refused transaction takes a place of its own.
"""

import base64
import json
import re
import subprocess

import harness
from documents import DocumentCase, nested, operation

MIB = 1024 * 1024
FAR_TIME = '2999-01-01T00:00:00Z'


class Refusals(DocumentCase):

    def setUp(self):
        super().setUp()
        self.done(operation('put', self.c, 'x', document={'n': 1}),
                  operation('put', self.c, 'y', document={'n': 2}))
        self.skein('index', 'create', self.c, 'by_n', 'n')
        self.before = self.contents()

    def contents(self):
        """What users can see: version, collections, and the documents of this test."""
        page = self.find(limit=1000)
        self.assertIsNone(page['cursor'])
        return page['version'], page['documents'], self.lines('collection', 'list')

    def tearDown(self):
        self.assertEqual(self.contents(), self.before)
        harness.wait_for(lambda: self.skein('digest')['agree'], 'the storage nodes to agree')

    def refuse(self, code, words, *operations, **more):
        self.assert_refused(self.ask(*operations, **more), code, words)
        self.assertEqual(self.skein('get', self.c, 'x')['document'], {'n': 1})

    def write(self, document, code, words):
        """Tries to write a document, after one that is sound, in every way there is."""
        sound = operation('put', self.c, 'sound', document={})
        for name, key in (('put', 'x'), ('insert', 'new')):
            self.refuse(code, words, sound, operation(name, self.c, key, document=document))

    def pipe_line(self, line):
        """The reply to a line of `skein pipe` that json.dumps() wouldn't make."""
        result = subprocess.run(
            [harness.SKEIN, '--at', self.cluster.at, 'pipe'], input=line + b'\n',
            capture_output=True, timeout=60 * harness.SLOWNESS, check=True)
        return json.loads(result.stdout)

    def pipe_document(self, document):
        return self.pipe_line(b'{"tag": 1, "do": "txn", "operations": [{"op": "put", "collection": '
                              b'"%s", "id": "x", "document": %s}]}' % (self.c.encode(), document))

    def test_documents_that_are_no_json(self):
        for document, words in ((b'{"a": 1, "a": 2}', 'duplicate'), (b'{"a": "\xff"}', ''),
                                (b'{"a": NaN}', ''), (b'{"a": Infinity}', ''),
                                (b'{"a": 1e999}', ''), (b'{"a": "\\ud800"}', ''),
                                (b'{"a": {"b": {"c": 1, "c": 1}}}', 'duplicate'), (b'{"a": ', ''),
                                (b'{"a": {"$bin": "*"}}', ''),
                                (b'{"a": {"$time": "yesterday"}}', ''),
                                (b'{"a": {"$time": "10000-01-01T00:00:00Z"}}', ''),
                                (b'{"a\\u0000b": 1}', ''), (b'{"a": 18446744073709551616}', '')):
            with self.subTest(document=document):
                self.assert_refused(self.pipe_document(document), 'bad_request', words)
        for document in (b'[1]', b'5', b'null', b'"a"'):
            with self.subTest(document=document):
                self.assert_refused(self.pipe_document(document), 'type')

    def test_documents_that_are_too_deep_or_too_large(self):
        self.write(nested(25), 'too_deep', 'nested too deeply')
        self.write({'a': [[]] * 3, 'b': nested(24)}, 'too_deep', 'nested too deeply')
        self.write({'a': 'x' * 2 * MIB}, 'too_large', '1 MiB')
        self.refuse('too_large', '1 MiB', operation('update', self.c, 'x', patch={
            'a': 'x' * (MIB - 100), 'b': 'x' * 100}))

    def test_conditions_that_are_none(self):
        for where, words in (({'n': {'$foo': 1}}, 'unknown operator "$foo"'),
                             ({'$foo': 1}, 'unknown operator "$foo"'),
                             ({'$gt': 1}, 'without a field'), ({'$or': []}, '"$or"'),
                             ({'$and': [5]}, '"$and"'), ({'$not': 5}, '"$not"'),
                             ({'n': {'$in': 5}}, '"$in"'), ({'n': {'$gt': 1, 'x': 1}}, '"x"'),
                             ({'n': {'$exists': 1}}, '"$exists"'), ({'a..b': 1}, '"a..b"'),
                             ({'n': {'$type': 'colour'}}, '"$type"'), ({'': 1}, 'path'),
                             ({'n': {'$prefix': 5}}, '"$prefix"')):
            with self.subTest(where=where):
                for name in ('find', 'count'):
                    self.refuse('bad_request', words, operation(name, self.c, where=where))
                for name, more in (('delete', {}), ('check', {}), ('update', {'patch': {'n': 5}})):
                    self.refuse('bad_request', words,
                                operation(name, self.c, 'x', where=where, **more))
                reply = self.asker.ask(do='find', collection=self.c, where=where)
                self.assert_refused(reply, 'bad_request', words)
                self.assert_exit('bad_request', 'count', self.c, '--where', json.dumps(where),
                                 says=words)

    def test_patches_that_are_none(self):
        for patch, words in (({'n': {'$foo': 1}}, '"$foo"'), ({'n': {'$inc': 'x'}}, '"$inc"'),
                             ({'n': {'$unset': 1}}, '"$unset"'), ({'n': {'$now': 5}}, '"$now"'),
                             ({'n': 1, 'n.m': 2}, '"n.m"'), ({'a..b': 1}, '"a..b"'),
                             ({'n': {'$inc': 1, 'mn': 0}}, '"mn"'), ({'$inc': 1}, '"$inc"')):
            with self.subTest(patch=patch):
                for upsert in (False, True):
                    self.refuse('bad_request', words, operation(
                        'update', self.c, 'x', patch=patch, **({'upsert': True} if upsert else {})))

    def test_cursors_that_are_forged_or_of_another_find(self):
        page = self.find(order='n', limit=1)
        cursor, made = page['cursor'], base64.urlsafe_b64decode(page['cursor'] + '==')
        flipped = [bytes(made[:at]) + bytes([made[at] ^ 1 << at % 8]) + bytes(made[at + 1:])
                   for at in range(len(made))]
        forged = [base64.urlsafe_b64encode(other).decode().rstrip('=') for other in flipped]
        for other in (*forged, cursor[:-1], cursor + 'A', 'A' * 5000, 'no cursor'):
            with self.subTest(cursor=other[:100]):
                reply = self.asker.ask(do='find', collection=self.c, order='n', cursor=other)
                self.assert_refused(reply, 'bad_request', 'cursor')
        for fields in ({'order': '-n'}, {}, {'order': 'n', 'where': {'n': 1}},
                       {'order': 'n', 'index': 'by_n'}, {'order': 'n', 'collection': 'other'}):
            with self.subTest(fields=fields):
                reply = self.asker.ask(do='find', cursor=cursor,
                                       **{'collection': self.c, **fields})
                self.assert_refused(reply, 'bad_request', 'cursor')
        self.refuse('bad_request', 'for reads', operation('find', self.c, cursor=cursor))
        self.assertEqual(len(self.find(order='n', cursor=cursor)['documents']), 1)

    def test_indexes_and_collections_that_do_not_exist(self):
        self.refuse('absent', 'index "no"', operation('find', self.c, index='no'))
        self.refuse('absent', 'index "no"', operation('count', self.c, index='no'))
        self.refuse('absent', 'collection "nobody"', operation('find', 'nobody', index='no'))
        self.refuse('absent', '"no"', operation('drop_index', self.c, index='no'))
        self.refuse('absent', 'no such collection', operation('drop_index', 'nobody', index='no'))
        self.refuse('absent', 'no such collection', operation('drop_collection', 'nobody'))
        for name in ('find', 'count'):
            words = ('--index', 'no') if name == 'find' else ()
            if words:
                self.assert_exit('absent', name, self.c, *words, says='index "no"')

    def test_versions_and_times_that_have_not_come(self):
        self.assert_exit('deadline', '--timeout', '300', 'get', self.c, 'x', '--after-version',
                         '1000000000', '--level', 'session')
        self.assert_exit('deadline', '--timeout', '300', 'get', self.c, 'x', '--at-version',
                         '1000000000')
        self.assert_exit('too_old', 'get', self.c, 'x', '--at-time', '2001-01-01T00:00:00Z')
        result = harness.call('--at', self.cluster.at, '--format', 'json', '--timeout', '500',
                              'get', self.c, 'x', '--at-time', FAR_TIME)
        self.assertIn(result.returncode, (1, 4), result.stdout)
        self.assertRegex(json.loads(result.stderr)['error']['code'], '^(too_old|deadline)$')

    def test_lines_that_are_no_requests(self):
        for line, words in ((b'no json', ''), (b'[]', ''), (b'{"tag": 1}', ''),
                            (b'{"tag": 1, "do": "dance"}', '"do"'),
                            (b'{"tag": 1, "do": "txn"}', ''),
                            (b'{"tag": 1, "do": "txn", "operations": []}', ''),
                            (b'{"tag": 1, "do": "txn", "operations": [], "operations": []}', ''),
                            (b'{"tag": 1, "do": "get", "collection": "c"}', '')):
            with self.subTest(line=line):
                error = self.pipe_line(line)['error']
                self.assertEqual(error['code'], 'bad_request', error['message'])
                self.assertIn(words, error['message'])
                self.assertTrue(re.search(r'\w+ \w+', error['message']))


if __name__ == '__main__':
    harness.main()
