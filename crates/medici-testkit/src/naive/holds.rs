//! Holds and charges, and what is given back of them.

use std::sync::Arc;

use medici_ledger::{Capture, GiveBackReason, HoldId, Quote, Spender, VoidReason};

use super::budgets::Spend;
use super::flaw::Flaw;
use super::model::{HOURS_24, Naive, Slices, micro};

/// What became of a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Open,
    /// Spent, so much of it, of these lots.
    Captured(i64, Arc<Slices>),
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
    pub quote: Option<Arc<Quote>>,
    /// What it sets aside.
    pub amount: i64,
    /// Lot number and amount.
    pub slices: Arc<Slices>,
    /// Which spend it counts as on budgets.
    pub spend: usize,
    /// Placed.
    pub placed_at: i64,
    /// Ends by itself.
    pub expires_at: i64,
    /// What became of it.
    pub state: State,
    /// When that happened.
    pub ended_at: i64,
}

impl Naive {
    pub(super) fn hold(
        &mut self,
        id: HoldId,
        quote: &Quote,
        timeout: i64,
        spender: Spender,
        now: i64,
    ) -> Result<String, String> {
        if let Some(hold) = self.find(id) {
            return match hold.state {
                State::Open if hold.quote.as_deref() == Some(quote) => Ok(held(hold)),
                State::Open => Err("hold exists".into()),
                _ => Err(ended(hold)),
            };
        }
        if timeout <= 0 || timeout > HOURS_24 {
            return Err("hold timeout".into());
        }
        let amount = micro(quote.amount);
        self.admit(amount, spender, now)?;
        let slices = self.pick(amount, now)?;
        self.take(&slices);
        let hold = self.place(id, Some(quote), amount, slices, spender, now, now + timeout);
        let reply = held(hold);
        self.book();
        Ok(reply)
    }

    #[expect(clippy::too_many_arguments, reason = "all of a hold, once")]
    fn place(
        &mut self,
        id: HoldId,
        quote: Option<&Quote>,
        amount: i64,
        slices: Slices,
        spender: Spender,
        placed_at: i64,
        expires_at: i64,
    ) -> &mut NaiveHold {
        let spend = self.spends.len();
        self.spends.push(Spend { hold: id, spender, admitted_at: placed_at, amount, given: 0 });
        self.holds.push(NaiveHold {
            id,
            quote: quote.map(|quote| Arc::new(quote.clone())),
            amount,
            slices: Arc::new(slices),
            spend,
            placed_at,
            expires_at,
            state: State::Open,
            ended_at: 0,
        });
        self.holds.last_mut().expect("it was just added")
    }

