//! The journal: replayed entry by entry, and compared with wallet rows and idempotency records.

use std::collections::{BTreeMap, HashMap, HashSet};

use medici_ledger::{AccountId, Entry, Fact, Hash, Wallet, verify::Replay};
use medici_studio::LowBalance;
use rusqlite::Connection;

use super::{
    Finding, Report, VerifyError,
    heads::{Follow, Lines},
    jobs::{Jobs, Seen},
};
use crate::embedded::{
    alerts, entries,
    rows::{id, signed, unsigned},
    snapshots,
};

/// What the replay leads to.
pub(super) struct Journal {
    replay: Replay,
    /// Where each account stands as far as it could be replayed.
    ends: HashMap<AccountId, End>,
    /// Accounts whose entries are broken: they are not replayed further.
    broken: HashSet<AccountId>,
    last_row: u64,
    tail_from: u64,
    /// The last row that a wallet row includes, of each account.
    included: HashMap<AccountId, u64>,
    /// The low balances that entries speak of, by row.
    alerts: BTreeMap<u64, LowBalance>,
    pub(super) jobs: Jobs,
}

#[derive(Clone, Copy, Default)]
struct End {
    seq: u64,
    hash: Hash,
    row: u64,
    /// Its last row before the tail: recovery does not look at it, so a wallet row must include it.
    before_tail: u64,
}

struct WalletRow {
    id: u64,
    seq: u64,
    compared: bool,
}

/// Replays every entry. Wallet rows are compared on the way, when their account has come as far as they have.
pub(super) fn replay(db: &Connection, lines: Lines, jobs: Jobs, report: &mut Report) -> Result<Journal, VerifyError> {
    let mut rows = wallet_rows(db)?;
    let mut heads = Follow::new(lines, report)?;
    let mut journal = Journal {
        replay: Replay::new(),
        ends: HashMap::new(),
        broken: HashSet::new(),
        last_row: 0,
        tail_from: snapshots::tail_from(db)?,
        included: HashMap::new(),
        alerts: BTreeMap::new(),
        jobs,
    };
    let mut query = db.prepare("SELECT row, account, seq, prev, body, hash FROM entries ORDER BY row")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let number = unsigned(row, 0)?;
        if number != journal.last_row + 1 {
            let missing = journal.last_row + 1;
            let what = match number - missing {
                1 => "is missing from the journal".to_owned(),
                _ => format!("is missing from the journal, and all rows up to {}", number - 1),
            };
            report.find(Finding::of(what).row(missing));
        }
        journal.last_row = number;
        let hash = row.get(5).map_or(Hash::ZERO, Hash::from_bytes);
        let ends = &journal.ends;
        let head_of = |account| ends.get(&account).map_or((0, Hash::ZERO), |end| (end.seq, end.hash));
        heads.row(number, &hash, head_of, report)?;
        match entries::stored(row) {
            Ok(stored) => journal.follow(db, &stored, &mut rows, report)?,
            Err(error) => {
                let what = Finding::of(format!("cannot be read: {error}")).row(number);
                let (Ok(account), Ok(seq)) = (id(row, 1), unsigned(row, 2)) else {
                    report.find(what);
                    continue;
                };
                let account = AccountId::from_u128(account);
                report.find(what.account(account).seq(seq));
                journal.broken.insert(account);
                journal.ends.insert(account, End { seq, hash, row: number, before_tail: 0 });
            }
        }
    }
    let ends = &journal.ends;
    let head_of = |account| ends.get(&account).map_or((0, Hash::ZERO), |end| (end.seq, end.hash));
    heads.end(journal.last_row, head_of, report)?;
    journal.report_wallet_rows_ahead(&rows, report);
    Ok(journal)
}

