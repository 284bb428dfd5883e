//! The machine's own limits, measured in the same run as what is compared with them.

use std::{fs::File, io::Write, path::Path, time::Duration};

use anyhow::{Context, Result};
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

use super::measure::median;
use crate::machine::stopwatch;

/// Returns the p50 of `fdatasync` after an append of 4 KiB, in the directory that the store will use.
pub(crate) fn sync_p50(directory: &Path, times: usize) -> Result<Duration> {
    let path = directory.join("sync-probe");
    let mut file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let page = [0x5a; 4096];
    let mut samples = Vec::with_capacity(times);
    for _ in 0..times {
        file.write_all(&page)?;
        let begun = stopwatch();
        file.sync_data()?;
        samples.push(begun.elapsed());
    }
    std::fs::remove_file(&path)?;
    Ok(median(&mut samples))
}

/// Binds this thread, and every thread and process it starts from now on, to one core.
///
/// Returns whether it could: a machine with one core, or a container without the right, measures unbound.
pub(crate) fn bind_to_core(core: usize) -> bool {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None::<Pid>, &cores).is_ok()
}

/// Lets this thread run on every core again.
pub(crate) fn unbind() {
    let mut cores = CpuSet::new();
    let all = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).max(CpuSet::MAX_CPU.min(64));
    (0..all).for_each(|core| cores.set(core));
    let _ = sched_setaffinity(None::<Pid>, &cores);
}

/// Returns the processor time this thread has used.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = u32::try_from(time.tv_nsec).expect("nanoseconds of a second fit 32 bits");
    Duration::new(u64::try_from(time.tv_sec).expect("processor time is not negative"), nanos)
}

/// Returns the processor time this process has used, all threads.
pub(crate) fn process_cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    let nanos = u32::try_from(time.tv_nsec).expect("nanoseconds of a second fit 32 bits");
    Duration::new(u64::try_from(time.tv_sec).expect("processor time is not negative"), nanos)
}

/// Returns the processor time that a process has used, all its threads, in steps of 10 ms.
pub(crate) fn cpu_of(process: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("cannot read /proc")?;
    // The program's name, in parentheses, may hold spaces; what follows it is numbers.
    let (_, numbers) = stat.rsplit_once(')').context("/proc/…/stat has no name")?;
    let mut numbers = numbers.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || numbers.next().context("/proc/…/stat is short")?.context("/proc/…/stat has no number");
    Ok(Duration::from_millis(10 * (next()? + next()?)))
}

/// Returns a process's resident memory in bytes, from `/proc`.
pub(crate) fn resident_bytes(process: u32) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).context("cannot read /proc")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc")?;
    let kilobytes: u64 = line.trim().trim_end_matches("kB").trim().parse().context("VmRSS is no number")?;
    Ok(kilobytes * 1024)
}
