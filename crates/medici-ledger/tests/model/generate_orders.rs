//! Random orders, reversals, plans and terms.

use medici_ledger::{BudgetPeriod, GiveBackReason, ReversalState};
use medici_testkit::naive::{Naive, State};

use crate::generate::{DAY, Generator, HOUR, MINUTE};
use crate::history::{Action, Twist, WishStep};
use crate::world::{CODES, COHORTS, PACKS, PLANS};

impl Generator {
    pub(crate) fn charge(&mut self, model: &Naive) -> Action {
        let happened_at = self.one_in(3).then(|| self.happened_at(model));
        let (mut operation, mut count) = (self.operation(), self.count());
        if self.one_in(3) {
            // About all there is: what is spent makes refunds and disputes hard.
            let available = model.lots.iter().filter(|lot| !lot.ended).map(|lot| lot.available).sum::<i64>();
            let most = u32::try_from(available / 250_000).unwrap_or(u32::MAX).min(4_000);
            (operation, count) = ("vary", (most - most.min(u32::try_from(self.below(12)).unwrap())).max(1));
        }
        Action::Charge { id: self.new_id(), operation, count, spender: self.spender(), happened_at }
    }

    /// When late usage happened: mostly around what has ended since, or the edge of the grace.
    fn happened_at(&mut self, model: &Naive) -> i64 {
        let now = model.own_time(self.now);
        let grace =
            model.versions.iter().rfind(|version| version.effective_at <= now).map_or(DAY, |row| row.late_grace);
        let ends: Vec<i64> = (model.lots.iter())
            .filter_map(|lot| lot.expires_at)
            .filter(|end| *end <= now && now - end <= 2 * grace)
            .collect();
        match self.below(6) {
            0 => now - self.up_to(MINUTE),
            1 => now - grace + [-1, 0, 1][self.below(3)],
            2 => now + self.up_to(2),
            3..5 if !ends.is_empty() => {
                ends[self.below(ends.len())] - 1 - if self.one_in(2) { 0 } else { self.up_to(HOUR) }
            }
            _ => now - self.up_to(2 * grace),
        }
    }

    pub(crate) fn give_back(&mut self, model: &Naive) -> Action {
        let captured: Vec<(u32, i64)> = (model.holds.iter())
            .filter_map(|hold| match hold.state {
                State::Captured(amount, _) => Some((u32::try_from(hold.id.as_u128()).unwrap(), amount)),
                _ => None,
            })
            .collect();
        let (id, whole) = if captured.is_empty() || self.one_in(8) {
            (self.earlier_id(), 1_000_000)
        } else {
            captured[self.below(captured.len())]
        };
        let amount = match self.below(8) {
            0 => whole + 1,
            1 => self.up_to(3),
            2..5 => whole,
            _ => self.up_to(whole),
        };
        Action::GiveBack { id, amount, reason: GiveBackReason::ALL[self.below(2)] }
    }

    pub(crate) fn about_money(&mut self, model: &Naive) -> Action {
        match self.below(100) {
            0..22 => self.order(),
            22..45 => {
                let more = if self.one_in(15) { [-1, 1][self.below(2)] } else { 0 };
                Action::Pay { order: self.some_order(), more }
            }
            45..49 => Action::Invoice { order: self.some_order() },
            49..51 => Action::Cancel { order: self.some_order() },
            51..59 => {
                let order = self.some_order();
                let amount = self.one_in(2).then(|| self.amount_of(model, order));
                Action::Refund { order, name: self.reversal(order), amount }
            }
            59..75 => self.reverse(model),
            75..88 => self.charge(model),
            88..94 => self.give_back(model),
            94..97 => self.withdraw(model),
            _ => Action::Settle,
        }
    }

    fn order(&mut self) -> Action {
        if !self.one_in(8) {
            self.next_order += 1;
        }
        let wish = match self.below(10) {
            0 => WishStep::Period,
            1 => self.change(),
            _ => self.packs(),
        };
        self.place(wish)
    }

    fn place(&mut self, wish: WishStep) -> Action {
        let twist = match self.below(30) {
            0 => Twist::NoCredits,
            1 => Twist::Bonus,
            2 | 3 => Twist::OtherTax,
            _ => Twist::Right,
        };
        // A bonus is right for packs.
        let twist = if twist == Twist::Bonus && matches!(wish, WishStep::Packs { .. }) { Twist::Right } else { twist };
        let tax = match self.below(4) {
            0 => self.up_to(3),
            1 | 2 => self.up_to(300),
            _ => 0,
        };
        Action::Place { order: self.next_order, wish, tax, twist }
    }

    fn packs(&mut self) -> WishStep {
        let packs = if self.one_in(4) { 1 + u32::try_from(self.below(6)).unwrap() } else { 1 };
        WishStep::Packs { pack: self.below(PACKS.len()), packs }
    }

    fn change(&mut self) -> WishStep {
        WishStep::Change { plan: PLANS[self.below(PLANS.len())], full: self.one_in(2) }
    }

