//! Every wallet, in memory: what decisions start from and what readers of balances see.
//!
//! A wallet that was used lately lies decoded and shared; the others lie packed, as their snapshot bytes, so that
//! a million accounts fit and opening the store decodes none of them.
//!
//! Invariant: only the writer changes anything here, and only after the commit that made it true.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

use medici_ledger::{AccountId, CodecError, PriceBook, Timestamp, Wallet};

const SHARDS: usize = 256;

/// How many wallets lie decoded at most.
pub(crate) const DECODED_MAX: usize = 65_536;

/// Returns when the sweeper is to look at an account. Never at a sandbox: its time stands still until it is set, and
/// setting it books what became due on the way.
pub(crate) fn due(wallet: &Wallet, prices: &PriceBook, now: Timestamp) -> Option<Timestamp> {
    if wallet.sandbox_clock().is_some() { None } else { wallet.next_due(prices, now) }
}

/// All wallets, in shards so that readers and the writer seldom meet.
pub(crate) struct Wallets {
    shards: Vec<RwLock<Shard>>,
    /// The decoded wallets in the order in which they were decoded. Only the writer takes this lock.
    decoded: Mutex<VecDeque<AccountId>>,
    /// Where the next search for due accounts begins, so that a small limit still gets round to everybody.
    due_from: AtomicUsize,
}

#[derive(Default)]
struct Shard {
    index: HashMap<AccountId, u32, BuildHasherDefault<IdHasher>>,
    slots: Vec<Slot>,
    /// No account of the shard is due before this.
    due_from: i64,
}

struct Slot {
    wallet: Kept,
    tail: Tail,
    due: i64,
}

/// Where an account's entries end, and how far its snapshot is behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    /// The row of the account's last entry; 0 for none.
    pub(crate) last_row: u64,
    /// The snapshot's row; 0 for none.
    pub(crate) snapshot: u64,
    /// The entry that the snapshot includes last; 0 for none.
    pub(crate) flushed_seq: u64,
}

enum Kept {
    Decoded(Arc<Wallet>),
    Packed(Box<[u8]>),
}

impl Kept {
    fn wallet(&self) -> Result<Arc<Wallet>, CodecError> {
        match self {
            Self::Decoded(wallet) => Ok(Arc::clone(wallet)),
            Self::Packed(bytes) => Wallet::decode(bytes).map(Arc::new),
        }
    }
}

const NEVER: i64 = i64::MAX;

impl Wallets {
    pub(crate) fn new() -> Self {
        let empty = || RwLock::new(Shard { due_from: NEVER, ..Shard::default() });
        Self {
            shards: (0..SHARDS).map(|_| empty()).collect(),
            decoded: Mutex::default(),
            due_from: AtomicUsize::new(0),
        }
    }

    /// Returns a wallet, decoding a copy if it lies packed.
    pub(crate) fn get(&self, account: AccountId) -> Result<Option<Arc<Wallet>>, CodecError> {
        let shard = self.read(account);
        shard.slot(account).map(|slot| slot.wallet.wallet()).transpose()
    }

    /// Returns where an account's entries end.
    pub(crate) fn tail(&self, account: AccountId) -> Tail {
        self.read(account).slot(account).map_or_else(Tail::default, |slot| slot.tail)
    }

    /// Returns when something becomes due in an account.
    pub(crate) fn due_at(&self, account: AccountId) -> Option<Timestamp> {
        let due = self.read(account).slot(account).map_or(NEVER, |slot| slot.due);
        (due != NEVER).then(|| Timestamp::from_micros(due))
    }

