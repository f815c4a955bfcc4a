"""What tests of the data model share: a cluster, short ways to ask it, and ways to be refused."""

import json
import re
import unittest

import harness
from harness import Cluster
from workload import Asker

EXIT_CODES = {'bad_request': 2, 'type': 2, 'too_large': 2, 'too_deep': 2, 'absent': 1, 'exists': 1,
              'unique': 1, 'refused': 1, 'conflict': 1, 'too_old': 1, 'expired': 1, 'deadline': 4,
              'unavailable': 4, 'stale': 4}


def operation(name, collection, key=None, **fields):
    made = {'op': name, 'collection': collection, **fields}
    return made if key is None else {**made, 'id': key}


def nested(levels):
    """A document of so many containers, the document itself included."""
    value = 1
    for _ in range(levels):
        value = {'a': value}
    return value


class DocumentCase(unittest.TestCase):
    """One cluster for all tests of a class; every test has a collection of its own, `self.c`."""

    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster(readers=2)
        cls.cluster.__enter__()
        cls.asker = Asker(cls.cluster)

    @classmethod
    def tearDownClass(cls):
        cls.asker.close()
        cls.cluster.__exit__(None, None, None)

    def setUp(self):
        self.c = re.sub(r'\W', '_', self.id().split('.', 1)[-1])[:100]

    def skein(self, *words, **options):
        return self.cluster.skein(*words, **options)

    def lines(self, *words, **options):
        values = self.skein(*words, **options)
        return values if isinstance(values, list) else [values]

    def ask(self, *operations, **more):
        return self.asker.ask(do='txn', operations=list(operations), **more)

    def done(self, *operations, **more):
        """The results of a transaction that must succeed."""
        reply = self.ask(*operations, **more)
        self.assertNotIn('error', reply)
        return reply['results']

    def find(self, **fields):
        reply = self.asker.ask(do='find', collection=self.c, **fields)
        self.assertNotIn('error', reply)
        return reply

    def assert_refused(self, reply, code, words='', number=None):
        """The reply is this error, and its sentence says the words."""
        error = reply.get('error', {'code': 'none', 'message': str(reply)})
        self.assertEqual(error['code'], code, error['message'])
        self.assertIn(words, error['message'])
        self.assertRegex(error['message'], r'\w+ \w+')
        if number is not None:
            self.assertEqual(error.get('operation'), number)

    def assert_exit(self, code, *words, says='', **options):
        """The tool ends with the exit code of this error, and one line that says the words."""
        result = harness.call('--at', self.cluster.at, '--format', 'json', *words, **options)
        error = json.loads(result.stderr)['error']
        self.assertEqual(error['code'], code, error['message'])
        self.assertIn(says, error['message'])
        self.assertEqual(result.returncode, EXIT_CODES[code])
        self.assertEqual(result.stdout, '')

    def put_many(self, count, document):
        for first in range(0, count, 1000):
            self.done(*[operation('put', self.c, number, document=document(number))
                        for number in range(first, min(count, first + 1000))])

    def pages(self, **fields):
        """The pages of a find, each asked for with the cursor of the one before."""
        cursor = None
        while True:
            page = self.find(cursor=cursor, **fields)
            yield page
            cursor = page['cursor']
            if cursor is None:
                break
