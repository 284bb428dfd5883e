//! Recovery: snapshots, then the tail of entries replayed with the ledger's own rules.

use std::{
    collections::{HashMap, hash_map::Entry as Place},
    path::Path,
    sync::Arc,
};

use medici_ledger::{AccountId, PriceBook, Timestamp, Wallet};
use rusqlite::Connection;

use super::{
    OpenError,
    entries::{self, StoredEntry},
    readers,
    rows::{id, signed, unsigned},
    snapshots::{self, Snapshots},
};
use crate::{
    group::Start,
    wallets::{Tail, Wallets, due},
};

/// What recovery found.
pub(crate) struct Recovered {
    pub(crate) wallets: Wallets,
    pub(crate) snapshots: Snapshots,
    pub(crate) start: Start,
}

/// Rebuilds memory from a database that no other process writes.
pub(crate) fn recover(
    db: &Connection,
    file: &Path,
    prices: &PriceBook,
    tail_target: u64,
) -> Result<Recovered, OpenError> {
    let wallets = Wallets::new();
    let (oldest, next) = load_snapshots(db, file, &wallets)?;
    let accounts = wallets.len() as u64;
    let tail_from = snapshots::tail_from(db)?;
    let last_row = entries::last_row(db)?;
    let dirty = replay_tail(db, &wallets, prices, tail_from, last_row)?;
    let last = last_instant(db, &wallets, last_row)?;
    Ok(Recovered {
        wallets,
        snapshots: Snapshots::new(tail_target, dirty, oldest, next, accounts),
        start: Start { next_row: last_row + 1, last },
    })
}

/// Returns when the last entry of a live account was recorded: a sandbox's are recorded by its own clock, which says
/// nothing of the store's.
fn last_instant(db: &Connection, wallets: &Wallets, last_row: u64) -> Result<Timestamp, OpenError> {
    for row in (1..=last_row).rev() {
        let StoredEntry { account, entry, .. } = entries::by_row(db, row)?;
        let wallet = wallets.get(account).map_err(|error| OpenError::Broken {
            what: format!("the wallet row of {account} cannot be read: {error}"),
        })?;
        if wallet.is_none_or(|wallet| wallet.sandbox_clock().is_none()) {
            return Ok(entry.recorded_at);
        }
    }
    Ok(Timestamp::MIN)
}

/// Puts every account's latest snapshot in memory, two halves at a time. Returns the range of snapshot ids.
fn load_snapshots(db: &Connection, file: &Path, wallets: &Wallets) -> Result<(u64, u64), OpenError> {
    let range = "SELECT coalesce(min(id), 1), coalesce(max(id), 0) + 1 FROM wallets";
    let (oldest, next) = db.query_row(range, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
    let middle = oldest + (next - oldest) / 2;
    let other = readers::open(file)?;
    std::thread::scope(|scope| {
        let second = scope.spawn(move || load_range(&other, wallets, middle, next));
        let first = load_range(db, wallets, oldest, middle);
        let second = second.join().expect("loading rows does not panic");
        first.and(second)
    })?;
    Ok((oldest, next))
}

fn load_range(db: &Connection, wallets: &Wallets, from: u64, until: u64) -> rusqlite::Result<()> {
    let mut query = db
        .prepare("SELECT id, account, seq, last_row, due_at, body FROM wallets WHERE id >= ? AND id < ? ORDER BY id")?;
    let mut rows = query.query([signed(from), signed(until)])?;
    while let Some(row) = rows.next()? {
        let tail = Tail { snapshot: unsigned(row, 0)?, flushed_seq: unsigned(row, 2)?, last_row: unsigned(row, 3)? };
        let account = AccountId::from_u128(id(row, 1)?);
        wallets.restore(account, row.get_ref(5)?.as_blob()?, tail, row.get(4)?);
    }
    Ok(())
}

struct Replayed {
    wallet: Wallet,
    tail: Tail,
    first_row: u64,
}

/// Applies the entries that no snapshot has. Returns the wallets that are ahead of their snapshots, by first row.
fn replay_tail(
    db: &Connection,
    wallets: &Wallets,
    prices: &PriceBook,
    tail_from: u64,
    last_row: u64,
) -> Result<Vec<(u64, AccountId)>, OpenError> {
    let broken = |what: String| OpenError::Broken { what };
    let mut replayed: HashMap<AccountId, Replayed> = HashMap::new();
    let mut query =
        db.prepare("SELECT row, account, seq, prev, body, hash FROM entries WHERE row >= ? ORDER BY row")?;
    let mut rows = query.query([signed(tail_from)])?;
    let mut expected = tail_from;
    while let Some(row) = rows.next()? {
        let stored = entries::stored(row)?;
        if stored.row != expected {
            return Err(broken(format!("entry rows {expected} to {} are missing", stored.row - 1)));
        }
        expected += 1;
        let account = stored.account;
        let replay = match replayed.entry(account) {
            Place::Occupied(place) => place.into_mut(),
            Place::Vacant(place) => {
                let tail = wallets.tail(account);
                if stored.entry.seq <= tail.flushed_seq {
                    continue;
                }
                let kept = wallets
                    .get(account)
                    .map_err(|error| broken(format!("the wallet row of {account} cannot be read: {error}")))?;
                let wallet = kept.map_or_else(|| Wallet::new(account), |kept| Wallet::clone(&kept));
                place.insert(Replayed { wallet, tail, first_row: stored.row })
            }
        };
        replay.wallet.apply(&stored.entry).map_err(|error| broken(error.to_string()))?;
        replay.tail.last_row = stored.row;
    }
    if expected != last_row + 1 {
        return Err(broken(format!("the journal ends at row {last_row}, snapshots speak of row {}", expected - 1)));
    }
    let mut dirty: Vec<_> = replayed.iter().map(|(account, replay)| (replay.first_row, *account)).collect();
    dirty.sort_unstable();
    for (account, replay) in replayed {
        let at = due(&replay.wallet, prices, replay.wallet.recorded_at());
        wallets.publish(account, Arc::new(replay.wallet), replay.tail, at);
    }
    Ok(dirty)
}
