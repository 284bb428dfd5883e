//! The accept loop: axum's own has no bound on connections and no clock on any of them.

use std::{convert::Infallible, future::Future, io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tower::Service;
use tracing::{debug, error, info, warn};

use crate::{
    connection::{Shared, Watched},
    edge::Malformed,
    framing::HEAD_BYTES_MAX,
    routes::router,
    state::AppState,
};

/// How long to wait after the machine refused a connection, for example for want of file descriptors.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);
/// How long clients that are told that the server stops get to read it.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// The most header lines of a request.
const HEADERS_MAX: usize = 100;

/// Serves requests that come to `listener`, until `shutdown` completes.
///
/// Then `/readyz` says so, no connection is accepted any more, idle ones are closed, and requests that are
/// being answered get the configured time to end. Returns when all have ended or the time is over.
pub async fn serve(listener: TcpListener, state: AppState, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(state.config.connections_max));
    let (stop, stopped) = watch::channel(false);
    let router = router(state.clone());
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let accept = async {
            let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
            (listener.accept().await, place)
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next(), if !connections.is_empty() => note(ended),
            (accepted, place) = accept => match accepted {
                Ok((stream, _)) => {
                    let (router, stopped) = (router.clone(), stopped.clone());
                    connections.spawn(async move {
                        answer(stream, router, stopped).await;
                        drop(place);
                    });
                }
                Err(failure) => {
                    warn!(%failure, "Could not accept a connection");
                    tokio::time::sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
    drop(listener);
    state.drain();
    stop.send_replace(true);
    let drained = tokio::time::timeout(state.config.drain_timeout, async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    });
    if drained.await.is_err() {
        // Whoever waits without a key cannot come back for the pictures: they are told so, and pay nothing.
        if let Err(failure) = state.studio.end_attended().await {
            warn!(%failure, "Could not cancel what nobody can come back for; the next start does");
        }
        let told = tokio::time::timeout(LAST_WORDS, async {
            while let Some(ended) = connections.join_next().await {
                note(ended);
            }
        });
        if told.await.is_err() {
            warn!("Cut off {} connections that did not end in time", connections.len());
            connections.shutdown().await;
        }
    }
    info!("Stopped serving");
    Ok(())
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(failure) = ended
        && failure.is_panic()
    {
        error!("A connection panicked: {failure}");
    }
}

/// Answers the requests of one connection.
async fn answer(stream: TcpStream, router: Router, mut stopped: watch::Receiver<bool>) {
    // Replies are written whole; waiting for more to send only delays them.
    if let Err(failure) = stream.set_nodelay(true) {
        debug!(%failure, "A connection ended before it began");
        return;
    }
    let shared = Shared::default();
    let stream = TokioIo::new(Watched::new(stream, shared.clone()));
    let service = service_fn(move |request: Request<Incoming>| pass_on(router.clone(), shared.clone(), request));
    let connection =
        http1::Builder::new().max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX).serve_connection(stream, service);
    tokio::pin!(connection);
    let stop = async move {
        // It can only become true; a sender that is gone has ended the process' serving, too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(failure) = ended {
        debug!(%failure, "A connection ended early");
    }
}

/// Passes a request on to the router, with what was wrong with the bytes it came in.
async fn pass_on(
    mut router: Router,
    shared: Shared,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let _answering = shared.answer();
    if let Some(wrong) = shared.wrong() {
        request.extensions_mut().insert(Malformed(wrong));
    }
    // A router is always ready: it has no state of its own between requests.
    router.call(request.map(Body::new)).await
}
