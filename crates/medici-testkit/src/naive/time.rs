//! What time makes true, and what a reader is told about the wallet.

use super::calendar::months_after;
use super::flaw::Flaw;
use super::holds::State;
use super::lots::{NaiveLot, NaiveSource};
use super::model::Naive;

/// Something that time has made true and nobody has booked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    // The order settles ties: holds, then lots, then grants.
    Hold(usize),
    Lot(usize),
    Month(usize),
}

/// One lot of a balance: number, class, available, held, granted.
pub type BalanceRow = (u32, &'static str, i64, i64, i64);

impl Naive {
    /// Books everything due, the earliest first, and returns how many entries that took.
    pub fn settle(&mut self, now: i64) -> usize {
        self.now = now;
        let before = self.entries;
        while let Some((at, due)) = self.due(now).into_iter().min() {
            match due {
                Due::Hold(index) => {
                    let hold = self.holds[index].clone();
                    self.release(&hold.slices, false, at);
                    self.uncount(hold.spend, hold.amount);
                    self.end(hold.id, State::Expired, at);
                }
                Due::Lot(index) => self.end_lot(index, at),
                Due::Month(index) => {
                    let plan = self.terms_at(at).expect("only a plan in force is due");
                    self.add(self.monthly_lot(index, &plan));
                    self.taken.push(index);
                    self.book();
                }
            }
        }
        self.entries - before
    }

    fn due(&self, now: i64) -> Vec<(i64, Due)> {
        let mut due = Vec::new();
        let late = i64::from(self.flaw == Flaw::TimeoutOneMicrosecondLate);
        for (index, hold) in self.holds.iter().enumerate() {
            if hold.state == State::Open && hold.expires_at + late <= now {
                due.push((hold.expires_at, Due::Hold(index)));
            }
        }
        for (index, lot) in self.lots.iter().enumerate() {
            if let Some(end) = lot.expires_at
                && !lot.ended
                && self.is_over(end, now)
            {
                due.push((end, Due::Lot(index)));
            }
        }
        if let Some(index) = self.month_at(now)
            && !self.taken.contains(&index)
            && let at = self.month_starts(index)
            && self.terms_at(at).is_some_and(|plan| plan.monthly > 0 && plan.costs().is_none())
        {
            due.push((at, Due::Month(index)));
        }
        due
    }

    /// Ends a lot: of a period's, what the plan lets live on moves to a new lot, and the rest expires.
    fn end_lot(&mut self, index: usize, at: i64) {
        let rolled = self.rolls_over(index, at);
        let lot = &mut self.lots[index];
        // A lot that is spent to the end ends without a word.
        let says_so = lot.available > 0 || lot.held > 0;
        lot.ended = true;
        let before = lot.share(lot.kept());
        lot.available -= rolled;
        lot.withdrawn += rolled;
        let money = before - lot.share(lot.kept());
        lot.expire_available();
        let old = *lot;
        if rolled > 0 {
            let months = self.terms_at(at).and_then(|terms| terms.rollover).map_or(1, |(_, months)| months);
            let mut new = NaiveLot::new(old.class, NaiveSource::Rollover(old.number), rolled, at);
            new.cost = old.cost.map(|(_, currency)| (money, currency));
            new.priority = old.priority;
            new.expires_at = Some(months_after(at, months));
            self.add(new);
        }
        if says_so {
            self.book();
        }
    }

    fn rolls_over(&self, index: usize, at: i64) -> i64 {
        let lot = &self.lots[index];
        if lot.source.period().is_none() {
            return 0;
        }
        let Some((max, _)) = self.terms_at(at).and_then(|terms| terms.rollover) else { return 0 };
        if self.flaw == Flaw::RolloverUnlimited {
            return lot.available;
        }
        // What ends at one instant shares the bound.
        let before: i64 = (self.lots.iter())
            .filter(|other| matches!(other.source, NaiveSource::Rollover(_)) && other.effective_at == at)
            .map(|other| other.granted)
            .sum();
        lot.available.min((max - before).max(0))
    }

    fn is_over(&self, end: i64, now: i64) -> bool {
        end + i64::from(self.flaw == Flaw::ExpiryOneMicrosecondLate) <= now
    }

    /// Returns the live lots in burn order.
    pub(super) fn live(&self, now: i64) -> Vec<&NaiveLot> {
        self.in_burn_order().into_iter().filter(|lot| self.is_live(lot, now)).collect()
    }

    fn is_live(&self, lot: &NaiveLot, now: i64) -> bool {
        lot.effective_at <= now && !lot.expires_at.is_some_and(|end| self.is_over(end, now))
    }

    pub(super) fn in_burn_order(&self) -> Vec<&NaiveLot> {
        let mut lots: Vec<&NaiveLot> = self.lots.iter().collect();
        let late = self.flaw == Flaw::FreeAfterPaid;
        lots.sort_by_key(|lot| {
            let class = match lot.class {
                "free" if late => 3,
                "free" => 0,
                "promo" => 1,
                _ => 2,
            };
            (lot.priority, lot.expires_at.unwrap_or(i64::MAX), class, lot.effective_at, lot.number)
        });
        lots
    }

    /// The wallet as a reader sees it at an instant: as if everything due then were booked.
    fn seen_at(&self, at: i64) -> Self {
        let at = self.own_time(at);
        let mut then = self.clone();
        then.now = at;
        if then.account.is_some() {
            then.settle(at);
        }
        then
    }

    /// Returns what a reader is told at an instant: available, held and the lots; what expires first, when and
    /// how much.
    #[must_use]
    pub fn balances(&self, at: i64) -> (i64, i64, Vec<BalanceRow>, Option<(i64, i64)>) {
        let then = self.seen_at(at);
        let live = then.live(then.now);
        let available: i64 = live.iter().map(|lot| lot.available).sum();
        let held: i64 = then.lots.iter().map(|lot| lot.held).sum();
        // An ended lot is still told as long as something of it is held.
        let told = |lot: &&&NaiveLot| lot.held > 0 || (then.is_live(lot, then.now) && lot.available > 0);
        let rows = then.in_burn_order().iter().filter(told).map(|lot| lot.row()).collect();
        let ends: Vec<(i64, i64)> = (live.into_iter())
            .filter_map(|lot| lot.expires_at.map(|end| (end, lot.available)))
            .filter(|(_, available)| *available > 0)
            .collect();
        let first = ends.iter().map(|(end, _)| *end).min();
        let expiring =
            first.map(|first| (first, ends.iter().filter(|(end, _)| *end == first).map(|(_, part)| part).sum()));
        (available, held, rows, expiring)
    }

    /// Returns when the next month begins that gives something by itself, and what, as far as is known.
    #[must_use]
    pub fn next_refill(&self, at: i64) -> Option<(i64, i64)> {
        let running = self.month_at(self.own_time(at))?;
        let next = self.month_starts(self.not_granted(running + 1));
        let plan = self.terms_at(next)?;
        (plan.monthly > 0 && plan.costs().is_none()).then_some((next, plan.monthly))
    }

    /// Returns the instants at which something becomes due by itself after `at`.
    pub(super) fn changes_after(&self, at: i64) -> Vec<i64> {
        let mut changes: Vec<i64> =
            self.lots.iter().filter(|lot| !lot.ended).filter_map(|lot| lot.expires_at).collect();
        changes.extend(self.holds.iter().filter(|hold| hold.state == State::Open).map(|hold| hold.expires_at));
        if let Some(running) = self.month_at(at) {
            changes.push(self.month_starts(running + 1));
        }
        changes.retain(|change| *change > at);
        changes
    }

    /// Returns the instants at which something happens by itself after `now`, for tests that aim at them.
    #[must_use]
    pub fn instants(&self, now: i64) -> Vec<i64> {
        let now = self.own_time(now);
        let mut instants = self.changes_after(now);
        instants.extend(self.lots.iter().map(|lot| lot.effective_at));
        instants.extend(self.edges(now));
        if let Some(running) = self.month_at(now) {
            instants.push(self.month_starts(running + 2));
        }
        instants.retain(|at| *at > now);
        instants
    }
}

impl NaiveLot {
    fn row(&self) -> BalanceRow {
        (self.number, self.class, self.available, self.held, self.granted)
    }
}
