"""The faults of the nemesis, one class each: what it does, how long, and how it ends.

`begin` returns what it did, or None when it can't or may not now; the nemesis (nemesis_atlas.py)
says what may be done. `tick` is called all the time until `is_over`, then `end`.
"""

import glob
import os
import signal
import threading
import time

from disk_shim import DIE
from nemesis_network import HERE


class Fault:

    seconds = (0.3, 4)
    weight = 1
    is_beyond = False  # of any number of processes, when nothing is damaged

    def __init__(self, nemesis):
        self.nemesis = nemesis
        self.cluster = nemesis.cluster
        self.random = nemesis.random
        self.until = time.monotonic() + self.random.uniform(*self.seconds)
        self.disables = set()  # processes that are of no use while this lasts
        self.links = {}  # (sender, receiver): how their link is
        self.targets = set()  # processes that no other fault may stop meanwhile

    def begin(self):
        raise NotImplementedError

    def tick(self):
        pass

    def is_over(self):
        return time.monotonic() >= self.until

    def end(self):
        pass

    def choose(self, names):
        """One of those that nothing was done to, and that may be of no use for a while."""
        free = [name for name in names if self.nemesis.is_free(name)]
        if not free:
            return None
        name = self.random.choice(free)
        if not self.nemesis.may_disable({name}):
            return None
        self.disables = {name}
        return name

    def left(self):
        return max(0, self.until - time.monotonic())


class Kill(Fault):
    """kill -9 of any process."""

    weight = 5

    def names(self):
        return self.cluster.nodes + self.cluster.others

    def begin(self):
        name = self.choose(self.names())
        if name is None:
            return None
        self.cluster.die(name)
        self.nemesis.start_later(name, self.left())
        return name


class KillPrimary(Kill):

    weight = 3

    def names(self):
        return [name for name in self.cluster.storage if name == self.cluster.primary()]


class KillAll(Fault):
    """Everything at once."""

    seconds = (0.1, 0.5)
    weight = 0.2
    is_beyond = True

    def begin(self):
        names = [name for name in self.cluster.nodes + self.cluster.others
                 if self.nemesis.is_free(name)]
        if not self.nemesis.may_disable(set(names)):
            return None
        self.disables = set(names)
        for name in names:
            self.cluster.die(name)
            self.nemesis.start_later(name, self.left())
        return ' '.join(names)


class PowerCut(Kill):
    """One storage node loses what it has not synced."""

    weight = 3

    def names(self):
        return self.cluster.nodes

    def begin(self):
        name = self.choose(self.names())
        if name is None:
            return None
        self.cluster.cut_power(self.random.getrandbits(32), name)
        self.nemesis.start_later(name, self.left())
        return name


class PowerCutOfAll(Fault):
    """All storage nodes at the same moment."""

    seconds = (0.1, 0.5)
    weight = 0.4
    is_beyond = True

    def begin(self):
        names = [name for name in self.cluster.nodes if self.nemesis.is_free(name)]
        if not self.nemesis.may_disable(set(names)):
            return None
        self.disables = set(names)
        self.cluster.cut_power(self.random.getrandbits(32), *names)
        for name in names:
            self.nemesis.start_later(name, self.left())
        return ' '.join(names)


class Pause(Fault):
    """SIGSTOP, and SIGCONT later."""

    seconds = (0.1, 4)
    weight = 4

    def begin(self):
        name = self.choose(self.cluster.nodes + self.cluster.others)
        if name is None:
            return None
        self.targets = {name}
        self.cluster.processes[name].send_signal(signal.SIGSTOP)
        return name

    def end(self):
        for name in self.targets:
            self.cluster.processes[name].send_signal(signal.SIGCONT)


class KillClient(Fault):

    seconds = (0, 0)
    weight = 1

    def begin(self):
        asker = self.random.choice(self.nemesis.askers() or [None])
        if asker is None:
            return None
        asker.kill()
        return 'a pipe'


class Switchover(Fault):

    seconds = (1, 2)
    weight = 1.5

    def begin(self):
        words = ['switchover']
        if self.random.random() < 0.5:
            words.append(self.random.choice(self.cluster.storage))
        threading.Thread(target=self.cluster.call_from_eye, args=words, daemon=True).start()
        return ' '.join(words)


