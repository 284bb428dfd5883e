//! The pure subject: wallets, entries and keys in memory, no store.

use std::collections::HashMap;

use super::{Key, Outcome, Step, Subject};
use crate::command::Reply;
use crate::entry::Entry;
use crate::idempotency::{Endpoint, Keep, KeyRecord, KeyScope, Verdict, judge};
use crate::ids::AccountId;
use crate::price_book::PriceBook;
use crate::time::Timestamp;
use crate::wallet::Wallet;

/// Plays scenarios on the ledger alone. Checks the wallet and its replay after every step.
#[derive(Debug, Default)]
pub struct PureSubject {
    book: PriceBook,
    wallets: HashMap<AccountId, Wallet>,
    entries: HashMap<AccountId, Vec<Entry>>,
    keys: HashMap<KeyScope, KeyRecord<Reply>>,
}

impl PureSubject {
    /// Returns a ledger without accounts.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn carry_out(&mut self, step: &Step, key: Option<(KeyScope, &Key)>) -> Outcome {
        let wallet = self.wallet(step.account);
        let decision = match wallet.decide(&step.command, &self.book, step.at) {
            Ok(decision) => decision,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        let mut replayed = wallet;
        for entry in &decision.entries {
            replayed.apply(entry).expect("a decided entry applies");
        }
        assert_eq!(replayed, decision.wallet, "a decision's entries lead to its wallet");
        decision.wallet.check().expect("a decided wallet keeps every invariant");
        self.entries.entry(step.account).or_default().extend(decision.entries);
        let recorded_at = decision.wallet.recorded_at();
        self.wallets.insert(step.account, decision.wallet);
        if let Some((scope, key)) = key {
            let keep = Keep::of(&step.command);
            let outcome = decision.reply.clone();
            let record = KeyRecord { scope: scope.clone(), fingerprint: key.fingerprint, outcome, recorded_at, keep };
            self.keys.insert(scope, record);
        }
        Outcome::Done(decision.reply)
    }

    fn now(&self, step: &Step) -> Timestamp {
        self.wallets.get(&step.account).map_or(step.at, |wallet| wallet.recorded_at().max(step.at))
    }
}

impl Subject for PureSubject {
    fn set_prices(&mut self, book: &PriceBook) {
        self.book = book.clone();
    }

    fn run(&mut self, step: &Step) -> Outcome {
        let Some(key) = &step.key else { return self.carry_out(step, None) };
        let endpoint = Endpoint(key.endpoint.clone());
        let scope = KeyScope { account: step.account, endpoint, key: key.key.clone() };
        match judge(self.keys.get(&scope), key.fingerprint, self.now(step)) {
            Verdict::Replay(reply) => Outcome::Replayed(reply.clone()),
            Verdict::Reused => Outcome::KeyReused,
            Verdict::New => self.carry_out(step, Some((scope, key))),
        }
    }

    fn run_together(&mut self, steps: &[Step]) -> Vec<Outcome> {
        steps.iter().map(|step| self.run(step)).collect()
    }

    fn wallet(&mut self, account: AccountId) -> Wallet {
        self.wallets.get(&account).cloned().unwrap_or_else(|| Wallet::new(account))
    }

    fn entries(&mut self, account: AccountId) -> Vec<Entry> {
        self.entries.get(&account).cloned().unwrap_or_default()
    }

    /// Starts again from what a store would have kept: snapshots and entries, as bytes.
    fn crash(&mut self) {
        for wallet in self.wallets.values_mut() {
            *wallet = Wallet::decode(&wallet.encode()).expect("a snapshot reads back");
        }
        for entry in self.entries.values_mut().flatten() {
            *entry = Entry::decode(&entry.encode()).expect("an entry reads back");
        }
    }
}
