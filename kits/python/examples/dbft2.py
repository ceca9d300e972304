"""dBFT 2.0, line by line as on docs/protocols/dbft2.md, but that its primaries go by (h - v) mod n.

milp engine check "python3 kits/python/examples/dbft2.py"
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from milp_engine import Kind, Replica, serve  # noqa: E402

BLOCK, REQUEST, RESPONSE, COMMIT, LEAVE, ASK, REPEAT = (
    "Block", "PrepareRequest", "PrepareResponse", "Commit", "ChangeView",
    "RecoveryRequest", "RecoveryMessage")


class Dbft2(Replica):
    name, version = "dbft2-python", "1.0"
    kinds = (Kind(BLOCK, "decision", True), Kind(REQUEST, "proposal", True),
             Kind(RESPONSE, "vote", True), Kind(COMMIT, "vote", True, binds=True, final=True),
             Kind(LEAVE, "leave", False), Kind(ASK, "question", False),
             Kind(REPEAT, "answer", False))

    def begin(self):  # 1, and the timers of a view
        leads = self.primary(self.height, self.view, self.n) == self.id
        first = self.block_time if self.view == 0 else 0
        self.arm("view", first if leads else self.wait())

    def wait(self):
        return self.block_time << (self.view + 1)

    def timeout(self, timer):
        self.arm(timer, self.wait())
        leads = self.primary(self.height, self.view, self.n) == self.id
        if self.mine(COMMIT):  # 17
            self.repeat(REPEAT)
        elif leads and not self.mine(REQUEST, self.view):  # 2, 3
            if self.view == 0:
                self.arm(timer, self.wait() - self.block_time)
            self.propose(REQUEST)
        else:  # 4, 5 and, when it asked already, 18
            again = self.mine(LEAVE, self.view)
            self.send(LEAVE)
            if again:
                self.send(ASK)

    def restarted(self):  # 23
        self.send(ASK)

    def holds(self, message):  # what is of a passed view comes too late, wishes to leave do not
        return message.kind == LEAVE or message.view >= self.view

    def receive(self, message):  # 19
        behind = message.kind == LEAVE and (message.view < self.view or self.mine(COMMIT))
        if message.kind == ASK or behind:
            self.repeat(REPEAT)

    def enough(self):  # commits that make a block final
        return self.quorum

    def react(self):
        view, asked, bound = self.view, self.mine(LEAVE, self.view), self.mine(COMMIT)
        leader = self.primary(self.height, view, self.n)
        requests = [m.value for m in self.held if m.kind == REQUEST and m.view == view]
        own = self.mine(REQUEST, view) or self.mine(RESPONSE, view)
        if requests and not own and not asked and leader != self.id:  # 6
            self.send(RESPONSE, requests[0])  # 7
            return True
        prepared = own and self.tally(own.value, REQUEST, RESPONSE) >= self.quorum  # 8
        if prepared and not asked and not bound:
            self.send(COMMIT, own.value)  # 9
            return True
        for value in requests:
            if self.tally(value, COMMIT) >= self.enough():  # 10
                self.decide(value)  # 11, and with 14 the kit does 12 and 13
                return True
        wishes = sorted(self.latest(LEAVE).values(), reverse=True)[self.quorum - 1:]
        if wishes and wishes[0] >= view and not bound:  # 15
            self.enter(wishes[0] + 1)  # 16
            self.begin()
            return True
        return False


if __name__ == "__main__":
    serve(Dbft2)
