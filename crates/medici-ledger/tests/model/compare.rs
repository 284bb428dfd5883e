//! The ledger and the model side by side: one step at a time, everything compared after each.

use std::collections::{BTreeMap, BTreeSet};

use medici_ledger::verify::Replay;
use medici_ledger::{
    AccountId, Balances, Command, Decision, Entry, GrantError, HOLD_MEMORY, HOLD_MEMORY_COUNT_MAX, Hold, HoldState,
    LedgerAccount, Money, OrderRecord, Refusal, Reply, Slice, Timestamp, Unit, Wallet,
};
use medici_testkit::naive::{Flaw, Naive, State};

use crate::history::{Step, World};

/// One account, kept three times: by the ledger, by the model, and by replaying the ledger's entries.
pub(crate) struct Pair<'a> {
    world: &'a World,
    pub(crate) model: Naive,
    pub(crate) wallet: Wallet,
    replayed: Wallet,
    entries: Vec<Entry>,
    /// The sums of all postings.
    accounts: BTreeMap<String, i64>,
    /// The kinds of answers there were.
    pub(crate) reached: BTreeSet<&'static str>,
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ledger: T, model: T) -> Result<(), String> {
    if ledger == model {
        return Ok(());
    }
    let (ledger, model) = (format!("{ledger:?}"), format!("{model:?}"));
    let agree = ledger.bytes().zip(model.bytes()).take_while(|(left, right)| left == right).count();
    Err(format!("{what}:\n  ledger {}\n  model  {}", excerpt(&ledger, agree), excerpt(&model, agree)))
}

/// Cuts a long text to what is around its first difference.
fn excerpt(text: &str, difference: usize) -> String {
    if text.len() < 600 {
        return text.to_owned();
    }
    let cut = text.as_bytes().get(difference.saturating_sub(200)..).unwrap_or_default();
    format!("… {} …", String::from_utf8_lossy(&cut[..cut.len().min(500)]))
}

impl<'a> Pair<'a> {
    pub(crate) fn new(world: &'a World, flaw: Flaw) -> Self {
        let wallet = Wallet::new(AccountId::from_u128(7));
        Self {
            world,
            model: Naive::new(world.versions.clone(), flaw),
            replayed: wallet.clone(),
            wallet,
            entries: Vec::new(),
            accounts: BTreeMap::new(),
            reached: BTreeSet::new(),
        }
    }

