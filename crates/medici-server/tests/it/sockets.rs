//! The accept loop over real sockets: what hyper alone would let through, and how the server stops.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use crate::house::{House, Plan};
use medici_studio::Limits;

/// A server on a port of this machine.
struct Served {
    house: House,
    address: std::net::SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Served {
    async fn open() -> Self {
        Self::of(House::open().await).await
    }

    async fn of(house: House) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let state = house.state.clone();
        let serving = tokio::spawn(async move {
            let until = async { stopped.await.unwrap_or_default() };
            medici_server::serve(listener, state, until).await
        });
        Self { house, address, stop: Some(stop), serving }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes and returns everything that comes back until the server closes.
    async fn say(&self, bytes: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// Reads one reply with a Content-Length.
async fn reply(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let read = stream.read(&mut piece).await.unwrap();
        assert!(read > 0, "closed after {text:?}");
        text.push_str(std::str::from_utf8(&piece[..read]).unwrap());
    }
}

#[tokio::test]
async fn requests_of_one_connection_are_answered_one_after_the_other() {
    let served = Served::open().await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        assert!(reply(&mut stream).await.starts_with("HTTP/1.1 200 OK\r\n"));
    }
}

#[tokio::test]
async fn a_body_with_two_lengths_is_refused_in_openais_shape_and_the_connection_closed() {
    let served = Served::open().await;
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let ask = format!("POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\n{lengths}");
        let answer = served.say(&ask).await;
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.contains("\"code\":\"malformed_request\""), "{answer}");
    }
}

#[tokio::test]
async fn lines_that_end_in_a_bare_line_feed_are_refused() {
    let served = Served::open().await;
    let answer = served.say("GET /healthz HTTP/1.1\nHost: localhost\n\n").await;
    assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up() {
    let served = Served::open().await;
    let ask = format!(
        "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{{",
        served.house.key
    );
    let answer = served.say(&ask).await;
    assert!(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"), "{answer}");
    assert!(answer.contains("\"code\":\"request_timeout\""), "{answer}");
}

#[tokio::test]
async fn a_client_that_hangs_up_gets_its_credits_back() {
    let served = Served::open().await;
    let house = &served.house;
    let body = r#"{"prompt":"a fox [stall]","size":"256x256"}"#;
    let ask = format!(
        "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        house.key,
        body.len()
    );
    let mut stream = served.connect().await;
    stream.write_all(ask.as_bytes()).await.unwrap();
    house.until("credits are held", async || house.available() == "14").await;
    drop(stream);
    house.until("they are back", async || house.available() == "15").await;
}

#[tokio::test]
async fn a_server_that_stops_answers_what_was_asked_and_takes_nothing_new() {
    let mut served = Served::open().await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    reply(&mut idle).await;
    let body = r#"{"prompt":"a fox [slow 10ms]","size":"256x256"}"#;
    let ask = format!(
        "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        served.house.key,
        body.len()
    );
    let mut busy = served.connect().await;
    busy.write_all(ask.as_bytes()).await.unwrap();
    served.house.until("credits are held", async || served.house.available() == "14").await;
    served.stop.take().unwrap().send(()).unwrap();
    assert!(reply(&mut busy).await.starts_with("HTTP/1.1 200 OK\r\n"));
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0, "an idle connection is closed");
    served.serving.await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_when_the_server_stops() {
    let mut served = Served::open().await;
    let mut stream = served.connect().await;
    stream.write_all(b"POST /api/hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n").await.unwrap();
    served.stop.take().unwrap().send(()).unwrap();
    let patience = served.house.state.config.drain_timeout + Duration::from_secs(5);
    tokio::time::timeout(patience, served.serving).await.expect("it ends in time").unwrap().unwrap();
}

#[tokio::test]
async fn whoever_waits_when_the_server_stops_is_told_so_and_pays_nothing() {
    let mut served = Served::open().await;
    let ask = |extra: &str, stream: bool| {
        let body = format!(r#"{{"prompt":"a fox [stall]","size":"256x256","stream":{stream}}}"#);
        format!(
            "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n{extra}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            served.house.key,
            body.len()
        )
    };
    let (mut plain, mut streamed, mut keyed) = (served.connect().await, served.connect().await, served.connect().await);
    plain.write_all(ask("", false).as_bytes()).await.unwrap();
    streamed.write_all(ask("", true).as_bytes()).await.unwrap();
    keyed.write_all(ask("Idempotency-Key: k\r\n", false).as_bytes()).await.unwrap();
    served.house.until("credits are held", async || served.house.available() == "12").await;
    served.stop.take().unwrap().send(()).unwrap();
    let told = reply(&mut plain).await;
    assert!(told.starts_with("HTTP/1.1 503 ") && told.contains("The server is stopping."), "{told}");
    let mut told = String::new();
    streamed.read_to_string(&mut told).await.unwrap();
    assert!(told.contains("event: error") && told.contains("The server is stopping."), "{told}");
    served.serving.await.unwrap().unwrap();
    assert_eq!(served.house.available(), "14", "whoever has a key comes back for the pictures");
}

#[tokio::test]
async fn two_hundred_streams_are_open_at_once_and_all_end_with_their_picture() {
    const STREAMS: usize = 200;
    let limits = Limits { queued_max: STREAMS, ..Limits::for_tests() };
    let house = House::with(Plan { limits, ..Plan::default() }).await;
    for pack in ["one", "two"] {
        house.pack(house.account, pack).await;
    }
    let served = Served::of(house).await;
    let body = r#"{"prompt":"a red fox","stream":true,"partial_images":1,"size":"256x256"}"#;
    let request = format!(
        "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        served.house.key,
        body.len()
    );
    let mut open = Vec::new();
    for _ in 0..STREAMS {
        let mut stream = served.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        open.push(stream);
    }
    for mut stream in open {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(answer.matches("event: image_generation.partial_image").count(), 1);
        assert_eq!(answer.matches("event: image_generation.completed").count(), 1);
    }
    assert_eq!(served.house.available(), "45");
}
