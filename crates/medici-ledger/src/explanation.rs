//! Explanations: what one entry did, so that every credit and every cent of it can be followed.
//!
//! An entry alone does not say how many credits of a lot were captured before it, and so not why a share was 13
//! cents and not 14. The entries before it do: they are replayed up to it.

use std::fmt;

use crate::amount::{Credits, SignedCredits, SignedMoney};
use crate::broken::Broken;
use crate::budget::Spender;
use crate::entry::{Entry, Fact};
use crate::explain::{item, priced, summary_with};
use crate::hold::Slice;
use crate::ids::{AccountId, LotNumber};
use crate::lot::Lot;
use crate::order::OrderRecord;
use crate::quote::Quote;
use crate::wallet::Wallet;

/// What one entry did, and why each amount is what it is. Written out, it says so in words.
#[derive(Clone, Debug)]
pub struct Explanation<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The price that was pinned: the entry's own, or that of the hold it is about.
    pub quote: Option<Quote>,
    /// Who spends, or spent.
    pub spender: Spender,
    /// The lots it touched, by number.
    pub lots: Vec<LotChange>,
    /// The order it is about, as the entry left it.
    pub order: Option<OrderRecord>,
}

/// One lot before and after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LotChange {
    /// The lot before; `None` for one that the entry granted.
    pub before: Option<Lot>,
    /// The lot after.
    pub after: Lot,
}

/// Returns the explanations of some entries, given all entries of their account from the first on.
///
/// # Errors
/// [`Broken`] where the entries are not the account's, or one before the last wanted was altered.
pub fn explanations(
    account: AccountId,
    entries: &[Entry],
    wanted: impl Fn(&Entry) -> bool,
) -> Result<Vec<Explanation<'_>>, Broken> {
    let last = entries.iter().rposition(&wanted).map_or(0, |last| last + 1);
    let mut wallet = Wallet::new(account);
    let mut explanations = Vec::new();
    for entry in &entries[..last] {
        if wanted(entry) {
            let before = wallet.clone();
            wallet.apply(entry)?;
            explanations.push(Explanation::between(&before, entry, &wallet));
        } else {
            wallet.apply(entry)?;
        }
    }
    Ok(explanations)
}

impl<'a> Explanation<'a> {
    fn between(before: &Wallet, entry: &'a Entry, after: &Wallet) -> Self {
        let mut numbers: Vec<LotNumber> = entry.postings.iter().map(|posting| posting.lot).collect();
        if let Fact::LotExpired { lot, .. } = entry.fact {
            numbers.push(lot);
        }
        numbers.sort_unstable();
        numbers.dedup();
        let change = |number| {
            let after = after.lot(number).expect("a posting names a lot that was granted");
            LotChange { before: before.lot(number), after }
        };
        let hold = entry.fact.hold().and_then(|hold| before.open_hold(hold));
        let (quote, spender) = match &entry.fact {
            Fact::Held { quote, spender, .. } | Fact::Charged { quote, spender, .. } => (Some(quote), *spender),
            Fact::GivenBack { capture, .. } => (None, capture.spender),
            _ => (hold.map(|hold| &hold.quote), hold.map_or(Spender::NOBODY, |hold| hold.spender)),
        };
        Self {
            entry,
            quote: quote.cloned(),
            spender,
            lots: numbers.into_iter().map(change).collect(),
            order: entry.fact.order().and_then(|order| after.order(order).cloned()),
        }
    }

    /// Returns the slices of the fact, each list with what became of it.
    #[must_use]
    pub fn slices(&self) -> Vec<(&'static str, &'a [Slice])> {
        let lists = match &self.entry.fact {
            Fact::Held { slices, .. } => vec![("held", &**slices)],
            Fact::Captured { captured, released, .. } => vec![("captured", &**captured), ("released", &**released)],
            Fact::Voided { released, .. } | Fact::HoldExpired { released, .. } => vec![("released", &**released)],
            Fact::Charged { slices, .. } => vec![("captured", &**slices)],
            Fact::GivenBack { returned, .. } => vec![("returned", &**returned)],
            Fact::PlanChanged { cut, .. } => vec![("withdrawn", &**cut)],
            _ => Vec::new(),
        };
        lists.into_iter().filter(|(_, slices)| !slices.is_empty()).collect()
    }

    /// Returns how the pinned price came about, in words.
    #[must_use]
    pub fn price(&self) -> Option<String> {
        self.quote.as_ref().map(priced)
    }
}

impl LotChange {
    /// Returns the parts that the entry changed: their names, and what they were and are, in micro-credits.
    #[must_use]
    pub fn parts(&self) -> Vec<(&'static str, Credits, Credits)> {
        let parts = |lot: &Lot| [lot.available, lot.held, lot.captured, lot.expired, lot.withdrawn];
        let before = self.before.as_ref().map_or([Credits::ZERO; 5], parts);
        let names = ["available", "held", "captured", "expired", "withdrawn"];
        let change = names.into_iter().zip(before).zip(parts(&self.after));
        let change = change.map(|((name, before), after)| (name, before, after));
        change.filter(|(_, before, after)| before != after).collect()
    }

