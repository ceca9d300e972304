"""An adapter kit: replicas written in Python, driven by `milp`.

One file, standard library only; copy it beside your engine. An adapter holds all replicas of one
run and answers requests on standard input, JSON lines as docs/ENGINE-PROTOCOL.md has them. The kit
does all of that; what is left to write is a subclass of `Replica` with the rules of one replica:

    from milp_engine import Kind, Replica, serve

    class Mine(Replica):
        name, version = "mine", "1.0"
        kinds = (Kind("Block", "decision", True), Kind("Propose", "proposal", True), ...)

        def begin(self): ...            # a height begins, in view 0
        def receive(self, message): ... # a message came by itself; it is held already
        def timeout(self, timer): ...   # that timer fired
        def react(self): ...            # does the first rule that can be done; False if none can

    serve(Mine)

The kit calls `react` after each of the other three until it says False, so rules that must be done
as soon as they can be stand there, in their order. What a rule does, it does by `send`, `propose`,
`repeat`, `enter`, `decide` and `arm`; what it looks at is `held` and the questions below it.
`self` has whatever else an engine wants to remember: set it in `begin`, and a crash takes it away.

Two runs with the same requests must give the same bytes: ask no clock (`self.now` is the time), no
random source and no network, and do not iterate over a set of strings.

`python3 kits/python/examples/dbft2.py` is an engine of that form; `milp engine check "COMMAND"`
says what one lacks.
"""

import json
import sys
from typing import NamedTuple

PROTOCOL = "milp-engine/2.0"
LONGEST = 16 << 20  # bytes of a line
NUMBERS = 1 << 16   # views and indices stay below
ROLES = ("proposal", "vote", "leave", "decision", "question", "answer")
KEPT = ("proposal", "vote", "leave")  # roles of what replicas hold, and repeat in answers


class Kind(NamedTuple):
    """A kind of message, as the protocol's file in protocols/ has it; list them in its order."""

    name: str
    role: str            # one of ROLES
    names: bool          # whether it names a value: which proposal it is about
    binds: bool = False  # whether it binds its sender (a lock)
    final: bool = False  # whether a quorum of it makes a block final


class Message(NamedTuple):
    """What somebody said. A value is (view, index): proposal number `index` made in that view."""

    author: int
    kind: str
    height: int
    view: int
    value: tuple | None = None
    carried: tuple = ()  # of an answer: the messages it repeats, in the order of handling