    fn some_order(&mut self) -> u32 {
        let back = if self.one_in(2) { 0 } else { u32::try_from(self.below(4)).unwrap() };
        self.next_order.saturating_sub(back).max(1)
    }

    /// A report on money that goes back: mostly of a dispute, half of them how it went on.
    fn reverse(&mut self, model: &Naive) -> Action {
        let known: Vec<_> = (model.orders.iter())
            .flat_map(|record| record.reversals.iter().map(|reversal| (record.order.id, reversal)))
            .collect();
        if !known.is_empty() && self.one_in(2) {
            let (order, (name, state, amount)) = known[self.below(known.len())];
            let order = u32::try_from(order.as_u128()).unwrap();
            let next = match state {
                ReversalState::Refunded | ReversalState::RefundFailed => ReversalState::RefundFailed,
                _ => [ReversalState::Won, ReversalState::Won, ReversalState::Lost][self.below(3)],
            };
            let amount = if self.one_in(4) { self.amount_of(model, order) } else { *amount };
            return Action::Reverse { order, name: name[3..].parse().unwrap(), state: next, amount };
        }
        let order = self.some_order();
        let states = [ReversalState::Disputed, ReversalState::Disputed, ReversalState::ALL[self.below(5)]];
        let state = states[self.below(3)];
        Action::Reverse { order, name: self.reversal(order), state, amount: self.amount_of(model, order) }
    }

    fn reversal(&mut self, order: u32) -> u32 {
        if self.one_in(30) { 10 } else { order * 10 + u32::try_from(self.below(3)).unwrap() }
    }

    fn amount_of(&mut self, model: &Naive, order: u32) -> i64 {
        let order = model.orders.iter().find(|record| record.order.id.as_u128() == u128::from(order));
        let total = order.map_or(1_500, |record| record.order.total().amount.minor());
        match self.below(8) {
            0 => self.up_to(2),
            1 => total + self.up_to(5),
            2 | 3 => total,
            4 => order.map_or(0, |record| model.refundable(record)) + self.up_to(1),
            _ => self.up_to(total),
        }
    }

    fn withdraw(&mut self, model: &Naive) -> Action {
        let lot = 1 + self.below(model.lots.len() + 1);
        let available = model.lots.get(lot - 1).map_or(5, |lot| lot.available);
        let amount = match self.below(4) {
            0 => available + 1,
            1 => available,
            _ => self.up_to(available),
        };
        Action::Withdraw { lot: u32::try_from(lot).unwrap(), amount }
    }

    pub(crate) fn about_plans(&mut self, model: &Naive) -> Action {
        match self.below(100) {
            0..12 => {
                self.next_order += 1;
                self.place(WishStep::Period)
            }
            12..30 => {
                self.next_order += 1;
                let change = self.change();
                self.place(change)
            }
            30..52 => Action::Pay { order: self.some_order(), more: 0 },
            52..55 => Action::Invoice { order: self.some_order() },
            55..66 => Action::ChangePlan { plan: PLANS[self.below(PLANS.len())] },
            66..69 => {
                let order = self.some_order();
                Action::Refund { order, name: self.reversal(order), amount: None }
            }
            69..73 => self.reverse(model),
            73..85 => self.charge(model),
            85..90 => Action::SetOverrides {
                monthly: (!self.one_in(4)).then(|| (!self.one_in(4)).then(|| self.up_to(40) * 1_000_000)),
            },
            90..92 => self.withdraw(model),
            _ => Action::Settle,
        }
    }

    pub(crate) fn about_terms(&mut self, model: &Naive) -> Action {
        match self.below(100) {
            0..15 => Action::Join {
                cohort: COHORTS[self.below(COHORTS.len())],
                code: self.one_in(2).then(|| CODES[self.below(CODES.len())]),
            },
            15..40 => Action::SetBudget {
                subject: u8::try_from(self.below(4)).unwrap(),
                period: BudgetPeriod::ALL[self.below(3)],
                limit: (!self.one_in(5)).then(|| self.up_to(20) * 1_000_000),
            },
            40..52 => Action::SetAlert { below: (!self.one_in(6)).then(|| self.up_to(20) * 1_000_000) },
            52..57 => self.clock(model),
            57..82 => self.charge(model),
            82..92 => self.give_back(model),
            92..95 => self.withdraw(model),
            _ => Action::Settle,
        }
    }

    pub(crate) fn clock(&mut self, model: &Naive) -> Action {
        let clock = model.own_time(self.now);
        let pause = self.pause(model);
        let to = match self.below(20) {
            0 => clock - 1,
            1 => clock + 3_653 * DAY + [0, 1][self.below(2)],
            2 => clock,
            3..14 => {
                let instants = model.instants(clock);
                let soonest = instants.iter().copied().min().unwrap_or(clock);
                soonest + [-1, 0, 0, 1][self.below(4)]
            }
            _ => clock + pause.abs(),
        };
        // Far enough for a history, and not further than the model counts months.
        Action::SetClock { to: to.min(4_000_000_000_000_000) }
    }
}
