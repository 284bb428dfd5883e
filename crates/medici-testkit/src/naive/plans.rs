//! Plans: months, changes, what they cost, and cohorts.

use medici_ledger::{CohortName, Currency, PlanName};

use super::calendar::months_after;
use super::flaw::Flaw;
use super::lots::{NaiveLot, NaiveSource};
use super::model::{Naive, NaiveAccount};
use super::prices::NaivePlan;

impl NaiveSource {
    /// The period that a lot belongs to.
    pub(super) fn period(self) -> Option<usize> {
        match self {
            Self::Monthly(index) | Self::PlanChange(index) => Some(index),
            _ => None,
        }
    }
}

impl Naive {
    pub(super) fn account(&self) -> &NaiveAccount {
        self.account.as_ref().expect("only an open account comes here")
    }

    pub(super) fn account_mut(&mut self) -> &mut NaiveAccount {
        self.account.as_mut().expect("only an open account comes here")
    }

    /// When month `index` begins, counted from the anchor that holds now.
    pub(super) fn month_starts(&self, index: usize) -> i64 {
        let account = self.account();
        account.months[index - account.base]
    }

    /// The month that is running.
    pub(super) fn month_at(&self, now: i64) -> Option<usize> {
        let base = self.account.as_ref()?.base;
        (now >= self.account().anchor).then(|| {
            let mut index = base;
            while self.month_starts(index + 1) <= now {
                index += 1;
            }
            index
        })
    }

    fn running(&self, now: i64) -> usize {
        self.month_at(now).expect("time does not go back behind the anchor")
    }

    /// The first month from `index` on that is not granted.
    pub(super) fn not_granted(&self, mut index: usize) -> usize {
        while self.taken.contains(&index) {
            index += 1;
        }
        index
    }

    /// What a period's lots gave, less what was withdrawn of them.
    fn given_in(&self, period: usize) -> i64 {
        let lots = self.lots.iter().filter(|lot| lot.source.period() == Some(period));
        lots.map(|lot| lot.granted - lot.withdrawn).sum()
    }

    pub(super) fn change_plan(&mut self, name: PlanName, now: i64) -> Result<String, String> {
        if self.account().plan == name {
            return Ok("plan changed".into());
        }
        let Some(plan) = self.plan_at(name, now).cloned() else {
            return Err(format!("unknown plan {}", name.as_text()));
        };
        if plan.costs().is_some() {
            return Err("plan costs".into());
        }
        let period = self.running(now);
        let (wanted, given) = (Self::monthly_of(self.account(), &plan), self.given_in(period));
        (self.account_mut().plan, self.account_mut().plan_since) = (name, now);
        self.cut(period, given - wanted);
        self.book();
        if wanted > given {
            self.take_period(period);
            let mut lot = NaiveLot::new("free", NaiveSource::PlanChange(period), wanted - given, now);
            lot.expires_at = Some(self.month_starts(period + plan.months));
            lot.priority = plan.priority;
            self.add(lot);
            self.book();
        }
        Ok("plan changed".into())
    }

    /// Withdraws so much of a period's free credits as is available, the last to burn first.
    fn cut(&mut self, period: usize, mut surplus: i64) {
        let free: Vec<u32> = (self.in_burn_order().iter().rev())
            .filter(|lot| lot.class == "free" && lot.source.period() == Some(period))
            .map(|lot| lot.number)
            .collect();
        for number in free {
            let lot = self.lot(number);
            let part = lot.available.min(surplus.max(0));
            lot.available -= part;
            lot.withdrawn += part;
            surplus -= part;
        }
    }

    fn take_period(&mut self, period: usize) {
        if !self.taken.contains(&period) {
            self.taken.push(period);
        }
    }

    /// The lot of the first period that is not granted, for its order.
    pub(super) fn period_lot(&mut self, credits: i64) -> NaiveLot {
        let period = self.not_granted(self.running(self.now));
        self.take_period(period);
        let starts_at = self.month_starts(period);
        let terms = self.terms_at(self.now);
        let mut lot = NaiveLot::new("paid", NaiveSource::Monthly(period), credits, starts_at);
        lot.expires_at = Some(self.month_starts(period + terms.as_ref().map_or(1, |terms| terms.months)));
        lot.priority = terms.map_or(0, |terms| terms.priority);
        lot
    }

