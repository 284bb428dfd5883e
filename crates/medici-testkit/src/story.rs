//! A story in which everything happens that can be booked: every kind of fact, on a handful of accounts.
//!
//! For whatever shows entries to people: statements, explanations, reports, exports.
#![expect(clippy::unwrap_used, reason = "a story that cannot be told is a test that fails")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use medici_ledger::{
    AccountId, BudgetPeriod, Capture, Cents, Class, Command, Credits, Entry, Fact, GiveBackReason, HoldId, Item, KeyId,
    LotNumber, MemberId, MeterEvent, Months, Operation, Order, OrderId, Overrides, PlanChangeMode, PriceBook, Quote,
    Reply, Reversal, ReversalState, Source, Spender, Subject, Timestamp, Usage, VoidReason, Wallet, Wish,
};
use medici_studio::prices;

const PRICES: &str = r#"
[[version]]
effective = 2026-01-01T00:00:00Z

[version.operations]
generate = { credits = "1", included = 4 }
edit     = { credits = "1", included = 3 }
vary     = { credits = "1", included = 3 }
text     = { credits_per_1k_tokens = { input = "0.002", output = "0.006" } }

[version.plans.free]
monthly = "15"

[version.plans.none]
monthly = "0"

[version.plans.studio]
monthly = "150"
price = "12.00 USD"
rollover = { max = "50", months = 1 }

[[version.packs]]
name = "pack-115"
credits = "115"
bonus = "10"
price = "15.00 USD"
expires_months = 12

[version.cohorts.spring]
bonus = "20"
code = "SPRING-27"

[version.policy]
late_grace_hours = 24
debt = "refuse"
invoice = true
"#;

/// Accounts, and everything that happened to them.
pub struct Story {
    /// The prices.
    pub book: Arc<PriceBook>,
    /// All entries in the order in which they were decided.
    pub journal: Vec<Entry>,
    wallets: BTreeMap<AccountId, Wallet>,
    captures: BTreeMap<u128, Capture>,
}

/// The account that buys a pack by card, spends, lets some expire and is given some back.
pub const ANN: AccountId = AccountId::from_u128(0xa);
/// The account whose payment is disputed after most of it was spent.
pub const BOB: AccountId = AccountId::from_u128(0xb);
/// The account that is invoiced, is on a paid plan, and has terms of its own.
pub const CID: AccountId = AccountId::from_u128(0xc);
/// The account that pays in yen, where there are no cents.
pub const DEN: AccountId = AccountId::from_u128(0xd);
/// A sandbox: nothing in it is real.
pub const EVE: AccountId = AccountId::from_u128(0xe);

impl Story {
    /// Tells the whole story.
    pub fn told() -> Self {
        let book = Arc::new(prices::parse(PRICES).unwrap());
        let mut story = Self { book, journal: Vec::new(), wallets: BTreeMap::new(), captures: BTreeMap::new() };
        story.ann();
        story.bob();
        story.cid();
        story.den();
        story.eve();
        // Accounts are told one after the other, a journal is by time.
        story.journal.sort_by_key(|entry| entry.recorded_at);
        story
    }

    /// Returns an account's entries.
    pub fn entries(&self, account: AccountId) -> Vec<Entry> {
        self.journal.iter().filter(|entry| entry.account == account).cloned().collect()
    }

    /// Returns an account's wallet at its end.
    pub fn wallet(&self, account: AccountId) -> &Wallet {
        &self.wallets[&account]
    }

    /// Returns the accounts.
    pub fn accounts(&self) -> impl Iterator<Item = AccountId> {
        self.wallets.keys().copied()
    }

    fn act(&mut self, at: &str, account: AccountId, command: &Command) -> Reply {
        let wallet = self.wallets.entry(account).or_insert_with(|| Wallet::new(account));
        let decision = wallet.decide(command, &self.book, at.parse().unwrap());
        let decision = decision.unwrap_or_else(|refusal| panic!("{at} {command:?}: {refusal}"));
        *wallet = decision.wallet;
        wallet.check().unwrap();
        for entry in &decision.entries {
            let (hold, slices) = match &entry.fact {
                Fact::Charged { charge, slices, .. } => (charge, slices),
                Fact::Captured { hold, captured, .. } => (hold, captured),
                _ => continue,
            };
            let capture = Capture {
                hold: *hold,
                operation: Operation::Generate,
                slices: slices.clone(),
                spender: Spender::NOBODY,
                admitted_at: entry.recorded_at,
            };
            self.captures.insert(hold.as_u128(), capture);
        }
        self.journal.extend(decision.entries);
        decision.reply
    }

    fn quote(&self, at: &str, credits: u32) -> Quote {
        let usage = Usage::of(Operation::Generate, credits * 4);
        self.book.quote(&usage, at.parse().unwrap()).unwrap()
    }

