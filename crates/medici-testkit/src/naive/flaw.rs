//! Mistakes that the model can be told to make.

/// A mistake that the model can be told to make, to prove that the comparison finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// None.
    None,
    /// Free credits burn after paid ones.
    FreeAfterPaid,
    /// A lot lives one microsecond too long.
    ExpiryOneMicrosecondLate,
    /// A hold lives one microsecond too long.
    TimeoutOneMicrosecondLate,
    /// A capture takes the last slices instead of the first.
    CaptureFromTheEnd,
    /// Credits of an expired lot are released as if it were live.
    ExpiredLotRevives,
    /// A fault of ours is not made good.
    NoReplacement,
    /// Months are counted from the month before instead of from the anchor.
    MonthsDrift,
    /// The last cent of a lot is rounded up.
    RevenueRoundsUp,
    /// An extension may pass 24 hours.
    EndlessExtension,
    /// A repeated capture is answered whatever its amount.
    CaptureForgetsItsAmount,
    /// A reversed amount counts whole, as if it had no tax in it.
    RefundIgnoresTax,
    /// A new order leaves old debts as they are.
    DebtNotRepaid,
    /// A dispute that was won leaves what is owed as it is.
    WonDisputeKeepsDebt,
    /// A won dispute forgives what was repaid, and gives nothing back of it.
    RepaymentKept,
    /// What a hold releases stays counted on budgets.
    BudgetKeepsReleases,
    /// A month hands on all that is left of it.
    RolloverUnlimited,
    /// Late usage does not undo an expiry.
    LateUsageLeavesExpiries,
    /// Late usage is taken a moment after the grace is over.
    GraceOneMicrosecondLong,
    /// What is given back goes to the first captured lots first.
    GiveBackFirstCaptured,
    /// A cohort's bonus is given as often as it is asked for.
    CohortTwice,
    /// A prorated price is rounded up.
    ProratedRoundsUp,
    /// A low balance is told after every decision.
    AlertEveryTime,
    /// A change of plan at full price leaves the free credits of the period.
    FreeCreditsOutliveTheirPlan,
    /// A bonus is kept though its purchase was refunded.
    BonusKept,
    /// A dispute takes only what the refund rule would give.
    DisputeOwesNothing,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::FreeAfterPaid,
        Self::ExpiryOneMicrosecondLate,
        Self::TimeoutOneMicrosecondLate,
        Self::CaptureFromTheEnd,
        Self::ExpiredLotRevives,
        Self::NoReplacement,
        Self::MonthsDrift,
        Self::RevenueRoundsUp,
        Self::EndlessExtension,
        Self::CaptureForgetsItsAmount,
        Self::RefundIgnoresTax,
        Self::DebtNotRepaid,
        Self::WonDisputeKeepsDebt,
        Self::RepaymentKept,
        Self::BudgetKeepsReleases,
        Self::RolloverUnlimited,
        Self::LateUsageLeavesExpiries,
        Self::GraceOneMicrosecondLong,
        Self::GiveBackFirstCaptured,
        Self::CohortTwice,
        Self::ProratedRoundsUp,
        Self::AlertEveryTime,
        Self::FreeCreditsOutliveTheirPlan,
        Self::BonusKept,
        Self::DisputeOwesNothing,
    ];
}
