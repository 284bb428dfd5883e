//! The policy of a price version: what the operator decided about late events, debt and invoices.

use std::time::Duration;

/// What the operator decided, from a version's instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How late a meter event may come and still count when it happened.
    pub late_grace: Duration,
    /// Whether holds that cost something are refused while the account has debt.
    pub debt_refuses: bool,
    /// Whether packs and plans may be sold on invoice.
    pub invoice: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self { late_grace: Duration::from_secs(24 * 60 * 60), debt_refuses: true, invoice: false }
    }
}
