//! Sessions: several commands decided one after the other, on one working copy of a wallet.

use std::borrow::Cow;

use crate::amount::Credits;
use crate::command::{Command, Reply};
use crate::decide::{Charge, Draft};
use crate::entry::{Bodies, Entry};
use crate::price_book::PriceBook;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// Commands decided one after the other on one wallet, at one instant.
///
/// The same as deciding each on the wallet that the one before it left, but the wallet is copied once. A refused
/// command leaves the session as it was, and a session in which every command was refused has no entries at all.
#[derive(Debug)]
pub struct Session<'a> {
    origin: Cow<'a, Wallet>,
    book: &'a PriceBook,
    now: Timestamp,
    /// How many entries are expected.
    room: usize,
    /// The working copy, once a command has needed one.
    draft: Option<Draft<'a>>,
    /// Whether a command was carried out: until then the draft has nothing that is to be kept.
    carried_out: bool,
    /// Whether all that was due at the draft's instant is booked in it.
    settled: bool,
}

/// What a session leaves: the wallet, and the entries that lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booked {
    /// The wallet with `entries` applied.
    pub wallet: Wallet,
    /// New entries, chained, in order; never empty.
    pub entries: Vec<Entry>,
    /// Their bytes, in the same order.
    pub bodies: Bodies,
}

impl<'a> Session<'a> {
    /// Begins on a wallet, which is not changed.
    #[must_use]
    pub fn new(wallet: Cow<'a, Wallet>, book: &'a PriceBook, now: Timestamp) -> Self {
        Self { origin: wallet, book, now, room: 0, draft: None, carried_out: false, settled: false }
    }

    /// Makes room for so many entries at once, so that many are not moved as they grow.
    #[must_use]
    pub fn with_room(self, entries: usize) -> Self {
        Self { room: entries, ..self }
    }

    /// Returns the wallet as the commands have left it.
    #[must_use]
    pub fn wallet(&self) -> &Wallet {
        match &self.draft {
            Some(draft) if self.carried_out => &draft.wallet,
            _ => &self.origin,
        }
    }

    /// Returns the entries so far.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.draft {
            Some(draft) if self.carried_out => &draft.entries,
            _ => &[],
        }
    }

    /// Returns what can be held at the session's instant.
    #[must_use]
    pub fn available(&mut self) -> Credits {
        let draft = self.settle();
        Credits::from_micro(draft.wallet.available_at(draft.now)).expect("it is not negative")
    }

    /// Decides a command after those before it.
    ///
    /// # Errors
    /// [`Refusal`], with which the session is as it was before.
    pub fn decide(&mut self, command: &Command) -> Result<Reply, Refusal> {
        // Another command than a charge may be refused half-way.
        let before = self.draft.as_ref().filter(|_| self.carried_out).map(Draft::mark);
        let draft = self.settle();
        let decided = draft.run(command);
        match &decided {
            Ok(_) => {
                draft.tell_low_balance();
                self.carried_out = true;
            }
            Err(_) => match before {
                Some(mark) => draft.go_back(mark),
                None => self.draft = None,
            },
        }
        self.settled = false;
        decided
    }

    /// Decides a charge after the commands before it, without a copy of the wallet.
    ///
    /// # Errors
    /// [`Refusal`], with which the session is as it was before.
    pub fn charge(&mut self, asked: Charge) -> Result<(), Refusal> {
        let draft = self.settle();
        let seq = draft.wallet.seq;
        if let Err(refusal) = draft.charge_open(asked) {
            assert_eq!(draft.wallet.seq, seq, "a charge is refused before it books anything");
            return Err(refusal);
        }
        draft.tell_low_balance();
        self.carried_out = true;
        Ok(())
    }

    /// Ends the session. Returns what is to be kept; `None` where nothing is.
    #[must_use]
    pub fn end(self) -> Option<Booked> {
        let Draft { wallet, entries, bodies, .. } = self.draft.filter(|_| self.carried_out)?;
        (!entries.is_empty()).then_some(Booked { wallet, entries, bodies })
    }

    /// Books what is due, and returns the working copy.
    fn settle(&mut self) -> &mut Draft<'a> {
        let draft = self.draft.get_or_insert_with(|| {
            let mut draft = Draft::of(&self.origin, self.book, self.now);
            draft.make_room(self.room);
            draft
        });
        if !self.settled {
            draft.now = draft.wallet.own_time(self.now);
            draft.settle();
            self.settled = true;
        }
        debug_assert_eq!(draft.wallet.due(draft.book, draft.now), None, "a charge makes nothing due");
        draft
    }
}

#[cfg(test)]
mod tests;
