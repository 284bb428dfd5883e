//! The choice of every adapter, and the studio made of them.

use std::{borrow::Cow, path::Path, sync::Arc};

use anyhow::{Context, Result};
use medici_engine::{PictureFiles, Pocket, TestPattern};
use medici_ledger::{PlanName, PriceBook};
use medici_store::{DirectoryError, DiskBlobs, Embedded, OpenError, Options};
use medici_studio::{
    Account, ApiKey, Clock, Encoder, KeyOwner, Secret, Studio,
    engine::Engine,
    moderation::{FailOpen, InTurn, Moderator, RuleList},
    prices,
    readings::{Planner, Senses},
};

use crate::{
    books,
    config::{Config, EngineKind, ModerationConfig, Switch},
    data_dir::DataDir,
    machine::{RandomIds, SystemClock, random},
    moderation::OpenAiModeration,
    readings::ChatPlanner,
};

/// What this machine's own administration key is called in lists.
const ADMIN_LABEL: &str = "commands on this machine";

/// Loads an engine.
pub(crate) fn engine(kind: EngineKind) -> Result<Arc<dyn Engine>> {
    Ok(match kind {
        EngineKind::Pocket => Arc::new(Pocket::load()?),
        EngineKind::TestPattern => Arc::new(TestPattern::default()),
    })
}

/// Returns what turns pixels into files.
pub(crate) fn encoder() -> Arc<dyn Encoder> {
    Arc::new(PictureFiles)
}

