//! The ledger and the model side by side: one step at a time, everything compared after each.

use std::collections::{BTreeMap, BTreeSet};

use medici_ledger::verify::Replay;
use medici_ledger::{
    AccountId, Capture, Command, Decision, Entry, Fact, HOLD_MEMORY, HOLD_MEMORY_COUNT_MAX, HoldId, Operation, Order,
    Refusal, Spender, Timestamp, Unit, Wallet,
};
use medici_testkit::naive::{Account, Flaw, Naive, NaiveHold, State};

use crate::command::Asked;
use crate::history::{Action, Step, WishStep};
use crate::words::{accounts_of, hold_state, kind, lot_of_ledger, lot_of_model, order_of_ledger, refusal, reply, same};
use crate::world::{PACKS, World};

/// One account, kept three times: by the ledger, by the model, and by replaying the ledger's entries.
pub(crate) struct Pair<'a> {
    pub(crate) world: &'a World,
    pub(crate) model: Naive,
    pub(crate) wallet: Wallet,
    /// What was captured, as the journal has it; nothing where a name was used twice.
    pub(crate) captures: BTreeMap<HoldId, Option<Capture>>,
    held: BTreeMap<HoldId, (Operation, Spender, Timestamp)>,
    replayed: Wallet,
    entries: Vec<Entry>,
    /// The sums of all postings.
    accounts: BTreeMap<Account, i64>,
    /// The kinds of answers there were.
    pub(crate) reached: BTreeSet<&'static str>,
}

impl<'a> Pair<'a> {
    pub(crate) fn new(world: &'a World, flaw: Flaw) -> Self {
        let wallet = Wallet::new(AccountId::from_u128(7));
        Self {
            world,
            model: Naive::new(world.versions.clone(), flaw),
            captures: BTreeMap::new(),
            held: BTreeMap::new(),
            replayed: wallet.clone(),
            wallet,
            entries: Vec::new(),
            accounts: BTreeMap::new(),
            reached: BTreeSet::new(),
        }
    }

    /// Takes a step on all sides; the error says what they disagree on.
    pub(crate) fn step(&mut self, step: &Step) -> Result<(), String> {
        let command = match self.asked(step) {
            Asked::Nothing => return Ok(()),
            Asked::NotSold(why) => {
                self.reached.insert(why.code());
                return self.compare_sold(step, Err(refusal(&why)));
            }
            Asked::Command(command) => command,
        };
        self.compare_asked(step, &command)?;
        let decision = self.wallet.decide(&command, &self.world.book, Timestamp::from_micros(step.at));
        self.reached.insert(kind(&decision));
        self.model_step(step, &command, &decision)?;
        if let Ok(decision) = decision
            && !decision.entries.is_empty()
        {
            let before = self.wallet.clone();
            self.follow(decision)?;
            self.compare_wallet()?;
            self.compare_orders()?;
            self.compare_agreed()?;
            crate::reached::situations(&before, &self.wallet, &self.entries, &mut self.reached);
        }
        self.compare_balances(step.at)?;
        self.compare_balances(step.look_at)?;
        self.compare_next_due(step.at)
    }

    /// The price of what is asked, before it is decided.
    fn compare_asked(&self, step: &Step, command: &Command) -> Result<(), String> {
        match (&step.action, command) {
            (Action::Hold { operation, count, .. }, Command::Hold { quote, .. }) => {
                let at = self.model.own_time(step.at);
                same("the price", quote.amount.micro(), World::naive_price(operation, *count, at))
            }
            (Action::Charge { operation, count, happened_at, .. }, Command::Charge { quote, .. }) => {
                let then = self.model.usage_instant(*happened_at, step.at);
                same("the price", quote.amount.micro(), World::naive_price(operation, *count, then))
            }
            (Action::Place { .. }, Command::PlaceOrder(order)) if self.wallet.order(order.id).is_none() => {
                self.compare_sold(step, Ok(order))
            }
            _ => Ok(()),
        }
    }

