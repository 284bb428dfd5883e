//! A whole studio in memory, with a clock, an engine and blobs that wait when they are told to.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use medici_engine::{PictureFiles, Script, TestPattern};
use medici_ledger::{
    AccountId, Class, Entry, Operation, PlanName, Source,
    idempotency::{Endpoint, Fingerprint, Keep, KeyScope},
    verify::Replay,
};
use medici_store::{Memory, MemoryBlobs};
use medici_studio::engine::{
    Background, Capabilities, Control, Engine, EngineError, Estimate, Given, Picture, Size, Spec, Understanding,
};
use medici_studio::{
    ApiKeyId, BlobError, BlobHash, BlobStore, Charge, Finished, Grant, Hub, JobId, KeyUse, Limits, Naming, Output,
    Running, StoredBlob, Studio, Submit, SubmitError, Ticket, Worker, prices,
};
use medici_studio::{
    moderation::{Moderator, NotJudged, Verdict, Zeal},
    readings::Planner,
};
use medici_testkit::{ManualClock, SeededIds};
use tokio::task::JoinHandle;

/// The longest a test waits for something that must happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) studio: Arc<Studio>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Arc<Gated>,
    pub(crate) blobs: Arc<HangingBlobs>,
    pub(crate) moderator: Arc<Doorkeeper>,
    pub(crate) planner: Arc<Reader>,
    pub(crate) account: AccountId,
    ids: Arc<SeededIds>,
    memory: Arc<Memory>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at("2026-11-22T16:00:00Z".parse().unwrap()));
        let book = Arc::new(prices::parse(prices::DEFAULT).unwrap());
        let memory = Memory::new(clock.clone(), book);
        let blobs = Arc::new(HangingBlobs::new(clock.clone()));
        let ids = Arc::new(SeededIds::new(1));
        let (moderator, planner) = Default::default();
        let mut world = Self::on(memory, clock, blobs, (moderator, planner), ids, AccountId::from_u128(0));
        world.account = world.studio.open_account("mine", free()).await.unwrap().id;
        world
    }

    fn on(
        memory: Memory,
        clock: Arc<ManualClock>,
        blobs: Arc<HangingBlobs>,
        (moderator, planner): (Arc<Doorkeeper>, Arc<Reader>),
        ids: Arc<SeededIds>,
        account: AccountId,
    ) -> Self {
        let memory = Arc::new(memory);
        let engine = Arc::new(Gated::default());
        let studio = Arc::new(Studio {
            store: memory.clone(),
            blobs: blobs.clone(),
            engine: engine.clone(),
            encoder: Arc::new(PictureFiles),
            decoder: Arc::new(PictureFiles),
            moderator: moderator.clone(),
            planner: planner.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            limits: Limits::for_tests(),
            progress: Hub::default(),
            running: Arc::new(Running::default()),
            naming: Naming::default(),
        });
        Self { studio, clock, engine, blobs, moderator, planner, account, ids, memory }
    }

    /// Loses everything that is only in memory, and starts anew on the rows.
    pub(crate) async fn crash(self) -> Self {
        let Self { studio, clock, engine, blobs, moderator, planner, account, ids, mut memory } = self;
        engine.open();
        drop(studio);
        // A worker that was aborted lets go of the store as soon as its engine has returned.
        let memory = loop {
            match Arc::try_unwrap(memory) {
                Ok(memory) => break memory,
                Err(shared) => memory = shared,
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        };
        Self::on(memory.reopen(), clock, blobs, (moderator, planner), ids, account)
    }

    pub(crate) fn store(&self) -> &Memory {
        &self.memory
    }

    pub(crate) fn worker(&self) -> Worker {
        Worker::new(self.studio.clone(), "embedded")
    }

    pub(crate) async fn submit(&self, prompt: &str, key: &str) -> Result<Ticket, SubmitError> {
        self.submit_for(self.account, prompt, key).await
    }

    pub(crate) async fn submit_for(&self, account: AccountId, prompt: &str, key: &str) -> Result<Ticket, SubmitError> {
        self.submit_as(account, None, prompt, key).await
    }

    /// Submits with an API key of the account's.
    pub(crate) async fn submit_with(
        &self,
        api_key: Option<ApiKeyId>,
        prompt: &str,
        key: &str,
    ) -> Result<Ticket, SubmitError> {
        self.submit_as(self.account, api_key, prompt, key).await
    }

    async fn submit_as(
        &self,
        account: AccountId,
        api_key: Option<ApiKeyId>,
        prompt: &str,
        key: &str,
    ) -> Result<Ticket, SubmitError> {
        let request = Submit { api_key, ..self.request(account, prompt, key) };
        self.studio.submit(request).await
    }

    /// Returns a request for four pictures from the web app.
    pub(crate) fn request(&self, account: AccountId, prompt: &str, key: &str) -> Submit {
        Submit {
            account,
            api_key: None,
            operation: Operation::Generate,
            model: "dall-e-2".into(),
            spec: Spec {
                prompt: prompt.into(),
                count: 4,
                size: Size::square(256),
                seed: 7,
                background: Background::Auto,
                steps: None,
                previews: 4,
                readings: Vec::new(),
            },
            source: Default::default(),
            quality: None,
            output: Output::default(),
            keep_prompt: false,
            zeal: Zeal::Auto,
            readings: false,
            key: Some(key_use(account, "/v1/images/generations", key, prompt)),
            attended: false,
        }
    }

    pub(crate) async fn charge_all(&self, key: &str) {
        let available = self.available().await.parse().unwrap();
        for n in 0..available {
            let key = key_use(self.account, "/api/charges", &format!("{key}-{n}"), "vary");
            let spender = medici_ledger::Spender::NOBODY;
            let charge = Charge { account: self.account, operation: Operation::Vary, count: 1, spender, key };
            self.studio.charge(charge).await.unwrap();
        }
    }

    pub(crate) async fn grant(&self, credits: &str, key: &str) {
        let grant = Grant {
            account: self.account,
            credits: credits.parse().unwrap(),
            class: Class::Promo,
            cost: None,
            expires_at: None,
            source: Source::Bonus,
            key: key_use(self.account, "/api/grants", key, credits),
        };
        self.studio.grant(grant).await.unwrap();
    }

    /// Runs a worker until the job has ended.
    pub(crate) async fn work_until_ended(&self, job: JobId) -> Finished {
        self.engine.open();
        let worker = self.worker();
        tokio::select! {
            () = worker.run() => unreachable!("nobody told it to drain"),
            finished = self.studio.finished(job) => finished.unwrap().unwrap(),
            () = tokio::time::sleep(PATIENCE) => panic!("{job} did not end"),
        }
    }

    /// Runs a worker until its engine waits at the gate, which it closes first.
    pub(crate) async fn work_until_drawing(&self) -> JoinHandle<()> {
        self.engine.close();
        let before = self.engine.runs();
        self.work_until(|world| world.engine.runs() > before).await
    }

    /// Runs a worker until something is true, and leaves it running.
    pub(crate) async fn work_until(&self, reached: impl Fn(&Self) -> bool) -> JoinHandle<()> {
        let worker = self.worker();
        let running = tokio::spawn(async move { worker.run().await });
        let waiting = async {
            while !reached(self) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the worker gets there");
        running
    }

    pub(crate) async fn available(&self) -> String {
        self.studio.balances(self.account).unwrap().available.to_string()
    }

    /// The account's entries, newest first.
    pub(crate) async fn entries(&self) -> Vec<Entry> {
        self.studio.entries(self.account, None, 1000).await.unwrap().entries
    }

    /// What happened to the account, oldest first.
    pub(crate) async fn facts(&self) -> Vec<String> {
        // Extensions come with every claim, and say nothing about credits.
        let names = self.entries().await.into_iter().rev().map(|entry| entry.fact.name().to_owned());
        names.filter(|name| name != "extended").collect()
    }

    pub(crate) async fn count_of(&self, fact: &str) -> usize {
        self.facts().await.iter().filter(|name| *name == fact).count()
    }

    /// Replays every entry, and holds the result against the wallet and the images against their files.
    pub(crate) async fn audit(&self) {
        let mut replay = Replay::new();
        for entry in self.entries().await.iter().rev() {
            replay.feed(entry).unwrap();
        }
        let wallet = self.studio.store.wallet(self.account).unwrap();
        wallet.check().unwrap();
        assert_eq!(replay.wallet(self.account), Some(&wallet));
        for job in self.studio.history(self.account, None, 1000).await.unwrap() {
            for image in job.images {
                let bytes = self.studio.image_file(&image).await.unwrap().unwrap();
                assert_eq!(BlobHash::of(&bytes), image.blob);
            }
        }
    }
}

pub(crate) fn free() -> PlanName {
    "free".parse().unwrap()
}

pub(crate) fn key_use(account: AccountId, endpoint: &str, key: &str, request: &str) -> KeyUse {
    KeyUse {
        scope: KeyScope { account, endpoint: Endpoint(endpoint.into()), key: key.into() },
        fingerprint: Fingerprint::of([request.as_bytes()]),
        keep: Keep::Day,
    }
}

/// The test pattern behind a gate: while it is closed, a run waits there.
pub(crate) struct Gated {
    pattern: TestPattern,
    closed: AtomicBool,
    runs: AtomicUsize,
}

impl Default for Gated {
    fn default() -> Self {
        Self { pattern: TestPattern::new(Script::default()), closed: AtomicBool::new(false), runs: AtomicUsize::new(0) }
    }
}

impl Gated {
    pub(crate) fn open(&self) {
        self.closed.store(false, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    pub(crate) fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Engine for Gated {
    fn model(&self) -> &str {
        self.pattern.model()
    }
    fn capabilities(&self) -> Capabilities {
        self.pattern.capabilities()
    }
    fn estimate(&self, _: &Spec) -> Estimate {
        Estimate { render_ms: 1, memory_bytes: 0 }
    }
    fn understanding(&self, prompt: &str) -> Understanding {
        self.pattern.understanding(prompt)
    }
    fn run(&self, spec: &Spec, given: &Given, control: &dyn Control) -> Result<Vec<Picture>, EngineError> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        while self.closed.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.pattern.run(spec, given, control)
    }
}

/// Blobs in memory that never answer after a number of files, or before one is removed, as a process that dies there;
/// or that are slow to remove one.
pub(crate) struct HangingBlobs {
    blobs: MemoryBlobs,
    stored: AtomicUsize,
    hang_after: Mutex<Option<usize>>,
    removal: Mutex<Removal>,
    removals: AtomicUsize,
    stored_at_removal: AtomicUsize,
}

/// What becomes of a removal.
#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Removal {
    #[default]
    Done,
    /// It waits until it is done.
    Waits,
    /// It never ends.
    Hangs,
}

impl HangingBlobs {
    fn new(clock: Arc<ManualClock>) -> Self {
        Self {
            blobs: MemoryBlobs::new(clock),
            stored: AtomicUsize::new(0),
            hang_after: Mutex::default(),
            removal: Mutex::default(),
            removals: AtomicUsize::new(0),
            stored_at_removal: AtomicUsize::new(0),
        }
    }

    pub(crate) fn set_removal(&self, removal: Removal) {
        *self.removal.lock().unwrap_or_else(PoisonError::into_inner) = removal;
    }

    fn removal(&self) -> Removal {
        *self.removal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many files had been stored when the last removal ended.
    pub(crate) fn stored_at_removal(&self) -> usize {
        self.stored_at_removal.load(Ordering::SeqCst)
    }

    /// How many removals have begun.
    pub(crate) fn removals(&self) -> usize {
        self.removals.load(Ordering::SeqCst)
    }

    pub(crate) fn hang_after(&self, files: usize) {
        *self.hang_after.lock().unwrap_or_else(PoisonError::into_inner) = Some(files);
    }

    pub(crate) fn stored(&self) -> usize {
        self.stored.load(Ordering::SeqCst)
    }
}

#[async_trait::async_trait]
impl BlobStore for HangingBlobs {
    async fn put(&self, bytes: Vec<u8>) -> Result<BlobHash, BlobError> {
        let hash = self.blobs.put(bytes).await?;
        let stored = self.stored.fetch_add(1, Ordering::SeqCst) + 1;
        let limit = *self.hang_after.lock().unwrap_or_else(PoisonError::into_inner);
        if limit.is_some_and(|limit| stored >= limit) {
            std::future::pending::<()>().await;
        }
        Ok(hash)
    }

    async fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
        self.blobs.get(hash).await
    }

    async fn remove(&self, hash: BlobHash) -> Result<(), BlobError> {
        self.removals.fetch_add(1, Ordering::SeqCst);
        if self.removal() == Removal::Hangs {
            std::future::pending::<()>().await;
        }
        while self.removal() == Removal::Waits {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.blobs.remove(hash).await?;
        self.stored_at_removal.store(self.stored(), Ordering::SeqCst);
        Ok(())
    }

    async fn shelf(&self, first: u8) -> Result<Vec<StoredBlob>, BlobError> {
        self.blobs.shelf(first).await
    }
}

/// A moderator that blocks the word `forbidden`, and what else it is told to.
#[derive(Default)]
pub(crate) struct Doorkeeper {
    asked: AtomicUsize,
    seen: AtomicUsize,
    /// Whether every word is blocked.
    pub(crate) closed: AtomicBool,
    /// What it says of pictures, the first one first; of the others nothing. `None` looks at none.
    pictures: Mutex<Option<Vec<Look>>>,
}

/// What the doorkeeper does with a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Look {
    Pass,
    Block,
    /// Blocks unless there is little zeal.
    Doubt,
    Fail,
    /// Never answers, as a process that dies there.
    Hang,
}

impl Doorkeeper {
    /// How often it was asked for words.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// How many pictures it was shown.
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    pub(crate) fn look_at_pictures(&self, looks: &[Look]) {
        *self.pictures.lock().unwrap_or_else(PoisonError::into_inner) = Some(looks.to_vec());
    }

    fn blocked(category: &str) -> Verdict {
        Verdict::Blocked { categories: vec![category.to_owned()] }
    }
}

#[async_trait::async_trait]
impl Moderator for Doorkeeper {
    async fn words(&self, words: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        if words.contains("unheard of") {
            return Err(NotJudged("nobody knows".into()));
        }
        let strict = words.contains("dubious") && zeal == Zeal::Auto;
        let blocked = words.contains("forbidden") || strict || self.closed.load(Ordering::SeqCst);
        Ok(if blocked { Self::blocked("violence") } else { Verdict::Clear })
    }

    async fn picture(&self, file: &[u8], media_type: &str, zeal: Zeal) -> Result<Verdict, NotJudged> {
        assert!(file.starts_with(b"\x89PNG") && media_type == "image/png", "it sees the file that would be stored");
        let look = {
            let mut pictures = self.pictures.lock().unwrap_or_else(PoisonError::into_inner);
            let looks = pictures.as_mut().expect("it is asked only if it judges pictures");
            if looks.is_empty() { Look::Pass } else { looks.remove(0) }
        };
        self.seen.fetch_add(1, Ordering::SeqCst);
        match look {
            Look::Pass => Ok(Verdict::Clear),
            Look::Doubt if zeal == Zeal::Low => Ok(Verdict::Clear),
            Look::Doubt => Ok(Self::blocked("violence")),
            Look::Block => Ok(Self::blocked("violence")),
            Look::Fail => Err(NotJudged("nobody knows".into())),
            Look::Hang => std::future::pending().await,
        }
    }

    fn judges_pictures(&self) -> bool {
        self.pictures.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

/// A planner that reads every prompt as it is told to.
#[derive(Default)]
pub(crate) struct Reader(Mutex<Option<Vec<String>>>);

impl Reader {
    /// Makes it give these readings, whatever is asked for.
    pub(crate) fn say(&self, readings: &[&str]) {
        let readings = readings.iter().map(ToString::to_string).collect();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(readings);
    }
}

#[async_trait::async_trait]
impl Planner for Reader {
    async fn readings(&self, prompt: &str, count: u32, seed: u64) -> Vec<String> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        told.unwrap_or_else(|| (0..count).map(|at| format!("{prompt}, look {at} of {seed}")).collect())
    }
}
