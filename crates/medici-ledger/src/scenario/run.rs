//! Running: line by line over a subject, stopping at the first expectation that is not met.

use std::collections::BTreeSet;

use super::names::Names;
use super::parse::{Line, Request, What, When, parse};
use super::prices::{PricesBlock, default_version, plan_none};
use super::steps::{Desk, Written};
use super::{Outcome, ScenarioError, Step, Subject};
use crate::command::{Command, Reply};
use crate::ids::AccountId;
use crate::lot::Source;
use crate::price_book::PriceBook;
use crate::price_warning::Warning;
use crate::time::Timestamp;

/// The most steps a block may have whose orders are all tried.
const PERMUTED_STEPS_MAX: usize = 5;

/// How a scenario is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether what is due is booked in the background.
    pub sweeper: Sweeper,
    /// Which order of the steps of each `together` block, from 0; see [`Played::orders`].
    pub order: usize,
    /// Account and hold ids follow this number, so that many scenarios can share a store.
    pub first_id: u128,
}

/// Whether what is due is booked in the background, before every line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sweeper {
    /// As the scenario says; it begins switched on.
    #[default]
    AsWritten,
    /// Always: no expectation may depend on it.
    Always,
    /// Never: no expectation may depend on it.
    Never,
}

/// A scenario that ran to its end.
#[derive(Debug)]
pub struct Played {
    /// The accounts by the names the scenario gave them, in the order of their first line.
    pub accounts: Vec<(String, AccountId)>,
    /// The instant of the last line.
    pub now: Timestamp,
    /// The prices at the end.
    pub book: PriceBook,
    /// How many orders of `together` blocks there are to try; 1 without such blocks.
    pub orders: usize,
    /// How many expectations were met.
    pub expectations: usize,
    pub(super) names: Names,
}

/// Runs a scenario on a subject.
///
/// # Errors
/// [`ScenarioError`] with the first line that cannot be read or whose expectation is not met.
pub fn run(text: &str, subject: &mut dyn Subject, options: Options) -> Result<Played, ScenarioError> {
    let lines = parse(text)?;
    let mut runner = Runner::new(subject, options);
    for line in &lines {
        runner.line(line)?;
    }
    let Runner { names, now, book, orders, expectations, .. } = runner;
    Ok(Played { accounts: names.accounts.clone(), now, book, orders, expectations, names })
}

/// Runs a scenario once for every order of its `together` blocks, each on a new subject.
///
/// # Errors
/// As [`run`]; the message names the order.
pub fn run_every_order<S: Subject>(
    text: &str,
    options: Options,
    mut subject: impl FnMut() -> S,
) -> Result<Played, ScenarioError> {
    let mut order = 0;
    loop {
        let played = run(text, &mut subject(), Options { order, ..options }).map_err(|error| ScenarioError {
            message: if order == 0 { error.message } else { format!("{} (in order {order})", error.message) },
            ..error
        })?;
        order += 1;
        if order >= played.orders {
            return Ok(played);
        }
    }
}

pub(super) struct Runner<'s> {
    pub(super) subject: &'s mut dyn Subject,
    pub(super) names: Names,
    pub(super) book: PriceBook,
    pub(super) now: Timestamp,
    /// The outcomes of the last line that asked something.
    pub(super) last: Vec<Outcome>,
    /// Why the last price block was refused, if it was.
    pub(super) prices_refused: Option<String>,
    pub(super) warnings: Vec<Warning>,
    options: Options,
    sweeper: bool,
    orders: usize,
    expectations: usize,
    opened: BTreeSet<AccountId>,
}

impl<'s> Runner<'s> {
    fn new(subject: &'s mut dyn Subject, options: Options) -> Self {
        let book = PriceBook::new(vec![default_version()]).expect("the default prices are sound");
        subject.set_prices(&book);
        Self {
            subject,
            names: Names::starting_at(options.first_id),
            book,
            now: Timestamp::EPOCH,
            last: Vec::new(),
            prices_refused: None,
            warnings: Vec::new(),
            options,
            sweeper: true,
            orders: 1,
            expectations: 0,
            opened: BTreeSet::new(),
        }
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), ScenarioError> {
        let error = |message| ScenarioError { line: line.number, message };
        match line.when {
            When::Same => {}
            When::At(at) => self.now = at,
            When::Later(by) => {
                self.now = self.now.plus(by).ok_or_else(|| error("the end of time".to_owned()))?;
            }
        }
        self.sweep();
        match &line.what {
            What::Nothing => Ok(()),
            What::Command(request) if request.words[0] == "buy" => self.buy(line.account, request),
            What::Command(request) => self.together(&[(line.account, request.clone())]),
            What::Together(requests) => self.together(requests),
            What::Prices(block) => {
                self.publish(block);
                Ok(())
            }
            What::Sweeper(on) => {
                self.sweeper = *on;
                Ok(())
            }
            What::Crash => {
                self.subject.crash();
                Ok(())
            }
            What::Expect(words) => {
                self.expectations += 1;
                self.expect(line.account, words).map_err(error)
            }
            What::ExpectLegs(words, legs) => {
                self.expectations += 1;
                self.expect_legs(line.account, words, legs).map_err(error)
            }
        }
    }

