//! The data directory: where everything is, and the small files in it that are written in one piece.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::machine::{hex, random};

/// Where everything is stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct DataDir(PathBuf);

/// What a running server says of itself to commands on the same machine.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct RunningServer {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its process.
    pub(crate) pid: u32,
}

impl DataDir {
    /// Returns the directory: the one given, else `$MEDICI_DATA`, else the XDG data directory. Creates nothing.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self> {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let xdg = || set("XDG_DATA_HOME").filter(|path| path.is_absolute()).map(|path| path.join("medici"));
        let home = || set("HOME").map(|path| path.join(".local/share/medici"));
        given
            .map(Path::to_path_buf)
            .or_else(|| set("MEDICI_DATA"))
            .or_else(xdg)
            .or_else(home)
            .map(Self)
            .context("no place for data: give --data DIR or set MEDICI_DATA")
    }

    /// Returns the directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates the directory, readable by its owner only, if it is not there.
    pub(crate) fn create(&self) -> Result<()> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.0);
        made.with_context(|| format!("cannot create the data directory {}", self.0.display()))
    }

    /// Refuses a directory that has no store in it: a mistyped path must not look like an empty studio.
    pub(crate) fn must_exist(&self) -> Result<()> {
        if self.0.join("medici.db").exists() {
            return Ok(());
        }
        bail!("there is no store in {}; `medici serve` or `medici account create` makes one", self.0.display())
    }

    /// Returns where the configuration is looked for.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.0.join("medici.toml")
    }

    /// Returns the key that signs links and cookies; makes it on first use.
    pub(crate) fn signing_secret(&self) -> Result<[u8; 32]> {
        let path = self.0.join("signing.key");
        let text = match read(&path)? {
            Some(text) => text,
            None => {
                let text = hex(&random::<32>());
                write_whole(&path, &text)?;
                text
            }
        };
        parse_secret(text.trim()).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Returns the administration key that commands of this machine use, if there is one.
    pub(crate) fn admin_key(&self) -> Result<Option<String>> {
        Ok(read(&self.0.join("admin.key"))?.map(|text| text.trim().to_owned()))
    }

    /// Keeps the administration key, readable by its owner only.
    pub(crate) fn keep_admin_key(&self, key: &str) -> Result<()> {
        write_whole(&self.0.join("admin.key"), key)
    }

    /// Says where this process serves, until [`Self::server_stopped`].
    pub(crate) fn server_started(&self, server: &RunningServer) -> Result<()> {
        write_whole(&self.0.join("server.json"), &serde_json::to_string(server)?)
    }

    /// Forgets where the server was.
    pub(crate) fn server_stopped(&self) {
        // The file is a hint: a stale one is noticed by whoever uses it.
        let _ = fs::remove_file(self.0.join("server.json"));
    }

    /// Returns where a server of this directory said that it serves.
    pub(crate) fn running_server(&self) -> Result<Option<RunningServer>> {
        let Some(text) = read(&self.0.join("server.json"))? else { return Ok(None) };
        Ok(Some(serde_json::from_str(&text).context("server.json is damaged")?))
    }
}

/// Reads 64 hex digits.
pub(crate) fn parse_secret(text: &str) -> Result<[u8; 32]> {
    let wrong = || anyhow!("expected 64 hex digits, found {} characters", text.chars().count());
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).expect("hex digits are ASCII");
        *byte = u8::from_str_radix(digits, 16).map_err(|_| wrong())?;
    }
    Ok(bytes)
}

fn read(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file that is either wholly there or not at all, whatever happens to the power.
fn write_whole(path: &Path, text: &str) -> Result<()> {
    let context = || format!("cannot write {}", path.display());
    let directory = path.parent().expect("a file of the data directory has a parent");
    let temporary = path.with_extension(format!("{}.tmp", hex(&random::<8>())));
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(directory)?.sync_all()
    })();
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(context)
}
