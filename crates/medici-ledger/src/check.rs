//! Checking: every invariant of a wallet, stated once.

use crate::broken::{Broken, Fault};
use crate::hold::HOLD_SECONDS_MAX;
use crate::ids::LotNumber;
use crate::lot::{Class, LotRecord, Source};
use crate::order::PaymentState;
use crate::wallet::Wallet;

impl Wallet {
    /// Checks every invariant that a wallet has by itself.
    ///
    /// # Errors
    /// [`Broken`] names the first that does not hold.
    pub fn check(&self) -> Result<(), Broken> {
        self.check_whole()
            .and_then(|()| self.check_lots())
            .and_then(|()| self.check_holds())
            .and_then(|()| self.check_occurrences())
            .and_then(|()| self.check_orders())
            .and_then(|()| self.check_budgets())
            .map_err(|fault| Broken { account: self.account, seq: self.seq, fault })
    }

    fn all_records(&self) -> impl Iterator<Item = &LotRecord> {
        self.closed_lots().iter().chain(&self.open_lots)
    }

    fn check_whole(&self) -> Result<(), Fault> {
        let untouched = self.open_lots.is_empty() && self.busy.is_none() && self.next_occurrence == 0;
        require((self.seq == 0) == self.plan.is_none(), "an account has entries exactly when it is open")?;
        require(self.plan.is_some() || untouched, "an account that is not open has nothing")?;
        require((self.seq == 0) == (self.head == crate::Hash::ZERO), "the head is that of the last entry")?;
        require(self.plan.is_none() || self.anchor <= self.recorded_at, "an account opens before its last entry")
    }

    fn check_lots(&self) -> Result<(), Fault> {
        let count = self.all_records().count();
        let mut numbers: Vec<LotNumber> = self.all_records().map(|lot| lot.number).collect();
        numbers.sort_unstable();
        let dense = numbers.iter().zip(1..).all(|(number, expected)| number.get() == expected);
        require(dense, "lots are numbered densely from 1")?;
        require(
            self.open_lots.windows(2).all(|pair| pair[0].burn_key() < pair[1].burn_key()),
            "unfinished lots stand in burn order",
        )?;
        for lot in self.all_records() {
            let held = self.held_of(lot.number);
            let broken = |rule| Fault::Lot { lot: lot.number, rule };
            let parts = [lot.granted, lot.captured, lot.withdrawn, held, lot.remaining(held)];
            // The identity of the parts is how the last one is computed.
            if parts.iter().any(|part| *part < 0) || lot.granted == 0 {
                return Err(broken("every part is at least zero, and something was granted"));
            }
            if lot.effective_at >= lot.expires_at {
                return Err(broken("a lot ends after it begins"));
            }
            if lot.expired && lot.expires_at > self.recorded_at.micros() {
                return Err(broken("a lot expires when its time has come"));
            }
            if lot.cost().is_some() && lot.class != Class::Paid {
                return Err(broken("only paid credits have a cost"));
            }
            let view = lot.view(held);
            let money = view.recognised().minor() + view.deferred().minor() + view.left_cost().minor();
            if money != lot.cost().map_or(0, |cost| cost.amount.minor()) {
                return Err(broken("recognised, deferred and expired money sum to the cost"));
            }
            if let Some(of) = lot.source().replaces()
                && (of >= lot.number || self.record(of).is_none_or(|of| of.class != lot.class))
            {
                return Err(broken("a replacement follows a lot of its class"));
            }
        }
        let done = |lot: &LotRecord| lot.available(self.held_of(lot.number)) == 0 && self.held_of(lot.number) == 0;
        require(!self.open_lots.iter().any(done), "a lot with nothing left is closed")?;
        require(self.closed_lots().iter().all(done), "a closed lot has nothing left")?;
        require(count == self.all_records().count(), "lots never leave the wallet")
    }