    /// Takes a step on all sides; the error says what they disagree on.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        let Some(command) = self.world.command(step) else { return Ok(()) };
        if let Command::Hold { quote, .. } | Command::Charge { quote, .. } = &command {
            same("the price", quote.amount.micro(), self.world.naive_price(step))?;
        }
        let decision = self.wallet.decide(&command, &self.world.book, Timestamp::from_micros(step.at));
        self.reached.insert(kind(&decision));
        self.model_step(step, &command, &decision)?;
        if let Ok(decision) = decision
            && !decision.entries.is_empty()
        {
            self.follow(decision)?;
            self.compare_wallet()?;
        }
        self.compare_balances(step.at)?;
        self.compare_balances(step.look_at)?;
        self.compare_next_due(step.at)
    }

    fn model_step(
        &mut self,
        step: &Step,
        command: &Command,
        decision: &Result<Decision, Refusal>,
    ) -> Result<(), String> {
        let ledger =
            decision.as_ref().map(|decision| (reply(&decision.reply), decision.entries.len())).map_err(refusal);
        let (next, expected) = attempt(&self.model, command, step.at);
        if ledger == expected {
            self.model = next;
            return Ok(());
        }
        // The end of a hold may be forgotten while this very step is booked.
        let mut forgetful = self.model.clone();
        forgetful.holds.retain(|hold| Some(hold.id) != step.hold() || !may_be_forgotten(&self.model, hold.id, step.at));
        let (next, also_right) = attempt(&forgetful, command, step.at);
        if ledger == also_right {
            // A refusal books nothing, not even that something is forgotten.
            if ledger.is_ok() {
                self.model = next;
            }
            return Ok(());
        }
        same("the answer, and how many entries", ledger, expected)
    }

    /// Takes over a decision, entry by entry, through their stored form.
    fn follow(&mut self, decision: Decision) -> Result<(), String> {
        for entry in &decision.entries {
            let copy = Entry::decode(&entry.encode()).map_err(|error| format!("an entry does not decode: {error}"))?;
            same("an entry after its stored form", &copy, entry)?;
            let mut sums: BTreeMap<Unit, i128> = BTreeMap::new();
            for posting in &copy.postings {
                *sums.entry(posting.unit).or_default() += i128::from(posting.amount);
                for account in accounts_of(posting) {
                    *self.accounts.entry(account).or_default() += posting.amount;
                }
            }
            if sums.values().any(|sum| *sum != 0) || !copy.is_balanced() {
                return Err(format!("an entry does not sum to zero: {entry:?}"));
            }
            let last = self.entries.last();
            if last.is_some_and(|last| entry.recorded_at < last.recorded_at || entry.seq != last.seq + 1) {
                return Err(format!("an entry out of order: {entry:?}"));
            }
            self.replayed.apply(&copy).map_err(|broken| format!("an entry cannot be replayed: {broken}"))?;
            self.entries.push(copy);
        }
        self.wallet = decision.wallet;
        Ok(())
    }

    fn compare_wallet(&mut self) -> Result<(), String> {
        let wallet = &self.wallet;
        wallet.check().map_err(|broken| format!("the wallet's own check: {broken}"))?;
        same("the wallet by replay", &self.replayed, wallet)?;
        let copy = Wallet::decode(&wallet.encode()).map_err(|error| format!("the wallet does not decode: {error}"))?;
        same("the wallet after its stored form", &copy, wallet)?;
        let mut lots: Vec<String> = wallet.lots().map(|lot| lot_of_ledger(&lot)).collect();
        lots.sort_by_key(|lot| lot.split(' ').next().and_then(|number| number.parse::<u32>().ok()));
        same("the lots", lots, self.model.lots.iter().map(lot_of_model).collect())?;
        self.accounts.retain(|_, amount| *amount != 0);
        same("the sums of postings", &self.accounts, &self.model.accounts())?;
        self.compare_holds()
    }

    fn compare_holds(&mut self) -> Result<(), String> {
        let now = self.wallet.recorded_at().micros();
        let mut forgotten = Vec::new();
        let mut remembered = 0;
        for hold in &self.model.holds {
            match self.wallet.hold(hold.id) {
                None if may_be_forgotten(&self.model, hold.id, now) => forgotten.push(hold.id),
                None => return Err(format!("{} is forgotten too early: {:?}", hold.id, hold.state)),
                Some(state) => {
                    remembered += usize::from(hold.state != State::Open);
                    let expected = match &hold.state {
                        State::Open => format!(
                            "open {} {:?} until {} placed {}",
                            hold.amount, hold.slices, hold.expires_at, hold.placed_at
                        ),
                        State::Captured(amount, _) => format!("captured {amount}"),
                        other => format!("{other:?}"),
                    };
                    same(&format!("what became of {}", hold.id), hold_state(&state), expected)?;
                }
            }
        }
        if remembered > HOLD_MEMORY_COUNT_MAX {
            return Err(format!("{remembered} ends of holds are remembered"));
        }
        self.model.holds.retain(|hold| !forgotten.contains(&hold.id));
        let open =
            self.model.holds.iter().filter(|hold| hold.state == State::Open).map(|hold| hold.id).collect::<Vec<_>>();
        same("the open holds", self.wallet.open_holds().map(|hold| hold.id).collect(), open)
    }

    fn compare_balances(&self, at: i64) -> Result<(), String> {
        let balances = self.wallet.balances(&self.world.book, Timestamp::from_micros(at));
        let when = Timestamp::from_micros(at);
        same(&format!("the balance at {when}"), balance(&balances), self.model.balances(at))?;
        let refill = balances.next_refill.as_ref().map(|refill| (refill.at.micros(), refill.credits.micro()));
        same(&format!("the next refill at {when}"), refill, self.model.next_refill(at))?;
        let expiring = balances.first_expiring.as_ref().map(|first| (first.at.micros(), first.credits.micro()));
        same(&format!("what expires first at {when}"), expiring, self.model.first_expiring(at))
    }

    /// What a sweeper is told to wait for: nothing is due before it, something is then.
    fn compare_next_due(&self, at: i64) -> Result<(), String> {
        if self.model.opened.is_none() {
            return Ok(());
        }
        let now = at.max(self.model.recorded_at);
        let books = |at: i64| self.model.clone().settle(at) > 0;
        let told = self.wallet.next_due(&self.world.book, Timestamp::from_micros(now)).map(Timestamp::micros);
        match told {
            Some(due) if due <= now => same("whether something is overdue", true, books(now)),
            Some(due) => {
                same(&format!("whether something is due before {due}"), false, books(due - 1))?;
                same(&format!("whether something is due at {due}"), true, books(due))
            }
            None => same("whether anything is due in three years", false, books(now + 3 * 365 * 24 * 3_600_000_000)),
        }
    }

    /// At the end of a history: all entries from nothing once more, and their proof.
    pub(crate) fn replay_from_nothing(&self) -> Result<(), String> {
        let broken = |broken| format!("an entry cannot be proved: {broken}");
        let mut replay = Replay::new();
        for entry in &self.entries {
            replay.feed(entry).map_err(broken)?;
        }
        let proof = replay.finish().map_err(broken)?;
        if !self.entries.is_empty() {
            proof.compare(&self.wallet).map_err(broken)?;
        }
        Ok(())
    }
}

