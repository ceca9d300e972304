//! What a replica knows, and the handlers that do not depend on the protocol.

use super::{Family, Name, Rules, dbft1, dbft2, recovery};
use milp_schema::{BlockId, Height, Kind, Message, ReplicaId, View};
use std::collections::{BTreeMap, BTreeSet};

/// Something a replica does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    /// Broadcasts a message by a rule of the protocol.
    Send(Message),
    /// Broadcasts a message by the rules of recovery, lines 17–20 and 23.
    Recover {
        /// What it says itself.
        message: Message,
        /// What it repeats of others (and of itself), by author.
        carried: Vec<(ReplicaId, Message)>,
    },
    /// Enters a view above 0 of its height.
    EnterView(View),
    /// Regards a block as final.
    Decide(BlockId),
}

/// Where a message stands relative to its receiver (E4, E5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    /// The receiver has not got there: the network holds it back.
    Ahead,
    /// The receiver takes it.
    Here,
    /// It comes too late to change anything.
    Passed,
}

/// The state of one honest replica; everything it *holds* is of its current height.
///
/// Its own messages are held like those of others, so "no Commit sent at h" is "holds no Commit
/// of its own".
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Replica {
    /// Who it is.
    pub(crate) me: ReplicaId,
    /// The height it works on; the number of heights once it has stopped.
    pub(crate) height: Height,
    /// Its view of that height.
    pub(crate) view: View,
    /// Held requests by (view, block), from the primary of that view.
    pub(crate) requests: BTreeSet<(View, u32)>,
    /// Held responses by (view, block, author).
    pub(crate) responses: BTreeSet<(View, u32, ReplicaId)>,
    /// Held commits by (view, block, author).
    pub(crate) commits: BTreeSet<(View, u32, ReplicaId)>,
    /// Held change views by (target, author); the view of the message is target − 1.
    pub(crate) change_views: BTreeSet<(View, ReplicaId)>,
    /// What it decided, one block per passed height.
    pub(crate) decided: Vec<BlockId>,
    /// Proposals ever made per (height, view). This is the world's memory, not the replica's: a
    /// block proposed after an amnesia is another block (line 22), and needs another number.
    pub(crate) proposed: BTreeMap<(Height, View), u32>,
}

impl Replica {
    /// Line 1, at height 0.
    pub(crate) fn new(me: ReplicaId) -> Self {
        Self {
            me,
            height: Height(0),
            view: View(0),
            requests: BTreeSet::new(),
            responses: BTreeSet::new(),
            commits: BTreeSet::new(),
            change_views: BTreeSet::new(),
            decided: Vec::new(),
            proposed: BTreeMap::new(),
        }
    }

    /// Whether it decided every height; it then answers questions and does nothing else.
    pub(crate) fn stopped(&self, rules: &Rules) -> bool {
        self.height.0 >= rules.heights
    }

    /// Where `message` stands.
    ///
    /// Recovery is about a height, not about a view: held back by view it could never help a
    /// replica whose view is behind.
    pub(crate) fn position(&self, message: &Message) -> Position {
        if message.height != self.height {
            let ahead = message.height > self.height;
            return if ahead {
                Position::Ahead
            } else {
                Position::Passed
            };
        }
        match Name::of(message.kind) {
            Some(Name::ChangeView) if message.view < self.view => Position::Passed,
            Some(
                Name::Block | Name::ChangeView | Name::RecoveryRequest | Name::RecoveryMessage,
            ) => Position::Here,
            _ if message.view > self.view => Position::Ahead,
            _ if message.view < self.view => Position::Passed,
            _ => Position::Here,
        }
    }

    /// The timer fires. A stopped replica has none.
    pub(crate) fn on_timeout(&mut self, rules: &Rules, out: &mut Vec<Output>) {
        if self.stopped(rules) {
            return;
        }
        match rules.family {
            Family::Dbft1 => dbft1::on_timeout(self, rules, out),
            Family::Dbft2 => dbft2::on_timeout(self, rules, out),
        }
        self.check(rules, out);
    }