class RollingRestart(Fault):
    """SIGTERM and start again, one process after the other, each when the one before is back."""

    seconds = (60, 60)
    weight = 0.15

    def begin(self):
        self.left_to_do = [*self.cluster.others, *self.cluster.nodes]
        self.random.shuffle(self.left_to_do)
        self.name = None
        return ' '.join(self.left_to_do)

    def tick(self):
        if self.name is not None and not self.is_back():
            return
        self.name = None
        if self.left_to_do and self.nemesis.is_free(self.left_to_do[0]):
            name = self.left_to_do[0]
            if self.nemesis.may_disable({name}):
                self.left_to_do.pop(0)
                self.name = name
                self.disables = {name}
                self.nemesis.stop_and_start(name)

    def is_back(self):
        states = self.cluster.states()
        return self.nemesis.is_free(self.name) and states.get(self.name) in (
            'ready', 'primary', 'replica')

    def is_over(self):
        return super().is_over() or not (self.left_to_do or self.name)


class LinkFault(Fault):
    """Something with links; there is a network."""

    seconds = (0.5, 6)

    def everybody(self):
        return self.cluster.nodes + self.cluster.others + [HERE]

    def cut(self, senders, receivers):
        self.links |= {(sender, receiver): {'is_cut': 1}
                       for sender in senders for receiver in receivers if sender != receiver}


class Isolation(LinkFault):
    """One process hears and reaches nobody."""

    weight = 3

    def begin(self):
        name = self.choose(self.cluster.nodes + self.cluster.others)
        if name is None:
            return None
        self.cut([name], self.everybody())
        self.cut(self.everybody(), [name])
        return name


class OneWay(LinkFault):
    """One process hears nobody, or reaches nobody; or that is so for some of the others."""

    weight = 2

    def begin(self):
        name = self.choose(self.cluster.nodes + self.cluster.others)
        if name is None:
            return None
        others = [other for other in self.everybody() if self.random.random() < 0.8]
        if self.random.random() < 0.5:
            self.cut([name], others)
            return f'{name} does not reach {" ".join(others)}'
        self.cut(others, [name])
        return f'{name} does not hear {" ".join(others)}'