/// The name of an answer.
fn kind(decision: &Result<Decision, Refusal>) -> &'static str {
    match decision {
        Ok(decision) => match decision.reply {
            Reply::Opened => "opened",
            Reply::Granted(_) => "granted",
            Reply::Held(_) => "held",
            Reply::Extended { .. } => "extended",
            Reply::Captured { .. } => "captured",
            Reply::Voided { .. } => "voided",
            Reply::Charged { .. } => "charged",
            Reply::Uncollected => "uncollected",
            Reply::Settled { .. } => "settled",
            Reply::Order(_) => "order",
            Reply::Refunded { .. } => "refunded",
            Reply::GivenBack { .. } => "given_back",
            Reply::Withdrawn => "withdrawn",
            Reply::PlanChanged => "plan_changed",
            Reply::CohortJoined(_) => "joined",
            Reply::Set => "set",
            Reply::ClockSet { .. } => "clock_set",
        },
        Err(refusal) => refusal.code(),
    }
}

/// Lets a copy of the model decide, and returns it with the answer and the number of entries.
fn attempt(model: &Naive, command: &Command, at: i64) -> (Naive, Result<(String, usize), String>) {
    let mut next = model.clone();
    let answer = next.decide(command, at);
    let entries = next.entries - model.entries;
    (next, answer.map(|answer| (answer, entries)))
}

fn may_be_forgotten(model: &Naive, id: medici_ledger::HoldId, now: i64) -> bool {
    let now = now.max(model.recorded_at);
    let ended = |hold: &&medici_testkit::naive::NaiveHold| hold.state != State::Open;
    let Some(hold) = model.holds.iter().filter(ended).find(|hold| hold.id == id) else { return false };
    let memory = i64::try_from(HOLD_MEMORY.as_micros()).unwrap();
    let later = model.holds.iter().filter(ended).filter(|other| other.ended_at >= hold.ended_at).count();
    hold.ended_at + memory <= now || later > HOLD_MEMORY_COUNT_MAX
}

fn accounts_of(posting: &medici_ledger::Posting) -> Vec<String> {
    let lot = posting.lot;
    let unit = match posting.unit {
        Unit::Credits => String::new(),
        Unit::Money(currency) => format!(" {}", currency.as_str()),
    };
    match &posting.account {
        LedgerAccount::Issuance(class) => vec![format!("issuance:{}", class.as_str())],
        LedgerAccount::Lot => vec![format!("lot {lot}")],
        LedgerAccount::Held => vec![format!("held {lot}")],
        LedgerAccount::Used(operation) => vec![format!("used {lot}"), format!("used:{operation}")],
        LedgerAccount::Expired => vec![format!("expired {lot}")],
        LedgerAccount::Cash => vec![format!("cash{unit}")],
        LedgerAccount::TaxPayable => vec![format!("tax_payable{unit}")],
        LedgerAccount::Deferred => vec![format!("deferred {lot}{unit}")],
        LedgerAccount::Revenue(operation) => {
            vec![format!("revenue {lot}{unit}"), format!("revenue:{operation}{unit}")]
        }
        LedgerAccount::BreakageRevenue => vec![format!("breakage_revenue {lot}{unit}")],
        LedgerAccount::Withdrawn => vec![format!("withdrawn {lot}")],
        LedgerAccount::Debt => vec!["debt".into()],
        LedgerAccount::Clawed => vec!["clawed".into()],
        LedgerAccount::Receivable => vec![format!("receivable{unit}")],
        LedgerAccount::Refunds => vec![format!("refunds{unit}")],
        LedgerAccount::CustomerDebt => vec![format!("customer_debt{unit}")],
    }
}

