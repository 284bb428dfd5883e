//! The wallet: all lots and open holds of one account.
//!
//! Small, because there may be millions: what only busy wallets need (holds, finished lots, remembered ends)
//! sits behind one pointer, and lots that still have something to give are kept in burn order, so that
//! neither age nor history slows a decision.

use std::sync::Arc;

use crate::agreed::{Agreed, Alert, Overrides};
use crate::amount::Credits;
use crate::budget::{Budget, Budgets};
use crate::cohort::CohortName;
use crate::hash::Hash;
use crate::hold::{Hold, HoldState};
use crate::ids::{AccountId, HoldId, LotNumber, OrderId};
use crate::lot::{Lot, LotRecord};
use crate::memory::{End, Memory};
use crate::order::OrderRecord;
use crate::plan::PlanName;
use crate::time::Timestamp;

/// How many unfinished lots one wallet has at most; monthly and replacement lots are not refused for it.
pub const OPEN_LOTS_MAX: usize = 1_000;

/// All lots and open holds of one account. Changed only by [`Wallet::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    pub(crate) account: AccountId,
    pub(crate) head: Hash,
    pub(crate) seq: u64,
    pub(crate) recorded_at: Timestamp,
    /// When the account was opened: the anchor of its months. Meaningless before.
    pub(crate) anchor: Timestamp,
    pub(crate) plan: Option<PlanName>,
    /// The first monthly occurrence that may still be granted.
    pub(crate) next_occurrence: u32,
    /// Lots with something available or held, in burn order.
    pub(crate) open_lots: Box<[LotRecord]>,
    pub(crate) busy: Option<Box<Busy>>,
}

/// What only wallets have that were used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Busy {
    /// In the order they were placed.
    pub(crate) holds: Vec<Arc<Hold>>,
    /// What the holds set aside, by lot number; no zeros. Sorted, so that equal wallets compare equal whatever
    /// their past.
    pub(crate) held: Vec<(LotNumber, i64)>,
    pub(crate) memory: Memory,
    /// Lots with nothing left to give, by number. Shared between copies: it grows with history.
    pub(crate) closed: Option<Arc<Vec<LotRecord>>>,
    pub(crate) budgets: Budgets,
    /// What was agreed with this account beside the price book.
    pub(crate) agreed: Option<Arc<Agreed>>,
    /// By the time they were placed. Shared between copies.
    pub(crate) orders: Option<Arc<Vec<OrderRecord>>>,
    /// How much of which captures was given back, by the time of the first giving. Shared between copies.
    pub(crate) given: Option<Arc<Vec<(HoldId, i64)>>>,
}

impl Wallet {
    /// Returns the empty wallet of an account that is not open yet.
    #[must_use]
    pub fn new(account: AccountId) -> Self {
        Self {
            account,
            head: Hash::ZERO,
            seq: 0,
            recorded_at: Timestamp::MIN,
            anchor: Timestamp::MIN,
            plan: None,
            next_occurrence: 0,
            open_lots: Box::default(),
            busy: None,
        }
    }

    /// Returns whose wallet it is.
    #[must_use]
    pub const fn account(&self) -> AccountId {
        self.account
    }

    /// Returns the number of the last entry; 0 before the first.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the hash of the last entry; [`Hash::ZERO`] before the first.
    #[must_use]
    pub const fn head(&self) -> Hash {
        self.head
    }

    /// Returns when the last entry was recorded; [`Timestamp::MIN`] before the first.
    #[must_use]
    pub const fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// Returns the plan, once the account is open.
    #[must_use]
    pub const fn plan(&self) -> Option<PlanName> {
        self.plan
    }

    /// Returns when the account was opened: the anchor of its months.
    #[must_use]
    pub fn opened_at(&self) -> Option<Timestamp> {
        self.plan.map(|_| self.anchor)
    }

