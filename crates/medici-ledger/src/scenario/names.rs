//! Names: what a scenario calls accounts, holds, lots, orders and those who spend.

use std::collections::HashMap;

use crate::amount::Money;
use crate::ids::{AccountId, HoldId, KeyId, LotNumber, MemberId, OrderId};
use crate::quote::Quote;

/// The names a scenario gives. Those of one account are not those of another.
#[derive(Debug, Default)]
pub(super) struct Names {
    last_id: u128,
    pub(super) accounts: Vec<(String, AccountId)>,
    holds: HashMap<(AccountId, String), HoldId>,
    lots: HashMap<(AccountId, String), LotNumber>,
    orders: HashMap<(AccountId, String), OrderId>,
    members: HashMap<(AccountId, String), MemberId>,
    api_keys: HashMap<(AccountId, String), KeyId>,
    /// What was first asked for by a hold.
    pub(super) quotes: HashMap<HoldId, Quote>,
    /// What was first asked for by an order, with tax.
    pub(super) totals: HashMap<OrderId, Money>,
}

impl Names {
    pub(super) fn starting_at(first_id: u128) -> Self {
        Self { last_id: first_id, ..Self::default() }
    }

    pub(super) fn fresh(&mut self) -> u128 {
        self.last_id += 1;
        self.last_id
    }

    pub(super) fn account(&mut self, name: &str) -> AccountId {
        if let Some((_, id)) = self.accounts.iter().find(|(other, _)| other == name) {
            return *id;
        }
        let id = AccountId::from_u128(self.fresh());
        self.accounts.push((name.to_owned(), id));
        id
    }

    pub(super) fn hold(&mut self, account: AccountId, name: &str) -> HoldId {
        let id = HoldId::from_u128(self.last_id + 1);
        let known = *self.holds.entry((account, name.to_owned())).or_insert(id);
        self.keep(known == id);
        known
    }

    pub(super) fn order(&mut self, account: AccountId, name: &str) -> OrderId {
        let id = OrderId::from_u128(self.last_id + 1);
        let known = *self.orders.entry((account, name.to_owned())).or_insert(id);
        self.keep(known == id);
        known
    }

    pub(super) fn member(&mut self, account: AccountId, name: &str) -> MemberId {
        let id = MemberId::from_u128(self.last_id + 1);
        let known = *self.members.entry((account, name.to_owned())).or_insert(id);
        self.keep(known == id);
        known
    }

    pub(super) fn api_key(&mut self, account: AccountId, name: &str) -> KeyId {
        let id = KeyId::from_u128(self.last_id + 1);
        let known = *self.api_keys.entry((account, name.to_owned())).or_insert(id);
        self.keep(known == id);
        known
    }

    /// Takes note that the next id is used.
    fn keep(&mut self, used: bool) {
        self.last_id += u128::from(used);
    }

    pub(super) fn name_lot(&mut self, account: AccountId, name: &str, lot: LotNumber) {
        self.lots.insert((account, name.to_owned()), lot);
    }

    /// Finds a lot by its name, or by its number as `#3`.
    pub(super) fn lot(&self, account: AccountId, name: &str) -> Result<LotNumber, String> {
        if let Some(number) = name.strip_prefix('#') {
            return number.parse().map(LotNumber).map_err(|_| format!("a lot such as #3 needed, {name:?} found"));
        }
        let lot = self.lots.get(&(account, name.to_owned())).copied();
        lot.ok_or_else(|| format!("no lot named {name:?} was granted"))
    }

    pub(super) fn lot_name(&self, account: AccountId, lot: LotNumber) -> Option<&str> {
        let found = self.lots.iter().filter(|((owner, _), number)| *owner == account && **number == lot);
        found.map(|((_, name), _)| name.as_str()).min()
    }
}