    fn check_holds(&self) -> Result<(), Fault> {
        for hold in self.open_holds() {
            let sum: i64 = hold.slices.iter().map(|slice| slice.amount.micro()).sum();
            require(sum == hold.amount.micro(), "a hold's slices sum to its amount")?;
            require(hold.amount == hold.quote.amount, "a hold sets aside what was quoted")?;
            require(hold.slices.iter().all(|slice| !slice.amount.is_zero()), "no slice is empty")?;
            let life = hold.expires_at.since(hold.placed_at);
            require(!life.is_zero() && life <= HOLD_SECONDS_MAX, "a hold lives up to 24 hours")?;
            require(self.ended(hold.id, self.recorded_at).is_none(), "no terminal state is left")?;
            let same = self.open_holds().filter(|other| other.id == hold.id).count();
            require(same == 1, "a hold has its name for itself")?;
        }
        for lot in self.all_records() {
            let slices = self.open_holds().flat_map(|hold| &hold.slices);
            let sum: i64 = slices.filter(|slice| slice.lot == lot.number).map(|slice| slice.amount.micro()).sum();
            if sum != self.held_of(lot.number) {
                return Err(Fault::Lot { lot: lot.number, rule: "open holds sum to what is held" });
            }
        }
        let known = |lot: LotNumber| self.record(lot).is_some();
        require(self.open_holds().flat_map(|hold| &hold.slices).all(|slice| known(slice.lot)), "a slice is of a lot")
    }

    fn check_occurrences(&self) -> Result<(), Fault> {
        let mut seen: Vec<u32> = Vec::new();
        for lot in self.all_records() {
            if let Some(occurrence) = lot.source().occurrence() {
                require(occurrence < self.next_occurrence, "a period that was granted of is not granted again")?;
            }
            if let Source::Monthly { occurrence } = lot.source() {
                require(!seen.contains(&occurrence), "a monthly occurrence is granted once")?;
                seen.push(occurrence);
            }
        }
        Ok(())
    }
}

impl Wallet {
    fn check_orders(&self) -> Result<(), Fault> {
        let mut repaid: Vec<(LotNumber, i64)> = Vec::new();
        for record in self.orders() {
            let granted = matches!(record.payment, PaymentState::Invoiced | PaymentState::Paid);
            require(granted == record.lot.is_some(), "an order has its lot from when it is granted")?;
            let Some(lot) = record.lot else {
                let untouched = record.reversed.is_zero() && record.owed.is_zero() && record.withdrawn.is_zero();
                require(untouched && record.repayments.is_empty(), "what is not granted is not reversed")?;
                continue;
            };
            let found = self.record(lot).ok_or(Fault::Wallet("an order's lot is there"))?;
            let broken = |rule| Fault::Lot { lot, rule };
            if found.cost() != Some(record.order.cost) || found.granted != record.order.credits.micro() {
                return Err(broken("an order's lot is what was ordered, at its price"));
            }
            if record.reversed != record.target() {
                return Err(broken("what is reversed is the sum of the reversals that stand"));
            }
            if record.withdrawn.micro() > found.withdrawn || record.repaid() > record.owed {
                return Err(broken("what an order withdrew is withdrawn, and at most what is owed is repaid"));
            }
            if record.reversed.is_zero() && !(record.owed.is_zero() && record.withdrawn.is_zero()) {
                return Err(broken("without a reversal nothing is withdrawn or owed"));
            }
            repaid.extend(record.repayments.iter().map(|(by, amount)| (*by, amount.micro())));
        }
        for (by, _) in &repaid {
            let sum: i64 = repaid.iter().filter(|(other, _)| other == by).map(|(_, amount)| amount).sum();
            let captured = self.record(*by).map_or(0, |lot| lot.captured);
            require(sum <= captured, "what repays a debt is captured")?;
        }
        Ok(())
    }

    fn check_budgets(&self) -> Result<(), Fault> {
        for budget in self.budgets() {
            let open = self.open_holds().filter(|hold| {
                budget.subject.covers(&hold.spender) && budget.period.window(hold.placed_at) == budget.window
            });
            let held: i64 = open.map(|hold| hold.amount.micro()).sum();
            require(held <= budget.used.micro(), "what is held counts in its budgets")?;
        }
        Ok(())
    }
}

fn require(holds: bool, rule: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::Wallet(rule)) }
}