    /// A message is handed over, by the network or (`carried`) out of a recovery message.
    ///
    /// The caller must have held back what is [`Position::Ahead`].
    pub(crate) fn on_receive(
        &mut self,
        rules: &Rules,
        author: ReplicaId,
        message: &Message,
        carried: bool,
        out: &mut Vec<Output>,
    ) {
        assert_ne!(
            author, self.me,
            "a replica never receives a copy from itself"
        );
        let position = self.position(message);
        assert_ne!(
            position,
            Position::Ahead,
            "the network holds back what is ahead"
        );
        if rules.recovery && !carried {
            recovery::answer(self, rules, message, out);
        }
        if position == Position::Passed {
            return;
        }
        if message.kind == Name::Block {
            // Lines 12–13: the block carries its certificate, so the view does not matter.
            if let Some(block) = message.block_id() {
                self.decide(rules, block, out);
            }
        } else if self.hold(rules, author, message) {
            self.check(rules, out);
        }
    }

    /// Holds a message from now on, if it is of a kind that is held.
    pub(crate) fn hold(&mut self, rules: &Rules, author: ReplicaId, message: &Message) -> bool {
        match Name::of(message.kind) {
            Some(Name::PrepareRequest) => self.on_prepare_request(rules, author, message),
            Some(Name::PrepareResponse) => self.on_prepare_response(author, message),
            Some(Name::Commit) => self.on_commit(author, message),
            Some(Name::ChangeView) => self.on_change_view(author, message),
            _ => return false,
        }
        true
    }

    /// Every rule that must fire, fires, in the order of the page, until none can.
    fn check(&mut self, rules: &Rules, out: &mut Vec<Output>) {
        while !self.stopped(rules)
            && match rules.family {
                Family::Dbft1 => dbft1::check(self, rules, out),
                Family::Dbft2 => dbft2::check(self, rules, out),
            }
        {}
    }

    fn on_prepare_request(&mut self, rules: &Rules, author: ReplicaId, message: &Message) {
        // Only the primary's request counts anywhere; another's is worth nothing.
        if let Some(block) = message.index()
            && author == rules.primary(message.height, message.view)
        {
            self.requests.insert((message.view, block));
        }
    }

    fn on_prepare_response(&mut self, author: ReplicaId, message: &Message) {
        if let Some(block) = message.index() {
            self.responses.insert((message.view, block, author));
        }
    }

    fn on_commit(&mut self, author: ReplicaId, message: &Message) {
        if let Some(block) = message.index() {
            self.commits.insert((message.view, block, author));
        }
    }

    fn on_change_view(&mut self, author: ReplicaId, message: &Message) {
        self.change_views.insert((message.view.next(), author));
    }

    /// Whether it is the primary of its view.
    pub(crate) fn is_primary(&self, rules: &Rules) -> bool {
        self.me == rules.primary(self.height, self.view)
    }

    /// Whether it proposed in its view.
    pub(crate) fn request_sent(&self, rules: &Rules) -> bool {
        self.is_primary(rules) && self.requests.range((self.view, 0)..).next().is_some()
    }

    /// Whether it responded in its view.
    pub(crate) fn response_sent(&self) -> bool {
        self.responses
            .iter()
            .any(|&(view, _, author)| view == self.view && author == self.me)
    }

    /// Whether it asked to leave its view.
    pub(crate) fn change_view_sent(&self) -> bool {
        self.change_views.contains(&(self.view.next(), self.me))
    }

    /// Whether it committed at its height, in any view.
    pub(crate) fn commit_sent(&self) -> bool {
        self.commits.iter().any(|&(_, _, author)| author == self.me)
    }

    /// Blocks of its view for which it holds the primary's request, ascending.
    pub(crate) fn requested(&self) -> impl Iterator<Item = u32> {
        let view = self.view;
        self.requests
            .range((view, 0)..=(view, u32::MAX))
            .map(|&(_, block)| block)
    }

    /// How many replicas prepared block `block` of its view: the primary by its request, backups
    /// by a response. A response by the primary is not a preparation.
    pub(crate) fn preparations(&self, rules: &Rules, block: u32) -> usize {
        let primary = rules.primary(self.height, self.view);
        let requested = self.requests.contains(&(self.view, block));
        usize::from(requested)
            + self
                .responses
                .iter()
                .filter(|&&(view, b, author)| view == self.view && b == block && author != primary)
                .count()
    }

