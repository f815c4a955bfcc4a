"""A C file as the rules see it: its text without comments and literals, its functions.

This is no parser of C. It knows as much as the house style makes safe to assume: functions begin
in the first column, their closing brace stands alone in the first column (clang-format sees to
both), and macros that define functions (Test, ParameterizedTest) look like functions.
"""

import re
from dataclasses import dataclass, field
from functools import cached_property

COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
DIRECTIVE = re.compile(r'^[ \t]*#(?:[^\n\\]|\\\n|\\.)*', re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
CONTROL = ('if', 'for', 'while', 'switch')


@dataclass
class Function:
    name: str
    line: int         # where it begins: the first line of its signature
    end_line: int     # where its closing brace stands
    parameters: list  # texts between the commas
    body: str         # between the outer braces, without comments, literals and directives
    body_line: int    # line on which the body begins
    is_macro: bool    # made by a macro as Test(suite, name)
    is_static: bool


@dataclass
class Source:
    path: str  # from the top of the tree, with /
    text: str
    problems: list = field(default_factory=list)

    def line_of(self, offset):
        return self.text.count('\n', 0, offset) + 1

    def report(self, line, what, how):
        self.problems.append(f'{self.path}:{line}: {what}: {how}')

    @cached_property
    def lines(self):
        return self.text.split('\n')

    @cached_property
    def code(self):
        """The text with comments and the insides of literals made blank, at the same offsets."""
        return COMMENT_OR_LITERAL.sub(blank, self.text)

    @cached_property
    def plain(self):
        """The code without preprocessor directives, at the same offsets."""
        return DIRECTIVE.sub(blank, self.code)

    @cached_property
    def includes(self):
        """(line, path, is_system) of every #include, in order."""
        bare = re.sub(r'/\*.*?\*/', blank, self.text, flags=re.DOTALL)
        return [(self.line_of(m.start()), m.group(2), m.group(1) == '<')
                for m in INCLUDE.finditer(bare)]

    @cached_property
    def prototypes(self):
        """Names of the functions that are declared and not defined here, in order."""
        outside, last = '', 0
        for start, end in top_level_blocks(self.plain):
            outside += self.plain[last:start] + ';'
            last = end + 1
        statements = strip_attributes(outside + self.plain[last:]).split(';')
        names = [re.search(r'(\w+)\s*\(.*\)\s*$', text, re.DOTALL) for text in statements]
        return [match.group(1) for match in names if match]

    @cached_property
    def functions(self):
        found = []
        for start, end in top_level_blocks(self.plain):
            signature_start = statement_start(self.plain, start)
            signature = self.plain[signature_start:start]
            match = re.search(r'(\w+)[ \t\n]*\(', strip_attributes(signature))
            if match is None or '=' in signature.split('(')[0]:
                continue
            name = match.group(1)
            if name in ('struct', 'enum', 'union'):
                continue
            before = strip_attributes(signature)[:match.start()].strip()
            found.append(Function(
                name=name, line=self.line_of(signature_start), end_line=self.line_of(end),
                parameters=parameters_of(strip_attributes(signature), match.end()),
                body=self.plain[start + 1:end], body_line=self.line_of(start),
                is_macro=before == '', is_static='static' in before.split()))
        return found


def blank(match):
    """The same length and the same line ends, nothing else. A literal keeps its quotes."""
    text = match.group(0)
    inside = re.sub(r'[^\n]', ' ', text)
    if text[0] in '"\'':
        return text[0] + inside[1:-1] + text[0]
    return inside


def top_level_blocks(text):
    """(offset of {, offset of }) of every block in the first level of braces."""
    depth, start = 0, 0
    for match in re.finditer(r'[{}]', text):
        if match.group(0) == '{':
            if depth == 0:
                start = match.start()
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                yield start, match.start()


def statement_start(text, offset):
    """Where the statement begins whose block opens at offset."""
    previous = max(text.rfind(';', 0, offset), text.rfind('}', 0, offset))
    return offset - len(text[previous + 1:offset].lstrip())


def strip_attributes(signature):
    """The signature with __attribute__((...)) and AUTO(...) made blank."""
    return re.sub(r'\b(__attribute__\s*\(\(.*?\)\)|AUTO\s*\(\w*\))',
                  lambda m: ' ' * len(m.group(0)), signature, flags=re.DOTALL)


def parameters_of(signature, start):
    """The parameters between the parenthesis that opens before start and its partner."""
    depth, parts, current = 1, [], ''
    for letter in signature[start:]:
        depth += {'(': 1, ')': -1}.get(letter, 0)
        if depth == 0:
            break
        if letter == ',' and depth == 1:
            parts.append(current.strip())
            current = ''
        else:
            current += letter
    if current.strip() not in ('', 'void'):
        parts.append(current.strip())
    return parts


def deepest_block(body):
    """(depth, offset) of the deepest nested block of statements in a function's body."""
    deepest, where, stack = 0, 0, []
    for match in re.finditer(r'[{}]', body):
        if match.group(0) == '{':
            stack.append(is_statement_block(body, match.start()))
            depth = sum(stack)
            if depth > deepest:
                deepest, where = depth, match.start()
        elif stack:
            stack.pop()
    return deepest, where


def is_statement_block(body, offset):
    """Whether the brace at offset opens statements, and not an initializer or a struct."""
    before = body[:offset].rstrip()
    if before == '' or before[-1] in ';{}:':
        return True
    if re.search(r'\b(else|do)$', before):
        return True
    if before[-1] != ')':
        return False
    depth = 0
    for index in range(len(before) - 1, -1, -1):
        depth += {')': 1, '(': -1}.get(before[index], 0)
        if depth == 0:
            break
    head = before[:index].rstrip()
    if re.search(r'(?<![\w.>])(%s)$' % '|'.join(CONTROL), head):
        return True
    loop_macro = re.search(r'([A-Z][A-Z0-9_]+)$', head)
    return loop_macro is not None
