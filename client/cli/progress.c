/*
 * The line is made apart from the clock and the terminal, so that it can be tested.
 */
#include "client/cli/progress.h"

#include "client/cli/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { BAR_WIDTH = 30, SHOW_US = 100000, LINE_SIZE = 200 };

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

void progress_init(struct progress *progress, const char *what, const char *unit, uint64_t total)
{
    *progress = (struct progress){.what = what, .unit = unit, .total = total, .began_us = now_us()};
}

void progress_show(struct progress *progress, uint64_t done)
{
    AUTO(buffer_release) struct buffer line = {0};
    uint64_t now = now_us();
    if (progress->shown_us != 0 && now - progress->shown_us < SHOW_US) {
        return;
    }
    progress->shown_us = now;
    progress_print(progress, done, now - progress->began_us, &line);
    buffer_append_u8(&line, '\0');
    output_progress((const char *)line.data);
}

void progress_end(struct progress *progress)
{
    progress->shown_us = 0;
    output_progress("");
}

// Appends the bar and the share; nothing when the total is not known.
static void print_bar(const struct progress *progress, uint64_t done, struct buffer *out)
{
    char text[16];
    if (progress->total == 0) {
        return;
    }
    double share = done < progress->total ? (double)done / (double)progress->total : 1;
    size_t full = (size_t)(share * BAR_WIDTH);
    buffer_append(out, bytes_from_text(" ["));
    for (size_t i = 0; i < BAR_WIDTH; i++) {
        buffer_append_u8(out, i < full ? '=' : (i == full ? '>' : ' '));
    }
    snprintf(text, sizeof text, "] %3d %% ", (int)(share * 100));
    buffer_append(out, bytes_from_text(text));
}

void progress_print(const struct progress *progress, uint64_t done, uint64_t elapsed_us,
                    struct buffer *out)
{
    char text[LINE_SIZE];
    uint64_t rate = elapsed_us == 0 ? 0 : (uint64_t)((double)done * 1e6 / (double)elapsed_us);
    buffer_append(out, bytes_from_text(progress->what));
    print_bar(progress, done, out);
    snprintf(text, sizeof text, " %" PRIu64 " %s, %" PRIu64 " a second", done, progress->unit,
             rate);
    buffer_append(out, bytes_from_text(text));
}
