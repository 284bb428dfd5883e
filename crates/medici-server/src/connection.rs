//! One connection: its clocks, and what was wrong with its bytes.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};

use crate::framing::Framing;

/// How long the head of a request may take to arrive, and a new connection to begin one.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may stay open between two requests.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may take to accept the next piece of its reply.
const WRITE_TIMEOUT: Duration = Duration::from_secs(60);

/// What the stream of a connection and its requests know of each other.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// Requests that are being answered.
    answering: AtomicUsize,
    /// What was wrong with a request.
    wrong: Mutex<Option<&'static str>>,
}

impl Shared {
    /// Marks a request as being answered, until the mark is dropped.
    pub(crate) fn answer(&self) -> Answering {
        self.0.answering.fetch_add(1, Ordering::Relaxed);
        Answering(self.clone())
    }

    /// Returns what was wrong with a request of this connection.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        *self.0.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_answering(&self) -> bool {
        self.0.answering.load(Ordering::Relaxed) > 0
    }
}

/// A request that is being answered.
pub(crate) struct Answering(Shared);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.0.answering.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream that looks at what arrives and gives up on clients that stall.
pub(crate) struct Watched<S> {
    stream: S,
    framing: Framing,
    shared: Shared,
    /// When something was last read or written.
    active_at: Instant,
    /// When the head that is arriving, or the connection, began.
    head_at: Option<Instant>,
    /// Since when the client takes nothing of what is written.
    stalled_at: Option<Instant>,
    clock: Pin<Box<Sleep>>,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, shared: Shared) -> Self {
        let now = Instant::now();
        let clock = Box::pin(tokio::time::sleep_until(now + HEAD_TIMEOUT));
        Self { stream, framing: Framing::new(), shared, active_at: now, head_at: Some(now), stalled_at: None, clock }
    }

    /// Looks at bytes that have arrived.
    fn arrived(&mut self, bytes: &[u8]) {
        let now = Instant::now();
        self.active_at = now;
        self.framing.feed(bytes);
        if !self.framing.is_in_head() {
            self.head_at = None;
        } else if self.head_at.is_none() {
            self.head_at = Some(now);
        }
        if let Some(wrong) = self.framing.wrong() {
            *self.shared.0.wrong.lock().unwrap_or_else(PoisonError::into_inner) = Some(wrong);
        }
    }

    /// Returns when the client is given up while nothing arrives; `None` while it is our turn.
    fn read_deadline(&self) -> Option<Instant> {
        match self.head_at {
            Some(began) => Some(began + HEAD_TIMEOUT),
            None if self.framing.is_between() && !self.shared.is_answering() => Some(self.active_at + IDLE_TIMEOUT),
            None => None,
        }
    }

    /// Fails once the deadline has passed, and wakes the connection when it may have.
    fn check(&mut self, deadline: Option<Instant>, cx: &mut Context<'_>) -> io::Result<()> {
        let Some(deadline) = deadline else { return Ok(()) };
        // Deadlines mostly move on: the clock is left to ring for the old one and set again then.
        if self.clock.deadline() > deadline {
            self.clock.as_mut().reset(deadline);
        }
        while self.clock.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.clock.as_mut().reset(deadline);
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Ready(result) => {
                this.arrived(&buf.filled()[before..]);
                Poll::Ready(result)
            }
            Poll::Pending => {
                let deadline = this.read_deadline();
                if this.stalled_at.is_none() {
                    this.check(deadline, cx)?;
                }
                Poll::Pending
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    /// Notes what came of a write: progress, or a client that takes nothing.
    fn wrote<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.active_at = Instant::now();
            self.stalled_at = None;
            return written;
        }
        let since = *self.stalled_at.get_or_insert_with(Instant::now);
        self.check(Some(since + WRITE_TIMEOUT), cx)?;
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    fn connection() -> (DuplexStream, Watched<DuplexStream>, Shared) {
        let (client, server) = tokio::io::duplex(1 << 10);
        let shared = Shared::default();
        (client, Watched::new(server, shared.clone()), shared)
    }

    /// Reads until the connection is given up, and returns the seconds that took.
    async fn seconds_until_given_up(watched: &mut Watched<DuplexStream>) -> u64 {
        let began = Instant::now();
        let mut piece = [0; 256];
        loop {
            match watched.read(&mut piece).await {
                Ok(_) => {}
                Err(failure) => {
                    assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
                    return began.elapsed().as_secs();
                }
            }
        }
    }

    const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    #[tokio::test(start_paused = true)]
    async fn a_client_that_says_nothing_is_given_up_after_ten_seconds() {
        let (_client, mut watched, _) = connection();
        assert_eq!(seconds_until_given_up(&mut watched).await, 10);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_drips_is_given_up_after_ten_seconds() {
        let (mut client, mut watched, _) = connection();
        let drip = async move {
            for byte in HEAD {
                if client.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            client
        };
        let dripping = tokio::spawn(drip);
        assert_eq!(seconds_until_given_up(&mut watched).await, 10);
        dripping.abort();
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_between_two_requests_is_given_up_after_seventy_five_seconds() {
        let (mut client, mut watched, _) = connection();
        client.write_all(HEAD).await.unwrap();
        assert_eq!(seconds_until_given_up(&mut watched).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_is_not_given_up_while_it_is_our_turn() {
        let (mut client, mut watched, shared) = connection();
        client.write_all(HEAD).await.unwrap();
        let answering = shared.answer();
        let reading = tokio::time::timeout(Duration::from_secs(3_600), seconds_until_given_up(&mut watched));
        assert!(reading.await.is_err(), "given up while its request was being answered");
        drop(answering);
        // A reply is written, and the client has its time again.
        watched.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert_eq!(seconds_until_given_up(&mut watched).await, 75);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_is_given_up_after_a_minute() {
        let (_client, mut watched, _) = connection();
        let began = Instant::now();
        let failure = watched.write_all(&[0; 4 << 10]).await.unwrap_err();
        assert_eq!(failure.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_wrong_with_the_bytes_is_known_to_the_request() {
        let (mut client, mut watched, shared) = connection();
        client.write_all(b"GET / HTTP/1.1\nHost: a\n\n").await.unwrap();
        let mut piece = [0; 256];
        assert!(watched.read(&mut piece).await.unwrap() > 0);
        assert_eq!(shared.wrong(), Some("The lines of a request's head end in CR LF."));
    }
}