    /// The highest view above its own for which a quorum asks, a replica counting once.
    pub(crate) fn wanted_view(&self, rules: &Rules) -> Option<View> {
        let mut highest: BTreeMap<ReplicaId, View> = BTreeMap::new();
        for &(target, author) in &self.change_views {
            // Ascending by target, so the last one kept is the author's highest.
            highest.insert(author, target);
        }
        let mut targets: Vec<View> = highest.into_values().collect();
        targets.sort_unstable_by(|a, b| b.cmp(a));
        targets
            .get(rules.quorum() - 1)
            .copied()
            .filter(|&view| view > self.view)
    }

    /// A message of this replica about its height and view.
    pub(crate) fn message(&self, kind: Kind, block: Option<u32>) -> Message {
        Message::new(kind, self.height, self.view, block)
    }

    /// Proposes the next free block number of the view; 0 unless it proposed there and forgot.
    pub(crate) fn send_prepare_request(&mut self, rules: &Rules, out: &mut Vec<Output>) {
        let count = self.proposed.entry((self.height, self.view)).or_insert(0);
        let block = *count;
        *count += 1;
        self.requests.insert((self.view, block));
        out.push(Output::Send(
            self.message(rules.kind(Name::PrepareRequest), Some(block)),
        ));
    }

    pub(crate) fn send_prepare_response(
        &mut self,
        rules: &Rules,
        block: u32,
        out: &mut Vec<Output>,
    ) {
        self.responses.insert((self.view, block, self.me));
        out.push(Output::Send(
            self.message(rules.kind(Name::PrepareResponse), Some(block)),
        ));
    }

    pub(crate) fn send_commit(&mut self, rules: &Rules, block: u32, out: &mut Vec<Output>) {
        self.commits.insert((self.view, block, self.me));
        out.push(Output::Send(
            self.message(rules.kind(Name::Commit), Some(block)),
        ));
    }

    pub(crate) fn send_change_view(&mut self, rules: &Rules, out: &mut Vec<Output>) {
        self.change_views.insert((self.view.next(), self.me));
        out.push(Output::Send(
            self.message(rules.kind(Name::ChangeView), None),
        ));
    }

    pub(crate) fn enter_view(&mut self, view: View, out: &mut Vec<Output>) {
        assert!(view > self.view, "views only grow");
        self.view = view;
        out.push(Output::EnterView(view));
    }

    /// Decides, publishes the block and starts the next height with nothing held.
    pub(crate) fn decide(&mut self, rules: &Rules, block: BlockId, out: &mut Vec<Output>) {
        assert_eq!(
            block.height, self.height,
            "a replica decides its own height"
        );
        out.push(Output::Decide(block));
        out.push(Output::Send(Message::about(rules.kind(Name::Block), block)));
        self.decided.push(block);
        self.height = self.height.next();
        self.forget();
    }

    /// Nothing held, nothing sent, view 0.
    fn forget(&mut self) {
        self.view = View(0);
        self.requests.clear();
        self.responses.clear();
        self.commits.clear();
        self.change_views.clear();
    }

    /// Lines 22–23: returns after a crash, with the state it had or with only its blocks.
    pub(crate) fn restart(&mut self, rules: &Rules, backup: bool, out: &mut Vec<Output>) {
        if !backup {
            self.forget();
        }
        if rules.recovery {
            let message = self.message(rules.kind(Name::RecoveryRequest), None);
            out.push(Output::Recover {
                message,
                carried: Vec::new(),
            });
        }
    }

    /// Whether a firing of the timer would do more than ask for recovery.
    pub(crate) fn timeout_matters(&self, rules: &Rules) -> bool {
        if self.stopped(rules) {
            return false;
        }
        let locked = rules.family == Family::Dbft2 && dbft2::locked(self, rules);
        let proposes = self.is_primary(rules) && !self.request_sent(rules);
        !locked && (proposes || !self.change_view_sent())
    }
}