    /// Books what is due, as a sweeper that is always in time: each thing at its own instant.
    fn sweep(&mut self) {
        let on = match self.options.sweeper {
            Sweeper::AsWritten => self.sweeper,
            Sweeper::Always => true,
            Sweeper::Never => false,
        };
        if !on {
            return;
        }
        for account in self.opened.clone() {
            let mut swept_until = Timestamp::MIN;
            loop {
                let wallet = self.subject.wallet(account);
                let since = wallet.recorded_at().max(swept_until);
                match wallet.next_due(&self.book, since) {
                    // A sandbox's time stands still: what is ahead of its clock is not due.
                    Some(due) if due <= wallet.own_time(self.now) && due > swept_until => {
                        swept_until = due;
                        let at = due.max(since);
                        self.subject.run(&Step { at, account, command: Command::Settle, key: None });
                    }
                    _ => break,
                }
            }
        }
    }

    /// Orders, and pays if the order was taken: two requests, one after the other.
    fn buy(&mut self, account: &str, request: &Request<'_>) -> Result<(), ScenarioError> {
        let error = |message: &str| ScenarioError { line: request.number, message: message.to_owned() };
        let ["buy", name, rest @ ..] = request.words.as_slice() else {
            return Err(error("order needed, the line ends"));
        };
        if request.times != 1 {
            return Err(error("\"buy\" is two requests: order and pay"));
        }
        let (wish, lot) = rest.split_at(rest.iter().position(|word| *word == "as").unwrap_or(rest.len()));
        for words in [[&["order", name], wish].concat(), [&["pay", name], lot].concat()] {
            self.together(&[(account, Request { words, ..request.clone() })])?;
            if self.last.iter().any(|outcome| outcome.reply().is_none()) {
                break;
            }
        }
        Ok(())
    }

    /// Runs steps that arrive at once.
    fn together(&mut self, requests: &[(&str, Request<'_>)]) -> Result<(), ScenarioError> {
        let mut written: Vec<Written> = Vec::new();
        for (account, request) in requests {
            let account = self.names.account(account);
            self.open(account, request.words.first() == Some(&"open"));
            for _ in 0..request.times {
                let Self { subject, names, book, now: at, .. } = self;
                let mut desk = Desk { subject: &mut **subject, names, book, account, at: *at };
                let built = desk.build(request);
                written.push(built.map_err(|message| ScenarioError { line: request.number, message })?);
            }
        }
        let order = if requests.len() > 1 { self.order_of(written.len()) } else { (0..written.len()).collect() };
        let (asked, refused): (Vec<usize>, Vec<usize>) =
            order.into_iter().partition(|index| written[*index].refused.is_none());
        let steps: Vec<Step> = asked.iter().map(|index| written[*index].step.clone()).collect();
        let outcomes = match steps.as_slice() {
            [] => Vec::new(),
            [step] => vec![self.subject.run(step)],
            steps => self.subject.run_together(steps),
        };
        assert_eq!(outcomes.len(), steps.len(), "a subject answers every step");
        for (index, outcome) in asked.iter().zip(&outcomes) {
            self.name_lots(&written[*index], outcome);
        }
        let refused = refused.iter().filter_map(|index| written[*index].refused.clone()).map(Outcome::Refused);
        self.last = outcomes.into_iter().chain(refused).collect();
        Ok(())
    }

    /// Gives the lots that an answer speaks of the name that their line has for them.
    fn name_lots(&mut self, written: &Written, outcome: &Outcome) {
        let Written { step: Step { account, .. }, lot_name: Some(name), .. } = written else { return };
        match outcome.reply() {
            Some(Reply::Granted(lot) | Reply::CohortJoined(Some(lot))) => self.names.name_lot(*account, name, *lot),
            Some(Reply::Order(order)) => {
                if let Some(lot) = order.lot {
                    self.names.name_lot(*account, name, lot);
                }
                if let Some(lot) = order.bonus_lot {
                    self.names.name_lot(*account, &format!("{name}-bonus"), lot);
                }
            }
            Some(Reply::PlanChanged) => {
                let wallet = self.subject.wallet(*account);
                let changed = wallet.lots().filter(|lot| matches!(lot.source, Source::PlanChange { .. }));
                if let Some(lot) = changed.map(|lot| lot.number).max() {
                    self.names.name_lot(*account, name, lot);
                }
            }
            _ => {}
        }
    }

    /// Opens an account that no line opens, on the plan without an allowance.
    fn open(&mut self, account: AccountId, by_itself: bool) {
        if self.opened.insert(account) && !by_itself {
            let command = Command::Open { plan: plan_none(), sandbox: None };
            self.subject.run(&Step { at: self.now, account, command, key: None });
        }
    }

    /// Returns the order to try of this many steps, and notes how many there are.
    fn order_of(&mut self, count: usize) -> Vec<usize> {
        let mut left: Vec<usize> = (0..count).collect();
        if count > PERMUTED_STEPS_MAX {
            // Too many to try all: every step comes first once.
            self.orders = self.orders.max(count);
            left.rotate_left(self.options.order % count);
            return left;
        }
        let orders: usize = (1..=count).product();
        self.orders = self.orders.max(orders);
        let mut code = self.options.order % orders;
        let mut order = Vec::with_capacity(count);
        for remaining in (1..=count).rev() {
            let later: usize = (1..remaining).product();
            order.push(left.remove(code / later));
            code %= later;
        }
        order
    }

    fn publish(&mut self, block: &PricesBlock) {
        let published = match &block.refused {
            Some(refused) => Err(refused.clone()),
            None if block.dated => {
                self.book.publish(block.version.clone(), self.now).map_err(|error| error.to_string())
            }
            None => PriceBook::new(vec![block.version.clone()]).map_err(|error| error.to_string()),
        };
        match published {
            Ok(book) => {
                self.prices_refused = None;
                self.warnings = book.warnings();
                self.subject.set_prices(&book);
                self.book = book;
            }
            Err(refused) => self.prices_refused = Some(refused),
        }
    }
}