class Replica:
    """One honest replica. Subclass it; the kit sets these before `begin`:

    `id`, `n`, `f`, `quorum` (n - f), `block_time`, `now` (nanoseconds since the start), `height`,
    `view`, and `held`: the messages of this height that it holds, its own among them, as they came.
    """

    name, version = "engine", "0"
    kinds: tuple = ()
    timers: tuple = ("view",)

    # What an engine overrides.

    def begin(self):
        """A height begins, in view 0; also after a restart, which forgot everything else."""

    def restarted(self):
        """It came back from a crash; `begin` was called."""

    def receive(self, message):
        """A message came by itself, not inside an answer. If it is to be held, it is held."""

    def timeout(self, timer):
        """A timer fired; it is off now."""

    def react(self):
        """Does the first rule that can be done; False if none can."""
        return False

    def holds(self, message):
        """Whether a message that came is to be held."""
        return True

    @staticmethod
    def primary(height, view, n):
        """Who proposes: rotation by (height - view) mod n, as production engines of dBFT have it."""
        return (height - view) % n

    # What a rule looks at.

    def first(self, kind, author, view):
        """The first message of that kind, author and view that it holds, or None."""
        found = (m for m in self.held if (m.kind, m.author, m.view) == (kind, author, view))
        return next(found, None)

    def mine(self, kind, view=None):
        """Its own message of that kind at this height (in that view), or None."""
        own = (m for m in self.held if m.author == self.id and m.kind == kind)
        return next((m for m in own if view in (None, m.view)), None)

    def tally(self, value, *kinds):
        """How many replicas it holds a message of one of these kinds for that value of."""
        return len({m.author for m in self.held if m.value == value and m.kind in kinds})

    def latest(self, kind):
        """The highest view of a message of that kind, for each author it holds one of."""
        views = {}
        for m in self.held:
            if m.kind == kind:
                views[m.author] = max(m.view, views.get(m.author, 0))
        return views

    # What a rule does.

    def send(self, kind, value=None):
        """Broadcasts a message of its height and view, and holds it at once."""
        self._send(Message(self.id, kind, self.height, self.view, value))

    def propose(self, kind):
        """Broadcasts its next proposal of this view: number 0, or a higher one after a restart."""
        self.send(kind, (self.view, self._run.proposals(self.height, self.view)))

    def repeat(self, kind):
        """Broadcasts an answer that carries all it holds: wishes to leave, then by kind."""
        order = self._run.order
        leaves = lambda m: self._run.kinds[m.kind].role != "leave"
        carried = sorted(self.held, key=lambda m: (leaves(m), order[m.kind], m.view, m.author))
        if self._run.recovery == "neo-go":
            final = lambda m: self._run.kinds[m.kind].final
            carried = [m._replace(view=self.view) if final(m) else m for m in carried]
        self._send(Message(self.id, kind, self.height, self.view, None, tuple(carried)))

    def enter(self, view):
        """Enters a later view of its height. Timers run on: arm or stop them."""
        self.view = view
        self._run.effect("enter_view", self, height=self.height, view=view)

    def decide(self, value):
        """Decides: publishes the block and begins the next height, or stops after the last."""
        kind = self._run.decision
        block = Message(self.id, kind, self.height, value[0], value)
        self._run.effect("decide", self, label=label(block))
        self._run.publish(self, block)
        self._next(self.height + 1)

    def arm(self, timer, duration):
        """Starts a timer anew: it is due `duration` nanoseconds from now."""
        self._armed[timer] = (self.height, self.view, self.now + duration)
        self._run.touched.add(self.id)

    def stop(self, timer):
        """Stops a timer."""
        self._armed.pop(timer, None)
        self._run.touched.add(self.id)

    # The kit's own.

    def __init__(self, run, number, height):
        self._run, self.id, self.up, self.height = run, number, True, height
        self.n, self.block_time, self.now = run.n, run.block_time, run.now
        self.f = (self.n - 1) // 3
        self.quorum = self.n - self.f
        self._armed = {}

    @property
    def stopped(self):
        return self.height == self._run.heights

    def _next(self, height):
        self.height, self.view, self.held, self._armed = height, 0, [], {}
        self._run.touched.add(self.id)
        if not self.stopped:
            self.begin()

    def _send(self, message):
        self._hold(message)
        self._run.publish(self, message)

    def _hold(self, message):
        kept = self._run.kinds[message.kind].role in KEPT
        if kept and message not in self.held:
            self.held.append(message)

    def _take(self, message):
        if message.height == self.height and self.holds(message):
            self._hold(message)

    def _deliver(self, message):
        if message.height != self.height:
            return
        if message.kind == self._run.decision:
            return self.decide(message.value)
        for one in message.carried:
            if one.author != self.id:
                self._take(one)
                self._settle()
        self._take(message)
        self.receive(message)

    def _settle(self):
        while not self.stopped and self.react():
            pass

    def _state(self):
        if not self.up or self.stopped:
            stopped = {"stopped": True} if self.up else {}
            return {"up": self.up, **stopped, "height": self.height}
        run = self._run
        votes = {(m.author, run.order[m.kind], m.view, run.known(m)) for m in self.held}
        binding = {at for kind, at in run.order.items() if run.kinds[kind].binds}
        named = [(who, {"kind": run.names[kind], "view": view, "value": value_json(value or None)})
                 for who, kind, view, value in sorted(votes)]
        bonds = [vote for who, vote in named if who == self.id and run.order[vote["kind"]] in binding]
        return {"up": True, "stopped": False, "height": self.height, "view": self.view,
                "votes": [{"author": who, **vote} for who, vote in named], "entry": [],
                "bonds": bonds, "seen": [], "timers": self._timers()}

    def _timers(self):
        return [{"name": name, "height": height, "view": view, "deadline": deadline}
                for name, (height, view, deadline) in self._armed.items()]


class Refused(Exception):
    """A request that cannot be carried out: code and words."""


BAD_PARAMS, NOT_BEGUN, NO_REPLICA, NO_MESSAGE, NO_LABEL, BACKWARDS = (
    -32602, -32001, -32002, -32003, -32004, -32005)


def value_json(value):
    return value and {"view": value[0], "index": value[1]}


def label(message):
    """A message label of the page."""
    return {"kind": message.kind, "height": message.height, "view": message.view,
            "value": value_json(message.value), "justification": None}


def number(params, name, below=1 << 64):
    """The integer of that name, from 0 on; refused otherwise."""
    value = params.get(name)
    if type(value) is not int or not 0 <= value < below:
        raise Refused(BAD_PARAMS, f"`{name}` must be an integer from 0 to {below - 1}")
    return value


