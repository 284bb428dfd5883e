//! The configuration: defaults, then the file, then the environment, then flags. Read once at start.

mod services;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use medici_server::Rates;
use medici_studio::Limits;
use serde::{Deserialize, Serialize};

use crate::{cli::Global, data_dir::DataDir};

pub(crate) use services::{ModerationConfig, ReadingsConfig};

/// Variables that say where to look, and so are no keys of the configuration.
const PLACES: [&str; 2] = ["DATA", "CONFIG"];
/// Keys whose value may also be in a file that `MEDICI_<KEY>_FILE` names.
const SECRETS: [&str; 1] = ["SIGNING_SECRET"];

/// Everything that can be configured, as it is in force.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// Where everything is stored. Not a key: it says where the keys are.
    #[serde(skip)]
    pub(crate) data: DataDir,
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// What absolute links begin with; empty for the address that is listened on.
    pub(crate) base_url: String,
    /// What draws.
    pub(crate) engine: EngineKind,
    /// Whether this process draws.
    pub(crate) worker: Switch,
    /// The price book; empty for the built-in one.
    pub(crate) prices: PathBuf,
    /// The name of the account of whoever starts the server, until there is sign-in.
    pub(crate) owner: String,
    /// The plan that account is opened on.
    pub(crate) owner_plan: String,
    /// Signs image links and cookies: 64 hex digits; empty for the key in the data directory.
    pub(crate) signing_secret: Hidden,
    /// What is logged, and how.
    pub(crate) log: LogConfig,
    /// The bounds of requests and jobs.
    pub(crate) limits: LimitsConfig,
    /// What may be drawn.
    pub(crate) moderation: ModerationConfig,
    /// How short prompts are read in several ways.
    pub(crate) readings: ReadingsConfig,
}

/// What is logged, and how.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogConfig {
    /// `text` or `json`.
    pub(crate) format: LogFormat,
    /// Which lines, in the syntax of tracing's filters: `info`, `warn,medici_server=debug`.
    pub(crate) filter: String,
}

/// The bounds of requests and jobs.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitsConfig {
    /// The most jobs that may wait, of all accounts.
    pub(crate) queued_jobs_max: usize,
    /// The most pictures of one request.
    pub(crate) pictures_max: u32,
    /// Previews a picture on the way.
    pub(crate) previews: u32,
    /// How long a hold lives without a worker, in seconds.
    pub(crate) hold_seconds: u64,
    /// How long a worker's claim lives without a heartbeat, in seconds.
    pub(crate) lease_seconds: u64,
    /// How often a worker says that it is alive, in seconds.
    pub(crate) heartbeat_seconds: u64,
    /// The largest body of a request, in bytes.
    pub(crate) body_bytes_max: usize,
    /// How long a signed image link works, in seconds.
    pub(crate) link_seconds: u64,
    /// Requests that draw, of one account in a minute; 0 is no limit.
    pub(crate) requests_per_minute: u32,
    /// Pictures, of one account in a minute; 0 is no limit.
    pub(crate) images_per_minute: u32,
    /// Credits, of one account in a minute; 0 is no limit.
    pub(crate) credits_per_minute: u32,
    /// Jobs that are cancelled while they are drawn, of one account in an hour; 0 is no limit.
    pub(crate) cancels_per_hour: u32,
    /// How long a stopping server waits for requests that are being answered, in seconds.
    pub(crate) drain_seconds: u64,
}

/// What draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EngineKind {
    /// The neural network in the binary.
    Pocket,
    /// Deterministic patterns, for tests and benches.
    TestPattern,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Switch {
    /// It does.
    On,
    /// It does not.
    Off,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A secret: printed as whether it is set, never as what it is.
#[derive(Clone, Deserialize, Default)]
pub(crate) struct Hidden(String);

impl Hidden {
    /// Returns the secret; `None` where it is not set.
    pub(crate) fn get(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|secret| !secret.is_empty())
    }
}

impl Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "(hidden)" })
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

/// What flags say, above everything else.
#[derive(Default)]
pub(crate) struct Overrides {
    /// `--listen`.
    pub(crate) listen: Option<SocketAddr>,
    /// `--engine`.
    pub(crate) engine: Option<EngineKind>,
    /// `--worker`.
    pub(crate) worker: Option<Switch>,
    /// `--prices`.
    pub(crate) prices: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Self {
        let (limits, rates) = (Limits::default(), Rates::default());
        Self {
            data: DataDir::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            base_url: String::new(),
            engine: EngineKind::Pocket,
            worker: Switch::On,
            prices: PathBuf::new(),
            owner: "owner".to_owned(),
            owner_plan: "free".to_owned(),
            signing_secret: Hidden::default(),
            log: LogConfig { format: LogFormat::Text, filter: "info".to_owned() },
            limits: LimitsConfig {
                queued_jobs_max: limits.queued_max,
                pictures_max: limits.count_max,
                previews: limits.previews,
                hold_seconds: limits.hold_timeout.as_secs(),
                lease_seconds: limits.lease.as_secs(),
                heartbeat_seconds: limits.heartbeat.as_secs(),
                body_bytes_max: 64 << 20,
                link_seconds: 3600,
                requests_per_minute: rates.requests_per_minute,
                images_per_minute: rates.images_per_minute,
                credits_per_minute: rates.credits_per_minute,
                cancels_per_hour: rates.cancels_per_hour,
                drain_seconds: 10,
            },
            moderation: ModerationConfig::default(),
            readings: ReadingsConfig::default(),
        }
    }
}

