"""Which faults there are at each moment, and what keeps a good majority through them.

  - Of the voters that are of no use (down, paused, cut off, slow, damaged) there is a minority,
    but now and then, and shortly, more.
  - A voter is damaged only when all others are well, and the next one only when it is well again:
    what is damaged is never more than a minority. Between two of them nothing is forgotten, since
    a node that was refilled is seen to be a replica again.
  - Processes that were ended are started again; one that ends by itself is a finding, unless its
    disk gave it a reason. A node that says that its state is damaged gets it taken away, as an
    operator would do, and is refilled. So does one that may not have read what was damaged yet.
"""

import collections
import signal
import time

import harness
import nemesis_faults
from nemesis_cluster import EXIT_DAMAGED, EXIT_OTHER

BEYOND_SHARE = 0.07  # of the faults may be on more than a minority
BEYOND_SECONDS = 1.5
RESTART_SECONDS = 0.5  # after an end that was to be expected
STOP_SECONDS = 20  # a process has to end after SIGTERM
WELL_SECONDS = 1.5  # a node must be well for so long to count as that after damage
REFILL_SECONDS = 60
HEAL_SECONDS = 90
REASON_SECONDS = 15  # after its disk was bad a node may still end because of it
FAULTS_MAX = 4  # at the same time
PAUSE_SECONDS = 0.7  # between two beginnings, on average
TRIES = 5  # to find one that may be
# Of a table file that could not be written to a full disk (storage/rocksdb, 4).
ROCKSDB_ASSERTION = 'AssertFalseAndGetStatusForPrevError'