    pub(super) fn extend(&mut self, id: HoldId, timeout: i64, now: i64) -> Result<String, String> {
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
            self.book();
            return Ok(format!("extended until {until}"));
        }
        Ok(format!("extended until {}", hold.expires_at))
    }

    pub(super) fn capture(&mut self, id: HoldId, amount: i64, now: i64) -> Result<String, String> {
        let forgets = self.flaw == Flaw::CaptureForgetsItsAmount;
        let hold = self.find(id).ok_or("unknown hold")?;
        match &hold.state {
            State::Captured(before, slices) if *before == amount || forgets => {
                return Ok(format!("captured {before} of {}", listed(slices)));
            }
            State::Open => {}
            _ => return Err(ended(hold)),
        }
        let whole = hold.amount;
        if amount > whole {
            return Err(format!("more than held: {amount} of {whole}"));
        }
        let hold = hold.clone();
        let quote = hold.quote.clone().expect("only a quoted hold is open");
        let (spent, rest) = if self.flaw == Flaw::CaptureFromTheEnd {
            let (rest, spent) = split(&hold.slices, whole - amount);
            (spent, rest)
        } else {
            split(&hold.slices, amount)
        };
        self.spend(&spent, &quote.operation);
        self.release(&rest, false, now);
        self.uncount(hold.spend, whole - amount);
        let reply = format!("captured {amount} of {}", listed(&spent));
        self.end(id, State::Captured(amount, Arc::new(spent)), now);
        Ok(reply)
    }

    pub(super) fn void(&mut self, id: HoldId, reason: VoidReason, now: i64) -> Result<String, String> {
        let hold = self.find(id).ok_or("unknown hold")?;
        let released = hold.amount;
        match hold.state {
            // The same call whatever its reason: the first one stands.
            State::Voided(_) => return Ok(format!("voided {released}")),
            State::Open => {}
            _ => return Err(ended(hold)),
        }
        let hold = hold.clone();
        let ours = matches!(reason, VoidReason::EngineFailed | VoidReason::WorkerLost | VoidReason::Shutdown);
        self.release(&hold.slices, ours && self.flaw != Flaw::NoReplacement, now);
        self.uncount(hold.spend, released);
        self.end(id, State::Voided(reason), now);
        Ok(format!("voided {released}"))
    }

    pub(super) fn charge(
        &mut self,
        id: HoldId,
        quote: &Quote,
        spender: Spender,
        happened_at: Option<i64>,
        now: i64,
    ) -> Result<String, String> {
        let amount = micro(quote.amount);
        if let Some(hold) = self.find(id) {
            return match &hold.state {
                State::Captured(before, slices) if *before == amount => {
                    Ok(format!("charged {before} of {}", listed(slices)))
                }
                State::Open => Err("hold exists".into()),
                _ => Err(ended(hold)),
            };
        }
        let then = self.usage_instant(happened_at, now);
        self.admit(amount, spender, now)?;
        let slices = self.pick(amount, then)?;
        let over: Vec<u32> =
            slices.iter().map(|(number, _)| *number).filter(|number| self.lot(*number).ended).collect();
        for number in &over {
            let lot = self.lot(*number);
            let before = lot.share(lot.kept());
            lot.available = lot.expired;
            lot.expired = 0;
            lot.breakage -= lot.share(lot.kept()) - before;
            lot.ended = false;
            self.book();
        }
        self.take(&slices);
        self.spend(&slices, &quote.operation);
        self.place(id, Some(quote), amount, slices.clone(), spender, now, now);
        self.end(id, State::Captured(amount, Arc::new(slices.clone())), now);
        for number in &over {
            let lot = self.lot(*number);
            let left = lot.available + lot.held;
            lot.expire_available();
            lot.ended = true;
            if left > 0 {
                self.book();
            }
        }
        Ok(format!("charged {amount} of {}", listed(&slices)))
    }

    /// The instant that usage counts at: when it happened, within the grace.
    #[must_use]
    pub fn usage_instant(&self, happened_at: Option<i64>, now: i64) -> i64 {
        let now = self.own_time(now);
        // Without prices nothing is late; the policy unless told is a day.
        let mut grace = self.version_at(now).map_or(HOURS_24, |version| version.late_grace);
        grace += i64::from(self.flaw == Flaw::GraceOneMicrosecondLong);
        match happened_at {
            Some(then) if then <= now && now - then <= grace => then,
            _ => now,
        }
    }

    pub(super) fn uncollected(&mut self, id: HoldId, amount: i64, now: i64) -> Result<String, String> {
        match self.find(id).map(|hold| (hold.state.clone(), ended(hold))) {
            Some((State::Expired, _)) => {}
            Some((State::Uncollected(before), _)) if before == amount => return Ok("uncollected".into()),
            Some((State::Uncollected(before), _)) => return Err(format!("already uncollected {before}")),
            Some((_, why)) => return Err(why),
            // The worker may be so late that nobody remembers the hold; the loss is on record all the same.
            None => {
                let hold = self.place(id, None, amount, Vec::new(), Spender::NOBODY, now, now);
                hold.state = State::Expired;
                // It spent nothing.
                self.spends.last_mut().expect("it was just placed").amount = 0;
            }
        }
        self.end(id, State::Uncollected(amount), now);
        Ok("uncollected".into())
    }

    pub(super) fn give_back(
        &mut self,
        capture: &Capture,
        amount: i64,
        reason: GiveBackReason,
        now: i64,
    ) -> Result<String, String> {
        let before = self.given.iter().find(|(hold, _)| *hold == capture.hold).map_or(0, |(_, given)| *given);
        let captured: Slices = capture.slices.iter().map(|slice| (slice.lot.get(), micro(slice.amount))).collect();
        let left = captured.iter().map(|(_, part)| part).sum::<i64>() - before;
        if amount == 0 || amount > left {
            return Err(format!("more than captured: {amount} of {left}"));
        }
        let mut backwards = captured;
        if self.flaw != Flaw::GiveBackFirstCaptured {
            backwards.reverse();
        }
        let (_, rest) = split(&backwards, before);
        let (returned, _) = split(&rest, amount);
        for (number, part) in returned {
            let lot = self.lot(number);
            let (kept, recognised) = (lot.share(lot.kept()), lot.recognised());
            lot.captured -= part;
            lot.back(part);
            let lost = kept - lot.share(lot.kept());
            let unearned = recognised - lot.recognised();
            lot.revenue -= unearned;
            let (over, currency) = (lot.ended, lot.cost.map(|(_, currency)| currency));
            self.post(&capture.operation, -part, -unearned, currency);
            if over && reason == GiveBackReason::ServiceFault && self.flaw != Flaw::NoReplacement {
                self.replace(number, part, lost, now);
            } else {
                self.lot(number).breakage += lost;
            }
        }
        self.count_given(capture.hold, capture.admitted_at.micros(), amount);
        match self.given.iter_mut().find(|(hold, _)| *hold == capture.hold) {
            Some((_, given)) => *given += amount,
            None => self.given.push((capture.hold, amount)),
        }
        self.book();
        Ok(format!("given back {amount} of {}", before + amount))
    }

    pub(super) fn end(&mut self, id: HoldId, state: State, at: i64) {
        let hold = self.find(id).expect("the hold was just looked up");
        hold.state = state;
        hold.ended_at = at;
        self.book();
    }

    fn find(&mut self, id: HoldId) -> Option<&mut NaiveHold> {
        self.holds.iter_mut().find(|hold| hold.id == id)
    }
}

fn held(hold: &NaiveHold) -> String {
    format!("held {} of {} until {}", hold.amount, listed(&hold.slices), hold.expires_at)
}

/// Why a hold refuses what it was not asked before.
fn ended(hold: &NaiveHold) -> String {
    match &hold.state {
        State::Open => "hold open".into(),
        State::Captured(amount, _) => format!("already captured {amount}"),
        State::Voided(reason) => format!("already voided {}", reason.as_str()),
        State::Expired | State::Uncollected(_) => "hold expired".into(),
    }
}

/// Writes slices as text.
fn listed(slices: &[(u32, i64)]) -> String {
    let parts: Vec<String> = slices.iter().map(|(lot, amount)| format!("{lot}:{amount}")).collect();
    format!("[{}]", parts.join(" "))
}

/// Splits slices into the first `amount` and the rest.
fn split(slices: &[(u32, i64)], amount: i64) -> (Slices, Slices) {
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
