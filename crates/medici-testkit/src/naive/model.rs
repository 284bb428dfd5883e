//! The wallet and its commands.

use std::collections::BTreeMap;

use medici_ledger::{Class, Command, Credits, HoldId, Money, Quote, Source, VoidReason};

use super::time::{ended, held, listed, split};

const HOURS_24: i64 = 24 * 60 * 60 * 1_000_000;
const DAYS_7: i64 = 7 * HOURS_24;

/// Lot numbers and amounts.
pub(super) type Slices = Vec<(u32, i64)>;

/// What a plan gives each month.
#[derive(Clone, Debug)]
pub struct NaivePlan {
    /// Its name.
    pub name: String,
    /// Micro-credits a month; 0 for none.
    pub monthly: i64,
    /// How many months they live.
    pub months: usize,
    /// Whether anchors after the 28th refill on the 28th.
    pub on_28th: bool,
    /// The priority of its lots.
    pub priority: i64,
}

/// The plans from one instant on.
#[derive(Clone, Debug)]
pub struct NaiveVersion {
    /// That instant.
    pub effective_at: i64,
    /// The plans.
    pub plans: Vec<NaivePlan>,
}

/// A mistake that the model can be told to make, to prove that the comparison finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// None.
    None,
    /// Free credits burn after paid ones.
    FreeAfterPaid,
    /// A lot lives one microsecond too long.
    ExpiryOneMicrosecondLate,
    /// A hold lives one microsecond too long.
    TimeoutOneMicrosecondLate,
    /// A capture takes the last slices instead of the first.
    CaptureFromTheEnd,
    /// Credits of an expired lot are released as if it were live.
    ExpiredLotRevives,
    /// A fault of ours is not made good.
    NoReplacement,
    /// Months are counted from the month before instead of from the anchor.
    MonthsDrift,
    /// The last cent of a lot is rounded up.
    RevenueRoundsUp,
    /// An extension may pass 24 hours.
    EndlessExtension,
    /// A repeated capture is answered whatever its amount.
    CaptureForgetsItsAmount,
}

/// One lot.
#[derive(Clone, Debug)]
pub struct NaiveLot {
    /// Its number, from 1.
    pub number: u32,
    /// `free`, `promo` or `paid`.
    pub class: &'static str,
    /// In words, with its number.
    pub source: String,
    /// What was granted. The sum of the next four, always.
    pub granted: i64,
    /// Can be held.
    pub available: i64,
    /// Set aside.
    pub held: i64,
    /// Spent.
    pub captured: i64,
    /// Expired.
    pub expired: i64,
    /// Minor units and currency.
    pub cost: Option<(i64, String)>,
    /// Earned by captures.
    pub recognised: i64,
    /// Earned by expiry.
    pub breakage: i64,
    /// Handed on to replacement lots.
    pub moved: i64,
    /// Live from.
    pub effective_at: i64,
    /// Live until.
    pub expires_at: Option<i64>,
    /// Burns in this order.
    pub priority: i64,
    /// Whether its end is booked.
    pub ended: bool,
}

/// What became of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Open,
    /// Spent, so much of it.
    Captured(i64, String),
    /// Voided, for this reason.
    Voided(VoidReason),
    /// Ended by time.
    Expired,
    /// Ended by time, and the loss of so much is on record.
    Uncollected(i64),
}

/// One hold.
#[derive(Clone, Debug)]
pub struct NaiveHold {
    /// Its name.
    pub id: HoldId,
    /// What it was placed for; `None` where only the loss is known.
    pub quote: Option<Quote>,
    /// What it sets aside.
    pub amount: i64,
    /// Lot number and amount.
    pub slices: Slices,
    /// Placed.
    pub placed_at: i64,
    /// Ends by itself.
    pub expires_at: i64,
    /// What became of it.
    pub state: State,
    /// When that happened.
    pub ended_at: i64,
}

/// A wallet.
#[derive(Clone, Debug)]
pub struct Naive {
    /// The mistake it makes.
    pub flaw: Flaw,
    /// Plans over time, earliest first.
    pub versions: Vec<NaiveVersion>,
    /// The anchor and the plan, once open.
    pub opened: Option<(i64, String)>,
    /// All lots ever.
    pub lots: Vec<NaiveLot>,
    /// All holds and charges that are not forgotten.
    pub holds: Vec<NaiveHold>,
    /// The occurrences that were granted.
    pub occurrences: Vec<usize>,
    /// The instant of the last entry.
    pub recorded_at: i64,
    /// How many entries there should be.
    pub entries: usize,
    /// Amounts on ledger accounts that are not about one lot only.
    pub totals: BTreeMap<String, i64>,
}

/// Micro-credits, as a model's number.
fn micro(credits: Credits) -> i64 {
    credits.micro()
}

