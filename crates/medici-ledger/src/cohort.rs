//! Cohorts: accounts that are given credits once, for a code, for when they came, or by hand.

use crate::amount::Credits;
use crate::calendar::Months;
use crate::name::{OfCohort, ShortName};
use crate::time::Timestamp;

/// The name of a cohort.
pub type CohortName = ShortName<OfCohort>;

/// What a cohort's accounts are given once, and which accounts they are. An operator can add any other by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CohortTerms {
    /// The credits.
    pub bonus: Credits,
    /// How long they live.
    pub expires: Months,
    /// The priority of their lot in the burn order; lower burns first.
    pub priority: i8,
    /// The code that an account joins with.
    pub code: Option<Box<str>>,
    /// The first instant at which an account that is opened joins by itself.
    pub from: Option<Timestamp>,
    /// The first instant at which it no longer does.
    pub until: Option<Timestamp>,
}

impl CohortTerms {
    /// Returns whether an account that was opened then joins by itself: `from ≤ opened_at < until`, and never
    /// where neither is given.
    #[must_use]
    pub fn admits_date(&self, opened_at: Timestamp) -> bool {
        (self.from.is_some() || self.until.is_some())
            && self.from.is_none_or(|from| from <= opened_at)
            && self.until.is_none_or(|until| opened_at < until)
    }

    /// Returns whether an account joins with this code.
    #[must_use]
    pub fn admits_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cohort_takes_whom_its_window_or_code_says_and_otherwise_nobody() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let terms = CohortTerms {
            bonus: Credits::whole(50),
            expires: Months::ONE,
            priority: 0,
            code: None,
            from: None,
            until: None,
        };
        assert!(!terms.admits_date(at("2026-11-01")));
        assert!(!terms.admits_code(""));
        let (from, until) = (Some(at("2026-11-01")), Some(at("2026-12-01")));
        let window = CohortTerms { from, until, ..terms.clone() };
        assert!(!window.admits_date(at("2026-10-31 23:59:59")));
        assert!(window.admits_date(at("2026-11-01")));
        assert!(!window.admits_date(at("2026-12-01")));
        assert!(CohortTerms { until, ..terms.clone() }.admits_date(at("1999-01-01")));
        assert!(CohortTerms { from, ..terms.clone() }.admits_date(at("2999-01-01")));
        let code = CohortTerms { code: Some("BETA".into()), ..terms };
        assert!(code.admits_code("BETA") && !code.admits_code("beta"));
    }
}