    /// Returns the credits that recognised and deferred money stand for: captured, available and held, before and after.
    #[must_use]
    pub fn kept(&self) -> (Credits, Credits) {
        (self.before.as_ref().map_or(Credits::ZERO, kept), kept(&self.after))
    }

    /// Returns the money earned by captures, `floor(cost × captured ÷ granted)`, before and after, in minor units.
    #[must_use]
    pub fn recognised(&self) -> (i64, i64) {
        (self.before.map_or(0, |lot| lot.recognised().minor()), self.after.recognised().minor())
    }

    /// Returns the money not earned yet, `floor(cost × kept ÷ granted) − recognised`, before and after, in minor units.
    #[must_use]
    pub fn deferred(&self) -> (i64, i64) {
        (self.before.map_or(0, |lot| lot.deferred().minor()), self.after.deferred().minor())
    }
}

fn kept(lot: &Lot) -> Credits {
    let micro = lot.captured.micro() + lot.available.micro() + lot.held.micro();
    Credits::from_micro(micro).expect("no part of a lot is negative")
}

impl fmt::Display for Explanation<'_> {
    /// Says when, what, at which price, what became of each lot, by which shares, and what was posted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Entry { seq, account, effective_at, recorded_at, fact, postings, .. } = self.entry;
        write!(f, "entry {seq} of {account}, effective {effective_at}")?;
        if recorded_at != effective_at {
            write!(f, ", recorded {recorded_at}")?;
        }
        let currency = self.order.as_ref().map(|record| record.order.cost.currency);
        write!(f, ": {}", summary_with(fact, currency))?;
        if let Some(price) = self.price() {
            write!(f, "\nprice: {price}")?;
        }
        if let Fact::Charged { event: Some(event), .. } = fact {
            let meters = event.quantities.iter().map(|(meter, quantity)| format!("{quantity} {meter}"));
            write!(f, "\nusage: {} (event {})", meters.collect::<Vec<_>>().join(", "), event.id)?;
        }
        if self.spender != Spender::NOBODY {
            let member = self.spender.member.map(|member| member.to_string());
            let key = self.spender.key.map(|key| key.to_string());
            let both: Vec<String> = member.into_iter().chain(key).collect();
            write!(f, "\nspent by: {}", both.join(" with "))?;
        }
        for lot in &self.lots {
            write!(f, "\n{lot}")?;
        }
        if let Some(order) = &self.order {
            write!(f, "\n{}", told(order))?;
        }
        for posting in postings {
            write!(f, "\n  {posting}")?;
        }
        Ok(())
    }
}

/// An order as an entry left it, in words.
fn told(record: &OrderRecord) -> String {
    let OrderRecord { order, reversed, withdrawn, owed, returned, .. } = record;
    let money = |amount: crate::Cents| SignedMoney(amount.minor(), order.cost.currency);
    let mut text = format!(
        "order: {} for {} + tax {} = {}, now {}",
        item(order),
        order.cost,
        money(order.tax),
        order.total(),
        record.status().as_str(),
    );
    if !reversed.is_zero() {
        let (net, back) = (money(order.net_of(*reversed)), money(*reversed));
        text.push_str(&format!(
            "\n  reversed {back}, of which {net} without tax: floor({} x {back} / {})\n  for it {withdrawn} credits \
             are withdrawn (worth {}) and {owed} owed, of which {} repaid; debt {}",
            order.cost,
            order.total(),
            money(*returned),
            record.repaid(),
            money(record.debt()),
        ));
    }
    text
}

impl fmt::Display for LotChange {
    /// Says what became of a lot, and by which shares its money moved.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Lot { number, granted, class, source, cost, captured, .. } = self.after;
        write!(f, "lot {number}, {granted} {class} credits ({})", source.as_str())?;
        if let Some(cost) = cost {
            write!(f, " for {cost}")?;
        }
        for (place, (name, before, after)) in (0..).zip(self.parts()) {
            let [before, after] = [before, after].map(|amount| SignedCredits(amount.micro()));
            write!(f, "{} {name} {before} -> {after}", if place == 0 { ":" } else { "," })?;
        }
        let Some(cost) = cost else { return Ok(()) };
        let money = |minor| SignedMoney(minor, cost.currency);
        let (earned_before, earned) = self.recognised();
        let (deferred_before, deferred) = self.deferred();
        if earned != earned_before {
            let (earned, change, before) = (money(earned), money(earned - earned_before), money(earned_before));
            write!(f, "\n  earned floor({cost} x {captured} / {granted}) = {earned}, before {before}: {change}")?;
        }
        if deferred != deferred_before {
            let (kept, all) = (self.kept().1, money(earned + deferred));
            let (left, change) = (money(deferred), money(deferred - deferred_before));
            let (before, earned) = (money(deferred_before), money(earned));
            write!(f, "\n  deferred floor({cost} x {kept} / {granted}) - earned = {all} - {earned} = {left}, ")?;
            write!(f, "before {before}: {change}")?;
        }
        Ok(())
    }
}