fn lot_of_ledger(lot: &medici_ledger::Lot) -> String {
    let reference = match lot.source {
        medici_ledger::Source::Monthly { occurrence } => format!("monthly {occurrence}"),
        medici_ledger::Source::Replacement { of } => format!("replacement {of}"),
        medici_ledger::Source::Rollover { of } => format!("rollover {of}"),
        medici_ledger::Source::PlanChange { occurrence } => format!("plan_change {occurrence}"),
        other => other.as_str().to_owned(),
    };
    format!(
        "{} {} {reference} p{} {}..{:?} granted {} available {} held {} captured {} expired {} cost {:?} recognised {} deferred {} gone {}",
        lot.number,
        lot.class.as_str(),
        lot.priority,
        lot.effective_at.micros(),
        lot.expires_at.map(Timestamp::micros),
        lot.granted.micro(),
        lot.available.micro(),
        lot.held.micro(),
        lot.captured.micro(),
        lot.expired.micro(),
        lot.cost.map(|cost| (cost.amount.minor(), cost.currency.as_str().to_owned())),
        lot.recognised().minor(),
        lot.deferred().minor(),
        lot.left_cost().minor(),
    )
}

fn lot_of_model(lot: &medici_testkit::naive::NaiveLot) -> String {
    format!(
        "{} {} {} p{} {}..{:?} granted {} available {} held {} captured {} expired {} cost {:?} recognised {} deferred {} gone {}",
        lot.number,
        lot.class,
        lot.source,
        lot.priority,
        lot.effective_at,
        lot.expires_at,
        lot.granted,
        lot.available,
        lot.held,
        lot.captured,
        lot.expired,
        lot.cost,
        lot.recognised,
        lot.deferred(),
        lot.breakage + lot.moved,
    )
}

fn listed(slices: &[Slice]) -> String {
    let parts: Vec<String> = slices.iter().map(|slice| format!("{}:{}", slice.lot, slice.amount.micro())).collect();
    format!("[{}]", parts.join(" "))
}

fn hold_state(state: &HoldState) -> String {
    match state {
        HoldState::Open(Hold { amount, slices, expires_at, placed_at, .. }) => {
            let slices: Vec<(u32, i64)> = slices.iter().map(|slice| (slice.lot.get(), slice.amount.micro())).collect();
            format!("open {} {slices:?} until {} placed {}", amount.micro(), expires_at.micros(), placed_at.micros())
        }
        HoldState::Captured { amount } => format!("captured {}", amount.micro()),
        HoldState::Voided { reason } => format!("Voided({reason:?})"),
        HoldState::Expired => "Expired".into(),
        HoldState::Uncollected { amount } => format!("Uncollected({})", amount.micro()),
    }
}

fn balance(balances: &Balances) -> String {
    let mut text = format!("available {}, held {}", balances.available.micro(), balances.held.micro());
    for lot in &balances.lots {
        text += &format!(
            "; lot {} {} {}+{} of {}",
            lot.number,
            lot.class.as_str(),
            lot.available.micro(),
            lot.held.micro(),
            lot.granted.micro()
        );
    }
    text
}

fn money(money: &Money) -> String {
    format!("{} {}", money.amount.minor(), money.currency.as_str())
}

/// Writes an order as it stands.
fn order_of_ledger(record: &OrderRecord) -> String {
    format!(
        "{} {} reversed {} withdrawn {} returned {} owed {} repaid {} debt {} lot {:?} bonus {:?}",
        record.order.id.as_u128(),
        record.status().as_str(),
        record.reversed.minor(),
        record.withdrawn.micro(),
        record.returned.minor(),
        record.owed.micro(),
        record.repaid().micro(),
        record.debt().minor(),
        record.lot.map(medici_ledger::LotNumber::get),
        record.bonus_lot.map(medici_ledger::LotNumber::get),
    )
}

