//! The prices that all histories run under, for both sides.

use std::sync::Arc;
use std::time::Duration;

use medici_ledger::{
    AnchorPolicy, Cents, ChargeMode, CohortTerms, Credits, Currency, Money, Months, Pack, PlanTerms, Policy, PriceBook,
    PriceVersion, Rate, Rollover, Tier, TierMode, Timestamp,
};
use medici_testkit::naive::{NaiveCohort, NaivePlan, NaiveVersion};

/// The plans and prices all histories run under, for both sides.
pub(crate) struct World {
    pub(crate) book: PriceBook,
    pub(crate) versions: Arc<Vec<NaiveVersion>>,
}

/// A plan: what it gives, and what it costs.
struct PlanRow {
    name: &'static str,
    /// Micro-credits a month.
    monthly: i64,
    months: u16,
    on_28th: bool,
    priority: i8,
    price: Option<(i64, &'static str)>,
    /// The most that lives on, and for how many months.
    rollover: Option<(i64, u16)>,
    grandfather: bool,
}

const fn plan(name: &'static str, monthly: i64) -> PlanRow {
    PlanRow { name, monthly, months: 1, on_28th: false, priority: 0, price: None, rollover: None, grandfather: false }
}

/// The prices: operation, micro-credits, pictures included, whether each picture is charged.
type PriceRow = (&'static str, i64, u32, bool);
/// Who is given credits once: name, micro-credits, months they live, priority, code, opened from and until.
type CohortRow = (&'static str, i64, u16, i8, Option<&'static str>, Option<(&'static str, &'static str)>);

/// What holds from one instant on.
struct VersionRow {
    effective: &'static str,
    plans: &'static [PlanRow],
    prices: &'static [PriceRow],
    cohorts: &'static [CohortRow],
    grace_hours: u64,
    debt_refuses: bool,
    invoice: bool,
}

/// Packs: credits, bonus, minor units, currency, months they live, and what each costs from five on.
pub(crate) struct PackRow {
    pub(crate) credits: i64,
    pub(crate) bonus: i64,
    pub(crate) price: (i64, &'static str),
    months: u16,
    pub(crate) from_five: Option<i64>,
}

const fn pack(credits: i64, bonus: i64, minor: i64, currency: &'static str, months: u16) -> PackRow {
    PackRow { credits, bonus, price: (minor, currency), months, from_five: None }
}

pub(crate) const PACKS: [PackRow; 6] = [
    PackRow { from_five: Some(1_400), ..pack(115_000_000, 0, 1_500, "USD", 12) },
    pack(50_000_000, 7_000_000, 999, "EUR", 3),
    pack(7, 3, 5, "USD", 1),
    pack(10_000_000, 1_000_001, 0, "USD", 1),
    pack(3_000_000, 1, 40_000, "JPY", 2),
    pack(20_000_000, 0, 3, "USD", 1),
];

pub(crate) const PLANS: [&str; 13] =
    ["free", "dalle", "none", "long", "first", "ends", "keep", "studio", "pro", "euro", "two", "seat", "zero"];
pub(crate) const OPERATIONS: [&str; 5] = ["generate", "edit", "vary", "text", "gift"];
pub(crate) const COHORTS: [&str; 5] = ["beta", "early", "hand", "later", "nobody"];
pub(crate) const CODES: [&str; 3] = ["BETA", "beta", "LATER"];

const VERSIONS: [VersionRow; 3] = [
    VersionRow {
        effective: "2026-01-01T00:00:00Z",
        plans: &[
            plan("free", 15_000_000),
            PlanRow { on_28th: true, ..plan("dalle", 15_000_000) },
            plan("none", 0),
            PlanRow { months: 2, priority: 1, ..plan("long", 7_500_000) },
            PlanRow { priority: -5, ..plan("first", 3_333_333) },
            plan("ends", 4_000_000),
            PlanRow { rollover: Some((4_000_001, 2)), ..plan("keep", 10_000_000) },
            PlanRow { price: Some((1_200, "USD")), rollover: Some((50_000_000, 1)), ..plan("studio", 150_000_000) },
            PlanRow { price: Some((3_000, "USD")), priority: 1, ..plan("pro", 500_000_000) },
            PlanRow { price: Some((999, "EUR")), on_28th: true, ..plan("euro", 100_333_333) },
            PlanRow {
                price: Some((2_000, "USD")),
                months: 2,
                rollover: Some((30_000_000, 3)),
                ..plan("two", 200_000_000)
            },
            PlanRow { price: Some((500, "USD")), ..plan("seat", 0) },
            PlanRow { price: Some((0, "USD")), ..plan("zero", 6_000_000) },
        ],
        prices: &[
            ("generate", 1_000_000, 4, false),
            ("edit", 1_500_000, 3, false),
            ("vary", 250_000, 1, true),
            ("text", 333_333, 1, false),
            ("gift", 0, 1, false),
        ],
        cohorts: &[
            ("beta", 50_000_000, 1, 0, Some("BETA"), None),
            ("early", 5_000_000, 2, -1, None, Some(("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"))),
            ("hand", 1_500_000, 1, 0, None, None),
        ],
        grace_hours: 24,
        debt_refuses: true,
        invoice: true,
    },
    VersionRow {
        effective: "2026-09-10T06:00:00Z",
        plans: &[
            plan("free", 15_000_000),
            PlanRow { on_28th: true, ..plan("dalle", 15_000_000) },
            plan("none", 0),
            PlanRow { months: 2, priority: 1, ..plan("long", 7_500_000) },
            PlanRow { priority: -5, ..plan("first", 3_333_333) },
            plan("ends", 4_000_000),
            PlanRow { grandfather: true, ..plan("keep", 8_000_000) },
            PlanRow { price: Some((1_500, "USD")), grandfather: true, ..plan("studio", 160_000_000) },
            PlanRow { price: Some((3_000, "USD")), priority: 1, ..plan("pro", 500_000_000) },
            PlanRow { price: Some((1_999, "EUR")), rollover: Some((1, 1)), ..plan("euro", 300_000_000) },
            PlanRow { price: Some((2_000, "USD")), months: 2, ..plan("two", 200_000_000) },
            PlanRow { price: Some((500, "USD")), ..plan("seat", 0) },
            PlanRow { price: Some((100, "USD")), ..plan("zero", 6_000_000) },
        ],
        prices: &[
            ("generate", 1_000_000, 4, false),
            ("edit", 2_000_000, 3, false),
            ("vary", 250_000, 1, true),
            ("text", 333_333, 1, false),
            ("gift", 0, 1, false),
        ],
        cohorts: &[
            ("beta", 20_000_000, 3, 2, Some("BETA"), None),
            ("later", 2_000_000, 1, 0, Some("LATER"), Some(("2026-12-01T00:00:00Z", "2027-03-01T00:00:00Z"))),
        ],
        grace_hours: 30,
        debt_refuses: false,
        invoice: true,
    },
    VersionRow {
        effective: "2027-06-15T12:00:00Z",
        plans: &[
            plan("free", 20_000_000),
            PlanRow { on_28th: true, priority: 2, ..plan("dalle", 10_000_000) },
            plan("none", 0),
            PlanRow { months: 3, priority: 1, ..plan("long", 7_500_000) },
            PlanRow { priority: -5, ..plan("first", 3_333_333) },
            PlanRow { rollover: Some((100_000_000, 1)), grandfather: true, ..plan("keep", 9_000_000) },
            PlanRow {
                price: Some((1_400, "USD")),
                rollover: Some((20_000_000, 2)),
                grandfather: true,
                ..plan("studio", 170_000_000)
            },
            PlanRow { price: Some((999, "EUR")), on_28th: true, ..plan("euro", 100_333_333) },
            PlanRow {
                price: Some((2_100, "USD")),
                months: 2,
                rollover: Some((10_000_000, 1)),
                ..plan("two", 210_000_000)
            },
            PlanRow { price: Some((0, "USD")), ..plan("zero", 6_000_000) },
        ],
        prices: &[
            ("generate", 1_100_000, 4, false),
            ("edit", 1_500_000, 3, false),
            ("vary", 250_000, 1, true),
            ("text", 1, 1, false),
            ("gift", 0, 1, false),
        ],
        cohorts: &[("beta", 50_000_000, 1, 0, None, Some(("2027-07-01T00:00:00Z", "2027-12-31T12:00:00Z")))],
        grace_hours: 1,
        debt_refuses: true,
        invoice: false,
    },
];

impl World {
    pub(crate) fn new() -> Self {
        let (mut versions, mut naive) = (Vec::new(), Vec::new());
        for row in &VERSIONS {
            versions.push(row.for_ledger());
            naive.push(row.for_model());
        }
        Self { book: PriceBook::new(versions).unwrap(), versions: Arc::new(naive) }
    }

    /// Returns what a request must cost at an instant, from the rows above.
    pub(crate) fn naive_price(operation: &str, count: u32, at: i64) -> i64 {
        let in_force = |row: &&VersionRow| instant(row.effective).micros() <= at;
        let row = VERSIONS.iter().rfind(in_force).unwrap();
        let &(_, price, included, each) = row.prices.iter().find(|row| row.0 == operation).unwrap();
        let mut batches = i64::from(count);
        if !each {
            batches = (batches + i64::from(included) - 1) / i64::from(included);
        }
        price * batches
    }

    /// The first instant of each version.
    pub(crate) fn version_instants() -> Vec<i64> {
        VERSIONS.iter().map(|row| instant(row.effective).micros()).collect()
    }
}

impl PackRow {
    pub(crate) fn for_ledger(&self) -> Pack {
        Pack {
            credits: credits(self.credits),
            price: money(self.price),
            expires: Months::new(self.months).unwrap(),
            mode: TierMode::Volume,
            tiers: self.from_five.map(|price| Tier { from: 5, price: cents(price) }).into_iter().collect(),
            name: None,
            bonus: credits(self.bonus),
        }
    }
}

impl VersionRow {
    fn for_ledger(&self) -> PriceVersion {
        let mut version = PriceVersion { effective_at: instant(self.effective), ..PriceVersion::default() };
        for row in self.plans {
            let terms = PlanTerms {
                expires: Months::new(row.months).unwrap(),
                anchor_policy: if row.on_28th { AnchorPolicy::OpenAi28 } else { AnchorPolicy::Keep },
                priority: row.priority,
                price: row.price.map(money),
                rollover: row
                    .rollover
                    .map(|(max, months)| Rollover { max: credits(max), months: Months::new(months).unwrap() }),
                grandfather: row.grandfather,
                ..PlanTerms::monthly(credits(row.monthly))
            };
            version.plans.insert(row.name.parse().unwrap(), terms);
        }
        for &(name, price, included, each) in self.prices {
            let charge = if each { ChargeMode::PerImage } else { ChargeMode::PerOperation };
            let rate = Rate { charge, ..Rate::per_operation(credits(price), included) };
            version.operations.insert(name.parse().unwrap(), rate.into());
        }
        for &(name, bonus, months, priority, code, opened) in self.cohorts {
            let terms = CohortTerms {
                bonus: credits(bonus),
                expires: Months::new(months).unwrap(),
                priority,
                code: code.map(Into::into),
                from: opened.map(|(from, _)| instant(from)),
                until: opened.map(|(_, until)| instant(until)),
            };
            version.cohorts.insert(name.parse().unwrap(), terms);
        }
        version.packs = PACKS.iter().map(PackRow::for_ledger).collect();
        let late_grace = Duration::from_secs(self.grace_hours * 3_600);
        version.policy = Policy { late_grace, debt_refuses: self.debt_refuses, invoice: self.invoice };
        version
    }

    fn for_model(&self) -> NaiveVersion {
        let plan = |row: &PlanRow| NaivePlan {
            name: row.name.parse().unwrap(),
            monthly: row.monthly,
            months: usize::from(row.months),
            on_28th: row.on_28th,
            priority: i64::from(row.priority),
            price: row.price.map(|(minor, name)| (minor, currency(name))),
            rollover: row.rollover.map(|(max, months)| (max, usize::from(months))),
            grandfather: row.grandfather,
        };
        let cohort = |&(name, bonus, months, priority, code, opened): &CohortRow| NaiveCohort {
            name: name.parse().unwrap(),
            bonus,
            months: usize::from(months),
            priority: i64::from(priority),
            code,
            opened: opened.map(|(from, until)| (instant(from).micros(), instant(until).micros())),
        };
        NaiveVersion {
            effective_at: instant(self.effective).micros(),
            plans: self.plans.iter().map(plan).collect(),
            cohorts: self.cohorts.iter().map(cohort).collect(),
            late_grace: i64::try_from(self.grace_hours).unwrap() * 3_600_000_000,
            debt_refuses: self.debt_refuses,
            invoice: self.invoice,
        }
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn credits(micro: i64) -> Credits {
    Credits::from_micro(micro).unwrap()
}

pub(crate) fn cents(minor: i64) -> Cents {
    Cents::from_minor(minor).unwrap()
}

pub(crate) fn currency(name: &str) -> Currency {
    name.parse().unwrap()
}

pub(crate) fn money((minor, name): (i64, &str)) -> Money {
    Money::new(cents(minor), currency(name))
}