    /// Moves to a plan that was paid for, and returns the lot of the order.
    pub(super) fn change_of_plan(&mut self, name: PlanName, full: bool, credits: i64, placed_at: i64) -> NaiveLot {
        let now = self.now;
        let period = self.running(now);
        // Of the period that the order was placed in, so much was left; a period before the anchor has nothing.
        let paid_for = self.month_at(placed_at);
        let rest = paid_for.map_or(1, |paid_for| self.month_starts(paid_for + 1) - placed_at);
        let plan = self.plan_at(name, now).cloned();
        (self.account_mut().plan, self.account_mut().plan_since) = (name, now);
        self.book();
        let mut lot;
        if full {
            if self.flaw != Flaw::FreeCreditsOutliveTheirPlan {
                self.cut(period, i64::MAX);
            }
            let base = self.taken.iter().max().map_or(0, |last| last + 1);
            let account = self.account_mut();
            (account.anchor, account.base) = (now, base);
            account.on_28th = plan.as_ref().map_or(account.on_28th, |plan| plan.on_28th);
            let on_28th = account.on_28th;
            self.account_mut().months = self.count_months(now, on_28th);
            self.take_period(base);
            lot = NaiveLot::new("paid", NaiveSource::Monthly(base), credits, now);
            lot.expires_at = Some(self.month_starts(base + plan.as_ref().map_or(1, |plan| plan.months)));
        } else {
            self.take_period(period);
            lot = NaiveLot::new("paid", NaiveSource::PlanChange(period), credits, now);
            let end = self.month_starts(period + plan.as_ref().map_or(1, |plan| plan.months));
            lot.expires_at = Some(if paid_for == Some(period) { end } else { end.min(now + rest) });
        }
        lot.priority = plan.map_or(0, |plan| plan.priority);
        lot
    }

    /// What an order of the next period would be: credits and cost.
    ///
    /// # Errors
    /// The refusal, in words.
    pub fn period_order(&self, now: i64) -> Result<(i64, i64, Currency), String> {
        let then = self.looked_at(now)?;
        let terms = then.terms_at(then.now);
        let Some(terms) = terms else { return Err(format!("unknown plan {}", then.account().plan.as_text())) };
        let (price, currency) = terms.costs().ok_or("order_without_price")?;
        Ok((terms.monthly, price, currency))
    }

    /// What an order of a change of plan would be: credits and cost.
    ///
    /// # Errors
    /// The refusal, in words.
    pub fn change_order(&self, name: PlanName, full: bool, now: i64) -> Result<(i64, i64, Currency), String> {
        let then = self.looked_at(now)?;
        let now = then.now;
        let Some(plan) = then.plan_at(name, now) else { return Err(format!("unknown plan {}", name.as_text())) };
        let (price, currency) = plan.costs().ok_or("order_without_price")?;
        let monthly = Self::monthly_of(then.account(), plan);
        if full {
            return Ok((monthly, price, currency));
        }
        let period = then.running(now);
        let given = then.given_in(period);
        if monthly <= given {
            return Err("no_upgrade".into());
        }
        let paid = then.lots.iter().any(|lot| lot.source.period() == Some(period) && lot.class == "paid");
        let old = then.terms_at(now).and_then(|terms| terms.costs()).filter(|_| paid);
        let old_price = match old {
            Some((_, other)) if other != currency => return Err("other_currency".into()),
            Some((old, _)) => old,
            None => 0,
        };
        let (start, end) = (then.month_starts(period), then.month_starts(period + 1));
        let product = i128::from((price - old_price).max(0)) * i128::from(end - now);
        let mut cost = i64::try_from(product / i128::from(end - start)).expect("a share of a price");
        if self.flaw == Flaw::ProratedRoundsUp && product % i128::from(end - start) != 0 {
            cost += 1;
        }
        Ok((monthly - given, cost, currency))
    }

    /// The wallet as it would be if everything due were booked.
    fn looked_at(&self, now: i64) -> Result<Self, String> {
        if self.account.is_none() {
            return Err("not open".into());
        }
        let mut then = self.clone();
        then.now = self.own_time(now);
        then.settle(then.now);
        Ok(then)
    }

    pub(super) fn join(&mut self, name: CohortName, code: Option<&str>, now: i64) -> Result<String, String> {
        if self.account().cohorts.contains(&name) && self.flaw != Flaw::CohortTwice {
            return Err("cohort joined".into());
        }
        let cohort = self.version_at(now).and_then(|version| version.cohorts.iter().find(|cohort| cohort.name == name));
        let Some(cohort) = cohort.cloned() else { return Err(format!("unknown cohort {}", name.as_text())) };
        if code.is_some() && code != cohort.code {
            return Err("wrong code".into());
        }
        self.account_mut().cohorts.push(name);
        let mut lot = NaiveLot::new("promo", NaiveSource::Bonus, cohort.bonus, now);
        lot.expires_at = Some(months_after(now, cohort.months));
        lot.priority = cohort.priority;
        let number = self.add(lot);
        self.book();
        Ok(format!("joined {:?}", Some(number)))
    }

    /// Joins every cohort that takes accounts that are opened now.
    pub(super) fn join_by_date(&mut self, now: i64) {
        let cohorts = self.version_at(now).map_or(Vec::new(), |version| version.cohorts.clone());
        for cohort in cohorts {
            if cohort.opened.is_some_and(|(from, until)| from <= now && now < until) {
                self.join(cohort.name, None, now).expect("nobody has joined a cohort before opening");
            }
        }
    }

    /// The lot of a month that a plan gives by itself.
    pub(super) fn monthly_lot(&self, index: usize, plan: &NaivePlan) -> NaiveLot {
        let mut lot = NaiveLot::new("free", NaiveSource::Monthly(index), plan.monthly, self.month_starts(index));
        lot.expires_at = Some(self.month_starts(index + plan.months));
        lot.priority = plan.priority;
        lot
    }
}