    /// Returns how many accounts have a wallet.
    pub(crate) fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.read().expect(UNPOISONED).slots.len()).sum()
    }

    /// Puts a committed wallet in place of the one before.
    pub(crate) fn publish(&self, account: AccountId, wallet: Arc<Wallet>, tail: Tail, due: Option<Timestamp>) {
        let newly_decoded = {
            let mut shard = self.write(account);
            let due = due.map_or(NEVER, Timestamp::micros);
            shard.due_from = shard.due_from.min(due);
            let was_decoded = matches!(shard.slot(account), Some(Slot { wallet: Kept::Decoded(_), .. }));
            shard.put(account, Slot { wallet: Kept::Decoded(wallet), tail, due });
            !was_decoded
        };
        if newly_decoded {
            self.pack_the_oldest(account);
        }
    }

    /// Notes that a snapshot of the account was committed.
    pub(crate) fn flushed(&self, account: AccountId, snapshot: u64, flushed_seq: u64) {
        let mut shard = self.write(account);
        let slot = shard.slot_mut(account).expect("only known wallets are snapshot");
        slot.tail.snapshot = snapshot;
        slot.tail.flushed_seq = flushed_seq;
    }

    /// Puts a wallet's snapshot bytes in place while the store opens, unless a later one is there.
    pub(crate) fn restore(&self, account: AccountId, bytes: &[u8], tail: Tail, due: i64) {
        let mut shard = self.write(account);
        if shard.slot(account).is_some_and(|slot| slot.tail.snapshot > tail.snapshot) {
            return;
        }
        let bytes = bytes.into();
        shard.due_from = shard.due_from.min(due);
        shard.put(account, Slot { wallet: Kept::Packed(bytes), tail, due });
    }

    /// Returns up to `limit` accounts whose instant has come.
    pub(crate) fn due(&self, now: Timestamp, limit: usize) -> Vec<AccountId> {
        let mut due = Vec::new();
        let from = self.due_from.load(Ordering::Relaxed);
        for step in 0..SHARDS {
            let at = (from + step) % SHARDS;
            self.due_from.store(at, Ordering::Relaxed);
            if self.shards[at].read().expect(UNPOISONED).due_from > now.micros() {
                continue;
            }
            let mut shard = self.shards[at].write().expect(UNPOISONED);
            let shard = &mut *shard;
            shard.due_from = shard.slots.iter().map(|slot| slot.due).min().unwrap_or(NEVER);
            let ripe = shard.index.iter().filter(|(_, slot)| shard.slots[**slot as usize].due <= now.micros());
            due.extend(ripe.map(|(account, _)| *account).take(limit - due.len()));
            if due.len() == limit {
                break;
            }
        }
        due
    }

    fn pack_the_oldest(&self, newest: AccountId) {
        let mut decoded = self.decoded.lock().expect(UNPOISONED);
        decoded.push_back(newest);
        if decoded.len() > DECODED_MAX {
            let oldest = decoded.pop_front().expect("it is longer than the bound");
            let mut shard = self.write(oldest);
            let slot = shard.slot_mut(oldest).expect("wallets are never removed");
            if let Kept::Decoded(wallet) = &slot.wallet {
                slot.wallet = Kept::Packed(wallet.encode().into_boxed_slice());
            }
        }
    }

    fn read(&self, account: AccountId) -> RwLockReadGuard<'_, Shard> {
        self.shards[shard_of(account)].read().expect(UNPOISONED)
    }

    fn write(&self, account: AccountId) -> RwLockWriteGuard<'_, Shard> {
        self.shards[shard_of(account)].write().expect(UNPOISONED)
    }
}

const UNPOISONED: &str = "no code panics while it holds a shard of wallets";

impl Shard {
    fn slot(&self, account: AccountId) -> Option<&Slot> {
        self.index.get(&account).map(|slot| &self.slots[*slot as usize])
    }

    fn slot_mut(&mut self, account: AccountId) -> Option<&mut Slot> {
        self.index.get(&account).map(|slot| &mut self.slots[*slot as usize])
    }

    fn put(&mut self, account: AccountId, slot: Slot) {
        if let Some(&at) = self.index.get(&account) {
            self.slots[at as usize] = slot;
            return;
        }
        if self.slots.len() == self.slots.capacity() {
            // An eighth at a time: doubling would leave half of a million slots empty.
            self.slots.reserve_exact(self.slots.len() / 8 + 8);
        }
        let at = u32::try_from(self.slots.len()).expect("a shard has fewer than four billion accounts");
        self.index.insert(account, at);
        self.slots.push(slot);
    }
}

fn shard_of(account: AccountId) -> usize {
    let mut hasher = IdHasher::default();
    hasher.write_u128(account.as_u128());
    usize::try_from(hasher.finish() >> 32).expect("32 bits fit") % SHARDS
}

/// Hashes ids that the server itself made: spreading is enough, nobody can choose them to collide.
#[derive(Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 29)
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_usize(&mut self, _: usize) {
        // The length of an id says nothing.
    }

    fn write_u128(&mut self, number: u128) {
        self.write(&number.to_be_bytes());
    }
}