def one_of(params, name, allowed):
    """The word of that name; refused unless it is allowed."""
    if params.get(name) not in allowed:
        raise Refused(BAD_PARAMS, f"`{name}` must be one of {', '.join(allowed)}")
    return params[name]


class Run:
    """All replicas of one run, and every message by its number."""

    def __init__(self, engine, params):
        """The request `initialise`."""
        spoken = params.get("protocol")
        if not (isinstance(spoken, str) and spoken.startswith("milp-engine/2.")):
            raise Refused(NOT_BEGUN, f"this adapter speaks {PROTOCOL}")
        self.engine = engine
        self.kinds = {kind.name: kind for kind in engine.kinds}
        self.names = list(self.kinds)
        self.order = {name: at for at, name in enumerate(self.names)}
        self.decision = next(kind.name for kind in engine.kinds if kind.role == "decision")
        self.n, self.heights = number(params, "replicas", NUMBERS), number(params, "heights")
        if self.n == 0:
            raise Refused(BAD_PARAMS, "there are no replicas")
        byzantine = params.get("byzantine")
        if not (isinstance(byzantine, list) and all(type(who) is int and 0 <= who < self.n
                                                    for who in byzantine)):
            raise Refused(BAD_PARAMS, "`byzantine` must be a list of replicas")
        self.block_time = number(params, "block_time")
        number(params, "seed")  # a proposal is its number here, so nothing depends on the seed
        one_of(params, "signatures", ("p256", "symbolic"))  # signed by names, whichever is asked
        self.recovery = one_of(params, "recovery", ("ideal", "neo-go"))
        self.now, self.messages, self.proposed = 0, [], {}
        self.effects, self.touched, self.replicas = [], set(), {}
        for who in range(self.n):
            if who not in byzantine:
                self.begin(who, 0, lambda replica: None)

    # Called by replicas.

    def effect(self, name, replica, **fields):
        self.effects.append({"effect": name, "replica": replica.id, **fields})

    def publish(self, replica, message):
        carried = [{"author": m.author, "label": label(m)} for m in message.carried]
        fields = {"carried": carried} if self.kinds[message.kind].role == "answer" else {}
        self.effect("send", replica, message=self.add(message), label=label(message), **fields)

    def add(self, message):
        """Gives a message its number."""
        if self.kinds[message.kind].role == "proposal":
            self.proposed.setdefault((message.height, message.value), []).append(message.author)
        self.messages.append(message)
        return len(self.messages)

    def proposals(self, height, view):
        """The number of the next proposal of that view."""
        return sum(1 for (at, value) in self.proposed if (at, value[0]) == (height, view))

    def known(self, message):
        """The value of a message as states have it: () for one that nobody ever proposed."""
        return message.value if (message.height, message.value) in self.proposed else ()

    # Requests.

    def deliver(self, params):
        replica = self.honest(params)
        at = number(params, "message")
        if not 0 < at <= len(self.messages):
            raise Refused(NO_MESSAGE, f"there is no message {at}")
        message = self.messages[at - 1]
        if message.author == replica.id:
            raise Refused(BAD_PARAMS, f"message {at} is of replica {replica.id} itself")
        self.act(replica, lambda: replica._deliver(message))
        return self.answer()

    def timeout(self, params):
        replica = self.honest(params)
        timer = one_of(params, "timer", self.engine.timers)
        place = number(params, "height"), number(params, "view")
        if replica._armed.get(timer, ())[:2] == place:
            replica.stop(timer)
            self.act(replica, lambda: replica.timeout(timer))
        return self.answer()

    def inject(self, params):
        who, given = number(params, "replica"), params.get("label")
        if who >= self.n or who in self.replicas:
            raise Refused(NO_REPLICA, f"replica {who} is not Byzantine")
        if not (isinstance(given, dict) and "value" in given and "justification" in given):
            raise Refused(BAD_PARAMS, "`label` lacks something")
        kind = self.kinds[one_of(given, "kind", self.kinds)]
        height, view, value = number(given, "height"), number(given, "view"), given["value"]
        if isinstance(value, dict):
            value = number(value, "view"), number(value, "index")
        named = isinstance(value, tuple) and value[0] == view and max(value) < NUMBERS
        leads = kind.role != "proposal" or self.engine.primary(height, view, self.n) == who
        fits = named if kind.names else value is None
        if (kind.role not in KEPT or height >= self.heights or view >= NUMBERS or not fits
                or not leads or given["justification"] is not None):
            raise Refused(NO_LABEL, f"replica {who} could not send {json.dumps(given)}")
        return {"effects": [], "message": self.add(Message(who, kind.name, height, view, value))}

    def crash(self, params):
        replica = self.honest(params)
        self.down(replica)
        return self.answer()

    def restart(self, params):
        old = self.honest(params, up=False)
        self.begin(old.id, old.height, lambda replica: replica.restarted())
        return self.answer()

    def begin(self, who, height, then):
        """A replica with nothing but its ledger begins a height."""
        replica = self.replicas[who] = self.engine(self, who, height)
        self.touched.add(who)

        def act():
            replica._next(height)
            then(replica)
        self.act(replica, act)

    def advance(self, params):
        now = number(params, "now")
        if now < self.now:
            raise Refused(BACKWARDS, f"it is {self.now} already")
        self.now = now
        for replica in self.replicas.values():
            replica.now = now
        return {"effects": []}

    def state(self, params):
        return self.honest(params, up=None)._state()

    def honest(self, params, up=True):
        """The honest replica that is meant; refused unless it is up, or down, as it must be."""
        who = number(params, "replica")
        if who not in self.replicas:
            raise Refused(NO_REPLICA, f"there is no honest replica {who}")
        replica = self.replicas[who]
        if up is not None and replica.up != up:
            raise Refused(NO_REPLICA, f"replica {who} is {'down' if up else 'up'}")
        return replica

    def act(self, replica, act):
        """Does something at a replica that is up. If the engine fails, the replica breaks down."""
        try:
            if not replica.stopped:
                act()
                replica._settle()
        except Exception as error:  # whatever it is: it is the engine's own
            self.effect("fault", replica, text=f"{type(error).__name__}: {error}")
            self.down(replica)

    def down(self, replica):
        replica.up, replica._armed = False, {}
        self.touched.add(replica.id)

    def answer(self):
        """What happened, timers last."""
        effects, self.effects = self.effects, []
        touched, self.touched = sorted(self.touched), set()
        timers = [{"effect": "timer", "replica": who, "timers": self.replicas[who]._timers()}
                  for who in touched]
        return {"effects": effects + timers}