impl Journal {
    fn follow(
        &mut self,
        db: &Connection,
        stored: &entries::StoredEntry,
        rows: &mut HashMap<AccountId, Vec<WalletRow>>,
        report: &mut Report,
    ) -> Result<(), VerifyError> {
        let entry = &stored.entry;
        let account = entry.account;
        self.jobs.see(entry);
        let finding = |what: String| Finding::of(what).account(account).seq(entry.seq).row(stored.row);
        let end = self.ends.entry(account).or_default();
        if end.row != stored.prev {
            let what = format!("names row {} as its account's entry before, which is in row {}", stored.prev, end.row);
            report.find(finding(what));
        }
        let before_tail = if stored.row < self.tail_from { stored.row } else { end.before_tail };
        *end = End { seq: entry.seq, hash: entry.hash, row: stored.row, before_tail };
        if self.broken.contains(&account) {
            return Ok(());
        }
        report.entries += 1;
        if let Err(error) = self.replay.feed(entry) {
            report.find(finding(error.fault.to_string()));
            self.broken.insert(account);
            return Ok(());
        }
        let wallet = self.replay.wallet(account).expect("an account that was fed has a wallet");
        if let Fact::LowBalance { below, available } = entry.fact {
            let sandbox = wallet.sandbox_clock().is_some();
            let (seq, recorded_at) = (entry.seq, entry.recorded_at);
            let alert = LowBalance { row: stored.row, account, seq, recorded_at, below, available, sandbox };
            self.alerts.insert(stored.row, alert);
        }
        for row in rows.get_mut(&account).into_iter().flatten().filter(|row| row.seq == entry.seq) {
            row.compared = true;
            self.included.insert(account, stored.row);
            compare_wallet_row(db, row.id, wallet, stored.row, report)?;
        }
        Ok(())
    }

    /// Wallet rows that speak of entries which are not there: the journal was cut off, or they were altered.
    fn report_wallet_rows_ahead(&self, rows: &HashMap<AccountId, Vec<WalletRow>>, report: &mut Report) {
        for (account, rows) in rows.iter().filter(|(account, _)| !self.broken.contains(account)) {
            let seq = self.ends.get(account).map_or(0, |end| end.seq);
            for row in rows.iter().filter(|row| !row.compared) {
                let what = format!("is missing: wallet row {} includes it, the journal ends at entry {seq}", row.id);
                report.find(Finding::of(what).account(*account).seq(row.seq));
            }
        }
    }
}

fn wallet_rows(db: &Connection) -> rusqlite::Result<HashMap<AccountId, Vec<WalletRow>>> {
    let mut rows: HashMap<AccountId, Vec<WalletRow>> = HashMap::new();
    let mut query = db.prepare("SELECT id, account, seq FROM wallets")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let wallet = WalletRow { id: unsigned(row, 0)?, seq: unsigned(row, 2)?, compared: false };
        rows.entry(AccountId::from_u128(id(row, 1)?)).or_default().push(wallet);
    }
    Ok(rows)
}

fn compare_wallet_row(
    db: &Connection,
    id: u64,
    wallet: &Wallet,
    last_row: u64,
    report: &mut Report,
) -> Result<(), VerifyError> {
    let mut query = db.prepare_cached("SELECT body, last_row FROM wallets WHERE id = ?")?;
    let (body, stored_row): (Vec<u8>, u64) =
        query.query_row([signed(id)], |row| Ok((row.get(0)?, unsigned(row, 1)?)))?;
    let finding = |what: String| Finding::of(what).account(wallet.account()).seq(wallet.seq());
    match Wallet::decode(&body) {
        Err(error) => report.find(finding(format!("wallet row {id} cannot be read: {error}"))),
        Ok(stored) if stored != *wallet => {
            report.find(finding(format!("wallet row {id} is not what the entries lead to")));
        }
        Ok(_) if stored_row != last_row => {
            report.find(finding(format!("wallet row {id} names row {stored_row}, the entry is in row {last_row}")));
        }
        Ok(_) => {}
    }
    Ok(())
}

