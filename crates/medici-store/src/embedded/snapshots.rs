//! Snapshots of wallets, written behind the entries: recovery reads them and replays only the tail.
//!
//! A wallet becomes dirty with its first entry after its snapshot, and dirty wallets stand in the order of that
//! entry's row. Once the tail is long enough, every commit snapshots the oldest of them, at least twice as fast
//! as entries come in: so the tail stays bounded, and a busy wallet is snapshot once per tail, not per charge.
//!
//! Snapshots are appended and the oldest are swept, because replacing rows in place would dirty a page of the
//! database for every charge to another account.

use std::{
    collections::{HashSet, VecDeque},
    hash::BuildHasherDefault,
};

use medici_ledger::{AccountId, Timestamp, Wallet};
use rusqlite::{Connection, params};

use super::rows::{id, signed, unsigned};
use crate::{
    group::Flushed,
    overlay::Batch,
    wallets::{IdHasher, Wallets},
};

/// Snapshots that a commit may write beyond twice its entries.
const EXTRA_MAX: usize = 64;
/// Superseded snapshots that are left alone, so that a small store is not swept all the time.
const SUPERSEDED_MIN: u64 = 1_000;

/// `due_at` of a wallet in which nothing becomes due.
pub(crate) const NEVER: i64 = i64::MAX;

/// Which wallets are ahead of their snapshots, and where the snapshots lie.
pub(crate) struct Snapshots {
    /// Entries that the tail may have before snapshots are written.
    tail_target: u64,
    dirty: VecDeque<Dirty>,
    is_dirty: HashSet<AccountId, BuildHasherDefault<IdHasher>>,
    oldest: u64,
    next: u64,
    accounts: u64,
}

struct Dirty {
    first_row: u64,
    account: AccountId,
}

/// What a commit did to the snapshots, applied to memory once it is durable.
pub(crate) struct Written {
    newly_dirty: Vec<Dirty>,
    cleaned: usize,
    flushed: Vec<Flushed>,
    new_accounts: u64,
    oldest: u64,
}

impl Snapshots {
    /// Begins with the dirty wallets found by recovery, in the order of their first row.
    pub(crate) fn new(tail_target: u64, dirty: Vec<(u64, AccountId)>, oldest: u64, next: u64, accounts: u64) -> Self {
        let is_dirty = dirty.iter().map(|(_, account)| *account).collect();
        let dirty = dirty.into_iter().map(|(first_row, account)| Dirty { first_row, account }).collect();
        Self { tail_target, dirty, is_dirty, oldest, next, accounts }
    }

