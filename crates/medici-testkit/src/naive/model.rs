//! The wallet and its commands.

use std::collections::BTreeMap;
use std::sync::Arc;

use medici_ledger::{Class, CohortName, Command, Credits, HoldId, PlanName, Source};

use super::accounts::Account;
use super::budgets::{NaiveBudget, Spend};
use super::calendar::occurrences;
use super::flaw::Flaw;
use super::holds::NaiveHold;
use super::lots::{NaiveLot, NaiveSource, class_word, minor};
use super::orders::NaiveOrder;
use super::prices::NaiveVersion;

pub(super) const HOURS_24: i64 = 24 * 60 * 60 * 1_000_000;
pub(super) const DAYS_7: i64 = 7 * HOURS_24;
/// How far a sandbox's clock goes at once: ten years with their leap days.
const CLOCK_STEP_MAX: i64 = 3_653 * HOURS_24;
/// The months that the model counts: more than any history is long.
const MONTHS: usize = 1_300;

/// Lot numbers and amounts.
pub(super) type Slices = Vec<(u32, i64)>;

/// What an open account has agreed to.
#[derive(Clone, Debug)]
pub struct NaiveAccount {
    /// Its plan.
    pub plan: PlanName,
    /// Since when.
    pub plan_since: i64,
    /// When its months are counted from.
    pub anchor: i64,
    /// The number of the month that begins there.
    pub base: usize,
    /// Whether anchors after the 28th refill on the 28th.
    pub on_28th: bool,
    /// When its months begin, from the anchor on.
    pub months: Arc<Vec<i64>>,
    /// Terms of its own, with or without monthly credits.
    pub overrides: Option<Option<i64>>,
    /// What it has joined.
    pub cohorts: Vec<CohortName>,
    /// What is low, and whether that is told.
    pub alert: Option<(i64, bool)>,
    /// A sandbox's time.
    pub clock: Option<i64>,
}

/// A wallet.
#[derive(Clone, Debug)]
pub struct Naive {
    /// The mistake it makes.
    pub flaw: Flaw,
    /// Prices over time, earliest first.
    pub versions: Arc<Vec<NaiveVersion>>,
    /// Once open.
    pub account: Option<NaiveAccount>,
    /// All lots ever.
    pub lots: Vec<NaiveLot>,
    /// All holds and charges that are not forgotten.
    pub holds: Vec<NaiveHold>,
    /// All orders.
    pub orders: Vec<NaiveOrder>,
    /// All budgets, by subject and period.
    pub budgets: Vec<NaiveBudget>,
    /// All holds and charges ever, as budgets see them.
    pub spends: Vec<Spend>,
    /// What was given back of which captures.
    pub given: Vec<(HoldId, i64)>,
    /// The months that were granted.
    pub taken: Vec<usize>,
    /// The instant of the last entry.
    pub recorded_at: i64,
    /// The instant of the decision that is being made.
    pub now: i64,
    /// How many entries there should be.
    pub entries: usize,
    /// Amounts on ledger accounts that are not about one lot or order only.
    pub totals: BTreeMap<Account, i64>,
}

/// Micro-credits, as a model's number.
pub(super) fn micro(credits: Credits) -> i64 {
    credits.micro()
}

fn span(timeout: std::time::Duration) -> i64 {
    i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX)
}

impl Naive {
    /// Returns a wallet before it is opened.
    #[must_use]
    pub fn new(versions: Arc<Vec<NaiveVersion>>, flaw: Flaw) -> Self {
        Self {
            flaw,
            versions,
            account: None,
            lots: Vec::new(),
            holds: Vec::new(),
            orders: Vec::new(),
            budgets: Vec::new(),
            spends: Vec::new(),
            given: Vec::new(),
            taken: Vec::new(),
            recorded_at: i64::MIN,
            now: i64::MIN,
            entries: 0,
            totals: BTreeMap::new(),
        }
    }

    /// The account's time: a sandbox's own, or everybody's. A clock that went back counts as one that stood still.
    #[must_use]
    pub fn own_time(&self, now: i64) -> i64 {
        let clock = self.account.as_ref().and_then(|account| account.clock);
        clock.unwrap_or_else(|| now.max(self.recorded_at))
    }

    /// Does what a command asks, or says why not. A refusal changes nothing.
    ///
    /// # Errors
    /// The refusal, in words.
    pub fn decide(&mut self, command: &Command, now: i64) -> Result<String, String> {
        let mut next = self.clone();
        next.now = self.own_time(now);
        let reply = next.attempt(command, next.now)?;
        // What books nothing changes nothing: a clock that goes back afterwards finds all as it was.
        if next.entries > self.entries {
            next.tell();
            next.recorded_at = next.now;
            *self = next;
        }
        Ok(reply)
    }

