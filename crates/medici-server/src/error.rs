//! Every way a request can fail, and which failure of a use case is which.
//!
//! A [`Fault`] is dialect-free: the edge writes it as OpenAI's error object under `/v1` and as an RFC 9457
//! problem everywhere else. Whatever a stranger must not read is logged here, once, and said nowhere.

use std::error::Error;

use axum::response::{IntoResponse, Response};
use medici_ledger::{Credits, QuoteError, Refusal};
use medici_studio::{
    BlobError, CancelError, ChargeError, DeleteImageError, DeleteJobError, FailReason, GiveBackError, GrantError,
    KeepError, KeyReused, OpenAccountError, PlaceOrderError, PlanLimit, ReadImageError, RunCommandError, SetAlertError,
    StoreError, SubmitError,
};
use tracing::error;

use crate::{rate_limit::Limited, v1::profile::Family};

/// Why a request failed, with everything its message needs.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Something in the request is wrong; boxed, because it is the only large one.
    Input(Box<Input>),
    /// The body is longer than may be sent here.
    BodyTooLarge { bytes_max: usize },
    /// More events than are taken at a time.
    TooManyEvents { found: usize, max: usize },
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body is not of a type that is read here.
    UnsupportedMedia { message: &'static str },
    /// The Host header names somebody else.
    ForeignHost,
    /// There is no such route.
    NoRoute,
    /// The route exists, for other methods.
    MethodNotAllowed,
    /// No API key came with the request.
    NoKey,
    /// The API key is not one of ours, or was revoked. Holds what may be shown of it.
    BadKey { shown: String },
    /// The API key is good and may not do this.
    MissingScope { needed: &'static str },
    /// The browser is not signed in.
    NoSession,
    /// The request was made by a page of another site.
    ForeignOrigin,
    /// The link to an image was not made by this server.
    BadLink,
    /// The link to an image has expired.
    ExpiredLink,
    /// There is no such thing, or it is another's.
    NotFound { what: &'static str },
    /// What this request made was deleted by its owner.
    Deleted,
    /// There is no model of that name.
    UnknownModel { model: String },
    /// What is asked contradicts what is there.
    Conflict { code: &'static str, message: String },
    /// The idempotency key belongs to another request.
    KeyReused,
    /// An uploaded picture cannot be read.
    BadImage { message: String },
    /// What was asked for, or what was drawn, is not allowed here.
    Blocked {
        /// What it was taken for.
        categories: Vec<String>,
        /// Whether the caller speaks to one of the newer models, which say it in other words.
        newer: bool,
    },
    /// Too many requests, pictures or credits in a minute.
    RateLimited(Box<Limited>),
    /// Too few credits.
    OutOfCredits { needed: Credits, available: Credits },
    /// The account may not spend, whatever it has: a budget is used up, or it owes credits.
    Capped { code: &'static str, message: String },
    /// As many jobs of the account as its plan allows are open already.
    TooManyJobs { message: String },
    /// Too much waits already.
    Overloaded { message: String },
    /// The disk is full.
    StorageFull,
    /// The store is gone or failed.
    StoreUnavailable,
    /// The job was accepted and failed.
    JobFailed { reason: FailReason },
    /// The job was accepted and cancelled.
    JobCancelled,
    /// A defect, or a failure of the machine. What it was is in the log, under the request's id.
    Internal,
}

/// What is wrong with a request.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    /// The stable code; `None` where OpenAI's table has null.
    pub(crate) code: Option<&'static str>,
    /// The parameter that is wrong.
    pub(crate) param: Option<String>,
    /// What was expected and found. Never repeats a prompt.
    pub(crate) message: String,
}

impl Fault {
    /// Returns the fault of a wrong parameter.
    pub(crate) fn param(code: &'static str, param: &str, message: impl Into<String>) -> Self {
        Self::Input(Box::new(Input { code: Some(code), param: Some(param.to_owned()), message: message.into() }))
    }

    /// Returns the fault of a request that is wrong as a whole.
    pub(crate) fn request(code: &'static str, message: impl Into<String>) -> Self {
        Self::Input(Box::new(Input { code: Some(code), param: None, message: message.into() }))
    }

    /// Returns the fault in the words that clients of a family of models expect.
    pub(crate) fn for_family(self, family: Family) -> Self {
        match self {
            Self::Blocked { categories, .. } => Self::Blocked { categories, newer: family == Family::Gpt },
            // What was drawn was judged elsewhere: the log says what it was taken for.
            Self::JobFailed { reason: FailReason::Blocked } => {
                Self::Blocked { categories: Vec::new(), newer: family == Family::Gpt }
            }
            other => other,
        }
    }

    /// Logs what a stranger must not read, with its causes, and returns what they may.
    pub(crate) fn internal(what: &dyn Error) -> Self {
        log(what);
        Self::Internal
    }
}

/// Writes an error and its chain to the log, within the span of its request.
fn log(what: &dyn Error) {
    let mut causes = String::new();
    let mut source = what.source();
    while let Some(cause) = source {
        causes.push_str(": ");
        causes.push_str(&cause.to_string());
        source = cause.source();
    }
    error!("A request failed: {what}{causes}");
}

impl IntoResponse for Fault {
    /// Hands the fault to the edge, which writes it in the dialect of the request's path.
    fn into_response(self) -> Response {
        let mut response = Response::default();
        *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Fault {
    fn from(failure: StoreError) -> Self {
        match failure {
            StoreError::Full => Self::StorageFull,
            StoreError::Overloaded => Self::Overloaded { message: "The server is busy.".into() },
            StoreError::Unavailable(_) => {
                log(&failure);
                Self::StoreUnavailable
            }
        }
    }
}

impl From<KeepError> for Fault {
    fn from(failure: KeepError) -> Self {
        match failure {
            KeepError::Refused(refused) => refused.into(),
            KeepError::Blob(failure) => failure.into(),
        }
    }
}

impl From<BlobError> for Fault {
    fn from(failure: BlobError) -> Self {
        match failure {
            BlobError::Full => Self::StorageFull,
            BlobError::Failed(_) => Self::internal(&failure),
        }
    }
}

impl From<ReadImageError> for Fault {
    fn from(failure: ReadImageError) -> Self {
        match failure {
            ReadImageError::Missing(_) => Self::internal(&failure),
            ReadImageError::Store(failure) => failure.into(),
            ReadImageError::Blob(failure) => failure.into(),
        }
    }
}

impl From<KeyReused> for Fault {
    fn from(KeyReused: KeyReused) -> Self {
        Self::KeyReused
    }
}

impl From<QuoteError> for Fault {
    fn from(failure: QuoteError) -> Self {
        let message = sentence(&failure);
        match failure {
            QuoteError::NoPrice { .. } => Self::param("no_price", "operation", message),
            QuoteError::NothingAsked => Self::param("integer_below_min_value", "count", message),
            QuoteError::TooMany { .. } => Self::param("integer_above_max_value", "count", message),
            QuoteError::NoSize { .. } => Self::param("no_price", "size", message),
            QuoteError::NoMeter { .. } => Self::param("no_price", "meters", message),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = sentence(&refusal);
        match refusal {
            Refusal::InsufficientCredits { needed, available } => Self::OutOfCredits { needed, available },
            Refusal::NotOpen => Self::NotFound { what: "account" },
            Refusal::AlreadyOpen => Self::Conflict { code: refusal.code(), message },
            Refusal::UnknownPlan { .. } => Self::param(refusal.code(), "plan", message),
            Refusal::BadGrant(_) => Self::request(refusal.code(), message),
            // Holds end by themselves; lots, orders and budgets are ended by somebody.
            Refusal::TooManyOpen { what: "holds", .. } => Self::Overloaded { message },
            Refusal::TooManyOpen { .. } => Self::Conflict { code: refusal.code(), message },
            Refusal::Overflow
            | Refusal::BadOrder(_)
            | Refusal::AmountDiffers { .. }
            | Refusal::RefundTooMuch { .. }
            | Refusal::ReversalExists
            | Refusal::MoreThanCaptured { .. }
            | Refusal::BadWithdrawal { .. }
            | Refusal::PlanCosts
            | Refusal::CohortJoined
            | Refusal::NotSandbox => Self::Conflict { code: refusal.code(), message },
            Refusal::BudgetExceeded { .. } | Refusal::InDebt { .. } => Self::Capped { code: refusal.code(), message },
            Refusal::UnknownOrder => Self::NotFound { what: "order" },
            Refusal::UnknownCohort { .. } => Self::param(refusal.code(), "cohort", message),
            Refusal::WrongCode => Self::param(refusal.code(), "code", message),
            Refusal::ClockRange { .. } => Self::param(refusal.code(), "to", message),
            // Nothing a request can say leads here: the studio names holds and moves them.
            Refusal::HoldExists
            | Refusal::UnknownHold
            | Refusal::HoldExpired
            | Refusal::AlreadyCaptured { .. }
            | Refusal::AlreadyVoided { .. }
            | Refusal::HoldOpen
            | Refusal::AlreadyUncollected { .. }
            | Refusal::MoreThanHeld { .. }
            | Refusal::HoldTimeout { .. } => Self::internal(&refusal),
        }
    }
}

impl From<SubmitError> for Fault {
    fn from(failure: SubmitError) -> Self {
        match failure {
            SubmitError::BadSpec(message) => Self::request("invalid_value", sentence(&message)),
            SubmitError::Blocked { categories } => Self::Blocked { categories, newer: false },
            SubmitError::NotJudged => Self::Overloaded { message: sentence(&failure) },
            SubmitError::NoPrice(failure) => failure.into(),
            SubmitError::Refused(refusal) => refusal.into(),
            SubmitError::KeyReused(reused) => reused.into(),
            SubmitError::NoAccount => Self::NotFound { what: "account" },
            SubmitError::PlanLimit { ref limit, .. } => {
                let message = sentence(&failure);
                match limit {
                    PlanLimit::Images { .. } => Self::param("plan_limit", "n", message),
                    PlanLimit::Model { .. } => Self::param("plan_limit", "model", message),
                    PlanLimit::JobsOpen { .. } => Self::TooManyJobs { message },
                }
            }
            SubmitError::QueueFull { .. } | SubmitError::QueueTooLong { .. } => {
                Self::Overloaded { message: sentence(&failure) }
            }
            SubmitError::Store(failure) => failure.into(),
        }
    }
}

impl From<ChargeError> for Fault {
    fn from(failure: ChargeError) -> Self {
        match failure {
            ChargeError::NoPrice(failure) => failure.into(),
            ChargeError::Refused(refusal) => refusal.into(),
            ChargeError::KeyReused(reused) => reused.into(),
            ChargeError::NoAccount => Self::NotFound { what: "account" },
            ChargeError::Store(failure) => failure.into(),
        }
    }
}

impl From<GrantError> for Fault {
    fn from(failure: GrantError) -> Self {
        match failure {
            GrantError::Refused(refusal) => refusal.into(),
            GrantError::KeyReused(reused) => reused.into(),
            GrantError::NoAccount => Self::NotFound { what: "account" },
            GrantError::Store(failure) => failure.into(),
        }
    }
}

impl From<RunCommandError> for Fault {
    fn from(failure: RunCommandError) -> Self {
        match failure {
            RunCommandError::Refused(refusal) => refusal.into(),
            RunCommandError::KeyReused(reused) => reused.into(),
            RunCommandError::NoAccount => Self::NotFound { what: "account" },
            RunCommandError::Store(failure) => failure.into(),
        }
    }
}

impl From<PlaceOrderError> for Fault {
    fn from(failure: PlaceOrderError) -> Self {
        match failure {
            PlaceOrderError::UnknownPack { .. } => Self::param("unknown_pack", "pack", sentence(&failure)),
            PlaceOrderError::TaxCurrency { .. } => Self::param("invalid_value", "tax", sentence(&failure)),
            PlaceOrderError::Run(failure) => failure.into(),
        }
    }
}

impl From<GiveBackError> for Fault {
    fn from(failure: GiveBackError) -> Self {
        match failure {
            GiveBackError::NothingCaptured => Self::NotFound { what: "capture" },
            GiveBackError::Run(failure) => failure.into(),
        }
    }
}

impl From<OpenAccountError> for Fault {
    fn from(failure: OpenAccountError) -> Self {
        match failure {
            OpenAccountError::BadName => Self::param("invalid_value", "name", sentence(&failure)),
            OpenAccountError::NameTaken(_) => Self::Conflict { code: "name_taken", message: sentence(&failure) },
            OpenAccountError::UnknownCode => Self::param("wrong_code", "code", sentence(&failure)),
            OpenAccountError::Refused(refusal) => refusal.into(),
            OpenAccountError::Store(failure) => failure.into(),
        }
    }
}

impl From<SetAlertError> for Fault {
    fn from(failure: SetAlertError) -> Self {
        match failure {
            SetAlertError::NoAccount => Self::NotFound { what: "account" },
            SetAlertError::Refused(refusal) => refusal.into(),
            SetAlertError::Store(failure) => failure.into(),
        }
    }
}

impl From<CancelError> for Fault {
    fn from(failure: CancelError) -> Self {
        match failure {
            CancelError::NoJob => Self::NotFound { what: "job" },
            CancelError::Ended(_) => Self::Conflict { code: "job_ended", message: sentence(&failure) },
            CancelError::Store(failure) => failure.into(),
        }
    }
}

impl From<DeleteImageError> for Fault {
    fn from(failure: DeleteImageError) -> Self {
        match failure {
            DeleteImageError::NoImage => Self::NotFound { what: "image" },
            DeleteImageError::Store(failure) => failure.into(),
        }
    }
}

impl From<DeleteJobError> for Fault {
    fn from(failure: DeleteJobError) -> Self {
        match failure {
            DeleteJobError::NoJob => Self::NotFound { what: "job" },
            DeleteJobError::Open { .. } => Self::Conflict { code: "job_open", message: sentence(&failure) },
            DeleteJobError::Store(failure) => failure.into(),
        }
    }
}

/// Makes a sentence for a person out of an error's text.
pub(crate) fn sentence(text: &dyn std::fmt::Display) -> String {
    let text = text.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// What a person is told whose request was carried out, and whose pictures were deleted.
pub(crate) const DELETED: &str = "The pictures of this request were deleted. Nothing was drawn again, and no credit was \
     used. For new pictures use another Idempotency-Key.";

/// Returns what a person is told about a job that failed, with what became of its credits.
pub(crate) fn job_failed(reason: FailReason) -> &'static str {
    match reason {
        FailReason::Engine => "The pictures could not be drawn. No credit was used.",
        FailReason::BadSpec => "The engine cannot draw this request. No credit was used.",
        FailReason::WorkerLost => "The pictures could not be drawn: the worker was lost. No credit was used.",
        FailReason::HoldExpired => "The request waited too long and was not drawn. No credit was used.",
        FailReason::Storage => "The pictures could not be stored. No credit was used.",
        FailReason::Source => "The picture it starts from could not be read back. No credit was used.",
        FailReason::Blocked => "What was drawn is not allowed here. No credit was used.",
        FailReason::NotJudged => "The pictures could not be checked, so they are not shown. No credit was used.",
    }
}