    /// Writes the snapshots that are due with this commit, and where the tail begins after it.
    pub(crate) fn write(&self, db: &Connection, batch: &Batch, wallets: &Wallets) -> rusqlite::Result<Written> {
        let mut newly_dirty: Vec<Dirty> = batch
            .wallets
            .iter()
            .filter(|(account, _)| !self.is_dirty.contains(account))
            .map(|(account, touched)| Dirty { first_row: touched.first_row, account: *account })
            .collect();
        newly_dirty.sort_unstable_by_key(|dirty| dirty.first_row);
        let mut written =
            Written { newly_dirty, cleaned: 0, flushed: Vec::new(), new_accounts: 0, oldest: self.oldest };
        let Some((_, last_row)) = batch.rows() else { return Ok(written) };
        let mut insert = db.prepare_cached(
            "INSERT INTO wallets (id, account, seq, last_row, due_at, body) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let mut next = self.next;
        let mut snapshot = |account: AccountId, written: &mut Written| -> rusqlite::Result<()> {
            let (wallet, last_row, due) = current(account, batch, wallets);
            insert.execute(params![
                signed(next),
                account.as_u128().to_be_bytes(),
                signed(wallet.seq()),
                signed(last_row),
                due.map_or(NEVER, Timestamp::micros),
                wallet.encode(),
            ])?;
            written.flushed.push(Flushed { account, snapshot: next, seq: wallet.seq() });
            next += 1;
            Ok(())
        };
        let entries = usize::try_from(batch.entry_count()).expect("a commit is in memory");
        let most = entries * 2 + EXTRA_MAX;
        while written.cleaned < most {
            let Some(dirty) = self.dirty.get(written.cleaned) else { break };
            if last_row - dirty.first_row < self.tail_target {
                break;
            }
            if wallets.tail(dirty.account).snapshot == 0 {
                written.new_accounts += 1;
            }
            snapshot(dirty.account, &mut written)?;
            written.cleaned += 1;
        }
        if written.cleaned == 0 {
            return Ok(written);
        }
        let after = self.dirty.get(written.cleaned).or(written.newly_dirty.first());
        let tail_from = after.map_or(last_row + 1, |dirty| dirty.first_row);
        put_tail_from(db, tail_from)?;
        self.sweep(db, wallets, &mut written, &mut snapshot)?;
        Ok(written)
    }

    /// Follows a commit that is durable. Returns the wallets that were snapshot.
    pub(crate) fn written(&mut self, written: Written) -> Vec<Flushed> {
        for dirty in self.dirty.drain(..written.cleaned) {
            self.is_dirty.remove(&dirty.account);
        }
        self.is_dirty.extend(written.newly_dirty.iter().map(|dirty| dirty.account));
        self.dirty.extend(written.newly_dirty);
        self.next += written.flushed.len() as u64;
        self.accounts += written.new_accounts;
        self.oldest = written.oldest;
        written.flushed
    }

    /// Deletes the oldest snapshots while most are superseded; one that still counts is written again at the end.
    fn sweep(
        &self,
        db: &Connection,
        wallets: &Wallets,
        written: &mut Written,
        snapshot: &mut impl FnMut(AccountId, &mut Written) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let rows = self.next - self.oldest;
        if rows <= 2 * (self.accounts + SUPERSEDED_MIN) {
            return Ok(());
        }
        let most = written.cleaned * 3 + EXTRA_MAX;
        let mut query = db.prepare_cached("SELECT id, account FROM wallets WHERE id >= ? AND id < ? ORDER BY id")?;
        let until = (self.oldest + most as u64).min(self.next);
        let mut found = query.query([signed(self.oldest), signed(until)])?;
        let just_now: HashSet<AccountId> = written.flushed.iter().map(|flushed| flushed.account).collect();
        let mut counting = Vec::new();
        while let Some(row) = found.next()? {
            let account = AccountId::from_u128(id(row, 1)?);
            if wallets.tail(account).snapshot == unsigned(row, 0)? && !just_now.contains(&account) {
                counting.push(account);
            }
        }
        for account in counting {
            snapshot(account, written)?;
        }
        db.prepare_cached("DELETE FROM wallets WHERE id >= ? AND id < ?")?
            .execute([signed(self.oldest), signed(until)])?;
        written.oldest = until;
        Ok(())
    }
}

/// Returns a wallet as this commit leaves it.
fn current(account: AccountId, batch: &Batch, wallets: &Wallets) -> (std::sync::Arc<Wallet>, u64, Option<Timestamp>) {
    match batch.wallets.get(&account) {
        Some(touched) => (std::sync::Arc::clone(&touched.wallet), touched.last_row, touched.due),
        None => {
            let wallet = wallets.get(account).expect("a committed wallet can be decoded");
            let wallet = wallet.expect("only wallets in memory are dirty or snapshot");
            (wallet, wallets.tail(account).last_row, wallets.due_at(account))
        }
    }
}

const TAIL_FROM: &str = "tail_from";

fn put_tail_from(db: &Connection, row: u64) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![TAIL_FROM, signed(row)])?;
    Ok(())
}

/// Returns the first row that recovery has to look at: every entry before it is in a snapshot.
pub(crate) fn tail_from(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("SELECT coalesce(max(value), 1) FROM meta WHERE name = ?", [TAIL_FROM], |row| unsigned(row, 0))
}