/// Reads the rules of what may be drawn: the configured file, or the built-in ones.
pub(crate) fn rules(config: &Config) -> Result<RuleList> {
    let file = &config.moderation.rules;
    if file.as_os_str().is_empty() {
        return Ok(RuleList::built_in());
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    RuleList::parse(&text).with_context(|| format!("the rules {} are refused", file.display()))
}

/// Returns what judges words and pictures: the rules first, since they cost nothing, then the service if there is one.
pub(crate) fn moderator(config: &Config) -> Result<Arc<dyn Moderator>> {
    let rules: Arc<dyn Moderator> = Arc::new(rules(config)?);
    let ModerationConfig { model, pictures, categories, categories_low, fail_open, .. } = &config.moderation;
    let Some(outside) = config.moderation.outside()? else { return Ok(rules) };
    let service: Arc<dyn Moderator> = Arc::new(OpenAiModeration {
        outside,
        model: model.clone(),
        pictures: *pictures == Switch::On,
        categories: (!categories.is_empty()).then(|| categories.iter().cloned().collect()),
        categories_low: categories_low.iter().cloned().collect(),
    });
    let service = if *fail_open == Switch::On { Arc::new(FailOpen(service)) } else { service };
    Ok(Arc::new(InTurn(vec![rules, service])))
}

/// Returns what finds several readings of a prompt.
fn planner(config: &Config) -> Result<Arc<dyn Planner>> {
    let table = Senses::built_in();
    Ok(match config.readings.outside()? {
        Some(outside) => Arc::new(ChatPlanner { outside, model: config.readings.model.clone(), table }),
        None => Arc::new(table),
    })
}

/// The price book that a store begins with, and whose new versions it takes at every start.
pub(crate) struct PriceFile {
    text: Cow<'static, str>,
    /// Whether it is the operator's own file, not the built-in one.
    own: bool,
    book: PriceBook,
}

impl PriceFile {
    /// Reads the configured file, or the built-in book.
    pub(crate) fn read(config: &Config) -> Result<Self> {
        let own = !config.prices.as_os_str().is_empty();
        if !own {
            let book = prices::parse(prices::DEFAULT).context("the built-in price book is refused")?;
            return Ok(Self { text: prices::DEFAULT.into(), own, book });
        }
        let file = config.prices.display();
        let text = std::fs::read_to_string(&config.prices).with_context(|| format!("cannot read {file}"))?;
        let book = prices::parse(&text).with_context(|| format!("the price book {file} is refused"))?;
        Ok(Self { text: text.into(), own, book })
    }
}

/// Returns the price book in force, for reading: the store's, or the file's where there is no store with one yet.
pub(crate) fn price_book(config: &Config) -> Result<Arc<PriceBook>> {
    let published = match config.data.must_exist() {
        Ok(()) => books::open(config)?.price_versions()?,
        Err(_) => Vec::new(),
    };
    if published.is_empty() {
        Ok(Arc::new(PriceFile::read(config)?.book))
    } else {
        Ok(Arc::new(prices::published(&published)?))
    }
}

/// Opens the files of images in a directory.
pub(crate) fn blobs(directory: &Path) -> Result<DiskBlobs> {
    DiskBlobs::open(directory).with_context(|| format!("cannot use {}", directory.display()))
}

/// What came of opening the data directory's store.
pub(crate) enum Opening {
    /// Here it is.
    Open(Box<Studio>),
    /// Another process, usually a server, has it open. The message says which.
    Locked(anyhow::Error),
}

/// Opens the studio of the data directory, which is made if it is not there.
pub(crate) async fn open(config: &Config, engine: Arc<dyn Engine>) -> Result<Opening> {
    config.data.create()?;
    let file = PriceFile::read(config)?;
    let (moderator, planner) = (moderator(config)?, planner(config)?);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    // The store keeps the key of its first start; these bytes are drawn for that one.
    let options = Options::new(&random());
    let store = match Embedded::open(config.data.path(), clock.clone(), Arc::new(file.book), &options) {
        Ok(store) => store,
        Err(error @ OpenError::Directory(DirectoryError::InUse { .. })) => return Ok(Opening::Locked(error.into())),
        Err(error) => return Err(error).context("cannot open the store"),
    };
    // After the lock is taken: opening sweeps what another process may just be writing.
    let blobs = blobs(config.data.path())?;
    let studio = Studio {
        store: Arc::new(store),
        blobs: Arc::new(blobs),
        engine,
        encoder: encoder(),
        decoder: Arc::new(PictureFiles),
        moderator,
        planner,
        clock,
        ids: Arc::new(RandomIds),
        limits: config.limits(),
        progress: Default::default(),
        running: Default::default(),
        naming: Default::default(),
    };
    let adopted = studio.adopt_prices(&file.text, file.own).await;
    for warning in adopted.context("the price book cannot be used")?.warnings {
        tracing::warn!("The price book: {warning}");
    }
    Ok(Opening::Open(Box::new(studio)))
}

/// Returns the account of whoever starts the server; opens it at the first start.
pub(crate) async fn owner(studio: &Studio, config: &Config) -> Result<Account> {
    if let Some(account) = studio.find_account(&config.owner).await? {
        return Ok(account);
    }
    let plan: PlanName = config.owner_plan.parse().context("owner_plan")?;
    studio.open_account(&config.owner, plan).await.context("cannot open the owner's account")
}

/// Returns the administration key of commands on this machine; makes one where there is none that works.
///
/// It lies beside the store, readable by the same person: who can read it can read and change the store itself.
pub(crate) async fn admin_key(studio: &Studio, data: &DataDir) -> Result<String> {
    if let Some(text) = data.admin_key()?
        && works(studio, &text).await?
    {
        return Ok(text);
    }
    let (_, secret): (ApiKey, Secret) = studio.create_api_key(KeyOwner::Admin, ADMIN_LABEL).await?;
    data.keep_admin_key(secret.expose())?;
    Ok(secret.expose().to_owned())
}

/// Returns whether the operator has an administration key, besides the one of commands on this machine.
pub(crate) async fn has_operator_key(studio: &Studio) -> Result<bool> {
    let keys = studio.store.api_keys(None).await?;
    Ok(keys.iter().any(|key| key.owner == KeyOwner::Admin && key.label != ADMIN_LABEL))
}

async fn works(studio: &Studio, text: &str) -> Result<bool> {
    let Some(secret) = Secret::parse(text) else { return Ok(false) };
    let key = studio.store.api_key(secret.lookup()).await?;
    Ok(key.is_some_and(|key| key.secret_hash == secret.hash() && key.revoked_at.is_none()))
}