impl Naive {
    /// Returns a wallet before it is opened.
    #[must_use]
    pub fn new(versions: Vec<NaiveVersion>, flaw: Flaw) -> Self {
        Self {
            flaw,
            versions,
            opened: None,
            lots: Vec::new(),
            holds: Vec::new(),
            occurrences: Vec::new(),
            recorded_at: i64::MIN,
            entries: 0,
            totals: BTreeMap::new(),
        }
    }

    /// Does what a command asks, or says why not. A refusal changes nothing.
    ///
    /// # Errors
    /// The refusal, in words.
    pub fn decide(&mut self, command: &Command, now: i64) -> Result<String, String> {
        // A clock that went back counts as one that stood still.
        let now = now.max(self.recorded_at);
        let mut next = self.clone();
        let reply = next.attempt(command, now)?;
        if next.entries > self.entries {
            next.recorded_at = now;
        }
        *self = next;
        Ok(reply)
    }

    fn attempt(&mut self, command: &Command, now: i64) -> Result<String, String> {
        if let Command::Open { plan, .. } = command {
            return self.open(&plan.as_text(), now);
        }
        if self.opened.is_none() {
            return Err("not open".into());
        }
        let booked = self.settle(now);
        match command {
            Command::Open { .. } => unreachable!("answered above"),
            Command::Settle => Ok(format!("settled {booked}")),
            Command::Grant { class, credits, cost, effective_at, expires_at, priority, source, tax } => {
                let mut lot = lot(*class, micro(*credits), cost.as_ref(), i64::from(*priority));
                lot.source = source.as_str().into();
                lot.effective_at = effective_at.micros();
                lot.expires_at = expires_at.map(|end| end.micros());
                self.grant(lot, *source, tax.minor(), now)
            }
            Command::Hold { hold, quote, timeout, .. } => {
                self.hold(*hold, quote, i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX), now)
            }
            Command::Extend { hold, timeout } => {
                self.extend(*hold, i64::try_from(timeout.as_micros()).unwrap_or(i64::MAX), now)
            }
            Command::Capture { hold, amount } => self.capture(*hold, micro(*amount), now),
            Command::Void { hold, reason } => self.void(*hold, *reason, now),
            Command::Charge { charge, quote, .. } => self.charge(*charge, quote, now),
            Command::Uncollected { hold, amount } => self.uncollected(*hold, micro(*amount), now),
            other => unreachable!("not modelled yet: {other:?}"),
        }
    }

    fn open(&mut self, plan: &str, now: i64) -> Result<String, String> {
        match &self.opened {
            Some((_, current)) if current != plan => return Err("already open".into()),
            Some(_) => {}
            None if self.plan_at(plan, now).is_none() => return Err(format!("unknown plan {plan}")),
            None => {
                self.opened = Some((now, plan.into()));
                self.entries += 1;
            }
        }
        // The first month begins with the opening.
        self.settle(now);
        Ok("opened".into())
    }

    fn grant(&mut self, lot: NaiveLot, source: Source, tax: i64, now: i64) -> Result<String, String> {
        let wrong = |what: &str| Err(format!("bad grant: {what}"));
        if lot.granted == 0 {
            return wrong("nothing");
        }
        if lot.expires_at.is_some_and(|end| end <= lot.effective_at || end <= now) {
            return wrong("over");
        }
        if lot.cost.is_some() && (lot.class != "paid" || source != Source::Purchase) {
            return wrong("cost of unpaid");
        }
        if tax > 0 && lot.cost.is_none() {
            return wrong("tax alone");
        }
        if matches!(source, Source::Monthly { .. } | Source::Replacement { .. }) {
            return wrong("source");
        }
        if let Some((cost, currency)) = lot.cost.clone() {
            self.post(&format!("cash {currency}"), cost + tax);
            self.post(&format!("tax_payable {currency}"), -tax);
        }
        self.entries += 1;
        Ok(format!("granted {}", self.add(lot)))
    }

    fn hold(&mut self, id: HoldId, quote: &Quote, timeout: i64, now: i64) -> Result<String, String> {
        if let Some(hold) = self.find(id) {
            return match hold.state {
                State::Open if hold.quote.as_ref() == Some(quote) => Ok(held(hold)),
                State::Open => Err("hold exists".into()),
                _ => Err(ended(hold)),
            };
        }
        if timeout <= 0 || timeout > HOURS_24 {
            return Err("hold timeout".into());
        }
        let slices = self.pick(micro(quote.amount), now)?;
        self.take(&slices);
        self.entries += 1;
        let hold = NaiveHold {
            id,
            quote: Some(quote.clone()),
            amount: micro(quote.amount),
            slices,
            placed_at: now,
            expires_at: now + timeout,
            state: State::Open,
            ended_at: 0,
        };
        let reply = held(&hold);
        self.holds.push(hold);
        Ok(reply)
    }

    fn extend(&mut self, id: HoldId, timeout: i64, now: i64) -> Result<String, String> {
        if timeout <= 0 || timeout > HOURS_24 {
            return Err("hold timeout".into());
        }
        let endless = self.flaw == Flaw::EndlessExtension;
        let hold = self.find(id).ok_or("unknown hold")?;
        if hold.state != State::Open {
            return Err(ended(hold));
        }
        let limit = if endless { i64::MAX } else { hold.placed_at + HOURS_24 };
        let until = (now + timeout).min(limit);
        if until > hold.expires_at {
            hold.expires_at = until;
            self.entries += 1;
            return Ok(format!("extended until {until}"));
        }
        Ok(format!("extended until {}", hold.expires_at))
    }

    fn capture(&mut self, id: HoldId, amount: i64, now: i64) -> Result<String, String> {
        let forgets = self.flaw == Flaw::CaptureForgetsItsAmount;
        let hold = self.find(id).ok_or("unknown hold")?;
        match &hold.state {
            State::Captured(before, slices) if *before == amount || forgets => {
                return Ok(format!("captured {before} of {slices}"));
            }
            State::Open => {}
            _ => return Err(ended(hold)),
        }
        let whole = hold.amount;
        if amount > whole {
            return Err(format!("more than held: {amount} of {whole}"));
        }
        let (slices, operation) =
            (hold.slices.clone(), hold.quote.as_ref().map_or(String::new(), |quote| quote.operation.to_string()));
        let (spent, rest) = if self.flaw == Flaw::CaptureFromTheEnd {
            let (rest, spent) = split(&slices, whole - amount);
            (spent, rest)
        } else {
            split(&slices, amount)
        };
        self.spend(&spent, &operation);
        self.release(&rest, false, now);
        self.end(id, State::Captured(amount, listed(&spent)), now);
        Ok(format!("captured {amount} of {}", listed(&spent)))
    }

    fn void(&mut self, id: HoldId, reason: VoidReason, now: i64) -> Result<String, String> {
        let hold = self.find(id).ok_or("unknown hold")?;
        let released = hold.amount;
        match hold.state {
            // The same call whatever its reason: the first one stands.
            State::Voided(_) => return Ok(format!("voided {released}")),
            State::Open => {}
            _ => return Err(ended(hold)),
        }
        let slices = hold.slices.clone();
        let ours = matches!(reason, VoidReason::EngineFailed | VoidReason::WorkerLost | VoidReason::Shutdown);
        self.release(&slices, ours && self.flaw != Flaw::NoReplacement, now);
        self.end(id, State::Voided(reason), now);
        Ok(format!("voided {released}"))
    }

    fn charge(&mut self, id: HoldId, quote: &Quote, now: i64) -> Result<String, String> {
        let amount = micro(quote.amount);
        if let Some(hold) = self.find(id) {
            return match &hold.state {
                State::Captured(before, slices) if *before == amount => Ok(format!("charged {before} of {slices}")),
                State::Open => Err("hold exists".into()),
                _ => Err(ended(hold)),
            };
        }
        let slices = self.pick(amount, now)?;
        self.take(&slices);
        self.spend(&slices, quote.operation.as_str());
        let state = State::Open;
        self.holds.push(NaiveHold {
            id,
            quote: Some(quote.clone()),
            amount,
            slices: slices.clone(),
            placed_at: now,
            expires_at: now,
            state,
            ended_at: now,
        });
        self.end(id, State::Captured(amount, listed(&slices)), now);
        Ok(format!("charged {amount} of {}", listed(&slices)))
    }

    fn uncollected(&mut self, id: HoldId, amount: i64, now: i64) -> Result<String, String> {
        match self.find(id).map(|hold| (hold.state.clone(), ended(hold))) {
            Some((State::Expired, _)) => {}
            Some((State::Uncollected(before), _)) if before == amount => return Ok("uncollected".into()),
            Some((State::Uncollected(before), _)) => return Err(format!("already uncollected {before}")),
            Some((_, why)) => return Err(why),
            // The worker may be so late that nobody remembers the hold; the loss is on record all the same.
            None => self.holds.push(NaiveHold {
                id,
                quote: None,
                amount,
                slices: Vec::new(),
                placed_at: now,
                expires_at: now,
                state: State::Expired,
                ended_at: now,
            }),
        }
        self.end(id, State::Uncollected(amount), now);
        Ok("uncollected".into())
    }

    /// Chooses slices in burn order.
    fn pick(&self, needed: i64, now: i64) -> Result<Slices, String> {
        let available: i64 = self.live(now).iter().map(|lot| lot.available).sum();
        if needed > available {
            return Err(format!("insufficient: {needed} of {available}"));
        }
        let (mut slices, mut missing) = (Vec::new(), needed);
        for lot in self.live(now) {
            let part = missing.min(lot.available);
            if part > 0 {
                slices.push((lot.number, part));
                missing -= part;
            }
        }
        Ok(slices)
    }

    fn take(&mut self, slices: &[(u32, i64)]) {
        for (number, amount) in slices {
            let lot = self.lot(*number);
            lot.available -= amount;
            lot.held += amount;
        }
    }

    fn spend(&mut self, slices: &[(u32, i64)], operation: &str) {
        for (number, amount) in slices {
            let rounds_up = self.flaw == Flaw::RevenueRoundsUp;
            let lot = self.lot(*number);
            lot.held -= amount;
            lot.captured += amount;
            let before = lot.recognised;
            lot.recognised = lot.share(lot.captured);
            if rounds_up && lot.captured < lot.granted && lot.cost.is_some() {
                lot.recognised += 1;
            }
            let (earned, cost) = (lot.recognised - before, lot.cost.clone());
            self.post(&format!("used:{operation}"), *amount);
            if let Some((_, currency)) = cost {
                self.post(&format!("revenue:{operation} {currency}"), -earned);
            }
        }
    }

    /// Gives slices back, the last one first. What belongs to an ended lot expires, or is replaced.
    pub(super) fn release(&mut self, slices: &[(u32, i64)], ours: bool, at: i64) {
        for (number, amount) in slices.iter().rev() {
            let revives = self.flaw == Flaw::ExpiredLotRevives;
            let lot = self.lot(*number);
            lot.held -= amount;
            if !lot.ended || revives {
                lot.available += amount;
                continue;
            }
            let lost = lot.expire(*amount);
            if !ours {
                lot.breakage += lost;
                continue;
            }
            lot.moved += lost;
            let mut new = lot.clone();
            new.source = format!("replacement {number}");
            new.granted = *amount;
            new.cost = lot.cost.clone().map(|(_, currency)| (lost, currency));
            new.effective_at = at;
            new.expires_at = Some(at + DAYS_7);
            self.add(new);
        }
    }

    /// Appends a lot with all of its credits available and returns its number.
    pub(super) fn add(&mut self, mut lot: NaiveLot) -> u32 {
        lot.number = u32::try_from(self.lots.len()).expect("a test has few lots") + 1;
        lot.available = lot.granted;
        (lot.held, lot.captured, lot.expired) = (0, 0, 0);
        (lot.recognised, lot.breakage, lot.moved) = (0, 0, 0);
        lot.ended = false;
        let number = lot.number;
        self.lots.push(lot);
        number
    }

    pub(super) fn end(&mut self, id: HoldId, state: State, at: i64) {
        let hold = self.find(id).expect("the hold was just looked up");
        hold.state = state;
        hold.ended_at = at;
        self.entries += 1;
    }

    fn find(&mut self, id: HoldId) -> Option<&mut NaiveHold> {
        self.holds.iter_mut().find(|hold| hold.id == id)
    }

    pub(super) fn lot(&mut self, number: u32) -> &mut NaiveLot {
        self.lots.iter_mut().find(|lot| lot.number == number).expect("slices name lots")
    }

    fn post(&mut self, account: &str, amount: i64) {
        *self.totals.entry(account.into()).or_default() += amount;
    }
}