class Halves(LinkFault):
    """Two sides; the clients are where most voters are, with one process of each kind at least."""

    weight = 2

    def sides(self):
        """(larger side, smaller side)."""
        voters = list(self.cluster.storage)
        self.random.shuffle(voters)
        few = self.random.randint(1, (len(voters) - 1) // 2)
        small, large = voters[:few], voters[few:] + [HERE]
        for kind in ('c', 'w', 'r', 's'):
            names = [name for name in self.everybody()
                     if name[0] == kind and name not in small + large and name != HERE]
            self.random.shuffle(names)
            some = self.random.randint(0, max(0, len(names) - 1))
            small += names[:some]
            large += names[some:]
        return large, small

    def begin(self):
        large, small = self.sides()
        if not self.nemesis.may_disable(set(small)):
            return None
        self.disables = set(small)
        self.cut(large, small)
        self.cut(small, large)
        return f'{" ".join(large)} | {" ".join(small)}'


class Bridge(Halves):
    """Two sides that only one voter of the larger side sees both of."""

    weight = 1

    def begin(self):
        large, small = self.sides()
        bridge = self.random.choice([name for name in large if name in self.cluster.storage])
        if not self.nemesis.may_disable(set(small)):
            return None
        self.disables = set(small)
        others = [name for name in large if name != bridge]
        self.cut(others, small)
        self.cut(small, others)
        return f'{" ".join(others)} | {bridge} | {" ".join(small)}'


class BadLinks(LinkFault):
    """Links of some pairs are worse than others."""

    def kind(self):
        raise NotImplementedError

    def begin(self):
        link = self.kind()
        share = self.random.choice((0.1, 0.3, 1))
        pairs = [(one, other) for one in self.everybody() for other in self.everybody()
                 if one != other and self.random.random() < share]
        self.links = {pair: link for pair in pairs}
        return f'{len(pairs)} links: {link}'


class SlowLinks(BadLinks):

    weight = 2

    def kind(self):
        delay = self.random.choice((1000, 5000, 20000, 60000))
        return {'delay_us': delay, 'jitter_us': self.random.choice((0, delay // 2, 2 * delay))}


class Loss(BadLinks):

    weight = 2

    def kind(self):
        return {'loss_ppm': self.random.choice((1000, 10000, 50000, 150000))}


class Duplication(BadLinks):

    weight = 1

    def kind(self):
        return {'duplicate_ppm': self.random.choice((100000, 500000)),
                'jitter_us': self.random.choice((0, 2000))}


class DiskFault(Fault):

    def begin(self):
        name = self.choose(self.cluster.nodes)
        if name is None:
            return None
        self.disk = self.cluster.disks[name]
        self.name = name
        return f'{name} {self.spoil()}'

    def spoil(self):
        raise NotImplementedError


class FailingSync(DiskFault):
    """fdatasync says EIO, once or more, and what it should have made durable may be gone."""

    seconds = (2, 5)
    weight = 1.5

    def spoil(self):
        self.nemesis.expect_exit(self.name)
        self.disk.seed = self.random.getrandbits(32)
        self.disk.failing_syncs = self.random.choice((1, 1, 3))
        return f'{self.disk.failing_syncs}x'

    def end(self):
        self.disk.failing_syncs = 0


class SlowDisk(DiskFault):

    seconds = (1, 8)
    weight = 2

    def spoil(self):
        self.disk.sync_slow_us = self.random.choice((2000, 20000, 100000, 500000))
        self.disk.write_slow_us = self.random.choice((0, 0, 1000, 20000))
        return f'{self.disk.sync_slow_us} us a sync, {self.disk.write_slow_us} a write'

    def end(self):
        self.disk.sync_slow_us = self.disk.write_slow_us = 0


class FullDisk(DiskFault):

    seconds = (1, 10)
    weight = 1.5

    def spoil(self):
        self.nemesis.expect_exit(self.name)
        self.disk.is_full = 1
        return ''

    def end(self):
        self.disk.is_full = 0


class Damage(Fault):
    """Something of a node that was killed is changed or gone; it is good again when refilled."""

    seconds = (0.1, 2)
    is_hidden = False  # the node need not notice at once

    def names(self):
        return self.cluster.nodes

    def begin(self):
        name = self.choose([name for name in self.names() if self.nemesis.may_hurt(name)])
        if name is None:
            return None
        self.name = name
        self.cluster.disks[name].end(self.cluster.processes[name], DIE)
        done = self.spoil()
        self.nemesis.hurt(name, self.is_hidden)
        self.nemesis.start_later(name, self.left())
        return f'{name} {done}'

    def files(self, *parts):
        return sorted(path for path in glob.glob(self.cluster.data(self.name, *parts))
                      if os.path.getsize(path) > 0)

    def flip(self, path, end):
        """Changes some bits before an offset."""
        offset = self.random.randrange(end)
        with open(path, 'r+b') as file:
            file.seek(offset)
            old = file.read(self.random.choice((1, 1, 4, 64)))
            file.seek(offset)
            file.write(bytes(byte ^ (1 << self.random.randrange(8)) for byte in old))
        return f'{path.split(self.name + "/", 1)[1]} at {offset}, {len(old)} bytes'

    def flip_anywhere(self, *parts):
        files = self.files(*parts)
        if not files:
            return 'nothing to change'
        path = self.random.choice(files)
        return self.flip(path, os.path.getsize(path))

    def spoil(self):
        raise NotImplementedError


class FlipInJournal(Damage):
    """Not at the end of what was written last, where it looks like a write that was torn."""

    weight = 0.7

    def spoil(self):
        files = self.files('journal', '*', '0*')
        if not files:
            return 'nothing to change'
        path = self.random.choice(files)
        with open(path, 'rb') as file:
            size = len(file.read().rstrip(b'\0'))
        return self.flip(path, max(1, size * 3 // 4 if path == files[-1] else size))


class FlipInTable(Damage):

    weight = 0.7
    is_hidden = True

    def spoil(self):
        return self.flip_anywhere('state', '*', '*.sst')


class FlipInManifest(Damage):

    weight = 0.5

    def spoil(self):
        return self.flip_anywhere('state', '*', 'MANIFEST-*')


class FlipInVote(Damage):
    """One of the two copies."""

    weight = 0.5

    def spoil(self):
        return self.flip_anywhere('vote', '*')


class LostState(Damage):
    """Journal and state are gone, the vote is not."""

    weight = 0.5

    def spoil(self):
        self.cluster.remove(self.name, 'journal', 'state')
        return 'has its vote only'


class WipedReplica(Damage):
    """All is gone of a node that never votes."""

    weight = 0.5

    def names(self):
        return [self.cluster.follower]

    def spoil(self):
        self.cluster.remove(self.name)
        self.cluster.format(self.name)
        return 'is empty'


class WipedVoter(WipedReplica):
    """All is gone of a voter, which is none from then on. Once, and not of three."""

    weight = 0.1

    def names(self):
        few = len(self.cluster.storage) < 5 or self.nemesis.lost_voters
        return [] if few else self.cluster.storage

    def spoil(self):
        self.nemesis.lost_voters.add(self.name)
        return super().spoil()


PROCESS_FAULTS = (Kill, KillPrimary, KillAll, PowerCut, PowerCutOfAll, Pause, KillClient,
                  Switchover, RollingRestart)
LINK_FAULTS = (Isolation, OneWay, Halves, Bridge, SlowLinks, Loss, Duplication)
DISK_FAULTS = (FailingSync, SlowDisk, FullDisk, FlipInJournal, FlipInTable, FlipInManifest,
               FlipInVote, LostState, WipedReplica, WipedVoter)