    fn attempt(&mut self, command: &Command, now: i64) -> Result<String, String> {
        if let Command::Open { plan, sandbox } = command {
            return self.open(*plan, sandbox.map(|at| at.micros()), now);
        }
        if self.account.is_none() {
            return Err("not open".into());
        }
        let booked = self.settle(now);
        match command {
            Command::Open { .. } => unreachable!("answered above"),
            Command::Settle => Ok(format!("settled {booked}")),
            Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax } => {
                let source = match source {
                    Source::Purchase => NaiveSource::Purchase,
                    Source::Bonus => NaiveSource::Bonus,
                    Source::Goodwill => NaiveSource::Goodwill,
                    _ => NaiveSource::Monthly(0),
                };
                let mut lot = NaiveLot::new(class_word(*class), source, micro(*credits), effective_at.micros());
                lot.cost = cost.as_ref().map(minor);
                lot.expires_at = expires_at.map(|end| end.micros());
                lot.priority = i64::from(*priority);
                self.grant(lot, *class, tax.minor(), now)
            }
            Command::Hold { hold, quote, timeout, spender } => self.hold(*hold, quote, span(*timeout), *spender, now),
            Command::Extend { hold, timeout } => self.extend(*hold, span(*timeout), now),
            Command::Capture { hold, amount } => self.capture(*hold, micro(*amount), now),
            Command::Void { hold, reason } => self.void(*hold, *reason, now),
            Command::Charge { charge, quote, spender, happened_at, .. } => {
                self.charge(*charge, quote, *spender, happened_at.map(|at| at.micros()), now)
            }
            Command::Uncollected { hold, amount } => self.uncollected(*hold, micro(*amount), now),
            Command::PlaceOrder(order) => self.place_order(order),
            Command::InvoiceOrder { order } => self.invoice_order(*order, now),
            Command::PayOrder { order, amount } => self.pay_order(*order, amount, now),
            Command::CancelOrder { order } => self.cancel_order(*order),
            Command::Refund { order, refund, amount } => self.refund(*order, refund.as_str(), amount.as_ref()),
            Command::Reverse { order, reversal } => self.reverse(*order, reversal),
            Command::GiveBack { capture, amount, reason } => self.give_back(capture, micro(*amount), *reason, now),
            Command::Withdraw { lot, amount } => self.withdraw(lot.get(), micro(*amount)),
            Command::ChangePlan { plan } => self.change_plan(*plan, now),
            Command::JoinCohort { cohort, code } => self.join(*cohort, code.as_deref(), now),
            Command::SetBudget { subject, period, limit } => {
                self.set_budget(*subject, *period, limit.map(micro), now);
                Ok("set".into())
            }
            Command::SetOverrides { overrides } => {
                let terms = overrides.as_ref().map(|terms| terms.monthly.map(micro));
                if self.account().overrides != terms {
                    self.account_mut().overrides = terms;
                    self.book();
                }
                Ok("set".into())
            }
            Command::SetAlert { below } => {
                let below = below.map(micro);
                if self.account().alert.map(|(below, _)| below) != below {
                    self.account_mut().alert = below.map(|below| (below, false));
                    self.book();
                }
                Ok("set".into())
            }
            Command::SetClock { to } => self.set_clock(to.micros(), booked),
        }
    }

    fn open(&mut self, plan: PlanName, sandbox: Option<i64>, now: i64) -> Result<String, String> {
        if let Some(account) = &self.account {
            if account.plan != plan || account.clock.is_some() != sandbox.is_some() {
                return Err("already open".into());
            }
            self.settle(now);
            return Ok("opened".into());
        }
        let now = sandbox.unwrap_or(now);
        self.now = now;
        let Some(terms) = self.plan_at(plan, now) else { return Err(format!("unknown plan {}", plan.as_text())) };
        let on_28th = terms.on_28th;
        self.account = Some(NaiveAccount {
            plan,
            plan_since: now,
            anchor: now,
            base: 0,
            on_28th,
            months: self.count_months(now, on_28th),
            overrides: None,
            cohorts: Vec::new(),
            alert: None,
            clock: sandbox,
        });
        self.book();
        // The first month begins with the opening.
        self.settle(now);
        self.join_by_date(now);
        Ok("opened".into())
    }

    pub(super) fn count_months(&self, anchor: i64, on_28th: bool) -> Arc<Vec<i64>> {
        let mut months = occurrences(anchor, on_28th, MONTHS);
        if self.flaw == Flaw::MonthsDrift {
            for index in 1..24 {
                months[index] = occurrences(months[index - 1], on_28th, 2)[1];
            }
        }
        Arc::new(months)
    }

    fn grant(&mut self, lot: NaiveLot, class: Class, tax: i64, now: i64) -> Result<String, String> {
        let wrong = |what: &str| Err(format!("bad grant: {what}"));
        if lot.granted == 0 {
            return wrong("nothing");
        }
        if lot.expires_at.is_some_and(|end| end <= lot.effective_at || end <= now) {
            return wrong("over");
        }
        if lot.cost.is_some() && (class != Class::Paid || lot.source != NaiveSource::Purchase) {
            return wrong("cost of unpaid");
        }
        if tax > 0 && lot.cost.is_none() {
            return wrong("tax alone");
        }
        if matches!(lot.source, NaiveSource::Monthly(_)) {
            return wrong("source");
        }
        if let Some((cost, currency)) = lot.cost {
            *self.totals.entry(Account::of("cash", currency)).or_default() += cost + tax;
            *self.totals.entry(Account::of("tax_payable", currency)).or_default() -= tax;
        }
        let number = self.add(lot);
        self.book();
        Ok(format!("granted {number}"))
    }

    /// Moves a sandbox's clock, and looks whenever something becomes due on the way.
    fn set_clock(&mut self, to: i64, booked: usize) -> Result<String, String> {
        let clock = self.account().clock.ok_or("not sandbox")?;
        if to < clock || to - clock > CLOCK_STEP_MAX {
            return Err(format!("clock range: {clock} to {to}"));
        }
        if to == clock {
            return Ok(format!("clock set {booked}"));
        }
        // What was due before counts as on the way.
        let before = self.entries - booked;
        let mut at = clock;
        while let Some(next) = self.changes_after(at).into_iter().min().filter(|next| *next <= to) {
            self.settle(next);
            self.tell();
            at = next;
        }
        self.settle(to);
        self.tell();
        let entries = self.entries - before;
        self.account_mut().clock = Some(to);
        self.book();
        Ok(format!("clock set {entries}"))
    }
}
