//! Random histories that aim at the instants where something changes.

use medici_ledger::{Class, Source, VoidReason};
use medici_testkit::naive::{Naive, State};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use crate::history::{Action, GrantStep, Step};
use crate::world::{OPERATIONS, PLANS, World};

pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const MINUTE: i64 = 60 * SECOND;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Invents one history after the other, step by step, looking at the model to know what is interesting.
pub(crate) struct Generator {
    chance: ChaCha8Rng,
    pub(crate) now: i64,
    next_id: u32,
    last: Option<Action>,
    /// How much this history is about holds, money that goes back, plans, and terms of its own.
    about: [usize; 4],
    /// The name of the newest order.
    pub(crate) next_order: u32,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed);
        // 2025-12-30 to 2028: before the first prices, over a leap day, past a change of prices and plans.
        let days = i64::try_from(chance.next_u64() % 762).unwrap();
        let now = FIRST_DAY + days * DAY;
        let mut generator = Self { chance, now, next_id: 1, last: None, about: [0; 4], next_order: 1 };
        // A history that is about little gets further into it.
        for index in 0..4 {
            generator.about[index] = [0, 1, 1, 5][generator.below(4)];
        }
        generator.about[0] += 1;
        if generator.one_in(12) {
            let versions = World::version_instants();
            generator.now = versions[generator.below(versions.len())] - generator.up_to(2 * DAY);
        } else if generator.one_in(2) {
            // The ends of months are where calendars go wrong.
            generator.now = MONTH_ENDS[generator.below(MONTH_ENDS.len())];
        }
        if generator.one_in(2) {
            generator.now += generator.up_to(DAY - 1);
        }
        generator
    }

    /// Returns how many steps this history should have.
    pub(crate) fn length(&mut self) -> usize {
        if self.one_in(40) { 400 + self.below(300) } else { 10 + self.below(90) }
    }

    pub(crate) fn step(&mut self, model: &Naive) -> Step {
        self.now += self.pause(model);
        let ahead = self.pause(model).abs();
        let action = if model.account.is_none() && !self.one_in(6) { self.open() } else { self.action(model) };
        self.last = Some(action.clone());
        Step { at: self.now, look_at: self.now + ahead, action }
    }

    fn open(&mut self) -> Action {
        let plan = PLANS[self.below(PLANS.len())];
        let sandbox = self.one_in(6).then(|| self.now + self.up_to(DAY) - HOUR);
        Action::Open { plan, sandbox }
    }

    /// How far the clock moves, mostly forwards.
    pub(crate) fn pause(&mut self, model: &Naive) -> i64 {
        match self.below(100) {
            0..15 => 0,
            15..45 => self.up_to(2 * MINUTE),
            45..68 => {
                let instants = model.instants(self.now);
                if instants.is_empty() {
                    return self.up_to(MINUTE);
                }
                // Mostly the very next thing that happens, exactly, or one microsecond beside it.
                let soonest = instants.iter().copied().min().unwrap();
                let aim = if self.one_in(3) { instants[self.below(instants.len())] } else { soonest };
                aim - self.now + [-1, 0, 0, 0, 1][self.below(5)]
            }
            68..82 => self.up_to(2 * HOUR),
            82..87 => self.up_to(26 * HOUR),
            87..92 => self.up_to(40 * DAY),
            92..93 => self.up_to(400 * DAY),
            93..97 => -self.up_to(MINUTE),
            _ => -self.up_to(3 * DAY),
        }
    }

    fn action(&mut self, model: &Naive) -> Action {
        if self.one_in(12) {
            return self.last.clone().unwrap_or(Action::Settle);
        }
        if self.one_in(80) {
            return self.open();
        }
        // A sandbox gets nowhere unless its clock is moved.
        let clock = model.account.as_ref().and_then(|account| account.clock);
        if clock.is_some() && self.one_in(3) {
            return self.clock(model);
        }
        let mut chosen = self.below(self.about.iter().sum());
        for about in 0..4 {
            if chosen < self.about[about] {
                return match about {
                    0 => self.about_holds(model),
                    1 => self.about_money(model),
                    2 => self.about_plans(model),
                    _ => self.about_terms(model),
                };
            }
            chosen -= self.about[about];
        }
        unreachable!("one of four is chosen")
    }

    fn about_holds(&mut self, model: &Naive) -> Action {
        match self.below(100) {
            0..11 => Action::Grant(self.grant()),
            11..37 => Action::Hold {
                id: self.new_id(),
                operation: self.operation(),
                count: self.count(),
                timeout: self.timeout(),
                spender: self.spender(),
            },
            37..44 => Action::Extend { id: self.id(model), timeout: self.timeout() },
            44..60 => {
                let id = self.id(model);
                Action::Capture { id, amount: self.part_of(model, id) }
            }
            60..71 => Action::Void { id: self.id(model), reason: VoidReason::ALL[self.below(VoidReason::ALL.len())] },
            71..84 => self.charge(model),
            84..88 => {
                let id = self.id(model);
                Action::Uncollected { id, amount: self.part_of(model, id) }
            }
            88..94 => self.give_back(model),
            _ => Action::Settle,
        }
    }

    fn grant(&mut self) -> GrantStep {
        let class = Class::ALL[self.below(3)];
        let amount = match self.below(4) {
            0 => 1 + self.up_to(10),
            1 => 1 + self.up_to(3_000_000),
            2 => 1_000_000 * (1 + self.up_to(20)),
            _ => 115_000_000,
        };
        let bought = class == Class::Paid && !self.one_in(4);
        let cost = bought.then(|| {
            let minor = match self.below(5) {
                0 => self.up_to(3),
                1 => 1 << 40,
                2 => self.up_to(100_000),
                _ => 1_500,
            };
            (minor, ["USD", "EUR", "JPY"][self.below(3)])
        });
        let from = match self.below(5) {
            0 => self.now + self.up_to(3 * DAY),
            1 => self.now - self.up_to(3 * DAY),
            _ => self.now,
        };
        let until = match self.below(8) {
            0 => None,
            1 => Some(from.max(self.now) + 365 * DAY),
            2 | 3 => Some(from.max(self.now) + 1 + self.up_to(40 * DAY)),
            4 => Some(from.max(self.now) + 1 + self.up_to(3)),
            _ => Some(from.max(self.now) + 1 + self.up_to(30 * MINUTE)),
        };
        let gift = if self.one_in(2) { Source::Bonus } else { Source::Goodwill };
        let mut grant = GrantStep {
            class,
            amount,
            cost,
            tax: if cost.is_some() && self.one_in(2) { self.up_to(300) } else { 0 },
            from,
            until,
            priority: if self.one_in(3) { [-128, -1, 1, 127][self.below(4)] } else { 0 },
            source: if bought { Source::Purchase } else { gift },
        };
        // One thing wrong at a time, so that there is one right answer.
        if self.one_in(12) {
            match self.below(5) {
                0 => grant.amount = 0,
                1 => grant.until = Some(self.now.min(grant.from)),
                2 if grant.cost.is_none() => grant.tax = 5,
                3 if grant.class != Class::Paid => grant.cost = Some((5, "USD")),
                _ => grant.source = Source::Monthly { occurrence: 1 },
            }
        }
        grant
    }

    fn timeout(&mut self) -> i64 {
        match self.below(20) {
            0 => 0,
            1 => 24 * HOUR + 1,
            2 => 24 * HOUR,
            3 => 1,
            4..8 => self.up_to(24 * HOUR),
            _ => 15 * MINUTE,
        }
    }

    /// A hold's name: mostly of an open one, else one that has ended or never was.
    fn id(&mut self, model: &Naive) -> u32 {
        let open: Vec<u32> = (model.holds.iter())
            .filter(|hold| hold.state == State::Open)
            .map(|hold| u32::try_from(hold.id.as_u128()).unwrap())
            .collect();
        if !open.is_empty() && !self.one_in(4) {
            return open[self.below(open.len())];
        }
        self.earlier_id()
    }

    pub(crate) fn new_id(&mut self) -> u32 {
        if self.one_in(12) {
            return self.earlier_id();
        }
        self.next_id += 1;
        self.next_id - 1
    }

    pub(crate) fn earlier_id(&mut self) -> u32 {
        let back = u32::try_from(self.below(8)).unwrap();
        self.next_id.saturating_sub(back).max(1)
    }

    fn part_of(&mut self, model: &Naive, id: u32) -> i64 {
        let hold = model.holds.iter().find(|hold| hold.id.as_u128() == u128::from(id));
        let whole = hold.map_or(1_000_000, |hold| hold.amount);
        if let Some(State::Captured(amount, _) | State::Uncollected(amount)) = hold.map(|hold| &hold.state)
            && !self.one_in(3)
        {
            return *amount;
        }
        match self.below(10) {
            0 => 0,
            1 => whole + 1 + self.up_to(1_000_000),
            2..6 => self.up_to(whole),
            _ => whole,
        }
    }

    pub(crate) fn spender(&mut self) -> u8 {
        if self.one_in(2) { 0 } else { u8::try_from(self.below(6)).unwrap() }
    }

    pub(crate) fn operation(&mut self) -> &'static str {
        OPERATIONS[self.below(OPERATIONS.len())]
    }

    pub(crate) fn count(&mut self) -> u32 {
        match self.below(8) {
            0 => 1 + u32::try_from(self.below(200)).unwrap(),
            1..4 => 1 + u32::try_from(self.below(30)).unwrap(),
            _ => 1 + u32::try_from(self.below(4)).unwrap(),
        }
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.chance.next_u64() % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn up_to(&mut self, most: i64) -> i64 {
        i64::try_from(self.chance.next_u64() % (u64::try_from(most).unwrap() + 1)).unwrap()
    }

    pub(crate) fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }
}

/// 2025-12-30, two days before the first prices.
const FIRST_DAY: i64 = 1_767_052_800_000_000;
/// Jan 29, 30, 31 2026; Dec 31 2026; Jan 31 2027; Jan 31 and Feb 29 2028, in microseconds.
const MONTH_ENDS: [i64; 7] = [
    1_769_644_800_000_000,
    1_769_731_200_000_000,
    1_769_817_600_000_000,
    1_798_675_200_000_000,
    1_801_353_600_000_000,
    1_832_889_600_000_000,
    1_835_395_200_000_000,
];