/// Writes a reply in the model's words.
fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Opened => "opened".into(),
        Reply::Granted(lot) => format!("granted {lot}"),
        Reply::Held(hold) => {
            format!("held {} of {} until {}", hold.amount.micro(), listed(&hold.slices), hold.expires_at.micros())
        }
        Reply::Extended { expires_at } => format!("extended until {}", expires_at.micros()),
        Reply::Captured { amount, slices, .. } => format!("captured {} of {}", amount.micro(), listed(slices)),
        Reply::Voided { released, .. } => format!("voided {}", released.micro()),
        Reply::Charged { amount, slices, .. } => format!("charged {} of {}", amount.micro(), listed(slices)),
        Reply::Uncollected => "uncollected".into(),
        Reply::Settled { entries } => format!("settled {entries}"),
        Reply::Order(record) => format!("order {}", order_of_ledger(record)),
        Reply::Refunded { amount, order } => {
            format!("refunded {} {}, order {}", amount.amount.minor(), amount.currency, order_of_ledger(order))
        }
        Reply::GivenBack { amount, total, .. } => format!("given back {} of {}", amount.micro(), total.micro()),
        Reply::Withdrawn => "withdrawn".into(),
        Reply::PlanChanged => "plan changed".into(),
        Reply::CohortJoined(lot) => format!("joined {:?}", lot.map(medici_ledger::LotNumber::get)),
        Reply::Set => "set".into(),
        Reply::ClockSet { entries } => format!("clock set {entries}"),
    }
}

/// Writes a refusal in the model's words.
fn refusal(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotOpen => "not open".into(),
        Refusal::AlreadyOpen => "already open".into(),
        Refusal::UnknownPlan { plan } => format!("unknown plan {}", plan.as_text()),
        Refusal::InsufficientCredits { needed, available } => {
            format!("insufficient: {} of {}", needed.micro(), available.micro())
        }
        Refusal::HoldExists => "hold exists".into(),
        Refusal::UnknownHold => "unknown hold".into(),
        Refusal::HoldExpired => "hold expired".into(),
        Refusal::AlreadyCaptured { amount } => format!("already captured {}", amount.micro()),
        Refusal::AlreadyVoided { reason } => format!("already voided {}", reason.as_str()),
        Refusal::HoldOpen => "hold open".into(),
        Refusal::AlreadyUncollected { amount } => format!("already uncollected {}", amount.micro()),
        Refusal::MoreThanHeld { asked, held } => format!("more than held: {} of {}", asked.micro(), held.micro()),
        Refusal::HoldTimeout { .. } => "hold timeout".into(),
        Refusal::BadGrant(error) => {
            let what = match error {
                GrantError::Nothing => "nothing",
                GrantError::Over => "over",
                GrantError::CostOfUnpaid => "cost of unpaid",
                GrantError::TaxAlone => "tax alone",
                GrantError::TooLarge => "too large",
                GrantError::Source => "source",
            };
            format!("bad grant: {what}")
        }
        Refusal::TooManyOpen { what, max } => format!("too many {what}: {max}"),
        Refusal::Overflow => "overflow".into(),
        Refusal::BudgetExceeded { subject, period, limit, used, needed } => {
            format!("budget {subject} {period}: {} of {} used, {} needed", used.micro(), limit.micro(), needed.micro())
        }
        Refusal::InDebt { owed } => format!("in debt {}", owed.micro()),
        Refusal::UnknownOrder => "unknown order".into(),
        Refusal::BadOrder(error) => error.code().into(),
        Refusal::AmountDiffers { found, due } => format!("amount differs: {} of {}", money(found), money(due)),
        Refusal::RefundTooMuch { asked, refundable } => {
            format!("refund too much: {} of {}", money(asked), money(refundable))
        }
        Refusal::ReversalExists => "reversal exists".into(),
        Refusal::MoreThanCaptured { asked, left } => {
            format!("more than captured: {} of {}", asked.micro(), left.micro())
        }
        Refusal::BadWithdrawal { available } => format!("bad withdrawal: {}", available.micro()),
        Refusal::PlanCosts => "plan costs".into(),
        Refusal::UnknownCohort { cohort } => format!("unknown cohort {}", cohort.as_text()),
        Refusal::WrongCode => "wrong code".into(),
        Refusal::CohortJoined => "cohort joined".into(),
        Refusal::NotSandbox => "not sandbox".into(),
        Refusal::ClockRange { clock, asked } => format!("clock range: {} to {}", clock.micros(), asked.micros()),
    }
}
