/*
 * skein-check: reads a history and says whether a strictly serializable database can have made it.
 *
 *     skein-check [FILE]        standard input without FILE
 *     skein-check --help
 *
 * A history is lines of JSON, one for each thing that a client asked; tests/check/history.h says
 * what is in them, and so does --help. What is wrong is told on standard output, a finding each:
 * its name and why it can't be. Then comes one line that counts.
 *
 * Exit codes: 0 nothing is wrong; 1 the database was wrong; 2 bad usage, or the history can't be
 * read; 3 a part of it was too much to be decided, and nothing else is wrong.
 */
#include "tests/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EXIT_VIOLATION = 1,
    EXIT_BAD_INPUT = 2,
    EXIT_UNDECIDED = 3,
    READ_SIZE = 1 * MIB,
};

static const char HELP[] =
    "usage: skein-check [FILE]\n"
    "\n"
    "Says whether a strictly serializable database can have made the history in FILE, or on\n"
    "standard input: lines of JSON, one for each thing that a client asked.\n"
    "\n"
    "  {\"process\": 3, \"kind\": \"list\", \"invoke\": 1200, \"complete\": 3400,\n"
    "   \"outcome\": \"ok\", \"operations\": [[\"append\", \"x\", 7], [\"read\", \"y\"]],\n"
    "   \"results\": [null, [1, 2]]}\n"
    "\n"
    "  process     number of the client; for people\n"
    "  kind        what checks it: list, bank, register, set, counter or session\n"
    "  invoke      when it was sent, in ns; all times of a history are of one clock\n"
    "  complete    when it was answered, in ns; not needed when the outcome is unknown\n"
    "  outcome     ok: it was done. fail: it was not done, and never will be. unknown: it may\n"
    "              have been done, or may be done later, or never\n"
    "  operations  an array for each, a word and what belongs to it\n"
    "  results     one for each operation, null where there is none; only with outcome ok\n"
    "  version     the version that the database gave; may be left out (list, session)\n"
    "\n"
    "  kind      operation            result\n"
    "  list      append KEY NUMBER    null; a number is appended to a key once in the history\n"
    "            read KEY             an array of the numbers in the list, [] for none; null\n"
    "                                 if what was read isn't known\n"
    "  bank      open {ACCOUNT: N}    null; the first balances; alone, and before all others\n"
    "            transfer FROM TO N   null; alone\n"
    "            read                 {ACCOUNT: balance, ...} of all accounts; alone\n"
    "  register  write KEY VALUE      null; alone, as all of this kind\n"
    "            read KEY             the value, null for none\n"
    "            compare_and_set KEY EXPECTED VALUE\n"
    "                                 true, or false if the value was another than EXPECTED\n"
    "  set       add KEY VALUE        null; alone, as all of this kind, and once in the history\n"
    "            read KEY             an array of the values in the set\n"
    "  counter   increment KEY AMOUNT null; alone, as all of this kind; above zero\n"
    "            read KEY             the sum, 0 for none\n"
    "  session   write KEY NUMBER     null; alone, as all of this kind; by one process for each\n"
    "                                 key, with growing numbers above zero\n"
    "            read KEY             the number, null for none\n"
    "\n"
    "Found in lists: internal phantom duplicate G1a dirty-update G1b incompatible-order\n"
    "lost-append, and cycles: G0 G1c G-single G2, these with -realtime, version-order.\n"
    "In banks: bank-total bank-negative bank-balance bank-accounts. In registers: register.\n"
    "In sets: set-lost set-phantom set-early set-duplicate. In counters: counter-low\n"
    "counter-high counter-back. In sessions: session-version session-back session-phantom\n"
    "session-early.\n"
    "\n"
    "Exit codes: 0 nothing is wrong; 1 the database was wrong; 2 bad usage, or the history\n"
    "can't be read; 3 a part of it was too much to be decided, and nothing else is wrong.\n";

static bool read_file(FILE *in, struct buffer *out)
{
    size_t size;
    do {
        uint8_t *room = buffer_extend(out, READ_SIZE);
        size = fread(room, 1, READ_SIZE, in);
        buffer_truncate(out, out->size - READ_SIZE + size);
    } while (size > 0);
    return ferror(in) == 0;
}

static bool read_input(const char *path, struct buffer *out)
{
    if (path == NULL) {
        return read_file(stdin, out);
    }
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        return false;
    }
    bool is_read = read_file(in, out);
    (void)fclose(in);
    return is_read;
}

static void print_report(const struct report *report, size_t count)
{
    for (size_t i = 0; i < report->told; i++) {
        const struct finding *finding = &report->findings[i];
        printf("%s: %.*s\n", finding->name, (int)finding->size,
               (const char *)report->text.data + finding->offset);
    }
    printf("{\"operations\":%zu,\"violations\":%llu,\"undecided\":%llu}\n", count,
           (unsigned long long)report->violations, (unsigned long long)report->undecided);
}

static int check(struct bytes text)
{
    AUTO(history_release) struct history history = {0};
    AUTO(report_release) struct report report = {0};
    struct history_fault fault;
    enum status status = history_read(&history, text, &fault);
    if (status == STATUS_ok) {
        status = check_history(&history, &report, &fault);
    }
    if (status != STATUS_ok) {
        fprintf(stderr, "skein-check: line %u %s\n", fault.line, fault.sentence);
        return EXIT_BAD_INPUT;
    }
    print_report(&report, history.count);
    if (report.violations > 0) {
        return EXIT_VIOLATION;
    }
    return report.undecided > 0 ? EXIT_UNDECIDED : EXIT_SUCCESS;
}

int main(int word_count, char **words)
{
    AUTO(buffer_release) struct buffer text = {0};
    const char *path = word_count > 1 ? words[1] : NULL;
    if (path != NULL && strcmp(path, "--help") == 0) {
        fputs(HELP, stdout);
        return EXIT_SUCCESS;
    }
    if (word_count > 2 || (path != NULL && path[0] == '-')) {
        fputs(HELP, stderr);
        return EXIT_BAD_INPUT;
    }
    if (!read_input(path, &text)) {
        fprintf(stderr, "skein-check: %s can't be read: %s\n",
                path == NULL ? "standard input" : path, strerror(errno));
        return EXIT_BAD_INPUT;
    }
    return check(buffer_bytes(&text));
}
