/*
 * `skein load`: JSON lines {"id"?, "document"} into a collection, in place of documents of the same
 * ids. The file is read twice: first every line is checked and every bad one named, and only when
 * there is none anything is sent. What can't be read twice (a pipe) is put into a nameless
 * temporary file first.
 *
 * A load that was cut off is repeated as a whole: documents that are there already are stored
 * again, with the same ids, also those that the load made itself (load_line.h).
 */
#include "client/cli/commands.h"

#include "client/cli/connection.h"
#include "client/cli/input.h"
#include "client/cli/load_line.h"
#include "client/cli/load_sender.h"
#include "client/cli/progress.h"
#include "wire/pack.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    BATCH_DEFAULT = 200,
    LINE_SIZE_MAX = 8 * DOCUMENT_SIZE_MAX, // of JSON, which is longer than msgpack
    COPY_SIZE = 64 * KIB,
    PLACE_SIZE = 40,
    WORDS_SIZE = 120,
};

// The file, once it was checked.
struct load {
    struct call *call;
    const char *path;       // as it was given
    FILE *in;               // owned, but for standard input
    uint64_t size;          // bytes
    uint64_t documents;     // lines that hold one
    uint64_t digest;        // of all lines
    uint64_t bad;           // lines
    struct failure failure; // of the last bad one
};

static void load_release(struct load *load)
{
    if (load->in != NULL && load->in != stdin) {
        (void)fclose(load->in);
    }
}

// Puts what can be read once into a file that can be read twice.
static enum status spool(struct load *load)
{
    char chunk[COPY_SIZE];
    FILE *file = tmpfile();
    bool is_sound = file != NULL;
    for (size_t size = 1; is_sound && size > 0;) {
        size = fread(chunk, 1, sizeof chunk, load->in);
        is_sound = fwrite(chunk, 1, size, file) == size;
    }
    if (!is_sound || ferror(load->in) || fflush(file) != 0) {
        enum status status = failure_set(&load->call->failure, STATUS_internal,
                                         "%s can't be kept in a temporary file: %s", load->path,
                                         strerror(errno));
        if (file != NULL) {
            (void)fclose(file);
        }
        return status;
    }
    load_release(load);
    load->in = file;
    return STATUS_ok;
}

static enum status open_file(struct load *load)
{
    load->in = strcmp(load->path, "-") == 0 ? stdin : fopen(load->path, "re");
    if (load->in == NULL) {
        return failure_set(&load->call->failure, STATUS_bad_request, "can't read %s: %s",
                           load->path, strerror(errno));
    }
    if (fseeko(load->in, 0, SEEK_END) != 0) {
        TRY(spool(load));
    }
    off_t size = ftello(load->in);
    load->size = size > 0 ? (uint64_t)size : 0;
    rewind(load->in);
    return STATUS_ok;
}

// Notes a bad line. All but the last are printed here; the last one is left for the end.
static void note_bad(struct load *load, uint64_t number, const struct failure *why)
{
    char place[PLACE_SIZE];
    if (load->bad > 0) {
        output_failure(&load->call->output, &load->failure);
    }
    load->bad++;
    load->failure = *why;
    snprintf(place, sizeof place, "line %" PRIu64 ": ", number);
    failure_wrap(&load->failure, place, "");
}

static enum status fail_bad(struct load *load)
{
    struct failure *failure = &load->call->failure;
    *failure = load->failure;
    if (load->bad == 1) {
        return failure->status;
    }
    output_failure(&load->call->output, &load->failure);
    return failure_set(failure, STATUS_bad_request,
                       "%" PRIu64 " lines of %s are bad; nothing was loaded", load->bad,
                       load->path);
}

static enum status check_end(struct load *load)
{
    if (ferror(load->in)) {
        return failure_set(&load->call->failure, STATUS_internal, "%s can't be read: %s",
                           load->path, strerror(errno));
    }
    return STATUS_ok;
}

// Takes the next line that is not blank. Returns absent at the end, and why the line is bad.
static enum status next_line(struct load *load, struct load_line *line, struct buffer *text,
                             uint64_t *number, struct failure *failure)
{
    enum status status;
    do {
        status = input_line(load->in, LINE_SIZE_MAX, text);
        (*number)++;
    } while (status == STATUS_ok && load_line_is_blank(buffer_bytes(text)));
    if (status == STATUS_absent) {
        return status;
    }
    if (status != STATUS_ok) {
        return failure_set(failure, status, "a line has at most %d bytes", LINE_SIZE_MAX);
    }
    return load_line_parse(line, buffer_bytes(text), failure);
}