impl Config {
    /// Reads the configuration. A key that does not exist is refused, wherever it is.
    pub(crate) fn load(global: &Global, overrides: Overrides) -> Result<Self> {
        let data = DataDir::find(global.data.as_deref())?;
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = Self::file(global, &data)? {
            figment = figment.merge(Toml::file_exact(file));
        }
        let from_files = SECRETS.map(|key| format!("{key}_FILE"));
        let keys = Env::prefixed("MEDICI_").filter(move |key| {
            let key = key.as_str().to_ascii_uppercase();
            !PLACES.contains(&key.as_str()) && !from_files.contains(&key)
        });
        figment = figment.merge(keys.split("__"));
        for key in SECRETS {
            if let Some(path) = std::env::var_os(format!("MEDICI_{key}_FILE")) {
                let path = PathBuf::from(path);
                let text = std::fs::read_to_string(&path)
                    .with_context(|| format!("MEDICI_{key}_FILE: cannot read {}", path.display()))?;
                figment = figment.merge((key.to_ascii_lowercase(), text.trim()));
            }
        }
        let mut config: Self = figment.extract().context("the configuration is refused")?;
        config.data = data;
        config.listen = overrides.listen.unwrap_or(config.listen);
        config.engine = overrides.engine.unwrap_or(config.engine);
        config.worker = overrides.worker.unwrap_or(config.worker);
        config.prices = overrides.prices.unwrap_or(config.prices);
        config.log.format = global.log.unwrap_or(config.log.format);
        config.check()?;
        Ok(config)
    }

    /// Returns the file to read: a named one must be there, the usual one need not.
    fn file(global: &Global, data: &DataDir) -> Result<Option<PathBuf>> {
        let named = global.config.clone().or_else(|| std::env::var_os("MEDICI_CONFIG").map(PathBuf::from));
        match named {
            Some(file) if file.is_file() => Ok(Some(file)),
            Some(file) => bail!("there is no configuration file {}", file.display()),
            None => Ok(Some(data.config_file()).filter(|file| file.is_file())),
        }
    }

    /// Refuses values that no part could work with.
    fn check(&self) -> Result<()> {
        let limits = &self.limits;
        if limits.heartbeat_seconds == 0 || limits.heartbeat_seconds >= limits.lease_seconds {
            bail!(
                "limits.heartbeat_seconds must be at least 1 and below limits.lease_seconds: found {} and {}",
                limits.heartbeat_seconds,
                limits.lease_seconds
            );
        }
        if limits.hold_seconds < limits.lease_seconds || limits.hold_seconds > 24 * 3600 {
            bail!(
                "limits.hold_seconds must be between limits.lease_seconds ({}) and 86400: found {}",
                limits.lease_seconds,
                limits.hold_seconds
            );
        }
        if limits.pictures_max == 0 || limits.pictures_max > 10 {
            bail!("limits.pictures_max must be 1 to 10: found {}", limits.pictures_max);
        }
        self.moderation.check()?;
        self.readings.check()
    }

    /// Returns the bounds of the job flow.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            queued_max: self.limits.queued_jobs_max,
            hold_timeout: Duration::from_secs(self.limits.hold_seconds),
            lease: Duration::from_secs(self.limits.lease_seconds),
            heartbeat: Duration::from_secs(self.limits.heartbeat_seconds),
            count_max: self.limits.pictures_max,
            previews: self.limits.previews,
        }
    }

    /// Returns what an account may ask for in a minute.
    pub(crate) fn rates(&self) -> Rates {
        Rates {
            requests_per_minute: self.limits.requests_per_minute,
            images_per_minute: self.limits.images_per_minute,
            credits_per_minute: self.limits.credits_per_minute,
            cancels_per_hour: self.limits.cancels_per_hour,
        }
    }

    /// Prints what is in force, secrets hidden.
    pub(crate) fn print(&self, json: bool) -> Result<()> {
        if json {
            let mut value = serde_json::to_value(self)?;
            value["data"] = self.data.path().display().to_string().into();
            println!("{}", serde_json::to_string_pretty(&value)?);
        } else {
            println!("# data directory: {}", self.data.path().display());
            print!("{}", toml::to_string(self)?);
        }
        Ok(())
    }
}