class Adapter:
    """Requests in, responses out."""

    METHODS = ("deliver", "timeout", "inject", "crash", "restart", "advance", "state")

    def __init__(self, engine):
        self.engine, self.run, self.ended = engine, None, False

    def respond(self, line):
        """The response to a line, as an object."""
        request, number = None, None
        try:
            if len(line) > LONGEST:
                raise Refused(-32600, "the line is longer than 16 MiB")
            try:
                request = json.loads(line)
            except ValueError:
                raise Refused(-32700, "the line is no JSON") from None
            if not isinstance(request, dict) or "id" not in request:
                raise Refused(-32600, "the line is no request")
            number = request["id"]
            if request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
                raise Refused(-32600, "the line is no request")
            result = self.call(request["method"], request.get("params", {}))
            return {"jsonrpc": "2.0", "id": number, "result": result}
        except Refused as refused:
            code, words = refused.args
            return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": words}}

    def call(self, method, params):
        if not isinstance(params, dict):
            raise Refused(BAD_PARAMS, "params must be an object")
        if method == "shutdown":
            self.ended = True
            return {}
        if method == "initialise":
            if self.run:
                raise Refused(NOT_BEGUN, "the run has begun")
            self.run = Run(self.engine, params)
            return {"protocol": PROTOCOL, "engine": self.engine.name,
                    "version": self.engine.version, **self.run.answer()}
        if method not in self.METHODS:
            raise Refused(-32601, f"there is no method {method}")
        if not self.run:
            raise Refused(NOT_BEGUN, "`initialise` comes first")
        return getattr(self.run, method)(params)


def lines(stream):
    """The lines of a stream; one that is too long is cut, but longer than allowed."""
    while line := stream.readline(LONGEST + 2):
        cut = line
        while cut and not cut.endswith(b"\n"):
            cut = stream.readline(LONGEST)
        yield line.rstrip(b"\n")


def serve(engine):
    """Answers requests until `shutdown` or the end of input."""
    adapter = Adapter(engine)
    for line in lines(sys.stdin.buffer):
        response = json.dumps(adapter.respond(line), separators=(",", ":"))
        sys.stdout.write(response + "\n")
        sys.stdout.flush()
        if adapter.ended:
            return