class Nemesis:

    def __init__(self, cluster, random, kinds, log):
        self.cluster = cluster
        self.random = random
        self.kinds = kinds
        self.log_line = log
        self.load = None  # whose clients may be killed
        self.active = []
        self.begun = collections.Counter()  # faults by kind
        self.starts = {}  # name: when it is to be started
        self.leaving = {}  # name: until when it has to end
        self.reasons = {}  # name: until when it may end by itself
        self.hurt_since = {}  # name of a damaged node: when it was
        self.well_since = {}  # name of such a node: since when it is well
        self.hidden = set()  # damaged nodes that may not have noticed it
        self.lost_voters = set()  # for good
        self.given_up = set()  # processes that ended for no good reason
        self.refilled = 0
        self.aborted = 0
        self.violations = []
        self.next_at = time.monotonic() + 1
        self.is_beyond = False

    def askers(self):
        return self.load.askers if self.load else []

    def violate(self, sentence):
        self.violations.append(sentence)
        self.log_line(f'VIOLATION {sentence}')

    # What may be done.

    def is_free(self, name):
        """It runs, and nothing else is done to it."""
        held = set().union(*(fault.targets for fault in self.active), self.starts, self.leaving)
        return name not in held and self.cluster.processes[name].poll() is None

    def disabled(self):
        """Processes that are of no use now."""
        return set().union(*(fault.disables for fault in self.active), self.starts, self.leaving,
                           self.hurt_since, self.lost_voters)

    def may_disable(self, names):
        """Whether a majority of voters is left then, and one of each other kind."""
        useless = self.disabled() | names
        voters = set(self.cluster.storage)
        kinds = [[name for name in self.cluster.others if name[0] == kind] for kind in 'cwr']
        return self.is_beyond or (len(useless & voters) <= (len(voters) - 1) // 2 and
                                  not any(useless.issuperset(kind) for kind in kinds))

    def may_hurt(self, name):
        if name in self.hurt_since or not self.is_free(name):
            return False
        if name == self.cluster.follower:
            return True
        others = [other for other in self.cluster.storage if other not in (name, *self.lost_voters)]
        return (not self.disabled() & set(self.cluster.storage) - self.lost_voters and
                all(self.cluster.is_well(other) for other in others))

    # What faults do.

    def start_later(self, name, seconds):
        self.starts[name] = time.monotonic() + seconds

    def stop_and_start(self, name):
        self.cluster.processes[name].terminate()
        self.leaving[name] = time.monotonic() + STOP_SECONDS * harness.SLOWNESS

    def expect_exit(self, name):
        self.reasons[name] = time.monotonic() + REASON_SECONDS * harness.SLOWNESS

    def hurt(self, name, is_hidden=False):
        self.hurt_since[name] = time.monotonic()
        self.well_since.pop(name, None)
        if is_hidden:
            self.hidden.add(name)

    # Each moment.

    def tick(self):
        now = time.monotonic()
        for fault in self.active:
            fault.tick()
        self.end_faults([fault for fault in self.active if fault.is_over()])
        self.look_after_processes(now)
        self.look_after_damaged(now)
        if now >= self.next_at:
            self.next_at = now + self.random.expovariate(1 / PAUSE_SECONDS)
            for _ in range(TRIES):
                if len(self.active) < FAULTS_MAX and self.begin_fault():
                    break

    def begin_fault(self):
        """Whether there is another fault now."""
        kind = self.random.choices(self.kinds, [kind.weight for kind in self.kinds])[0]
        self.is_beyond = not self.hurt_since and (kind.is_beyond or
                                                  self.random.random() < BEYOND_SHARE)
        fault = kind(self)
        if self.is_beyond:
            fault.until = min(fault.until, time.monotonic() + BEYOND_SECONDS)
        done = fault.begin()
        self.is_beyond = False
        if done is None:
            return False
        self.begun[kind.__name__] += 1
        self.log_line(f'{kind.__name__} for {fault.left():.1f} s: {done}')
        self.active.append(fault)
        if fault.links:
            self.set_links()
        return True

    def end_faults(self, faults):
        for fault in faults:
            self.active.remove(fault)
            fault.end()
            self.log_line(f'{type(fault).__name__} is over')
        if any(fault.links for fault in faults):
            self.set_links()

    def set_links(self):
        links = {}
        for fault in self.active:
            for pair, link in fault.links.items():
                links[pair] = {**links.get(pair, {}), **link}
        network = self.cluster.network
        for sender in network.names:
            for receiver in network.names:
                if sender != receiver:
                    network.set(sender, receiver, **links.get((sender, receiver), {}))

    def look_after_processes(self, now):
        for name, until in list(self.leaving.items()):
            if self.cluster.processes[name].poll() is not None:
                self.note_end_of_leaving(name)
                self.start_later(name, 0)
                del self.leaving[name]
            elif now > until:
                self.violate(f'{name} did not end after SIGTERM')
                del self.leaving[name]
                self.cluster.die(name)
                self.start_later(name, 0)
        for name, at in list(self.starts.items()):
            if now >= at:
                self.cluster.start(name)
                del self.starts[name]
        for name, process in self.cluster.processes.items():
            if not (name in self.starts or name in self.leaving or name in self.given_up or
                    process.poll() is None):
                self.on_exit(name, process.returncode, now)

    def note_end_of_leaving(self, name):
        code = self.cluster.processes[name].returncode
        if code not in (0, EXIT_OTHER, -signal.SIGTERM):  # the last: it had hardly begun
            self.violate(f'{name} ended with {code} after SIGTERM:\n'
                         f'{self.cluster.last_words(name)}')

    def on_exit(self, name, code, now):
        """A process ended by itself."""
        has_reason = now < self.reasons.get(name, 0)
        if code == EXIT_DAMAGED and name in self.hurt_since:
            self.log_line(f'{name} says that it is damaged')
            self.refill(name)
        elif code == EXIT_OTHER and has_reason:
            self.log_line(f'{name} ended because of its disk')
        elif has_reason and ROCKSDB_ASSERTION in self.cluster.last_words(name):
            self.log_line(f'{name} ended by an assertion of RocksDB')
            self.aborted += 1
        else:
            self.violate(f'{name} ended by itself with {code}:\n{self.cluster.last_words(name)}')
            self.given_up.add(name)
            return
        self.start_later(name, RESTART_SECONDS)

    def refill(self, name):
        """What an operator does with a node that doesn't run."""
        self.log_line(f'journal and state of {name} are taken away')
        self.refilled += 1
        self.hidden.discard(name)
        self.cluster.remove(name, 'journal', 'state')

    def end_damage(self, name):
        """A damaged node has been well for a while."""
        if name not in self.hidden:
            del self.hurt_since[name]
            self.log_line(f'{name} is well again')
        elif self.is_free(name):
            self.cluster.die(name)
            self.refill(name)
            self.hurt(name)
            self.start_later(name, 0)

    def look_after_damaged(self, now):
        for name, since in list(self.hurt_since.items()):
            if name in self.starts or not self.cluster.is_well(name):
                self.well_since.pop(name, None)
            elif now - self.well_since.setdefault(name, now) > WELL_SECONDS:
                self.end_damage(name)
            if now - since > REFILL_SECONDS * harness.SLOWNESS and name in self.hurt_since:
                self.violate(f'{name} was damaged and did not become well:\n'
                             f'{self.cluster.last_words(name)}')
                del self.hurt_since[name]

    def heal(self):
        """Ends all faults, and waits until all is well."""
        self.end_faults(list(self.active))
        for disk in self.cluster.disks.values():
            disk.heal()
        until = time.monotonic() + HEAL_SECONDS * harness.SLOWNESS
        while not (self.cluster.is_whole() and not self.hurt_since and not self.starts):
            if time.monotonic() > until:
                self.violate(f'not all became well: {self.cluster.states()}')
                return
            now = time.monotonic()
            self.look_after_processes(now)
            self.look_after_damaged(now)
            time.sleep(0.05)


def kinds_of(names, has_network):
    """The classes of these faults, or of all that are possible."""
    kinds = nemesis_faults.PROCESS_FAULTS + nemesis_faults.DISK_FAULTS
    if has_network:
        kinds += nemesis_faults.LINK_FAULTS
    return [kind for kind in kinds if not names or kind.__name__ in names]
