//! Money that goes back: refunds, disputes, and credits that an operator takes back.

use medici_ledger::{Money, OrderId, Reversal, ReversalState};

use super::flaw::Flaw;
use super::lots::{NaiveLot, minor};
use super::model::{Naive, micro};
use super::orders::{NaiveOrder, order_reply, times};

fn is_refund(state: ReversalState) -> bool {
    matches!(state, ReversalState::Refunded | ReversalState::RefundFailed)
}

impl Naive {
    /// The most that can be refunded on the customer's wish.
    #[must_use]
    pub fn refundable(&self, order: &NaiveOrder) -> i64 {
        let Some(lot) = order.lots.0.map(|number| &self.lots[number as usize - 1]) else { return 0 };
        let worth = lot.share(lot.kept()) - lot.share(lot.kept() - lot.available);
        if worth == 0 {
            return 0;
        }
        // The largest amount by halving: what it stands for grows with it.
        let fits = |amount: i64| order.net(order.reversed + amount) - order.net(order.reversed) <= worth;
        let (mut least, mut most) = (0, order.total() - order.reversed);
        while least < most {
            let middle = least + (most - least + 1) / 2;
            if fits(middle) { least = middle } else { most = middle - 1 }
        }
        least
    }

    pub(super) fn refund(&mut self, id: OrderId, name: &str, amount: Option<&Money>) -> Result<String, String> {
        let order = self.order(id)?.clone();
        let currency = order.currency();
        if let Some((_, state, known)) = order.reversals.iter().find(|(other, ..)| other == name) {
            let same = amount.is_none_or(|amount| minor(amount) == (*known, currency));
            if !is_refund(*state) || !same {
                return Err("reversal exists".into());
            }
            return Ok(format!("refunded {known} {}, {}", currency.as_str(), order_reply(&order)));
        }
        if !order.is_granted() {
            return Err("order_not_granted".into());
        }
        if order.reversals.iter().any(|(_, state, _)| *state == ReversalState::Disputed) {
            return Err("order_disputed".into());
        }
        let most = self.refundable(&order);
        let (asked, asked_currency) = amount.map_or((most, currency), minor);
        if asked > most || asked == 0 || asked_currency != currency {
            let (asked_currency, currency) = (asked_currency.as_str(), currency.as_str());
            return Err(format!("refund too much: {asked} {asked_currency} of {most} {currency}"));
        }
        self.order(id)?.reversals.push((name.to_owned(), ReversalState::Refunded, asked));
        self.act_on_reversals(id);
        self.book();
        let order = self.order(id)?;
        Ok(format!("refunded {asked} {}, {}", currency.as_str(), order_reply(order)))
    }

    pub(super) fn reverse(&mut self, id: OrderId, reversal: &Reversal) -> Result<String, String> {
        let (name, state, amount) = (reversal.id.as_str(), reversal.state, reversal.amount.minor());
        let order = self.order(id)?;
        match order.reversals.iter_mut().find(|(other, ..)| other == name) {
            Some((_, known, _)) if is_refund(*known) != is_refund(state) => return Err("reversal exists".into()),
            Some((_, known, before)) if (rank(state), amount) > (rank(*known), *before) => {
                (*known, *before) = (state, amount);
            }
            Some(_) => return Ok(order_reply(order)),
            None => order.reversals.push((name.to_owned(), state, amount)),
        }
        self.act_on_reversals(id);
        self.book();
        Ok(order_reply(self.order(id)?))
    }

    /// Brings what is reversed on the books of a granted order to what should be.
    pub(super) fn act_on_reversals(&mut self, id: OrderId) {
        let mut order = self.order(id).expect("it was looked up").clone();
        let target = order.target();
        if !order.is_granted() || target == order.reversed {
            return;
        }
        let ignores_tax = self.flaw == Flaw::RefundIgnoresTax;
        let net =
            |amount: i64| if ignores_tax { amount.min(order.order.cost.amount.minor()) } else { order.net(amount) };
        let (net_target, net_reversed, cost) = (net(target), net(order.reversed), order.order.cost.amount.minor());
        let due = if cost == 0 { 0 } else { times(micro(order.order.credits), net_target, cost) };
        if target > order.reversed {
            self.take_back(&mut order, due, net_target - net_reversed);
        } else {
            self.bring_back(&mut order, due);
        }
        order.reversed = target;
        self.bring_bonus(&mut order);
        *self.order(id).expect("it was looked up") = order;
    }

