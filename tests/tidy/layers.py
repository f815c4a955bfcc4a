"""Who may include whom: read from the skein_layer() lines of the top CMakeLists.txt.

The link tests keep calls inside these bounds; this keeps headers inside them, too.
"""

import re

from rules import folder_of

# Which library a system header belongs to, by the name that CMakeLists.txt has for it.
LIBRARIES = (
    (r'czmq|zmq', 'CZMQ'),
    (r'msgpack', 'MSGPACK'),
    (r'jansson', 'JANSSON'),
    (r'rocksdb/', 'ROCKSDB'),
    (r'systemd/', 'SYSTEMD'),
    (r'criterion/', 'CRITERION'),
)

# Folders that are programs, not layers: what they may use.
PROGRAMS = {
    'actors/runtime': ('*', ('CZMQ', 'SYSTEMD', 'Threads')),
    'client/cli': (('client', 'cluster', 'wire/document', 'wire', 'base'), ('CZMQ', 'Threads')),
}


def read_layers(text):
    """{folder: (folders it may include, libraries it may include)} of a CMakeLists.txt."""
    layers = dict(PROGRAMS)
    for match in re.finditer(r'^skein_layer\(([^)]*)\)', text, re.MULTILINE):
        words = match.group(1).split()
        folder, part, parts = words[0], '', {'USES': [], 'EXTERNAL': []}
        for word in words[1:]:
            if word in parts:
                part = word
            else:
                parts[part].append(re.sub(r'^PkgConfig::|::\w+$', '', word))
        layers[folder] = (tuple(parts['USES']), tuple(parts['EXTERNAL']))
    return layers


def check_includes(source, layers):
    folder = folder_of(source.path)
    if folder not in layers:
        return
    uses, libraries = layers[folder]
    for line, path, is_system in source.includes:
        if is_system:
            check_library(source, line, path, libraries)
            continue
        other = folder_of(path)
        if other == '':
            source.report(line, f'include of "{path}"', 'name the path from the top of the tree')
        elif other != folder and uses != '*' and other not in uses:
            source.report(line, f'{folder} includes {other}',
                          f'it may use {", ".join(uses) or "libc"} only')


def check_library(source, line, path, libraries):
    for pattern, library in LIBRARIES:
        if re.match(pattern, path) and library not in libraries:
            source.report(line, f'include of <{path}>',
                          f'{folder_of(source.path)} may not use {library}')