impl NaiveLot {
    /// Cost × credits ÷ granted, rounded down.
    fn share(&self, credits: i64) -> i64 {
        let cost = self.cost.as_ref().map_or(0, |(cost, _)| *cost);
        let share = i128::from(cost) * i128::from(credits) / i128::from(self.granted);
        i64::try_from(share).expect("a share is at most the cost")
    }

    /// Money for what can still be spent.
    #[must_use]
    pub fn deferred(&self) -> i64 {
        self.share(self.captured + self.available + self.held) - self.share(self.captured)
    }

    /// Lets credits that are in no other part expire, and returns the money that leaves deferred for it.
    pub(super) fn expire(&mut self, amount: i64) -> i64 {
        self.available += amount;
        let before = self.deferred();
        self.available -= amount;
        self.expired += amount;
        before - self.deferred()
    }
}

fn lot(class: Class, granted: i64, cost: Option<&Money>, priority: i64) -> NaiveLot {
    NaiveLot {
        number: 0,
        class: match class {
            Class::Free => "free",
            Class::Promo => "promo",
            Class::Paid => "paid",
        },
        source: String::new(),
        granted,
        available: 0,
        held: 0,
        captured: 0,
        expired: 0,
        cost: cost.map(|money| (money.amount.minor(), money.currency.as_str().to_owned())),
        recognised: 0,
        breakage: 0,
        moved: 0,
        effective_at: 0,
        expires_at: None,
        priority,
        ended: false,
    }
}
