//! Jobs and images: what is queued, who works on it, how it ended, what came out.

use medici_ledger::{AccountId, Credits, HoldId, KeyId, Operation, Quote, Spender, Timestamp, Usage};

use crate::{
    blob::BlobHash,
    engine::{Drawing, Size, Spec},
    ids::{ApiKeyId, ImageId, JobId},
    moderation::Zeal,
    picture_file::{FileFormat, Output},
    source::Source,
};

/// The most often one job is tried before it fails for good.
pub const ATTEMPTS_MAX: u32 = 2;

/// Queued work, the hold that pays for it, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name; ids of later jobs are larger.
    pub id: JobId,
    /// Who asked and pays.
    pub account: AccountId,
    /// The API key it was asked with; `None` from the web app.
    pub api_key: Option<ApiKeyId>,
    /// What the price book calls it.
    pub operation: Operation,
    /// The model name the caller used, e.g. `dall-e-2`.
    pub model: String,
    /// What to draw.
    pub spec: Spec,
    /// The pictures that it starts from.
    pub source: Source,
    /// As which files its images are kept.
    pub output: Output,
    /// Whether the files say the words they were drawn from: their owner's choice, for a file goes round.
    pub keep_prompt: bool,
    /// How strictly its pictures are judged.
    pub zeal: Zeal,
    /// The quality that was asked for, by which there may be a price.
    pub quality: Option<String>,
    /// The price, fixed when it was asked.
    pub quote: Quote,
    /// The credits set aside for it.
    pub hold: HoldId,
    /// What the caller should know about how the engine understood the prompt.
    pub notice: Option<String>,
    /// Whether its caller waits on the connection and has no key to come back with: it ends with the process.
    pub attended: bool,
    /// Where it stands.
    pub state: JobState,
    /// How often a worker has claimed it.
    pub attempts: u32,
    /// When it was asked.
    pub created_at: Timestamp,
    /// When its owner deleted it, if they did: its words are erased, its images are gone, and no list shows it.
    pub deleted_at: Option<Timestamp>,
}

impl Job {
    /// Erases what its owner wrote and what was said about it. What it cost, and the hold that the journal tells of,
    /// stay.
    pub(crate) fn erase(&mut self, now: Timestamp) {
        self.spec.prompt = String::new();
        self.spec.readings = Vec::new();
        self.source = Source::Words;
        self.notice = None;
        self.deleted_at = Some(now);
    }

    /// Returns whose budgets bound it, from its first hold to its last.
    pub fn spender(&self) -> Spender {
        spender(self.api_key)
    }

    /// Returns what it asked to be priced.
    pub fn usage(&self) -> Usage {
        let quality = self.quality.as_deref().map(Into::into);
        Usage { quality, ..self.spec.usage(self.operation.clone(), &self.model) }
    }

    /// Returns how it is drawn.
    pub fn drawing(&self) -> Drawing {
        drawing(&self.operation)
    }
}

/// Returns how an operation is drawn.
pub(crate) fn drawing(operation: &Operation) -> Drawing {
    match operation {
        Operation::Edit => Drawing::Edit,
        Operation::Vary => Drawing::Vary,
        Operation::Generate | Operation::Named(_) => Drawing::Generate,
    }
}

/// Returns who spends with an API key; nobody in particular on the web page.
pub(crate) fn spender(api_key: Option<ApiKeyId>) -> Spender {
    // People have no names of their own here yet: only other services know which of them asks.
    Spender { member: None, key: api_key.map(|key| KeyId::from_u128(key.as_u128())) }
}

/// Where a job stands. The last four never change again.
#[derive(Clone, Debug, PartialEq)]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker draws it.
    Running(Lease),
    /// Its images can be fetched.
    Done {
        /// What it cost.
        outcome: Outcome,
        /// When its images became visible.
        finished_at: Timestamp,
    },
    /// Nothing was drawn and nothing was charged.
    Failed {
        /// Why.
        reason: FailReason,
        /// When.
        finished_at: Timestamp,
    },
    /// Its owner stopped it before the images were durable; nothing was charged.
    Cancelled {
        /// When.
        finished_at: Timestamp,
    },
}

impl JobState {
    /// Every word that [`JobState::name`] returns.
    pub const NAMES: [&'static str; 5] = ["queued", "running", "done", "failed", "cancelled"];

    /// Returns whether the job can still change.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Queued | Self::Running(_))
    }

    /// Returns the state's word in the API, the tables and the pages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running(_) => "running",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Cancelled { .. } => "cancelled",
        }
    }
}

/// A worker's timed claim on a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Lease {
    /// Whose claim it is.
    pub worker: String,
    /// Grows with every claim of this job; a result that carries an older one is refused.
    pub token: u64,
    /// When the claim began.
    pub started_at: Timestamp,
    /// When it ends unless a heartbeat extends it.
    pub expires_at: Timestamp,
}

/// What a finished job cost.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Its hold was captured.
    Charged {
        /// How much of it.
        amount: Credits,
    },
    /// Fewer images than asked for: they are kept and the hold was voided.
    Free,
    /// The hold had run out and could not be placed again: the images are delivered at the operator's cost.
    Uncollected {
        /// What it would have cost.
        amount: Credits,
    },
}

/// Why a job failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailReason {
    /// The engine could not draw it.
    Engine,
    /// The engine found the spec impossible to draw.
    BadSpec,
    /// Workers were lost on every attempt.
    WorkerLost,
    /// Its hold ran out while it waited.
    HoldExpired,
    /// The images could not be stored.
    Storage,
    /// The pictures that it starts from could not be read back.
    Source,
    /// A picture came out that is not allowed.
    Blocked,
    /// Whether a picture is allowed could not be found out.
    NotJudged,
}

impl FailReason {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::Engine,
        Self::BadSpec,
        Self::WorkerLost,
        Self::HoldExpired,
        Self::Storage,
        Self::Source,
        Self::Blocked,
        Self::NotJudged,
    ];

    /// Returns the reason's word in the API, the tables and the pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine_failed",
            Self::BadSpec => "bad_spec",
            Self::WorkerLost => "worker_lost",
            Self::HoldExpired => "hold_expired",
            Self::Storage => "storage_failed",
            Self::Source => "source_lost",
            Self::Blocked => "blocked",
            Self::NotJudged => "not_judged",
        }
    }
}

/// One stored output of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// Its name.
    pub id: ImageId,
    /// The job it came from.
    pub job: JobId,
    /// Whose it is.
    pub account: AccountId,
    /// Which of the job's pictures, from 0.
    pub index: u32,
    /// Where its file is.
    pub blob: BlobHash,
    /// The file's length in bytes.
    pub blob_bytes: u64,
    /// What kind of file it is.
    pub format: FileFormat,
    /// Pixels across and down.
    pub size: Size,
    /// The engine's compact form, for exact variations and edits.
    pub latent: Vec<u8>,
    /// How the engine read the prompt for this image, where it differs from the prompt.
    pub reading: Option<String>,
    /// When it became visible.
    pub created_at: Timestamp,
}

/// What a store knows by an image's name.
#[derive(Clone, Debug, PartialEq)]
pub enum KnownImage {
    /// It is there.
    Stored(Image),
    /// It was there.
    Deleted(DeletedImage),
}

/// What is left of an image that its owner deleted: enough to answer a repeat, and to count a job's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeletedImage {
    /// Its name.
    pub id: ImageId,
    /// The job it came from.
    pub job: JobId,
    /// Whose it was.
    pub account: AccountId,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}