    /// Returns every lot: those with nothing left to give by number, then the others in burn order.
    pub fn lots(&self) -> impl Iterator<Item = Lot> + '_ {
        self.closed_lots().iter().map(|lot| lot.view(0)).chain(self.open_lots())
    }

    /// Returns the lots with something available or held, in burn order. Some may not be effective yet.
    pub fn open_lots(&self) -> impl Iterator<Item = Lot> + '_ {
        self.open_lots.iter().map(|lot| lot.view(self.held_of(lot.number)))
    }

    /// Returns one lot.
    #[must_use]
    pub fn lot(&self, number: LotNumber) -> Option<Lot> {
        self.record(number).map(|lot| lot.view(self.held_of(number)))
    }

    /// Returns the open holds in the order they were placed. One whose time is over stays until it is booked.
    pub fn open_holds(&self) -> impl Iterator<Item = &Hold> {
        self.busy.iter().flat_map(|busy| &busy.holds).map(|hold| &**hold)
    }

    /// Returns one open hold.
    #[must_use]
    pub fn open_hold(&self, id: HoldId) -> Option<&Hold> {
        self.open_holds().find(|hold| hold.id == id)
    }

    /// Returns what became of a hold or charge as far as it is remembered: open ones always, ended ones for
    /// [`crate::HOLD_MEMORY`] and the last [`crate::HOLD_MEMORY_COUNT_MAX`] of them.
    #[must_use]
    pub fn hold(&self, id: HoldId) -> Option<HoldState> {
        if let Some(hold) = self.open_hold(id) {
            return Some(HoldState::Open(hold.clone()));
        }
        Some(match self.ended(id, self.recorded_at)? {
            End::Captured { slices } => HoldState::Captured { amount: slices.amount() },
            End::Voided { reason, .. } => HoldState::Voided { reason: *reason },
            End::Expired => HoldState::Expired,
            End::Uncollected { amount } => HoldState::Uncollected { amount: *amount },
        })
    }

    /// Returns the budgets, by subject and period.
    #[must_use]
    pub fn budgets(&self) -> &[Budget] {
        self.busy.as_ref().map_or(&[], |busy| busy.budgets.as_slice())
    }

    /// Returns the orders in the order in which they were placed.
    #[must_use]
    pub fn orders(&self) -> &[OrderRecord] {
        self.busy.as_ref().and_then(|busy| busy.orders.as_deref()).map_or(&[], Vec::as_slice)
    }

    /// Returns one order.
    #[must_use]
    pub fn order(&self, id: OrderId) -> Option<&OrderRecord> {
        self.orders().iter().find(|record| record.order.id == id)
    }

    /// Returns the credits that the customer owes and has not repaid.
    #[must_use]
    pub fn debt(&self) -> Credits {
        let micro = self.orders().iter().map(|record| record.outstanding().micro()).sum();
        Credits::from_micro(micro).expect("no debt is negative")
    }

    /// Returns whether a lot was granted by an order, as what was bought or as its bonus: what is taken back of it
    /// follows the order's money alone.
    pub(crate) fn is_ordered(&self, lot: LotNumber) -> bool {
        self.orders().iter().any(|record| record.lot == Some(lot) || record.bonus_lot == Some(lot))
    }

    /// Returns whether some of a lot's credits have repaid a debt, now or before it was forgiven.
    pub(crate) fn repays_debt(&self, lot: LotNumber) -> bool {
        let granted_first = |record: &OrderRecord| record.lot.is_some_and(|owed| owed < lot);
        // A dispute that was won takes its repayments back, but their rounding may have stayed on the lot.
        self.orders().iter().any(|record| granted_first(record) && !record.reversals.is_empty())
    }

    /// Returns the terms that hold for this account instead of its plan's.
    #[must_use]
    pub fn overrides(&self) -> Option<&Overrides> {
        self.agreed().and_then(|agreed| agreed.overrides.as_ref())
    }

    /// Returns the cohorts the account has joined.
    #[must_use]
    pub fn cohorts(&self) -> &[CohortName] {
        self.agreed().map_or(&[], |agreed| agreed.cohorts.as_slice())
    }

    /// Returns below which balance somebody is told.
    #[must_use]
    pub fn alert(&self) -> Option<Alert> {
        self.agreed().and_then(|agreed| agreed.alert)
    }

    /// Returns a sandbox's clock; `None` for a live account, whose time is everybody's.
    #[must_use]
    pub fn sandbox_clock(&self) -> Option<Timestamp> {
        self.agreed().and_then(|agreed| agreed.clock)
    }

    /// Returns when the plan began: with the account, or with the last change.
    #[must_use]
    pub fn plan_since(&self) -> Timestamp {
        self.agreed().and_then(|agreed| agreed.plan_since).unwrap_or(self.anchor)
    }

    /// Returns how much of a capture was given back.
    #[must_use]
    pub fn given_back(&self, hold: HoldId) -> Credits {
        let given = self.busy.as_ref().and_then(|busy| busy.given.as_deref());
        let found = given.and_then(|given| given.iter().find(|(id, _)| *id == hold));
        Credits::from_micro(found.map_or(0, |(_, amount)| *amount)).expect("what is given back is not negative")
    }

    /// Returns the bytes this wallet takes, heap included, without the allocator's own.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let hold = |hold: &Arc<Hold>| size_of::<Hold>() + 16 + hold.slices.capacity() * size_of::<crate::Slice>();
        let busy = self.busy.as_ref().map_or(0, |busy| {
            size_of::<Busy>()
                + busy.holds.capacity() * size_of::<Arc<Hold>>()
                + busy.holds.iter().map(hold).sum::<usize>()
                + busy.held.capacity() * size_of::<(LotNumber, i64)>()
                + busy.memory.heap_bytes()
                + busy.closed.as_ref().map_or(0, |closed| 40 + closed.capacity() * size_of::<LotRecord>())
                + size_of_val(busy.budgets.as_slice())
                + busy.agreed.as_ref().map_or(0, |_| 16 + size_of::<Agreed>())
                + busy.orders.as_ref().map_or(0, |orders| 40 + orders.capacity() * size_of::<OrderRecord>())
                + busy.given.as_ref().map_or(0, |given| 40 + given.capacity() * size_of::<(HoldId, i64)>())
        });
        size_of::<Self>() + std::mem::size_of_val(&*self.open_lots) + busy
    }

    pub(crate) fn agreed(&self) -> Option<&Agreed> {
        self.busy.as_ref().and_then(|busy| busy.agreed.as_deref())
    }

    pub(crate) fn agreed_mut(&mut self) -> &mut Agreed {
        Arc::make_mut(self.busy_mut().agreed.get_or_insert_default())
    }

    pub(crate) fn orders_mut(&mut self) -> &mut Vec<OrderRecord> {
        Arc::make_mut(self.busy_mut().orders.get_or_insert_default())
    }

    pub(crate) fn ended(&self, id: HoldId, now: Timestamp) -> Option<&End> {
        self.busy.as_ref()?.memory.find(id, now).map(|ended| &ended.end)
    }

    pub(crate) fn closed_lots(&self) -> &[LotRecord] {
        self.busy.as_ref().and_then(|busy| busy.closed.as_deref()).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn held_of(&self, lot: LotNumber) -> i64 {
        let held = self.busy.iter().flat_map(|busy| &busy.held);
        held.filter(|(number, _)| *number == lot).map(|(_, amount)| *amount).sum()
    }

    pub(crate) fn record(&self, number: LotNumber) -> Option<&LotRecord> {
        self.open_lots.iter().find(|lot| lot.number == number).or_else(|| {
            let closed = self.closed_lots();
            closed.binary_search_by_key(&number, |lot| lot.number).ok().map(|index| &closed[index])
        })
    }

    /// The number of the next lot: lots are numbered densely and never leave the wallet.
    pub(crate) fn next_lot(&self) -> LotNumber {
        let lots = self.open_lots.len() + self.closed_lots().len();
        LotNumber(u32::try_from(lots + 1).expect("a wallet has fewer than 2^32 lots"))
    }

    pub(crate) fn busy_mut(&mut self) -> &mut Busy {
        self.busy.get_or_insert_default()
    }

    /// Puts a new lot at its place in the burn order.
    pub(crate) fn insert_lot(&mut self, lot: LotRecord) {
        let place = self.open_lots.partition_point(|other| other.burn_key() < lot.burn_key());
        let mut lots = Vec::with_capacity(self.open_lots.len() + 1);
        lots.extend_from_slice(&self.open_lots[..place]);
        lots.push(lot);
        lots.extend_from_slice(&self.open_lots[place..]);
        self.open_lots = lots.into_boxed_slice();
    }

    /// Moves a lot that has nothing left to give out of the way of the next decision.
    pub(crate) fn close_lot(&mut self, index: usize) {
        let mut lots = std::mem::take(&mut self.open_lots).into_vec();
        let lot = lots.remove(index);
        self.open_lots = lots.into_boxed_slice();
        let closed = Arc::make_mut(self.busy_mut().closed.get_or_insert_default());
        let place = closed.partition_point(|other| other.number < lot.number);
        closed.insert(place, lot);
    }

    /// Brings a lot that had nothing left to give back to its place in the burn order.
    pub(crate) fn reopen_lot(&mut self, number: LotNumber) {
        let Some(closed) = self.busy_mut().closed.as_mut() else { return };
        let Ok(index) = closed.binary_search_by_key(&number, |lot| lot.number) else { return };
        let lots = Arc::make_mut(closed);
        let lot = lots.remove(index);
        if lots.is_empty() {
            // Equal wallets compare equal whatever their past.
            self.busy_mut().closed = None;
        }
        self.insert_lot(lot);
    }

    /// Changes what is held of a lot.
    pub(crate) fn change_held(&mut self, lot: LotNumber, change: i64) {
        let held = &mut self.busy_mut().held;
        match held.binary_search_by_key(&lot, |(number, _)| *number) {
            Err(place) => held.insert(place, (lot, change)),
            Ok(index) if held[index].1 + change == 0 => {
                held.remove(index);
            }
            Ok(index) => held[index].1 += change,
        }
    }
}

#[cfg(test)]
mod tests;