    fn charge(&mut self, at: &str, account: AccountId, id: u128, credits: u32) {
        let quote = self.quote(at, credits);
        self.act(at, account, &Command::charge(HoldId::from_u128(id), quote));
    }

    fn hold(&mut self, at: &str, account: AccountId, id: u128, credits: u32) {
        let quote = self.quote(at, credits);
        self.act(at, account, &Command::hold(HoldId::from_u128(id), quote, Duration::from_secs(900)));
    }

    fn pack(&mut self, at: &str, account: AccountId, id: u128, cost: &str, tax: i64, bonus: u32) -> OrderId {
        let order = Order {
            id: OrderId::from_u128(id),
            item: Item::Packs { packs: 1, expires: Months::new(12).unwrap() },
            credits: Credits::whole(115),
            bonus: Credits::whole(bonus),
            cost: cost.parse().unwrap(),
            tax: Cents::from_minor(tax).unwrap(),
        };
        self.act(at, account, &Command::PlaceOrder(order.clone()));
        order.id
    }

    fn pay(&mut self, at: &str, account: AccountId, order: OrderId) {
        let amount = self.wallets[&account].order(order).unwrap().order.total();
        self.act(at, account, &Command::PayOrder { order, amount });
    }

    fn reverse(&mut self, at: &str, account: AccountId, order: OrderId, state: ReversalState, amount: i64) {
        let id = format!("{}-1", if state.is_refund() { "re" } else { "dp" }).parse().unwrap();
        let reversal = Reversal { id, state, amount: Cents::from_minor(amount).unwrap() };
        self.act(at, account, &Command::Reverse { order, reversal });
    }

    fn ann(&mut self) {
        self.act("2026-11-01", ANN, &Command::open("free".parse().unwrap()));
        self.act("2026-11-01T00:01", ANN, &Command::SetAlert { below: Some(Credits::whole(5)) });
        let order = self.pack("2026-11-10", ANN, 1, "15.00 USD", 300, 0);
        self.pay("2026-11-10T00:05", ANN, order);
        self.hold("2026-11-11", ANN, 1, 20);
        self.act(
            "2026-11-11T00:01",
            ANN,
            &Command::Extend { hold: HoldId::from_u128(1), timeout: Duration::from_secs(1_800) },
        );
        self.act("2026-11-11T00:02", ANN, &Command::Capture { hold: HoldId::from_u128(1), amount: Credits::whole(17) });
        self.hold("2026-11-12", ANN, 2, 1);
        let reason = VoidReason::Cancelled;
        self.act("2026-11-12T00:01", ANN, &Command::Void { hold: HoldId::from_u128(2), reason });
        self.hold("2026-11-30T23:50", ANN, 3, 2);
        // The hold's time passes; the month's lot ends with it.
        self.act("2026-12-02", ANN, &Command::Settle);
        let hold = HoldId::from_u128(3);
        self.act("2026-12-02T00:01", ANN, &Command::Uncollected { hold, amount: Credits::whole(2) });
        self.charge("2026-12-05", ANN, 4, 38);
        let capture = self.captures[&4].clone();
        self.act(
            "2026-12-06",
            ANN,
            &Command::GiveBack { capture, amount: Credits::whole(3), reason: GiveBackReason::ServiceFault },
        );
        self.act(
            "2026-12-07",
            ANN,
            &Command::JoinCohort { cohort: "spring".parse().unwrap(), code: Some("SPRING-27".into()) },
        );
        self.act(
            "2026-12-08",
            ANN,
            &Command::Refund { order, refund: "ours-1".parse().unwrap(), amount: Some("6.00 USD".parse().unwrap()) },
        );
        let grant = Command::Grant {
            class: Class::Promo,
            credits: Credits::whole(2),
            cost: None,
            effective_at: "2026-12-20".parse().unwrap(),
            expires_at: Some("2027-01-01".parse().unwrap()),
            priority: 0,
            source: Source::Bonus,
            tax: Cents::ZERO,
        };
        self.act("2026-12-20", ANN, &grant);
        // Usage of the end of the year, which is told in the new one after the month's credits had ended.
        let happened_at: Timestamp = "2026-12-31T23:00".parse().unwrap();
        self.act("2027-01-01T00:10", ANN, &Command::Settle);
        let usage = Usage {
            meters: [("input".parse().unwrap(), 4_000), ("output".parse().unwrap(), 1_001)].into(),
            ..Usage::of("text".parse().unwrap(), 1)
        };
        let quote = self.book.quote(&usage, happened_at).unwrap();
        self.act(
            "2027-01-01T12:00",
            ANN,
            &Command::Charge {
                charge: HoldId::from_u128(5),
                quote,
                spender: Spender { member: Some(MemberId::from_u128(1)), key: Some(KeyId::from_u128(2)) },
                happened_at: Some(happened_at),
                event: Some(MeterEvent { id: "evt-1".parse().unwrap(), quantities: usage.meters }),
            },
        );
        // What is left of the pack ends; the alert is told.
        self.act("2027-11-11", ANN, &Command::SetAlert { below: Some(Credits::whole(40)) });
    }

