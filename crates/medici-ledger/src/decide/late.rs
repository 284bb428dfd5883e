//! Late usage: charged to the lots that were live when it happened, even if their end is booked already.

use crate::amount::Credits;
use crate::decide::Draft;
use crate::entry::Fact;
use crate::hold::Slice;
use crate::ids::LotNumber;
use crate::price_book::PriceBook;
use crate::refusal::Refusal;
use crate::time::Timestamp;
use crate::wallet::Wallet;

impl Wallet {
    /// Returns the instant by which usage is priced and charged that is reported at `now`: when it happened, if
    /// that is within the policy's grace; otherwise now.
    #[must_use]
    pub fn usage_instant(&self, book: &PriceBook, happened_at: Option<Timestamp>, now: Timestamp) -> Timestamp {
        let now = self.own_time(now);
        happened_at.filter(|at| *at < now && now.since(*at) <= book.policy_at(now).late_grace).unwrap_or(now)
    }

    /// Returns this account's time: everybody's, or its own clock's for a sandbox; never before its last entry.
    #[must_use]
    pub fn own_time(&self, now: Timestamp) -> Timestamp {
        self.sandbox_clock().unwrap_or(now).max(self.recorded_at)
    }

    /// Takes an amount from the lots that were live at an instant, as far as they are unspent now. Returns the
    /// slices, and the lots whose expiry is undone for them.
    pub(super) fn allocate_late(
        &self,
        amount: Credits,
        at: Timestamp,
    ) -> Result<(Vec<Slice>, Vec<LotNumber>), Refusal> {
        let was_live = |lot: &&crate::lot::LotRecord| lot.effective_at <= at.micros() && at.micros() < lot.expires_at;
        let mut lots: Vec<_> = self.closed_lots().iter().chain(&self.open_lots).filter(was_live).collect();
        lots.sort_unstable_by_key(|lot| lot.burn_key());
        let (mut left, mut slices, mut reopened) = (amount.micro(), Vec::new(), Vec::new());
        for lot in lots {
            let unspent = lot.remaining(self.held_of(lot.number));
            let taken = unspent.min(left);
            if taken == 0 || (lot.expired && self.is_replaced(lot.number)) {
                continue;
            }
            left -= taken;
            slices
                .push(Slice { lot: lot.number, amount: Credits::from_micro(taken).expect("more than zero is taken") });
            if lot.expired {
                reopened.push(lot.number);
            }
        }
        if left > 0 {
            let available = Credits::from_micro(amount.micro() - left).expect("what was found is not negative");
            return Err(Refusal::InsufficientCredits { needed: amount, available });
        }
        Ok((slices, reopened))
    }
}

impl Draft<'_> {
    pub(super) fn reopen(&mut self, lot: LotNumber) {
        let record = *self.wallet.record(lot).expect("it was allocated");
        let amount = Credits::from_micro(record.remaining(self.wallet.held_of(lot))).expect("something is unspent");
        self.write(Fact::Reopened { lot, amount }, Timestamp::from_micros(record.expires_at));
    }

    /// Books again what is left of an expiry that was undone. What rolled over then lives on already.
    pub(super) fn expire_again(&mut self, lot: LotNumber) {
        let Some(record) = self.wallet.open_lots.iter().find(|record| record.number == lot).copied() else { return };
        let amount = record.available(self.wallet.held_of(lot));
        let amount = Credits::from_micro(amount).expect("what is available is not negative");
        let fact = Fact::LotExpired { lot, amount, rollover: None };
        self.write(fact, Timestamp::from_micros(record.expires_at));
    }
}
