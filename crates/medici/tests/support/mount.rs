//! File systems of their own, for tests that fill or lose a disk. Needs root.

#![allow(dead_code, unreachable_pub, reason = "a module of several test binaries, each of which uses a part of it")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use tempfile::TempDir;

/// A mounted file system; unmounted when dropped.
pub struct Mount {
    point: PathBuf,
    temporary: TempDir,
}

/// Runs a program of the system.
pub fn run(program: &str, args: &[&str]) -> Result<Output, String> {
    let output = Command::new(program).args(args).output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr).trim()))
}

impl Mount {
    /// Mounts memory of a bounded size.
    pub fn tmpfs(size: &str) -> Result<Self, String> {
        let mount = Self::point()?;
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "medici-test", &mount.text()])?;
        Ok(mount)
    }

    /// Mounts an ext4 image over a loop device.
    pub fn ext4(megabytes: u32) -> Result<Self, String> {
        let mount = Self::point()?;
        let image = mount.image();
        let image = image.to_str().expect("a temporary path is text");
        run("truncate", &["-s", &format!("{megabytes}M"), image])?;
        run("mkfs.ext4", &["-q", "-F", image])?;
        mount.again()?;
        Ok(mount)
    }

    /// Mounts the image again after a cut.
    pub fn again(&self) -> Result<(), String> {
        let image = self.image();
        run("mount", &["-o", "loop", image.to_str().expect("a temporary path is text"), &self.text()]).map(drop)
    }

    /// Unmounts.
    pub fn off(&self) -> Result<(), String> {
        run("umount", &[&self.text()]).map(drop)
    }

    /// Returns where it is mounted.
    pub fn path(&self) -> &Path {
        &self.point
    }

    fn point() -> Result<Self, String> {
        let temporary = tempfile::tempdir().map_err(|error| error.to_string())?;
        let point = temporary.path().join("mount");
        std::fs::create_dir(&point).map_err(|error| error.to_string())?;
        Ok(Self { point, temporary })
    }

    fn image(&self) -> PathBuf {
        self.temporary.path().join("image")
    }

    fn text(&self) -> String {
        self.point.to_str().expect("a temporary path is text").to_owned()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = run("umount", &["-l", &self.text()]);
    }
}