    /// More is reversed, by `money` without tax.
    fn take_back(&mut self, order: &mut NaiveOrder, due: i64, money: i64) {
        let Some(number) = order.lots.0 else { return };
        let owes_nothing = self.flaw == Flaw::DisputeOwesNothing;
        let lot = self.lot(number);
        let fewest = if money == 0 { 0 } else { fewest_worth(lot, money) };
        let withdrawn = fewest.max(due - order.withdrawn - order.owed).clamp(0, lot.available);
        let before = lot.share(lot.kept());
        lot.available -= withdrawn;
        lot.withdrawn += withdrawn;
        let left = before - lot.share(lot.kept());
        order.withdrawn += withdrawn;
        order.returned += left;
        if left < money && !owes_nothing {
            order.owed += (due - order.withdrawn - order.owed).max(0);
        }
    }

    /// Less is reversed.
    fn bring_back(&mut self, order: &mut NaiveOrder, due: i64) {
        let mut back = (order.withdrawn + order.owed - due).max(0);
        let forgiven = back.min(order.owed - order.repaid());
        if self.flaw != Flaw::WonDisputeKeepsDebt {
            order.owed -= forgiven;
        }
        back -= forgiven;
        while back > 0 && self.flaw != Flaw::RepaymentKept {
            let Some(mut last) = order.repayments.pop() else { break };
            let undone = back.min(last.amount);
            last.amount -= undone;
            order.owed -= undone;
            back -= undone;
            if last.amount > 0 {
                order.repayments.push(last);
            }
            let lot = self.lot(last.lot);
            let before = lot.share(lot.kept());
            lot.captured -= undone;
            lot.repays -= undone;
            lot.back(undone);
            lot.breakage += before - lot.share(lot.kept());
        }
        let returns = back.min(order.withdrawn);
        let Some(number) = order.lots.0.filter(|_| returns > 0) else { return };
        let lot = self.lot(number);
        let before = lot.share(lot.kept());
        lot.withdrawn -= returns;
        lot.back(returns);
        if lot.ended {
            let rest = times(order.returned, order.withdrawn - returns, order.withdrawn);
            lot.breakage += order.returned - rest;
            order.returned = rest;
        } else {
            order.returned -= lot.share(lot.kept()) - before;
        }
        order.withdrawn -= returns;
    }

    /// The bonus shares the fate of the purchase.
    fn bring_bonus(&mut self, order: &mut NaiveOrder) {
        let Some(number) = order.lots.1.filter(|_| self.flaw != Flaw::BonusKept) else { return };
        let (bonus, credits) = (micro(order.order.bonus), micro(order.order.credits));
        let wanted = times(bonus, order.withdrawn + order.owed, credits);
        let lot = self.lot(number);
        if wanted > order.bonus_withdrawn {
            let more = (wanted - order.bonus_withdrawn).min(lot.available);
            lot.available -= more;
            lot.withdrawn += more;
            order.bonus_withdrawn += more;
        } else {
            let less = order.bonus_withdrawn - wanted;
            lot.withdrawn -= less;
            lot.back(less);
            order.bonus_withdrawn -= less;
        }
    }

    pub(super) fn withdraw(&mut self, number: u32, amount: i64) -> Result<String, String> {
        // Lots of orders follow their orders' money.
        let ordered = |order: &NaiveOrder| order.lots.0 == Some(number) || order.lots.1 == Some(number);
        let ordered = self.orders.iter().any(ordered);
        let for_nothing = |lot: &NaiveLot| lot.cost.is_none_or(|(cost, _)| cost == 0) && !ordered;
        let lot = self.lots.iter_mut().find(|lot| lot.number == number && for_nothing(lot));
        let available = lot.as_ref().map_or(0, |lot| lot.available);
        match lot {
            Some(lot) if 0 < amount && amount <= available => {
                lot.available -= amount;
                lot.withdrawn += amount;
                self.book();
                Ok("withdrawn".into())
            }
            _ => Err(format!("bad withdrawal: {available}")),
        }
    }
}

/// Later states count.
fn rank(state: ReversalState) -> usize {
    ReversalState::ALL.iter().position(|other| *other == state).expect("all states are listed")
}

/// The fewest available credits of a lot that stand for so much money, or all of them.
fn fewest_worth(lot: &NaiveLot, money: i64) -> i64 {
    let (mut least, mut most) = (0, lot.available);
    while least < most {
        let middle = least + (most - least) / 2;
        let worth = lot.share(lot.kept()) - lot.share(lot.kept() - middle);
        if worth >= money { most = middle } else { least = middle + 1 }
    }
    least
}
