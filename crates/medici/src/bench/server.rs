//! A server of this very binary as a child process, on a core of its own.

use std::{
    fs::File,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::{data_dir::DataDir, machine::stopwatch};

/// How long a server may take to start.
const START_MAX: Duration = Duration::from_secs(120);

/// The limits of what an account may ask for in a minute.
const RATES: [&str; 3] = ["REQUESTS", "IMAGES", "CREDITS"];

/// What a server's store did in its life.
pub(crate) struct Done {
    pub(crate) units: u64,
    pub(crate) groups: u64,
    pub(crate) syncs: u64,
    pub(crate) entries: u64,
}

/// A running server. Killed when dropped.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a server on a data directory and waits until it accepts connections.
    ///
    /// Its log goes to `server.log` in that directory. It inherits this thread's cores.
    pub(crate) fn start(data: &Path, args: &[&str]) -> Result<Self> {
        let log = data.join("server.log");
        let log_file = File::create(&log)?;
        let child = Command::new(std::env::current_exe().context("cannot find this program")?)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "json", "--data"])
            .arg(data)
            .args(args)
            .env_clear()
            // A bench asks for more than anybody may: the limits are not what is measured.
            .envs(RATES.map(|rate| (format!("MEDICI_LIMITS__{rate}_PER_MINUTE"), "0")))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log_file)
            .spawn()
            .context("cannot start a server")?;
        let mut server = Self { child, log, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let begun = stopwatch();
        let directory = DataDir::find(Some(data))?;
        loop {
            // A killed server leaves its file behind: the process in it says whether it is this one.
            if let Ok(Some(running)) = directory.running_server()
                && running.pid == server.pid()
                && TcpStream::connect(running.address).is_ok()
            {
                server.address = running.address;
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                let log = std::fs::read_to_string(data.join("server.log")).unwrap_or_default();
                bail!("the server ended with {status}: {}", log.lines().last().unwrap_or("it said nothing"));
            }
            if begun.elapsed() > START_MAX {
                bail!("the server did not start within {} s", START_MAX.as_secs());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Returns its process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it politely and returns what its store says that it did.
    pub(crate) fn stop(mut self) -> Result<Done> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).context("cannot stop the server")?;
        self.child.wait()?;
        let log = std::fs::read_to_string(&self.log).context("cannot read the server's log")?;
        // The store says a last word of its own after it.
        let last =
            log.lines().rfind(|line| line.contains("done.units")).context("the server did not say what it did")?;
        let line: serde_json::Value = serde_json::from_str(last).context("the server's log is no JSON")?;
        let count = |name: &str| line["fields"][name].as_u64().with_context(|| format!("no {name} in {last}"));
        Ok(Done {
            units: count("done.units")?,
            groups: count("done.groups")?,
            syncs: count("done.syncs")?,
            entries: count("done.entries")?,
        })
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.child.kill().context("cannot kill the server")?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
