//! Load over real sockets: closed loops of keep-alive connections, each with one request on its way.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};

use super::measure::{median, percentile};
use crate::{http::Connection, machine::stopwatch};

/// What a loop of requests measured.
pub(crate) struct Load {
    /// Answers a second, over the whole measured time.
    pub(crate) rate: f64,
    /// The middle latency.
    pub(crate) p50: Duration,
    /// The latency that one request in a hundred exceeds.
    pub(crate) p99: Duration,
    /// All answers, those while it warmed up too.
    pub(crate) answers: u64,
}

/// Sends requests over `connections` for `warm` and then `measured`, and counts the answers of the latter.
///
/// `make(n)` builds request number n, counted over all connections. Any status but 200 and 201 ends the run.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    warm: Duration,
    measured: Duration,
    make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Load> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let make = Arc::new(make);
    let next = Arc::new(AtomicU64::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    runtime.block_on(async move {
        let begun = stopwatch();
        let mut loops = Vec::with_capacity(connections);
        for _ in 0..connections {
            let mut connection = Connection::open(address).await.context("cannot connect")?;
            let (make, next, stop) = (make.clone(), next.clone(), stop.clone());
            loops.push(tokio::spawn(async move {
                let (mut latencies, mut answers) = (Vec::new(), 0u64);
                while !stop.load(Ordering::Relaxed) {
                    let request = make(next.fetch_add(1, Ordering::Relaxed));
                    let sent = stopwatch();
                    let answer = connection.send(&request).await.context("the server broke the connection")?;
                    let arrived = begun.elapsed();
                    if !matches!(answer.status, 200 | 201) {
                        bail!("status {}: {}", answer.status, String::from_utf8_lossy(&answer.body));
                    }
                    answers += 1;
                    if arrived >= warm && arrived < warm + measured {
                        latencies.push(sent.elapsed());
                    }
                }
                Ok((latencies, answers))
            }));
        }
        let left = (warm + measured).saturating_sub(begun.elapsed());
        tokio::time::sleep(left).await;
        stop.store(true, Ordering::Relaxed);
        let (mut latencies, mut answers) = (Vec::new(), 0);
        for one in loops {
            let (some, answered) = one.await.context("a loop of requests panicked")??;
            latencies.extend(some);
            answers += answered;
        }
        if latencies.is_empty() {
            bail!("no answer within {} s", measured.as_secs_f64());
        }
        Ok(Load {
            answers,
            rate: latencies.len() as f64 / measured.as_secs_f64(),
            p50: median(&mut latencies),
            p99: percentile(&mut latencies, 99),
        })
    })
}