/// Compares where the tail begins with what the wallet rows include.
pub(super) fn compare_wallets(journal: &Journal, report: &mut Report) {
    if journal.tail_from > journal.last_row + 1 {
        let what = format!("is missing: wallet rows include all before row {}", journal.tail_from);
        report.find(Finding::of(what).row(journal.tail_from - 1));
    }
    for (account, end) in &journal.ends {
        if end.before_tail > journal.included.get(account).copied().unwrap_or(0) {
            let what = "is in no wallet row, though the tail begins after it";
            report.find(Finding::of(what).account(*account).row(end.before_tail));
        }
    }
}

/// Compares idempotency records with the entries they speak of.
pub(super) fn compare_keys(db: &Connection, journal: &Journal, report: &mut Report) -> Result<(), VerifyError> {
    for table in ["idempotency", "idempotency_forever"] {
        let mut query = db.prepare(&format!("SELECT kept FROM {table}"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let named = crate::embedded::keys::row_named(row.get_ref(0)?.as_blob().unwrap_or_default());
            if let Some(named) = named.filter(|named| *named > journal.last_row) {
                report.find(Finding::of("is missing: an idempotency record speaks of it").row(named));
            }
        }
    }
    Ok(())
}

/// Compares the rows of low balances with the entries that speak of them.
pub(super) fn compare_alerts(db: &Connection, journal: &Journal, report: &mut Report) -> Result<(), VerifyError> {
    let mut untold = journal.alerts.clone();
    alerts::all(db, |alert| {
        if untold.remove(&alert.row).as_ref() != Some(&alert) && !journal.broken.contains(&alert.account) {
            let finding = Finding::of("has an alert that is not its entry's").account(alert.account);
            report.find(finding.seq(alert.seq).row(alert.row));
        }
    })?;
    for alert in untold.into_values() {
        report.find(Finding::of("tells of a low balance, and has no alert").account(alert.account).seq(alert.seq));
    }
    Ok(())
}

/// Checks every wallet and sums up. Accounts with findings are left out of the sums.
pub(super) fn sum_up(db: &Connection, journal: Journal, report: &mut Report) -> Result<(), VerifyError> {
    let Journal { replay, ends, mut broken, .. } = journal;
    report.accounts = ends.len() as u64;
    let mut next = broken.is_empty().then_some(replay);
    // Each round leaves out one account more; a ledger in which so many fail is broken as a whole.
    for _ in 0..16 {
        let replay = match next.take() {
            Some(replay) => replay,
            None => replay_without(db, &broken)?,
        };
        match replay.finish() {
            Ok(proof) => {
                report.lots = proof.wallets.iter().map(|wallet| wallet.lots().count() as u64).sum();
                report.trial_balance = proof.trial_balance;
                break;
            }
            Err(error) => {
                let finding = Finding::of(error.fault.to_string()).account(error.account).seq(error.seq);
                report.find(finding);
                broken.insert(error.account);
            }
        }
    }
    Ok(())
}

fn replay_without(db: &Connection, broken: &HashSet<AccountId>) -> rusqlite::Result<Replay> {
    let mut replay = Replay::new();
    let mut query = db.prepare("SELECT row, account, seq, prev, body, hash FROM entries ORDER BY row")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        if let Ok(stored) = entries::stored(row)
            && !broken.contains(&stored.account)
        {
            replay.feed(&stored.entry).expect("what was replayed once can be replayed again");
        }
    }
    Ok(replay)
}

impl Jobs {
    /// Takes note of what an entry says about a job's hold.
    fn see(&mut self, entry: &Entry) {
        let Some(hold) = entry.fact.hold() else { return };
        let Some(seen) = self.holds.get_mut(&hold) else { return };
        match &entry.fact {
            Fact::Held { .. } => *seen = Seen::Open { account: entry.account },
            Fact::Captured { amount, .. } => *seen = Seen::Captured { account: entry.account, amount: *amount },
            Fact::Voided { .. } | Fact::HoldExpired { .. } => *seen = Seen::Released { account: entry.account },
            // A capture that is given back later was one all the same; nothing else moves a job's hold.
            _ => {}
        }
    }
}
