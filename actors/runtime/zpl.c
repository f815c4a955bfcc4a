/*
 * Two passes over the text. The first checks the form of every line, by the rules of zconfig's own
 * parser, and notes the numbers of the lines that hold an item; so all mistakes are named, and
 * zconfig, which stops at the first one and prints it on stdout, meets none. The second lets
 * zconfig build the tree and walks it: an item a line, children after their parent, so the nth item
 * of the walk stands on the nth line noted.
 *
 *   section                    four spaces an indentation level
 *       name = value           # a comment
 *       name = "a # b"         in quotes of either kind where the value has a '#' or spaces around
 */
#include "actors/runtime/zpl.h"

#include "base/assert.h"

#include <czmq.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { INDENT_SIZE = 4 };

// The first pass.
struct scanner {
    struct place place;        // line that is being read
    struct mistakes *mistakes; // borrowed
    struct buffer *lines;      // unsigned: the number of each line that holds an item
    unsigned level_max;        // deepest level at which the next item may stand
};

// The second pass.
struct walk {
    const struct zpl_reader *reader;
    const char *source;        // name of the file
    const unsigned *next_line; // line of the next item
    char path[ZPL_PATH_SIZE_MAX];
};

static bool is_name_character(char character)
{
    return isalnum((unsigned char)character) ||
           (character != '\0' && strchr("$-_@.&+/", character) != NULL);
}

static const char *skip_spaces(const char *next)
{
    while (isspace((unsigned char)*next)) {
        next++;
    }
    return next;
}

static bool is_end(const char *next)
{
    next = skip_spaces(next);
    return *next == '\0' || *next == '#';
}

// The indentation level of the line, -1 after a mistake.
static int scan_level(struct scanner *scanner, const char **next)
{
    const char *begin = *next;
    while (**next == ' ') {
        (*next)++;
    }
    size_t spaces = (size_t)(*next - begin);
    if (**next == '\t' && !is_end(*next)) {
        mistakes_add(scanner->mistakes, scanner->place, "indent with spaces, not with tabs");
        return -1;
    }
    if (*skip_spaces(*next) != '\0' && spaces % INDENT_SIZE != 0) {
        mistakes_add(scanner->mistakes, scanner->place,
                     "%zu spaces at the beginning; every level is %d spaces", spaces, INDENT_SIZE);
        return -1;
    }
    return (int)(spaces / INDENT_SIZE);
}

// What follows a name: nothing, or '=' and a value. Adds what is wrong with it.
static void scan_value(struct scanner *scanner, const char *next)
{
    next = skip_spaces(next);
    if (*next != '=') {
        if (!is_end(next)) {
            mistakes_add(scanner->mistakes, scanner->place,
                         "\"%s\" after a name; it should be \"= value\" or nothing", next);
        }
        return;
    }
    next = skip_spaces(next + 1);
    if (*next != '"' && *next != '\'') {
        return;
    }
    const char *end_quote = strchr(next + 1, *next);
    if (end_quote == NULL) {
        mistakes_add(scanner->mistakes, scanner->place, "the closing %c is missing", *next);
    } else if (!is_end(end_quote + 1)) {
        mistakes_add(scanner->mistakes, scanner->place, "\"%s\" after the closing quote",
                     end_quote + 1);
    }
}

static void scan_item(struct scanner *scanner, unsigned level, const char *next)
{
    const char *name = next;
    while (is_name_character(*next)) {
        next++;
    }
    size_t size = (size_t)(next - name);
    if (size == 0) {
        mistakes_add(scanner->mistakes, scanner->place, "\"%s\" does not begin with a name", name);
        return;
    }
    if (name[0] == '/' || name[size - 1] == '/') {
        mistakes_add(scanner->mistakes, scanner->place, "a name can't begin or end with '/'");
    }
    if (level > scanner->level_max) {
        mistakes_add(scanner->mistakes, scanner->place, "indented deeper than the line above");
    }
    scan_value(scanner, next);
    scanner->level_max = level + 1;
    buffer_append(scanner->lines, bytes_of(&scanner->place.line, sizeof scanner->place.line));
}

