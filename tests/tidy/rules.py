"""The rules of style that a program can check. Each takes a Source and reports to it.

There is no list of exceptions: what is allowed where follows from the folder of a file alone.
"""

import re

from source import deepest_block

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
PARAMETERS_MAX = 5
NESTING_MAX = 3
DESIGN_LINES_MIN = 5
DESIGN_LINES_MAX = 40
SMALL_FILE_LINES = 150  # needs less to be said about it
SMALL_DESIGN_LINES_MIN = 3

# Folders that hold shells: the code around the pure machines.
SHELLS = ('actors/runtime', 'client', 'client/cli')
# Folders of pure machines: no clock, thread, file, environment, random source or output.
PURE = ('cluster', 'wire', 'wire/document', 'storage', 'actors/primary', 'actors/replica',
        'actors/storage', 'actors/coordinator', 'actors/writer', 'actors/reader',
        'actors/monitor', 'actors/gateway')
# Where a test may wait for real time to pass.
WAITING_TESTS = ('tests/integration', 'tests/bench')

BANNED = {
    'strcpy': 'use memcpy with a known size',
    'strncpy': 'use memcpy with a known size',
    'strcat': 'use a buffer or snprintf',
    'strncat': 'use a buffer or snprintf',
    'sprintf': 'use snprintf',
    'vsprintf': 'use vsnprintf',
    'gets': 'use getline',
    'atoi': 'use strtoul and check where it stopped',
    'atol': 'use strtoul and check where it stopped',
    'atof': 'use strtod and check where it stopped',
    'strtok': 'walk the text with strcspn',
    'rand': 'use base/random.h',
    'srand': 'use base/random.h',
    'random': 'use base/random.h',
    'drand48': 'use base/random.h',
    'alloca': 'use a buffer; the stack has no bound to check',
    'tmpnam': 'use mkstemp',
    'system': 'use posix_spawn or fork and exec',
    'popen': 'use posix_spawn or fork and exec',
    'assert': 'use ASSERT, which is on in release builds too',
    'zmsg_decode': 'decode one frame with wire/message.h',
}
CLOCKS = ('time', 'clock', 'clock_gettime', 'gettimeofday', 'zclock_mono', 'zclock_usecs',
          'zclock_time')
SLEEPS = ('sleep', 'usleep', 'nanosleep', 'clock_nanosleep', 'zclock_sleep')
IMPURE = ('printf', 'fprintf', 'puts', 'perror', 'fopen', 'open', 'openat', 'getenv',
          'secure_getenv', 'pthread_create', 'fork', 'socket', 'getrandom', 'exit', '_exit',
          'signal', 'sigaction')


def check_text(source):
    """Lines, tabs and marks: for every kind of file."""
    if len(source.lines) - 1 > FILE_LINES_MAX:
        source.report(FILE_LINES_MAX + 1, f'file of {len(source.lines) - 1} lines',
                      f'split it by purpose, at most {FILE_LINES_MAX}')
    for number, line in enumerate(source.lines, 1):
        if len(line) > LINE_COLUMNS_MAX:
            source.report(number, f'line of {len(line)} columns',
                          f'break it, at most {LINE_COLUMNS_MAX}')
        if line.rstrip() != line:
            source.report(number, 'white space at the end of the line', 'remove it')
        if '\t' in line:
            source.report(number, 'tab', 'use spaces')
        mark = re.search(r'\b(TO' r'DO|FIX' r'ME|XX' r'X|HA' r'CK)\b', line)
        if mark:
            source.report(number, f'{mark.group(1)} mark', 'do it now, or leave it out')
    if source.text and not source.text.endswith('\n'):
        source.report(len(source.lines), 'no line end at the end of the file', 'add it')


def check_functions(source):
    for function in source.functions:
        size = function.end_line - function.line + 1
        if size > FUNCTION_LINES_MAX:
            source.report(function.line, f'{function.name} has {size} lines',
                          f'give its parts names of their own, at most {FUNCTION_LINES_MAX}')
        if not function.is_macro and len(function.parameters) > PARAMETERS_MAX:
            source.report(function.line,
                          f'{function.name} has {len(function.parameters)} parameters',
                          f'pass what belongs together as a struct, at most {PARAMETERS_MAX}')
        depth, offset = deepest_block(function.body)
        if depth > NESTING_MAX:
            line = function.body_line + function.body.count('\n', 0, offset)
            source.report(line, f'{function.name} nests {depth} deep',
                          f'return early or name the inner part, at most {NESTING_MAX}')


def check_names(source):
    """Banned calls, goto, typedefs that hide a struct."""
    for match in re.finditer(r'\bgoto\b', source.plain):
        source.report(source.line_of(match.start()), 'goto',
                      'own locals with AUTO and return early')
    for match in re.finditer(r'\btypedef\s+(struct|union|enum)\b', source.plain):
        source.report(source.line_of(match.start()), f'typedef of a {match.group(1)}',
                      f'say {match.group(1)} where it is used')
    for match in re.finditer(r'(?<![\w.>])(\w+)\s*\(', source.plain):
        advice = call_advice(source, match.group(1))
        if advice and not is_declaration(source.plain, match):
            source.report(source.line_of(match.start()), f'call of {match.group(1)}', advice)


