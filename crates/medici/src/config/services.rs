//! What is configured of moderation and readings, and of the services of others that may be asked for them.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::{Hidden, Switch};
use crate::outside::{Address, Outside};

/// The longest that a service may be waited for.
const TIMEOUT_MS_MAX: u64 = 60_000;

/// What may be drawn.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModerationConfig {
    /// The file of rules; empty for those that Medici comes with.
    pub(crate) rules: PathBuf,
    /// The OpenAI-compatible API that is asked as well, such as `https://api.openai.com/v1`; empty for none.
    pub(crate) endpoint: String,
    /// The model that is asked for.
    pub(crate) model: String,
    /// The key of the API.
    pub(crate) key: Hidden,
    /// The file that the key is in.
    pub(crate) key_file: PathBuf,
    /// How long an answer may take, in milliseconds.
    pub(crate) timeout_ms: u64,
    /// Whether what the API could not judge is drawn.
    pub(crate) fail_open: Switch,
    /// Whether finished pictures are judged by it too.
    pub(crate) pictures: Switch,
    /// Its categories that count; empty for all.
    pub(crate) categories: Vec<String>,
    /// Those that count for a request with `moderation: low`.
    pub(crate) categories_low: Vec<String>,
}

/// How short prompts are read in several ways.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingsConfig {
    /// The OpenAI-compatible API that is asked, such as `https://api.openai.com/v1`; empty for the built-in table.
    pub(crate) endpoint: String,
    /// The model that is asked.
    pub(crate) model: String,
    /// The key of the API.
    pub(crate) key: Hidden,
    /// The file that the key is in.
    pub(crate) key_file: PathBuf,
    /// How long an answer may take, in milliseconds.
    pub(crate) timeout_ms: u64,
}

impl Default for ModerationConfig {
    fn default() -> Self {
        Self {
            rules: PathBuf::new(),
            endpoint: String::new(),
            model: "omni-moderation-latest".to_owned(),
            key: Hidden::default(),
            key_file: PathBuf::new(),
            timeout_ms: 5_000,
            fail_open: Switch::Off,
            pictures: Switch::On,
            categories: Vec::new(),
            categories_low: vec!["sexual/minors".to_owned()],
        }
    }
}

impl Default for ReadingsConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            model: String::new(),
            key: Hidden::default(),
            key_file: PathBuf::new(),
            timeout_ms: 5_000,
        }
    }
}

impl ModerationConfig {
    /// Refuses what could not work. The files are read when they are needed.
    pub(super) fn check(&self) -> Result<()> {
        self.service().check("moderation")
    }

    /// Returns the API to ask, if there is one.
    pub(crate) fn outside(&self) -> Result<Option<Outside>> {
        self.service().outside("moderation")
    }

    fn service(&self) -> Service<'_> {
        let Self { endpoint, model, key, key_file, timeout_ms, .. } = self;
        Service { endpoint, model, key, key_file, timeout_ms: *timeout_ms }
    }
}

impl ReadingsConfig {
    /// Refuses what could not work.
    pub(super) fn check(&self) -> Result<()> {
        self.service().check("readings")
    }

    /// Returns the API to ask, if there is one.
    pub(crate) fn outside(&self) -> Result<Option<Outside>> {
        self.service().outside("readings")
    }

    fn service(&self) -> Service<'_> {
        let Self { endpoint, model, key, key_file, timeout_ms } = self;
        Service { endpoint, model, key, key_file, timeout_ms: *timeout_ms }
    }
}

/// What the two have in common.
struct Service<'a> {
    endpoint: &'a str,
    model: &'a str,
    key: &'a Hidden,
    key_file: &'a PathBuf,
    timeout_ms: u64,
}

impl Service<'_> {
    fn check(&self, area: &str) -> Result<()> {
        if self.timeout_ms == 0 || self.timeout_ms > TIMEOUT_MS_MAX {
            bail!("{area}.timeout_ms must be 1 to {TIMEOUT_MS_MAX}: found {}", self.timeout_ms);
        }
        if self.endpoint.is_empty() {
            return Ok(());
        }
        Address::parse(self.endpoint).with_context(|| format!("{area}.endpoint"))?;
        if self.model.is_empty() {
            bail!("{area}.model is needed beside {area}.endpoint");
        }
        if self.key.get().is_some() && !self.key_file.as_os_str().is_empty() {
            bail!("{area}.key and {area}.key_file are both set: one of them is needed");
        }
        Ok(())
    }

    fn outside(&self, area: &str) -> Result<Option<Outside>> {
        if self.endpoint.is_empty() {
            return Ok(None);
        }
        let file = self.key_file.display();
        let key = match self.key.get() {
            Some(key) => Some(key.to_owned()),
            None if self.key_file.as_os_str().is_empty() => None,
            None => {
                let text = std::fs::read_to_string(self.key_file)
                    .with_context(|| format!("{area}.key_file: cannot read {file}"))?;
                Some(text.trim().to_owned())
            }
        };
        let address = Address::parse(self.endpoint).with_context(|| format!("{area}.endpoint"))?;
        let timeout = Duration::from_millis(self.timeout_ms);
        Outside::new(address, key.as_deref(), timeout).map(Some).with_context(|| format!("{area}.endpoint"))
    }
}