    fn bob(&mut self) {
        self.act("2026-11-03", BOB, &Command::open("none".parse().unwrap()));
        let given_up = self.pack("2026-11-04", BOB, 2, "15.00 USD", 0, 0);
        self.act("2026-11-05", BOB, &Command::CancelOrder { order: given_up });
        let order = self.pack("2026-11-10", BOB, 3, "15.00 USD", 300, 10);
        self.pay("2026-11-10T00:05", BOB, order);
        self.charge("2026-11-20", BOB, 10, 50);
        self.reverse("2026-12-01", BOB, order, ReversalState::Disputed, 1_800);
        let next = self.pack("2026-12-10", BOB, 4, "15.00 USD", 300, 0);
        // The next pack repays what is owed.
        self.pay("2026-12-10T00:05", BOB, next);
        self.reverse("2027-01-15", BOB, order, ReversalState::Won, 1_800);
        self.reverse("2027-01-20", BOB, next, ReversalState::Refunded, 500);
    }

    fn cid(&mut self) {
        self.act("2026-11-15", CID, &Command::open("free".parse().unwrap()));
        let order = self.pack("2026-11-16", CID, 5, "15.00 USD", 285, 0);
        self.act("2026-11-16T00:01", CID, &Command::InvoiceOrder { order });
        self.reverse("2026-12-20", CID, order, ReversalState::Refunded, 300);
        let due = "14.85 USD".parse().unwrap();
        self.act("2027-01-10", CID, &Command::PayOrder { order, amount: due });
        let overrides = Overrides { monthly: Some(Credits::whole(25)), ..Overrides::default() };
        self.act("2027-01-11", CID, &Command::SetOverrides { overrides: Some(overrides) });
        self.act("2027-01-11T01:00", CID, &Command::SetOverrides { overrides: None });
        self.act(
            "2027-01-12",
            CID,
            &Command::SetBudget {
                subject: Subject::Account,
                period: BudgetPeriod::Month,
                limit: Some(Credits::whole(100)),
            },
        );
        let grant = Command::Grant {
            class: Class::Promo,
            credits: Credits::whole(8),
            cost: None,
            effective_at: "2027-01-13".parse().unwrap(),
            expires_at: None,
            priority: 0,
            source: Source::Goodwill,
            tax: Cents::ZERO,
        };
        let Reply::Granted(lot) = self.act("2027-01-13", CID, &grant) else { unreachable!("a grant grants") };
        self.act("2027-01-13T01:00", CID, &Command::Withdraw { lot, amount: Credits::whole(8) });
        let wish = Wish::PlanChange { plan: "studio".parse().unwrap(), mode: PlanChangeMode::FullPrice };
        let at: Timestamp = "2027-01-20".parse().unwrap();
        let plan = self.wallets[&CID].order_of(OrderId::from_u128(6), &wish, &self.book, at).unwrap();
        self.act("2027-01-20", CID, &Command::PlaceOrder(plan.clone()));
        self.pay("2027-01-20T00:01", CID, plan.id);
        self.charge("2027-01-21", CID, 20, 70);
        // The month ends, and fifty of its credits live on.
        self.act("2027-02-21", CID, &Command::Settle);
        // A pack of nearly nothing expires while it is held, and the engine fails.
        self.act("2027-02-22", CID, &Command::ChangePlan { plan: "free".parse().unwrap() });
        self.hold("2027-03-20T23:55", CID, 21, 6);
        self.act(
            "2027-03-21T00:05",
            CID,
            &Command::Void { hold: HoldId::from_u128(21), reason: VoidReason::EngineFailed },
        );
    }

    fn den(&mut self) {
        self.act("2026-12-01", DEN, &Command::open("none".parse().unwrap()));
        let order = self.pack("2026-12-02", DEN, 7, "2301 JPY", 230, 0);
        self.pay("2026-12-02T00:01", DEN, order);
        self.charge("2026-12-03", DEN, 30, 7);
    }

    fn eve(&mut self) {
        let clock = Some("2026-11-01".parse().unwrap());
        self.act("2026-11-02", EVE, &Command::Open { plan: "free".parse().unwrap(), sandbox: clock });
        let order = self.pack("2026-11-02", EVE, 8, "15.00 USD", 0, 0);
        self.pay("2026-11-02", EVE, order);
        self.act("2026-11-03", EVE, &Command::SetClock { to: "2026-12-15".parse().unwrap() });
        assert_eq!(self.wallet(EVE).lot(LotNumber::new(1)).unwrap().expired, Credits::whole(15));
    }
}
