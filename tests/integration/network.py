"""A network of namespaces on one bridge, whose links can be cut without anybody being told.

Names that begin with s or c get a namespace and an address each; everybody else lives on the
bridge's own side. To be used in an isolated test only (isolation.py).

  - isolate() takes a namespace off the bridge: what it sends and is sent is lost;
  - mute() loses what goes from one side to another, and nothing on the way back, by giving the
    sender a wrong hardware address.
"""

from isolation import command

HERE = '10.77.0.1'
NOBODY = '02:00:00:00:00:99'


class Network:

    def __init__(self, *names):
        self.addresses = {name: f'10.77.0.{10 + i}' for i, name in enumerate(names)}
        self.isolated = set()
        self.muted = set()
        command('mkdir', '-p', '/run/netns')
        command('ip', 'link', 'add', 'bridge', 'type', 'bridge')
        command('ip', 'link', 'set', 'bridge', 'up')
        command('ip', 'address', 'add', f'{HERE}/24', 'dev', 'bridge')
        for name, address in self.addresses.items():
            command('ip', 'netns', 'add', name)
            command('ip', 'link', 'add', f'to-{name}', 'type', 'veth', 'peer', 'name', 'eth0',
                    'netns', name)
            command('ip', 'link', 'set', f'to-{name}', 'master', 'bridge', 'up')
            command('ip', '-n', name, 'address', 'add', f'{address}/24', 'dev', 'eth0')
            command('ip', '-n', name, 'link', 'set', 'eth0', 'up')
            command('ip', '-n', name, 'link', 'set', 'lo', 'up')

    def address(self, name):
        return self.addresses.get(name, HERE)

    def inside(self, name):
        """The words before a command that is to run in the namespace."""
        return ['ip', 'netns', 'exec', name] if name in self.addresses else []

    def isolate(self, name):
        command('ip', 'link', 'set', f'to-{name}', 'nomaster')
        self.isolated.add(name)

    def mute(self, sender, receiver):
        self.neighbour('replace', sender, receiver, 'lladdr', NOBODY, 'nud', 'permanent')
        self.muted.add((sender, receiver))

    def cut(self, one, other):
        self.mute(one, other)
        self.mute(other, one)

    def neighbour(self, verb, sender, receiver, *words):
        side = ['-n', sender] if sender in self.addresses else []
        device = 'eth0' if side else 'bridge'
        command('ip', *side, 'neighbour', verb, self.address(receiver), 'dev', device, *words)

    def heal(self):
        for name in self.isolated:
            command('ip', 'link', 'set', f'to-{name}', 'master', 'bridge')
        for sender, receiver in self.muted:
            self.neighbour('delete', sender, receiver)
        self.isolated.clear()
        self.muted.clear()