def call_advice(source, name):
    """What to do instead of calling name in this file; None when it may be called."""
    folder = folder_of(source.path)
    if name in BANNED:
        return BANNED[name]
    in_tests = folder.startswith('tests/')
    may_wait = folder in SHELLS or folder.startswith(WAITING_TESTS)
    if name in SLEEPS and not may_wait:
        return 'wait for an event; only shells know time'
    if name in CLOCKS and not may_wait and not in_tests:
        return 'take the time from the event; only shells read clocks'
    if name in IMPURE and folder in PURE:
        return 'machines are pure: leave it to the shell, by an effect'
    return None


def is_declaration(text, match):
    """Whether the match is a member or function of that name and no call: a type stands before."""
    before = text[:match.start()].rstrip()
    word = re.search(r'(\w+)\s*\**$', before)
    return word is not None and word.group(1) not in ('return', 'else', 'do', 'case')


def check_conditionals(source):
    """No #if inside a function."""
    spans = [(f.body_line, f.end_line) for f in source.functions]
    for number, line in enumerate(source.code.split('\n'), 1):
        if re.match(r'\s*#\s*(if|ifdef|ifndef|elif|else)\b', line):
            if any(start < number < end for start, end in spans):
                source.report(number, 'preprocessor condition inside a function',
                              'choose the function, not its insides')


def check_globals(source):
    """No variables at file scope; constants are none. Tests may keep fixtures."""
    if source.path.startswith('tests/'):
        return
    depth, start, is_function = 0, 0, False
    text = source.plain
    for index, letter in enumerate(text):
        if letter == '{' and depth == 0:
            is_function = text[start:index].rstrip().endswith(')')
        depth += {'{': 1, '(': 1, '}': -1, ')': -1}.get(letter, 0)
        if depth == 0 and (letter == ';' or (letter == '}' and is_function)):
            check_statement(source, text, start, index + 1)
            start = index + 1


def check_statement(source, text, start, end):
    statement = text[start:end].strip()
    outer = re.sub(r'\{.*\}', '', statement, flags=re.DOTALL)
    declared = outer.split('=')[0]
    if not statement.endswith(';') or '(' in declared:
        return
    if re.match(r'(typedef|extern)\b|((struct|enum|union)(\s+\w+)?\s*)?;$', outer):
        return
    if re.search(r'\bconst\b', declared):
        return
    line = source.line_of(start + len(text[start:end]) - len(text[start:end].lstrip()))
    source.report(line, 'variable at file scope', 'put it into a struct that is passed')


def check_header(source):
    """The guard is named after the path; a folder's name need not be said twice."""
    words = re.split(r'\W', source.path.upper())
    once = [word for index, word in enumerate(words) if words[index - 1:index] != [word]]
    guards = ['SKEIN_' + '_'.join(words), 'SKEIN_' + '_'.join(once)]
    pattern = r'^#ifndef (%s)\n#define \1$' % '|'.join(guards)
    wanted = re.search(pattern, source.code, re.MULTILINE)
    if wanted is None or not source.code.rstrip().endswith('#endif'):
        source.report(1, 'no guard of its own', f'#ifndef {guards[0]} ... #endif around everything')


def check_opening(source):
    """A .c begins with its design; a small one, or one of a test, with a shorter one."""
    match = re.match(r'/\*.*?\*/|(//[^\n]*\n)+', source.text, re.DOTALL)
    if match is None:
        source.report(1, 'no design comment', 'open with purpose, invariants, what is not handled')
        return
    size = match.group(0).rstrip('\n').count('\n') + 1
    is_small = len(source.lines) <= SMALL_FILE_LINES
    least = SMALL_DESIGN_LINES_MIN if is_small else DESIGN_LINES_MIN
    least = 1 if source.path.startswith('tests/') else least
    if not least <= size <= DESIGN_LINES_MAX:
        source.report(1, f'design comment of {size} lines',
                      f'say it in {least} to {DESIGN_LINES_MAX}')


def check_own_header(source, exists):
    """The own header is the first include."""
    own = source.path[:-2] + '.h'
    if not exists(own):
        return
    if not source.includes or source.includes[0][1] != own:
        line = source.includes[0][0] if source.includes else 1
        source.report(line, 'own header is not the first include', f'begin with "{own}"')


def check_order(source, header):
    """Functions stand in the order in which the header declares them."""
    rank = {name: index for index, name in enumerate(header.prototypes)}
    last, last_name = -1, ''
    for function in source.functions:
        place = rank.get(function.name, None)
        if function.is_static or place is None:
            continue
        if place < last:
            source.report(function.line, f'{function.name} stands after {last_name}',
                          'keep the order of the header')
        last, last_name = place, function.name


def folder_of(path):
    return path.rsplit('/', 1)[0] if '/' in path else ''


ALL_FILES = (check_text,)
C_FILES = (check_functions, check_names, check_conditionals, check_globals)