// Reads all lines; fails if one is bad.
static enum status check(struct load *load)
{
    AUTO(load_line_release) struct load_line line = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct progress progress;
    uint64_t number = 0;
    uint64_t taken = 0; // bytes
    progress_init(&progress, "checking", "bytes", load->size);
    for (;;) {
        struct failure why = {0};
        enum status status = next_line(load, &line, &text, &number, &why);
        if (status == STATUS_absent) {
            break;
        }
        if (status == STATUS_ok) {
            load->documents++;
        } else {
            note_bad(load, number, &why);
        }
        load->digest = load_digest_add(load->digest, buffer_bytes(&text));
        taken += text.size + 1;
        progress_show(&progress, taken);
    }
    progress_end(&progress);
    TRY(check_end(load));
    rewind(load->in);
    return load->bad == 0 ? STATUS_ok : fail_bad(load);
}

static enum status add(struct load *load, struct load_sender *sender, struct load_line *line,
                       uint64_t number)
{
    char made[LOAD_ID_SIZE];
    struct load_document document = {
        .line = number, .id = line->id, .document = buffer_bytes(&line->document)};
    if (!line->has_id) {
        load_line_make_id(load->digest, number, made);
        document.id = (struct document_id){.is_text = true, .text = bytes_from_text(made)};
    }
    return load_sender_add(sender, &document);
}

static enum status add_lines(struct load *load, struct load_sender *sender)
{
    AUTO(load_line_release) struct load_line line = {0};
    AUTO(buffer_release) struct buffer text = {0};
    struct progress progress;
    uint64_t number = 0;
    progress_init(&progress, "loading", "documents", load->documents);
    for (;;) {
        struct failure why = {0};
        enum status status = next_line(load, &line, &text, &number, &why);
        if (status == STATUS_absent) {
            break;
        }
        if (status != STATUS_ok) {
            return failure_set(&load->call->failure, status,
                               "line %" PRIu64 " was changed while the file was loaded", number);
        }
        TRY(add(load, sender, &line, number));
        progress_show(&progress, load_sender_stored(sender));
    }
    progress_end(&progress);
    return check_end(load);
}

static void print_result(struct load *load, const struct load_sender *sender)
{
    AUTO(buffer_release) struct buffer out = {0};
    pack_map(&out, 2);
    pack_text_literal(&out, "documents");
    pack_u64(&out, load_sender_stored(sender));
    pack_text_literal(&out, "version");
    pack_u64(&out, load_sender_version(sender));
    output_value(&load->call->output, buffer_bytes(&out));
}

// Says how much is stored although the load failed.
static enum status fail_load(struct load *load, const struct load_sender *sender)
{
    struct failure *failure = &load->call->failure;
    char words[WORDS_SIZE];
    snprintf(words, sizeof words,
             " (%" PRIu64 " of %" PRIu64 " documents are stored; the load can be repeated)",
             load_sender_stored(sender), load->documents);
    failure_wrap(failure, "", words);
    return failure->status;
}

static enum status store(struct load *load, struct bytes collection, uint64_t batch)
{
    AUTO(load_sender_destroy) struct load_sender *sender = NULL;
    AUTO(client_loop_destroy) struct client_loop *loop = NULL;
    AUTO(answer_release) struct answer answer = {0};
    const struct load_sender_options options = {.collection = collection,
                                                .batch_count_max = (uint32_t)batch};
    TRY(connection_open(load->call, &loop));
    TRY(connection_topology(load->call, loop, &answer)); // is anybody there?
    sender = load_sender_new(load->call, loop, &options);
    enum status added = add_lines(load, sender);
    enum status finished = load_sender_finish(sender);
    if (added != STATUS_ok || finished != STATUS_ok) {
        return fail_load(load, sender);
    }
    print_result(load, sender);
    return STATUS_ok;
}

enum status run_load(struct call *call)
{
    AUTO(load_release) struct load load = {.call = call, .path = call->arguments.operands[1]};
    struct bytes collection;
    uint64_t batch = BATCH_DEFAULT;
    TRY(input_collection(call, call->arguments.operands[0], &collection));
    TRY(arguments_number(&call->arguments,
                         &(struct number_option){"batch", 1, TRANSACTION_OPERATIONS_MAX}, &batch,
                         &call->failure));
    TRY(open_file(&load));
    TRY(check(&load));
    return store(&load, collection, batch);
}
