//! Histories: what happens to one wallet, as data that can be cut down and written out.

use std::fmt;
use std::time::Duration;

use medici_ledger::{
    AnchorPolicy, Cents, ChargeMode, Class, Command, Credits, Currency, HoldId, Money, Months, Operation, PlanTerms,
    PriceBook, PriceVersion, Rate, Source, Timestamp, Usage, VoidReason,
};
use medici_testkit::naive::{NaivePlan, NaiveVersion};

/// One step: an instant, what is asked then, and another instant for which the balance is asked.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) at: i64,
    pub(crate) look_at: i64,
    pub(crate) action: Action,
}

#[derive(Clone, Debug)]
pub(crate) enum Action {
    Open { plan: &'static str },
    Grant(GrantStep),
    Hold { id: u32, operation: &'static str, count: u32, timeout: i64 },
    Extend { id: u32, timeout: i64 },
    Capture { id: u32, amount: i64 },
    Void { id: u32, reason: VoidReason },
    Charge { id: u32, operation: &'static str, count: u32 },
    Uncollected { id: u32, amount: i64 },
    Settle,
}

#[derive(Clone, Debug)]
pub(crate) struct GrantStep {
    pub(crate) class: Class,
    pub(crate) amount: i64,
    pub(crate) cost: Option<(i64, &'static str)>,
    pub(crate) tax: i64,
    pub(crate) from: i64,
    pub(crate) until: Option<i64>,
    pub(crate) priority: i8,
    pub(crate) source: Source,
}

/// The plans and prices all histories run under, for both sides.
pub(crate) struct World {
    pub(crate) book: PriceBook,
    pub(crate) versions: Vec<NaiveVersion>,
}

/// The plans: name, credits a month, months they live, refill on the 28th, priority.
type PlanRow = (&'static str, i64, u16, bool, i8);
/// The prices: operation, micro-credits, pictures included, whether each picture is charged.
type PriceRow = (&'static str, i64, u32, bool);

pub(crate) const PLANS: [&str; 6] = ["free", "dalle", "none", "long", "first", "ends"];
pub(crate) const OPERATIONS: [&str; 5] = ["generate", "edit", "vary", "text", "gift"];

const VERSIONS: [(&str, &[PlanRow], &[PriceRow]); 2] = [
    (
        "2026-01-01T00:00:00Z",
        &[
            ("free", 15_000_000, 1, false, 0),
            ("dalle", 15_000_000, 1, true, 0),
            ("none", 0, 1, false, 0),
            ("long", 7_500_000, 2, false, 1),
            ("first", 3_333_333, 1, false, -5),
            ("ends", 4_000_000, 1, false, 0),
        ],
        &[
            ("generate", 1_000_000, 4, false),
            ("edit", 1_500_000, 3, false),
            ("vary", 250_000, 1, true),
            ("text", 333_333, 1, false),
            ("gift", 0, 1, false),
        ],
    ),
    (
        "2027-06-15T12:00:00Z",
        &[
            ("free", 20_000_000, 1, false, 0),
            ("dalle", 10_000_000, 1, true, 2),
            ("none", 0, 1, false, 0),
            ("long", 7_500_000, 3, false, 1),
            ("first", 3_333_333, 1, false, -5),
        ],
        &[
            ("generate", 1_100_000, 4, false),
            ("edit", 1_500_000, 3, false),
            ("vary", 250_000, 1, true),
            ("text", 1, 1, false),
            ("gift", 0, 1, false),
        ],
    ),
];

impl World {
    pub(crate) fn new() -> Self {
        let (mut versions, mut naive) = (Vec::new(), Vec::new());
        for (effective_at, plans, prices) in VERSIONS {
            let effective_at: Timestamp = effective_at.parse().unwrap();
            let mut version = PriceVersion { effective_at, ..PriceVersion::default() };
            let mut rows = Vec::new();
            for &(name, monthly, months, on_28th, priority) in plans {
                let anchor_policy = if on_28th { AnchorPolicy::OpenAi28 } else { AnchorPolicy::Keep };
                let terms = PlanTerms {
                    expires: Months::new(months).unwrap(),
                    anchor_policy,
                    priority,
                    ..PlanTerms::monthly(credits(monthly))
                };
                version.plans.insert(name.parse().unwrap(), terms);
                rows.push(NaivePlan {
                    name: name.into(),
                    monthly,
                    months: usize::from(months),
                    on_28th,
                    priority: i64::from(priority),
                });
            }
            for &(name, price, included, each) in prices {
                let charge = if each { ChargeMode::PerImage } else { ChargeMode::PerOperation };
                let rate = Rate { charge, ..Rate::per_operation(credits(price), included) };
                version.operations.insert(name.parse().unwrap(), rate.into());
            }
            naive.push(NaiveVersion { effective_at: effective_at.micros(), plans: rows });
            versions.push(version);
        }
        Self { book: PriceBook::new(versions).unwrap(), versions: naive }
    }

    /// Returns what a step's quote must come to, from the rows above.
    pub(crate) fn naive_price(&self, step: &Step) -> i64 {
        let (Action::Hold { operation, count, .. } | Action::Charge { operation, count, .. }) = &step.action else {
            panic!("only holds and charges have a price");
        };
        let in_force = |(from, ..): &&(&str, _, _)| from.parse::<Timestamp>().unwrap().micros() <= step.at;
        let (_, _, prices) = VERSIONS.iter().rfind(in_force).unwrap();
        let &(_, price, included, each) = prices.iter().find(|row| row.0 == *operation).unwrap();
        let mut batches = i64::from(*count);
        if !each {
            batches = (batches + i64::from(included) - 1) / i64::from(included);
        }
        price * batches
    }

    /// Returns the command of a step; `None` where the operation has no price yet.
    pub(crate) fn command(&self, step: &Step) -> Option<Command> {
        let at = Timestamp::from_micros(step.at);
        let quote = |operation: &str, count| {
            let operation: Operation = operation.parse().unwrap();
            self.book.quote(&Usage::of(operation, count), at).ok()
        };
        let hold = |id: u32| HoldId::from_u128(u128::from(id));
        let timeout = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap());
        Some(match &step.action {
            Action::Open { plan } => Command::open(plan.parse().unwrap()),
            Action::Grant(grant) => Command::Grant {
                class: grant.class,
                credits: credits(grant.amount),
                cost: grant.cost.map(|(minor, currency)| Money {
                    amount: Cents::from_minor(minor).unwrap(),
                    currency: currency.parse::<Currency>().unwrap(),
                }),
                effective_at: Timestamp::from_micros(grant.from),
                expires_at: grant.until.map(Timestamp::from_micros),
                priority: grant.priority,
                source: grant.source,
                tax: Cents::from_minor(grant.tax).unwrap(),
            },
            Action::Hold { id, operation, count, timeout: micros } => {
                Command::hold(hold(*id), quote(operation, *count)?, timeout(*micros))
            }
            Action::Extend { id, timeout: micros } => Command::Extend { hold: hold(*id), timeout: timeout(*micros) },
            Action::Capture { id, amount } => Command::Capture { hold: hold(*id), amount: credits(*amount) },
            Action::Void { id, reason } => Command::Void { hold: hold(*id), reason: *reason },
            Action::Charge { id, operation, count } => Command::charge(hold(*id), quote(operation, *count)?),
            Action::Uncollected { id, amount } => Command::Uncollected { hold: hold(*id), amount: credits(*amount) },
            Action::Settle => Command::Settle,
        })
    }
}

impl Step {
    /// The hold that the step names.
    pub(crate) fn hold(&self) -> Option<HoldId> {
        match &self.action {
            Action::Hold { id, .. }
            | Action::Extend { id, .. }
            | Action::Capture { id, .. }
            | Action::Void { id, .. }
            | Action::Charge { id, .. }
            | Action::Uncollected { id, .. } => Some(HoldId::from_u128(u128::from(*id))),
            Action::Open { .. } | Action::Grant(_) | Action::Settle => None,
        }
    }
}

fn credits(micro: i64) -> Credits {
    Credits::from_micro(micro).unwrap()
}

impl fmt::Display for Step {
    /// Writes the step as a line to read; the balance is asked for at the instant in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instant = Timestamp::from_micros;
        write!(f, "{}  ", instant(self.at))?;
        let span = |micros: i64| format!("{:?}", Duration::from_micros(micros.unsigned_abs()));
        match &self.action {
            Action::Open { plan } => write!(f, "open {plan}"),
            Action::Grant(grant) => {
                write!(f, "grant {} {} from {}", grant.class, credits(grant.amount), instant(grant.from))?;
                if let Some(until) = grant.until {
                    write!(f, " until {}", instant(until))?;
                }
                if let Some((minor, currency)) = grant.cost {
                    write!(f, " cost {minor} {currency} minor, tax {}", grant.tax)?;
                }
                write!(f, " priority {} {:?}", grant.priority, grant.source)
            }
            Action::Hold { id, operation, count, timeout } => {
                write!(f, "hold {id} {operation} x{count} for {}", span(*timeout))
            }
            Action::Extend { id, timeout } => write!(f, "extend {id} for {}", span(*timeout)),
            Action::Capture { id, amount } => write!(f, "capture {id} {}", credits(*amount)),
            Action::Void { id, reason } => write!(f, "void {id} {reason}"),
            Action::Charge { id, operation, count } => write!(f, "charge {id} {operation} x{count}"),
            Action::Uncollected { id, amount } => write!(f, "uncollected {id} {}", credits(*amount)),
            Action::Settle => write!(f, "settle"),
        }?;
        write!(f, "   [{}]", instant(self.look_at))
    }
}
