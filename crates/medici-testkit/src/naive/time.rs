//! What time makes true, and what a reader is told about the wallet.

use std::collections::BTreeMap;

use super::calendar::{DAY, occurrences};
use super::model::{Flaw, Naive, NaiveHold, NaiveLot, NaivePlan, Slices, State};

/// Something that time has made true and nobody has booked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    // The order settles ties: holds, then lots, then grants.
    Hold(usize),
    Lot(usize),
    Month(usize),
}

impl Naive {
    /// Books everything due, the earliest first, and returns how many entries that took.
    pub fn settle(&mut self, now: i64) -> usize {
        let before = self.entries;
        while let Some((at, due)) = self.due(now).into_iter().min() {
            match due {
                Due::Hold(index) => {
                    let hold = self.holds[index].clone();
                    self.release(&hold.slices, false, at);
                    self.end(hold.id, State::Expired, at);
                }
                Due::Lot(index) => {
                    let lot = &mut self.lots[index];
                    let amount = lot.available;
                    lot.available = 0;
                    lot.breakage += lot.expire(amount);
                    lot.ended = true;
                    // A lot that is spent to the end ends without a word.
                    self.entries += usize::from(amount > 0 || lot.held > 0);
                }
                Due::Month(index) => self.grant_month(index),
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
        if let Some((index, at)) = self.month_at(now)
            && !self.occurrences.contains(&index)
            && self.plan_at(self.plan_name(), at).is_some_and(|plan| plan.monthly > 0)
        {
            due.push((at, Due::Month(index)));
        }
        due
    }

    fn grant_month(&mut self, index: usize) {
        let starts = self.months(index + 1);
        let plan = self.plan_at(self.plan_name(), starts[index]).expect("only a plan in force is due").clone();
        let mut lot = NaiveLot {
            number: 0,
            class: "free",
            source: format!("monthly {index}"),
            granted: plan.monthly,
            available: 0,
            held: 0,
            captured: 0,
            expired: 0,
            cost: None,
            recognised: 0,
            breakage: 0,
            moved: 0,
            effective_at: starts[index],
            expires_at: None,
            priority: plan.priority,
            ended: false,
        };
        lot.expires_at = Some(self.months(index + plan.months + 1)[index + plan.months]);
        self.add(lot);
        self.occurrences.push(index);
        self.entries += 1;
    }

    fn plan_name(&self) -> &str {
        self.opened.as_ref().map_or("", |(_, plan)| plan)
    }

    /// Returns a plan's terms as they are in force at an instant.
    pub(super) fn plan_at(&self, name: &str, at: i64) -> Option<&NaivePlan> {
        let version = self.versions.iter().rfind(|version| version.effective_at <= at)?;
        version.plans.iter().find(|plan| plan.name == name)
    }

    /// The instants of the first `count` months. The plan's rule on the day is the one at the opening.
    fn months(&self, count: usize) -> Vec<i64> {
        let (anchor, plan) = self.opened.as_ref().expect("only an open wallet has months");
        let on_28th = self.plan_at(plan, *anchor).is_some_and(|plan| plan.on_28th);
        let mut months = occurrences(*anchor, on_28th, count);
        if self.flaw == Flaw::MonthsDrift {
            for index in 1..count {
                months[index] = occurrences(months[index - 1], on_28th, 2)[1];
            }
        }
        months
    }

    /// The month that is running: its number and when it began.
    fn month_at(&self, now: i64) -> Option<(usize, i64)> {
        let (anchor, _) = self.opened.as_ref()?;
        let at_most = usize::try_from((now - anchor).max(0) / (28 * DAY)).expect("not negative") + 2;
        self.months(at_most).into_iter().enumerate().rfind(|(_, at)| *at <= now)
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

    fn in_burn_order(&self) -> Vec<&NaiveLot> {
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

    /// Returns what a reader is told at an instant: as if everything due then were booked.
    #[must_use]
    pub fn balances(&self, at: i64) -> String {
        let at = at.max(self.recorded_at);
        let mut then = self.clone();
        if then.opened.is_some() {
            then.settle(at);
        }
        let available: i64 = then.live(at).iter().map(|lot| lot.available).sum();
        let held: i64 = then.lots.iter().map(|lot| lot.held).sum();
        let mut text = format!("available {available}, held {held}");
        // An ended lot is still told as long as something of it is held.
        for lot in then.in_burn_order() {
            if lot.held > 0 || (then.is_live(lot, at) && lot.available > 0) {
                text +=
                    &format!("; lot {} {} {}+{} of {}", lot.number, lot.class, lot.available, lot.held, lot.granted);
            }
        }
        text
    }

    /// Returns when the next month begins and what it will give, as far as is known.
    #[must_use]
    pub fn next_refill(&self, at: i64) -> Option<(i64, i64)> {
        let at = at.max(self.recorded_at);
        let (index, _) = self.month_at(at)?;
        let next = self.months(index + 2)[index + 1];
        let plan = self.plan_at(self.plan_name(), next)?;
        (plan.monthly > 0).then_some((next, plan.monthly))
    }

    /// Returns when the first live credits expire and how many do then.
    #[must_use]
    pub fn first_expiring(&self, at: i64) -> Option<(i64, i64)> {
        let at = at.max(self.recorded_at);
        let mut then = self.clone();
        if then.opened.is_some() {
            then.settle(at);
        }
        let ends: Vec<(i64, i64)> = (then.live(at).into_iter())
            .filter_map(|lot| lot.expires_at.map(|end| (end, lot.available)))
            .filter(|(_, available)| *available > 0)
            .collect();
        let first = ends.iter().map(|(end, _)| *end).min()?;
        Some((first, ends.iter().filter(|(end, _)| *end == first).map(|(_, available)| available).sum()))
    }

    /// Returns every ledger account that is not at zero, with its sum: what all postings must add up to.
    #[must_use]
    pub fn accounts(&self) -> BTreeMap<String, i64> {
        let mut accounts = self.totals.clone();
        let mut add = |account: String, amount: i64| *accounts.entry(account).or_default() += amount;
        for lot in &self.lots {
            let number = lot.number;
            add(format!("issuance:{}", lot.class), -lot.granted);
            add(format!("lot {number}"), lot.available);
            add(format!("held {number}"), lot.held);
            add(format!("used {number}"), lot.captured);
            add(format!("expired {number}"), lot.expired);
            if let Some((cost, currency)) = &lot.cost {
                assert_eq!(*cost, lot.recognised + lot.deferred() + lot.breakage + lot.moved, "the model's own sum");
                add(format!("deferred {number} {currency}"), -lot.deferred());
                add(format!("revenue {number} {currency}"), -lot.recognised);
                add(format!("breakage_revenue {number} {currency}"), -lot.breakage);
            }
        }
        accounts.retain(|_, amount| *amount != 0);
        accounts
    }

    /// Returns the instants at which something happens by itself after `now`, for tests that aim at them.
    #[must_use]
    pub fn instants(&self, now: i64) -> Vec<i64> {
        let mut instants: Vec<i64> =
            self.lots.iter().flat_map(|lot| [Some(lot.effective_at), lot.expires_at]).flatten().collect();
        instants.extend(self.holds.iter().filter(|hold| hold.state == State::Open).map(|hold| hold.expires_at));
        if let Some((index, _)) = self.month_at(now) {
            instants.extend(&self.months(index + 3)[index + 1..]);
        }
        instants.retain(|at| *at > now);
        instants
    }
}

pub(super) fn held(hold: &NaiveHold) -> String {
    format!("held {} of {} until {}", hold.amount, listed(&hold.slices), hold.expires_at)
}

/// Why a hold refuses what it was not asked before.
pub(super) fn ended(hold: &NaiveHold) -> String {
    match &hold.state {
        State::Open => "hold open".into(),
        State::Captured(amount, _) => format!("already captured {amount}"),
        State::Voided(reason) => format!("already voided {}", reason.as_str()),
        State::Expired | State::Uncollected(_) => "hold expired".into(),
    }
}

/// Writes slices as text.
pub(super) fn listed(slices: &[(u32, i64)]) -> String {
    let parts: Vec<String> = slices.iter().map(|(lot, amount)| format!("{lot}:{amount}")).collect();
    format!("[{}]", parts.join(" "))
}

/// Splits slices into the first `amount` and the rest.
pub(super) fn split(slices: &[(u32, i64)], amount: i64) -> (Slices, Slices) {
    let (mut first, mut rest, mut missing) = (Vec::new(), Vec::new(), amount);
    for (lot, whole) in slices {
        let part = missing.min(*whole);
        if part > 0 {
            first.push((*lot, part));
        }
        if whole - part > 0 {
            rest.push((*lot, whole - part));
        }
        missing -= part;
    }
    (first, rest)
}
