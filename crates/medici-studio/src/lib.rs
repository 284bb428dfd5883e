//! The use cases of Medici, and the ports they stand on.
//!
//! Owns: what happens between a request and its answer (submit, draw, finish, cancel, charge, grant), the
//! rules for crashes between any two of those steps, and the traits its adapters implement.
//! Never does: SQL, HTTP, files, clocks, randomness; those come in through the ports.
//!
//! Invariants:
//! - Hold, job and idempotency record are one unit of work: nobody holds credits for a job that does not exist.
//! - Images are durable before a hold is captured: nobody pays for an image they cannot fetch.
//! - Every decision is pure and repeatable; what it may look at is named before it runs.

pub mod account;
pub mod api_key;
pub mod blob;
pub mod clock;
pub mod engine;
pub mod ids;
pub mod job;
pub mod meter;
pub mod moderation;
pub mod picture_file;
pub mod prices;
pub mod progress;
pub mod readings;
pub mod store;
pub mod studio;
pub mod unit;

mod alert;
mod charge;
mod delete;
mod document;
mod early_look;
mod find_jobs;
mod give_back;
mod grant;
mod judge;
mod naming;
mod open_account;
mod place_order;
mod publish_prices;
mod record_usage;
mod run_command;
mod run_job;
mod set_clock;
mod source;
mod submit;
mod sweep;
mod sweep_blobs;
mod worker;

pub use account::{Account, ApiKey, KeyOwner};
pub use alert::SetAlertError;
pub use api_key::Secret;
pub use blob::{BlobError, BlobHash, BlobStore, StoredBlob};
pub use charge::{Charge, ChargeError, Receipt};
pub use clock::{Clock, Ids};
pub use delete::{DeleteImageError, DeleteJobError};
pub use document::{Document, DocumentLine};
pub use find_jobs::{JOBS_LOOKED_AT_MAX, JobFilter, JobPage, WORDS_CHARS_MAX, WORDS_MAX, Words, WordsError};
pub use give_back::{Captured, GiveBack, GiveBackError};
pub use grant::{Grant, GrantError};
pub use ids::{ApiKeyId, BadId, ImageId, JobId};
pub use job::{ATTEMPTS_MAX, DeletedImage, FailReason, Image, Job, JobState, KnownImage, Lease, Outcome};
pub use meter::{EventFingerprint, EventKey, EventRecord};
pub use naming::{NamesSoon, Naming};
pub use open_account::{NewAccount, OpenAccountError};
pub use picture_file::{
    Decoder, Encoder, FileFormat, Output, Probe, Provenance, Upload, UploadError, UploadFormat, UploadLimits,
};
pub use place_order::{PlaceOrder, PlaceOrderError, Tax, Wanted};
pub use progress::{Hub, Preview, Progress};
pub use publish_prices::{NewPrices, PublishError, Published, PublishedVersion, REASON_CHARS_MAX};
pub use record_usage::{EventOutcome, EventRefused, Usages};
pub use run_command::{Done, RunCommandError};
pub use run_job::{CancelError, StaleLease};
pub use set_clock::{ClockMove, Span, SpanError};
pub use source::{EditError, KeepError, Known, Source};
pub use store::{Candidate, Counters, EntryPage, Health, JournalPage, LowBalance, Store, StoreError};
pub use studio::{Finished, Limits, ReadImageError, Studio};
pub use submit::{PlanLimit, Submit, SubmitError, Ticket};
pub use sweep_blobs::SweepBlobsError;
pub use unit::{
    Answer, Changes, Decide, EventReused, Kept, KeyRecord, KeyReused, KeyUse, Loaded, Touches, Unit, UnitOfWork,
    WalletChange, decide, decide_all,
};
pub use worker::{Running, Worker};
