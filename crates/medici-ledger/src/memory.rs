//! What a wallet remembers of holds that ended, so that a repeated call gets its stored answer.
//!
//! Bounded by time and number, and dropped by rules that depend on entries alone, so that replay agrees. A
//! wallet is copied at every decision: the long part is shared, only the recent part is copied.

use std::sync::Arc;

use crate::amount::Credits;
use crate::hold::{HOLD_MEMORY, HOLD_MEMORY_COUNT_MAX, Slice, VoidReason};
use crate::ids::HoldId;
use crate::time::Timestamp;

const RECENT_MAX: usize = 32;

/// How a hold ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) hold: HoldId,
    pub(crate) at: Timestamp,
    pub(crate) end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Captured { slices: Slices },
    Voided { reason: VoidReason, released: Credits },
    Expired,
    Uncollected { amount: Credits },
}

/// Captured slices; nearly always one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Slices {
    One(Slice),
    Several(Arc<[Slice]>),
}

impl Slices {
    pub(crate) fn new(slices: &[Slice]) -> Self {
        match slices {
            [slice] => Self::One(*slice),
            _ => Self::Several(slices.into()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[Slice] {
        match self {
            Self::One(slice) => std::slice::from_ref(slice),
            Self::Several(slices) => slices,
        }
    }

    pub(crate) fn amount(&self) -> Credits {
        let micro = self.as_slice().iter().map(|slice| slice.amount.micro()).sum();
        Credits::from_micro(micro).expect("slices are not negative")
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    older: Option<Arc<Older>>,
    recent: Vec<Ended>,
}

/// The long part, which does not change.
#[derive(Debug)]
struct Older {
    ended: Box<[Ended]>,
    /// A bit for each hold, so that a new one, which nearly every charge has, is seen to be new without a search.
    marks: [u64; MARKS / 64],
}

const MARKS: usize = 4_096;

impl Older {
    fn new(ended: Box<[Ended]>) -> Self {
        let mut marks = [0; MARKS / 64];
        for ended in &ended {
            let mark = mark_of(ended.hold);
            marks[mark / 64] |= 1 << (mark % 64);
        }
        Self { ended, marks }
    }

    fn may_have(&self, hold: HoldId) -> bool {
        let mark = mark_of(hold);
        self.marks[mark / 64] & 1 << (mark % 64) != 0
    }
}

/// The last bits of an id are its most random ones.
fn mark_of(hold: HoldId) -> usize {
    hold.as_u128() as usize % MARKS
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Memory {}

impl Memory {
    pub(crate) fn len(&self) -> usize {
        self.older().len() + self.recent.len()
    }

    /// All that is kept, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ended> {
        self.older().iter().chain(&self.recent)
    }

    fn older(&self) -> &[Ended] {
        self.older.as_ref().map_or(&[], |older| &older.ended)
    }

    /// Finds how a hold ended, if that is still remembered at `now`.
    pub(crate) fn find(&self, hold: HoldId, now: Timestamp) -> Option<&Ended> {
        let position = |ended: &[Ended]| ended.iter().rposition(|ended| ended.hold == hold);
        let recent = || position(&self.recent).map(|index| (&self.recent[index], self.recent.len() - index));
        let older = || {
            let older = &*self.older.as_deref().filter(|older| older.may_have(hold))?.ended;
            position(older).map(|index| (&older[index], older.len() - index + self.recent.len()))
        };
        let (found, age) = recent().or_else(older)?;
        (age <= HOLD_MEMORY_COUNT_MAX && is_remembered(found, now)).then_some(found)
    }

    pub(crate) fn remember(&mut self, ended: Ended) {
        if self.recent.len() == RECENT_MAX {
            self.fold(ended.at);
        }
        self.recent.push(ended);
    }

    /// Moves the recent part into the shared one and drops what can no longer be asked for.
    fn fold(&mut self, now: Timestamp) {
        let surplus = self.len().saturating_sub(HOLD_MEMORY_COUNT_MAX);
        // They stand in the order of their ends, so what is forgotten stands first.
        let forgotten = self.iter().take_while(|ended| !is_remembered(ended, now)).count();
        let dropped = surplus.max(forgotten);
        let older = self.older().get(dropped..).unwrap_or_default();
        let recent = &self.recent[dropped.saturating_sub(self.older().len())..];
        let mut kept = Vec::with_capacity(older.len() + recent.len());
        kept.extend_from_slice(older);
        kept.extend_from_slice(recent);
        self.older = Some(Arc::new(Older::new(kept.into())));
        self.recent.clear();
    }

    /// Puts back what a snapshot kept.
    pub(crate) fn restore(older: Vec<Ended>, recent: Vec<Ended>) -> Self {
        Self { older: (!older.is_empty()).then(|| Arc::new(Older::new(older.into()))), recent }
    }

    pub(crate) fn parts(&self) -> (&[Ended], &[Ended]) {
        (self.older(), &self.recent)
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        let several = |ended: &Ended| match &ended.end {
            End::Captured { slices: Slices::Several(slices) } => 16 + std::mem::size_of_val(&**slices),
            _ => 0,
        };
        self.older.as_ref().map_or(0, |older| 16 + size_of::<Older>() + std::mem::size_of_val(&*older.ended))
            + self.recent.capacity() * size_of::<Ended>()
            + self.iter().map(several).sum::<usize>()
    }
}

fn is_remembered(ended: &Ended, now: Timestamp) -> bool {
    now.since(ended.at) < HOLD_MEMORY
}

#[cfg(test)]
mod tests;