// `line` ends with a NUL and has no newline.
static void scan_line(struct scanner *scanner, const char *line)
{
    if (strlen(line) > ZPL_LINE_SIZE_MAX) {
        mistakes_add(scanner->mistakes, scanner->place, "longer than %d bytes", ZPL_LINE_SIZE_MAX);
        return;
    }
    const char *next = line;
    int level = scan_level(scanner, &next);
    if (level >= 0 && !is_end(next)) {
        scan_item(scanner, (unsigned)level, next);
    }
}

static void scan_text(struct scanner *scanner, const char *text)
{
    struct buffer line AUTO(buffer_release) = {0};
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        buffer_clear(&line);
        buffer_append(&line, bytes_of(text, size));
        buffer_append_u8(&line, '\0');
        scanner->place.line++;
        scan_line(scanner, (const char *)line.data);
        text += size + (text[size] == '\n');
    }
}

// Hands over the children of `parent`, whose path has `size` bytes, and theirs.
static void walk_children(struct walk *walk, zconfig_t *parent, size_t size)
{
    for (zconfig_t *item = zconfig_child(parent); item != NULL; item = zconfig_next(item)) {
        const char *name = zconfig_name(item);
        const char *value = zconfig_value(item);
        int more = snprintf(walk->path + size, sizeof walk->path - size, "%s%s",
                            size > 0 ? "/" : "", name);
        size_t path_size = size + (size_t)more;
        if (path_size >= sizeof walk->path) {
            path_size = sizeof walk->path - 1; // no key is that long: the reader refuses it
        }
        struct zpl_item taken = {.path = walk->path,
                                 .value = value != NULL ? value : "",
                                 .place = {.source = walk->source, .line = *walk->next_line++}};
        walk->reader->take(walk->reader->context, &taken);
        walk_children(walk, item, path_size);
        walk->path[size] = '\0';
    }
}

enum status zpl_read_text(const char *source, const char *text, const struct zpl_reader *reader,
                          struct mistakes *mistakes)
{
    size_t mistakes_before = mistakes->count;
    struct buffer lines AUTO(buffer_release) = {0};
    struct scanner scanner = {.place = {.source = source}, .mistakes = mistakes, .lines = &lines};
    scan_text(&scanner, text);
    if (mistakes->count > mistakes_before) {
        return STATUS_bad_request;
    }
    zconfig_t *root AUTO(zconfig_destroy) = zconfig_str_load(text);
    ASSERT(root != NULL);
    struct walk walk = {.reader = reader,
                        .source = source,
                        .next_line = (const unsigned *)(const void *)lines.data};
    walk_children(&walk, root, 0);
    return STATUS_ok;
}

static void file_close(FILE **take_file)
{
    if (*take_file != NULL) {
        fclose(*take_file);
    }
}

// Appends the whole file and a NUL.
static enum status read_file(const char *name, struct buffer *out, struct mistakes *mistakes)
{
    struct place place = {.source = name};
    FILE *file AUTO(file_close) = fopen(name, "re");
    if (file == NULL) {
        mistakes_add(mistakes, place, "can't be opened: %s", strerror(errno));
        return STATUS_bad_request;
    }
    size_t size = fread(buffer_extend(out, ZPL_FILE_SIZE_MAX + 1), 1, ZPL_FILE_SIZE_MAX + 1, file);
    if (ferror(file) || size > ZPL_FILE_SIZE_MAX) {
        mistakes_add(mistakes, place, "can't be read: %s",
                     ferror(file) ? strerror(errno) : "larger than 1 MiB");
        return STATUS_bad_request;
    }
    buffer_truncate(out, size);
    if (memchr(out->data, '\0', size) != NULL) {
        mistakes_add(mistakes, place, "holds a zero byte, so it is no text");
        return STATUS_bad_request;
    }
    buffer_append_u8(out, '\0');
    return STATUS_ok;
}

enum status zpl_read(const char *file, const struct zpl_reader *reader, struct mistakes *mistakes)
{
    struct buffer text AUTO(buffer_release) = {0};
    TRY(read_file(file, &text, mistakes));
    return zpl_read_text(file, (const char *)text.data, reader, mistakes);
}
