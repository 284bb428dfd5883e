//! `medici serve`: the API, the web app, the embedded worker and the sweeper in one process.

use std::{io::ErrorKind, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result, anyhow, bail};
use medici_server::{AppState, ServerConfig};
use medici_studio::{Account, Health, KeyOwner, Studio, Worker, engine::Engine};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};
use tracing::{error, info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    Verdict,
    config::{Config, EngineKind, LogConfig, LogFormat, Switch},
    data_dir::{RunningServer, parse_secret},
    draw,
    machine::{hex, random},
    wiring::{self, Opening},
};

/// The embedded worker's name: the same after a restart, so that it takes its own jobs back at once.
const WORKER: &str = "embedded";
/// How often the process asks whether its disk still works.
const HEALTH_INTERVAL: Duration = Duration::from_millis(250);

/// Runs the server until it is told to stop.
pub(crate) fn run(config: Config, first_prompt: Option<String>) -> Result<Verdict> {
    start_log(&config.log)?;
    let address = config.listen;
    if !address.ip().is_loopback() {
        bail!("only this machine can be served until there is sign-in: use 127.0.0.1 or [::1] instead of {address}");
    }
    let engine = wiring::engine(config.engine)?;
    if config.engine == EngineKind::TestPattern {
        warn!("The test-pattern engine draws no pictures of any prompt; it is for tests and benches");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(prompt) = first_prompt {
        draw::first_pictures(&*engine, &*wiring::encoder(), &prompt)?;
    }
    let ended = runtime.block_on(serve(&config, engine));
    // A drawing thread that does not stop must not keep the process: its lease is taken back at the next start.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended
}

async fn serve(config: &Config, engine: Arc<dyn Engine>) -> Result<Verdict> {
    let listener = bind(config.listen).await?;
    let address = listener.local_addr()?;
    let studio = match wiring::open(config, engine).await? {
        Opening::Open(studio) => Arc::new(*studio),
        Opening::Locked(error) => return Err(error),
    };
    // Before a worker claims anything: the connections of those who waited ended with the process before this one.
    studio.end_attended().await?;
    let first_start = !wiring::has_operator_key(&studio).await?;
    let owner = wiring::owner(&studio, config).await?;
    wiring::admin_key(&studio, &config.data).await?;
    let server = server_config(config, address, &owner)?;
    // Before the URL is printed: whoever reads it may run another command at once.
    config.data.server_started(&RunningServer { address, pid: std::process::id() })?;
    greet(config, &studio, &server, &owner, first_start).await?;
    let (stop, stopped) = watch::channel(false);
    let state = AppState::new(studio.clone(), server);
    let worker = Arc::new(Worker::new(studio.clone(), WORKER));
    let drawing = tokio::spawn({
        let (worker, on) = (worker.clone(), config.worker == Switch::On);
        async move {
            if on {
                worker.run().await;
            }
        }
    });
    let sweeping = tokio::spawn(studio.clone().sweep());
    let answering = tokio::spawn(medici_server::serve(listener, state.clone(), until(stopped)));
    let mut signals = Signals::new();
    println!("ready; Ctrl-C stops");

    let verdict = tokio::select! {
        () = signals.told_to_stop() => {
            info!("Stopping: answering what was asked, for up to {} s", config.limits.drain_seconds);
            Verdict::Good
        }
        () = disk_failed(&studio) => {
            // Nothing may be acknowledged any more, and only a restart knows what the disk holds.
            error!("The disk failed: ending; a restart recovers");
            config.data.server_stopped();
            return Ok(Verdict::DiskFailed);
        }
    };
    state.drain();
    worker.drain();
    let _ = stop.send(true);
    let drained = async {
        let _ = answering.await;
        let _ = drawing.await;
    };
    let patience = Duration::from_secs(config.limits.drain_seconds + 3);
    tokio::select! {
        () = drained => {}
        () = tokio::time::sleep(patience) => warn!("Stopped with requests unanswered: {patience:?} were not enough"),
        () = signals.told_to_stop() => warn!("Told again: stopping at once"),
    }
    sweeping.abort();
    config.data.server_stopped();
    let done = studio.store.counters();
    info!(done.units, done.groups, done.syncs, done.entries, "Stopped after {} units of work", done.units);
    Ok(verdict)
}

/// Listens, or says in plain words why it cannot.
async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        ErrorKind::AddrInUse => {
            anyhow!("port {} is taken: another program listens on {address}; choose one with --listen", address.port())
        }
        ErrorKind::PermissionDenied => anyhow!("port {} needs rights that this user lacks", address.port()),
        _ => anyhow!(error).context(format!("cannot listen on {address}")),
    })
}

fn server_config(config: &Config, address: SocketAddr, owner: &Account) -> Result<ServerConfig> {
    let secret = match config.signing_secret.get() {
        Some(text) => parse_secret(text).context("signing_secret")?,
        None => config.data.signing_secret()?,
    };
    let base_url = match config.base_url.as_str() {
        "" => format!("http://{address}"),
        url => url.to_owned(),
    };
    let token = hex(&random::<16>());
    Ok(ServerConfig {
        link_lifetime: Duration::from_secs(config.limits.link_seconds),
        body_bytes_max: config.limits.body_bytes_max,
        drain_timeout: Duration::from_secs(config.limits.drain_seconds),
        rates: config.rates(),
        ..ServerConfig::new(&base_url, owner.id, secret, token)
    })
}

/// Prints what a person needs to begin. The admin key is printed once and never again.
async fn greet(
    config: &Config,
    studio: &Studio,
    server: &ServerConfig,
    owner: &Account,
    first_start: bool,
) -> Result<()> {
    println!("{}/?token={}", server.base_url, server.sign_in_token);
    println!("  open this address in a browser: it signs the first one in");
    println!("  account {} ({})", owner.name, owner.id);
    println!("  data in {}", config.data.path().display());
    if first_start {
        let (_, secret) = studio.create_api_key(KeyOwner::Admin, "first start").await?;
        println!("  admin key, shown this once: {}", secret.expose());
        println!("  a key for the OpenAI client: medici key create --account {}", owner.name);
    }
    Ok(())
}

/// Begins to log to stderr; stdout is for what was asked.
fn start_log(log: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(&log.filter).with_context(|| format!("log.filter {:?}", log.filter))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        // Colours are for terminals whose owner has not asked for none (no-color.org).
        LogFormat::Text => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
            lines.with_ansi(terminal && !plain).init();
        }
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}

/// Ctrl-C and the operator's polite signal. Made before the server says that it is ready: whoever reads that may
/// tell it to stop at once, and a signal that nobody listens to kills.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Self {
        let listen = |kind| signal(kind).expect("a process may listen to its signals");
        Self { terminate: listen(SignalKind::terminate()), interrupt: listen(SignalKind::interrupt()) }
    }

    /// Waits for one of them.
    async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Waits until the store says that its disk failed.
async fn disk_failed(studio: &Studio) {
    loop {
        if studio.store.health() == Health::Failed {
            return;
        }
        tokio::time::sleep(HEALTH_INTERVAL).await;
    }
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone says stop as well.
    let _ = stopped.wait_for(|stop| *stop).await;
}