    /// What an order would be, or why there is none.
    fn compare_sold(&self, step: &Step, ledger: Result<&Order, String>) -> Result<(), String> {
        let Action::Place { wish, twist, .. } = &step.action else { unreachable!("only orders are sold") };
        if self.model.account.is_none() {
            return Ok(());
        }
        let model = match *wish {
            WishStep::Packs { pack, packs } => {
                let row = &PACKS[pack];
                let price = row.from_five.filter(|_| packs >= 5).unwrap_or(row.price.0);
                Ok((row.credits * i64::from(packs), price * i64::from(packs), crate::world::currency(row.price.1)))
            }
            WishStep::Period => self.model.period_order(step.at),
            WishStep::Change { plan, full } => self.model.change_order(plan.parse().unwrap(), full, step.at),
        };
        let ledger = ledger.map(|order| (order.credits.micro(), order.cost.amount.minor(), order.cost.currency));
        if *twist == crate::history::Twist::NoCredits {
            return same("whether it is sold", ledger.is_ok(), model.is_ok());
        }
        same("the order", ledger, model)
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
        let facts = decision
            .as_ref()
            .map(|decision| decision.entries.iter().map(|entry| entry.fact.name()).collect::<Vec<_>>().join(", "));
        same(&format!("the answer, and how many entries ({facts:?})"), ledger, expected)
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
            self.note_capture(&copy);
            self.entries.push(copy);
        }
        self.wallet = decision.wallet;
        Ok(())
    }

    /// Keeps what was captured, for giving it back.
    fn note_capture(&mut self, entry: &Entry) {
        let (hold, operation, slices, spender, admitted_at) = match &entry.fact {
            Fact::Held { hold, quote, spender, .. } => {
                self.held.insert(*hold, (quote.operation.clone(), *spender, entry.recorded_at));
                return;
            }
            Fact::Captured { hold, captured, .. } => {
                let (operation, spender, admitted_at) = self.held[hold].clone();
                (*hold, operation, captured, spender, admitted_at)
            }
            Fact::Charged { charge, quote, slices, spender, .. } => {
                (*charge, quote.operation.clone(), slices, *spender, entry.recorded_at)
            }
            _ => return,
        };
        let capture = Capture { hold, operation, slices: slices.clone(), spender, admitted_at };
        self.captures.entry(hold).and_modify(|known| *known = None).or_insert(Some(capture));
    }

    fn compare_wallet(&mut self) -> Result<(), String> {
        let wallet = &self.wallet;
        wallet.check().map_err(|broken| format!("the wallet's own check: {broken}"))?;
        same("the wallet by replay", &self.replayed, wallet)?;
        let copy = Wallet::decode(&wallet.encode()).map_err(|error| format!("the wallet does not decode: {error}"))?;
        same("the wallet after its stored form", &copy, wallet)?;
        let mut lots: Vec<_> = wallet.lots().collect();
        lots.sort_by_key(|lot| lot.number);
        same("how many lots there are", lots.len(), self.model.lots.len())?;
        for (lot, expected) in lots.iter().zip(&self.model.lots) {
            same("a lot", lot_of_ledger(lot), lot_of_model(expected))?;
        }
        self.accounts.retain(|_, amount| *amount != 0);
        let expected = self.model.accounts();
        if self.accounts != expected {
            let differs = |(account, _): &(&Account, &i64)| self.accounts.get(account) != expected.get(account);
            let only = |accounts: &BTreeMap<Account, i64>| -> Vec<String> {
                accounts.iter().filter(differs).map(|(account, amount)| format!("{account:?}: {amount}")).collect()
            };
            same("the sums of postings", only(&self.accounts), only(&expected))?;
        }
        self.compare_holds()
    }

    fn compare_orders(&self) -> Result<(), String> {
        same("how many orders there are", self.wallet.orders().len(), self.model.orders.len())?;
        for (record, expected) in self.wallet.orders().iter().zip(&self.model.orders) {
            same("an order", order_of_ledger(record), expected.in_words())?;
            // Whatever went back and came again, in the end nothing is taken and nothing owed.
            if record.reversed.is_zero() {
                let left =
                    (record.withdrawn.micro(), record.owed.micro(), record.returned.minor(), record.debt().minor());
                same("what a reversal leaves behind that is undone", left, (0, 0, 0, 0))?;
            }
            same("what can be refunded", self.wallet.refundable(record).minor(), self.model.refundable(expected))?;
        }
        let owed = self.model.orders.iter().map(|order| order.owed - order.repaid()).sum();
        same("what is owed", self.wallet.debt().micro(), owed)?;
        for (hold, given) in &self.model.given {
            same("what was given back", self.wallet.given_back(*hold).micro(), *given)?;
        }
        Ok(())
    }

    fn compare_agreed(&self) -> Result<(), String> {
        let (wallet, model) = (&self.wallet, &self.model);
        let now = wallet.recorded_at();
        same("the account's time", wallet.own_time(now).micros(), model.own_time(now.micros()))?;
        same("how many budgets there are", wallet.budgets().len(), model.budgets.len())?;
        for (budget, expected) in wallet.budgets().iter().zip(&model.budgets) {
            let row = (budget.subject, budget.period, budget.limit.micro(), budget.used_at(now).micro());
            let used = model.used(expected, now.micros());
            same("a budget", row, (expected.subject, expected.period, expected.limit, used))?;
        }
        let Some(account) = &model.account else { return Ok(()) };
        same("the plan", wallet.plan(), Some(account.plan))?;
        same("since when the plan runs", wallet.plan_since().micros(), account.plan_since)?;
        same("the anchor", wallet.opened_at().map(Timestamp::micros), Some(account.anchor))?;
        let overrides = wallet.overrides().map(|overrides| overrides.monthly.map(|monthly| monthly.micro()));
        same("terms of its own", overrides, account.overrides)?;
        same("the clock", wallet.sandbox_clock().map(Timestamp::micros), account.clock)?;
        let alert = wallet.alert().map(|alert| (alert.below.micro(), alert.told));
        same("the alert", alert, account.alert)?;
        let mut cohorts = account.cohorts.clone();
        cohorts.sort();
        same("the cohorts", wallet.cohorts(), cohorts.as_slice())
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
                    same("what became of a hold", hold_state(&state), expected)?;
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
        let rows = balances.lots.iter().map(|lot| {
            let (available, held, granted) = (lot.available.micro(), lot.held.micro(), lot.granted.micro());
            (lot.number.get(), lot.class.as_str(), available, held, granted)
        });
        let expiring = balances.first_expiring.map(|first| (first.at.micros(), first.credits.micro()));
        let ledger = (balances.available.micro(), balances.held.micro(), rows.collect(), expiring);
        let when = Timestamp::from_micros(at);
        same(&format!("the balance at {when}"), ledger, self.model.balances(at))?;
        let refill = balances.next_refill.map(|refill| (refill.at.micros(), refill.credits.micro()));
        same(&format!("the next refill at {when}"), refill, self.model.next_refill(at))
    }

    /// What a sweeper is told to wait for: nothing is due before it, something is then.
    fn compare_next_due(&self, at: i64) -> Result<(), String> {
        if self.model.account.is_none() {
            return Ok(());
        }
        let now = self.model.own_time(at);
        let books = |at: i64| self.model.clone().settle(at) > 0;
        // What a later version brings is not foreseen: whoever waits asks again when one comes into force.
        let changes = self.world.versions.iter().map(|version| version.effective_at).find(|change| *change > now);
        let foreseen = |at: i64| changes.is_none_or(|change| at < change);
        let told = self.wallet.next_due(&self.world.book, Timestamp::from_micros(now)).map(Timestamp::micros);
        match told {
            Some(due) if due <= now => same("whether something is overdue", true, books(now)),
            Some(due) if foreseen(due) => {
                same(&format!("whether something is due before {due}"), false, books(due - 1))?;
                same(&format!("whether something is due at {due}"), true, books(due))
            }
            told => {
                let until = changes.map_or(now + 3 * 365 * 24 * 3_600_000_000, |change| change - 1);
                same(&format!("whether something is due before {told:?}"), false, books(until))
            }
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

/// Lets a copy of the model decide, and returns it with the answer and the number of entries.
fn attempt(model: &Naive, command: &Command, at: i64) -> (Naive, Result<(String, usize), String>) {
    let mut next = model.clone();
    let answer = next.decide(command, at);
    let entries = next.entries - model.entries;
    (next, answer.map(|answer| (answer, entries)))
}

fn may_be_forgotten(model: &Naive, id: HoldId, now: i64) -> bool {
    let now = model.own_time(now);
    let ended = |hold: &&NaiveHold| hold.state != State::Open;
    let Some(hold) = model.holds.iter().filter(ended).find(|hold| hold.id == id) else { return false };
    let memory = i64::try_from(HOLD_MEMORY.as_micros()).unwrap();
    let later = model.holds.iter().filter(ended).filter(|other| other.ended_at >= hold.ended_at).count();
    hold.ended_at + memory <= now || later > HOLD_MEMORY_COUNT_MAX
}
