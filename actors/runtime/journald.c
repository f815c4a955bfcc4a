/*
 * Pairs are found by the spaces between them. The value of a pair in quotes may have spaces itself;
 * its words become fields only when they look like pairs, which does no harm.
 */
#include "actors/runtime/journald.h"

#include "base/buffer.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

enum { FIELDS_MAX = 24, FIELD_SIZE_MAX = 300 };

// systemd says in JOURNAL_STREAM which file it gave us for stderr; somebody else may have replaced
// it since.
bool journald_has_stderr(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device;
    unsigned long long inode;
    struct stat stat;
    return stream != NULL && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

// A field of the journal, "SKEIN_KEY=value", out of "key=value". False when it is none.
static bool make_field(struct bytes pair, char field[static FIELD_SIZE_MAX])
{
    const uint8_t *equals = pair.size == 0 ? NULL : memchr(pair.data, '=', pair.size);
    if (equals == NULL || equals == pair.data || pair.size > FIELD_SIZE_MAX - 16) {
        return false;
    }
    size_t key_size = (size_t)(equals - pair.data);
    int size = snprintf(field, FIELD_SIZE_MAX, "SKEIN_%.*s", (int)pair.size,
                        (const char *)pair.data);
    for (size_t i = 6; i < 6 + key_size; i++) {
        bool is_letter = field[i] >= 'a' && field[i] <= 'z';
        if (!is_letter && field[i] != '_') {
            return false;
        }
        if (is_letter) {
            field[i] = (char)(field[i] - 'a' + 'A');
        }
    }
    return size > 0;
}

static struct iovec part_of(const char *text)
{
    return (struct iovec){(char *)text, strlen(text)};
}

void journald_send(enum journald_priority priority, struct bytes line)
{
    char fields[FIELDS_MAX][FIELD_SIZE_MAX];
    struct iovec parts[FIELDS_MAX + 3];
    struct buffer message AUTO(buffer_release) = {0};
    buffer_append(&message, bytes_from_text("MESSAGE="));
    buffer_append(&message, line);
    char priority_field[16];
    snprintf(priority_field, sizeof priority_field, "PRIORITY=%d", (int)priority);
    parts[0] = (struct iovec){message.data, message.size};
    parts[1] = part_of(priority_field);
    parts[2] = part_of("SYSLOG_IDENTIFIER=skeind");
    int count = 3;
    size_t begin = 0;
    for (int used = 0; begin < line.size && used < FIELDS_MAX;) {
        const uint8_t *space = memchr(line.data + begin, ' ', line.size - begin);
        size_t end = space == NULL ? line.size : (size_t)(space - line.data);
        if (make_field(bytes_of(line.data + begin, end - begin), fields[used])) {
            parts[count++] = part_of(fields[used]);
            used++;
        }
        begin = end + 1;
    }
    sd_journal_sendv(parts, count);
}
