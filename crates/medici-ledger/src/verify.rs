//! Verification: proves wallets from their entries alone.
//!
//! A chain cannot see its own cut-off tail: compare the heads of the [`Proof`] with heads kept elsewhere.

use std::collections::{BTreeMap, HashMap};

use crate::broken::{Broken, Fault};
use crate::entry::Entry;
use crate::ids::{AccountId, LotNumber};
use crate::posting::{LedgerAccount, Unit};
use crate::wallet::Wallet;

/// Replays entries and keeps sums of its own beside the wallets.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    wallets: HashMap<AccountId, Wallet>,
    trial: BTreeMap<(LedgerAccount, Unit), i128>,
    lots: HashMap<(AccountId, LotNumber), LotSums>,
    entries: u64,
}

/// What the postings of one lot sum to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LotSums {
    issued: i128,
    available: i128,
    held: i128,
    captured: i128,
    expired: i128,
    withdrawn: i128,
    deferred: i128,
    recognised: i128,
}

/// What a replay proved.
#[derive(Clone, Debug)]
pub struct Proof {
    /// How many entries were replayed.
    pub entries: u64,
    /// The wallets they lead to, by account.
    pub wallets: Vec<Wallet>,
    /// The sum of each ledger account in each unit. All of one unit sum to zero.
    pub trial_balance: Vec<TrialLine>,
}

/// One line of the trial balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrialLine {
    /// The ledger account.
    pub account: LedgerAccount,
    /// What is counted.
    pub unit: Unit,
    /// The sum, in micro-credits or minor units.
    pub amount: i128,
}

impl Replay {
    /// Returns a replay that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Verifies one more entry. Those of one account come in order; accounts may alternate.
    ///
    /// # Errors
    /// [`Broken`] names the account, the entry and what is wrong. The replay must not be used afterwards.
    pub fn feed(&mut self, entry: &Entry) -> Result<(), Broken> {
        let broken = |fault| Broken { account: entry.account, seq: entry.seq, fault };
        let mut units: BTreeMap<Unit, i128> = BTreeMap::new();
        for posting in &entry.postings {
            *units.entry(posting.unit).or_default() += i128::from(posting.amount);
        }
        if let Some((unit, _)) = units.into_iter().find(|(_, sum)| *sum != 0) {
            return Err(broken(Fault::Unbalanced { unit }));
        }
        self.wallets.entry(entry.account).or_insert_with(|| Wallet::new(entry.account)).apply(entry)?;
        for posting in &entry.postings {
            let amount = i128::from(posting.amount);
            *self.trial.entry((posting.account.clone(), posting.unit)).or_default() += amount;
            let sums = self.lots.entry((entry.account, posting.lot)).or_default();
            match posting.account {
                LedgerAccount::Issuance(_) => sums.issued -= amount,
                LedgerAccount::Lot => sums.available += amount,
                LedgerAccount::Held => sums.held += amount,
                // What is owed and clawed back is one lot's, and cancels out; what repays it is another's.
                LedgerAccount::Used(_) | LedgerAccount::Debt | LedgerAccount::Clawed => sums.captured += amount,
                LedgerAccount::Expired => sums.expired += amount,
                LedgerAccount::Withdrawn => sums.withdrawn += amount,
                LedgerAccount::Deferred => sums.deferred -= amount,
                LedgerAccount::Revenue(_) => sums.recognised -= amount,
                LedgerAccount::Cash
                | LedgerAccount::Receivable
                | LedgerAccount::TaxPayable
                | LedgerAccount::BreakageRevenue
                | LedgerAccount::Refunds
                | LedgerAccount::CustomerDebt => {}
            }
        }
        self.entries += 1;
        Ok(())
    }

    /// Returns the wallet of an account as far as it has been replayed.
    #[must_use]
    pub fn wallet(&self, account: AccountId) -> Option<&Wallet> {
        self.wallets.get(&account)
    }

    /// Checks every wallet and compares every lot with the sums of its postings.
    ///
    /// # Errors
    /// [`Broken`] names the first account, entry and invariant that does not hold.
    pub fn finish(self) -> Result<Proof, Broken> {
        let Self { wallets, trial, lots, entries } = self;
        let mut wallets: Vec<Wallet> = wallets.into_values().collect();
        wallets.sort_unstable_by_key(Wallet::account);
        let mut seen = 0;
        for wallet in &wallets {
            wallet.check()?;
            for lot in wallet.lots() {
                let expected = LotSums {
                    issued: lot.granted.micro().into(),
                    available: lot.available.micro().into(),
                    held: lot.held.micro().into(),
                    captured: lot.captured.micro().into(),
                    expired: lot.expired.micro().into(),
                    withdrawn: lot.withdrawn.micro().into(),
                    deferred: lot.deferred().minor().into(),
                    recognised: lot.recognised().minor().into(),
                };
                let mut found = lots.get(&(wallet.account(), lot.number)).copied().unwrap_or_default();
                if wallet.repays_debt(lot.number) {
                    // What was spent on a debt was earned by the operations of the lot that is owed.
                    found.recognised = expected.recognised;
                }
                if found != expected {
                    let fault = Fault::Lot { lot: lot.number, rule: "its postings sum to its parts" };
                    return Err(Broken { account: wallet.account(), seq: wallet.seq(), fault });
                }
                seen += 1;
            }
        }
        assert_eq!(seen, lots.len(), "postings name only lots that their wallet has");
        let trial_balance: Vec<TrialLine> =
            trial.into_iter().map(|((account, unit), amount)| TrialLine { account, unit, amount }).collect();
        for line in &trial_balance {
            let sum: i128 = trial_balance.iter().filter(|other| other.unit == line.unit).map(|line| line.amount).sum();
            assert_eq!(sum, 0, "entries that sum to zero have a trial balance of zero");
        }
        Ok(Proof { entries, wallets, trial_balance })
    }
}

impl Proof {
    /// Returns the proved wallet of an account.
    #[must_use]
    pub fn wallet(&self, account: AccountId) -> Option<&Wallet> {
        self.wallets.binary_search_by_key(&account, Wallet::account).ok().map(|index| &self.wallets[index])
    }

    /// Compares a stored wallet with what its entries lead to.
    ///
    /// # Errors
    /// [`Broken`] with [`Fault::Differs`] where they are not equal in every field.
    pub fn compare(&self, stored: &Wallet) -> Result<(), Broken> {
        let same = match self.wallet(stored.account()) {
            Some(wallet) => wallet == stored,
            None => *stored == Wallet::new(stored.account()),
        };
        let seq = stored.seq();
        if same { Ok(()) } else { Err(Broken { account: stored.account(), seq, fault: Fault::Differs }) }
    }
}

#[cfg(test)]
mod tests;
