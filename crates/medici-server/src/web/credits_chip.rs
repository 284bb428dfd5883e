//! The balance in the corner: what is there, what comes next, what goes first.

use medici_ledger::{Balances, LotBalance};

use super::{strings, zone::Zone};

/// What an account has, in the words of the page.
pub(super) struct CreditsChip {
    /// `14 credits`.
    pub(super) available: String,
    /// The same for a script to compare prices with, in micro-credits.
    pub(super) available_micro: i64,
    /// What to say where it is too little, for a script.
    pub(super) short: String,
    /// `15 more on 1 Dec`, if the plan gives more.
    pub(super) refill: Option<String>,
    /// `1 held for what is being drawn`, while something is.
    pub(super) held: Option<String>,
    /// What there is, in the order it is spent.
    pub(super) lots: Vec<LotLine>,
}

/// One lot of the balance.
pub(super) struct LotLine {
    /// `14 free`.
    pub(super) amount: String,
    /// `until 1 Jan`.
    pub(super) until: String,
}

impl CreditsChip {
    pub(super) fn new(balances: &Balances, zone: &Zone) -> Self {
        let line = |lot: &LotBalance| LotLine {
            amount: strings::lot(lot.class, lot.available),
            until: strings::until(lot.expires_at.map(|at| zone.day(at)).as_deref()),
        };
        Self {
            available: strings::credits(balances.available),
            available_micro: balances.available.micro(),
            short: strings::too_few(balances.available, refill(balances, zone).as_deref()),
            refill: refill(balances, zone),
            held: (!balances.held.is_zero()).then(|| strings::held(balances.held)),
            lots: balances.lots.iter().filter(|lot| !lot.available.is_zero()).map(line).collect(),
        }
    }
}

/// Returns `15 more on 1 Dec`, if the plan gives more.
pub(super) fn refill(balances: &Balances, zone: &Zone) -> Option<String> {
    balances.next_refill.map(|refill| strings::refill(refill.credits, &zone.day(refill.at)))
}
