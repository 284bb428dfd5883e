//! A server on this machine that answers as a test tells it to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{Address, Outside};

/// How a request is answered.
#[derive(Clone)]
pub(crate) enum Say {
    /// With status 200 and this.
    Json(Value),
    /// With these bytes, whatever they are, and the end of the connection.
    Bytes(Vec<u8>),
    /// Never.
    Nothing,
    /// With a good head, and then a byte from time to time.
    Slowly,
}

impl Say {
    /// Says something with a status.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Bytes((head(status, body.len()) + body).into_bytes())
    }
}

/// A server that answers every request alike, and keeps what it was sent.
pub(crate) struct Fake {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Fake {
    pub(crate) async fn start(say: Say) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let keep = heard.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, say.clone(), keep.clone()));
            }
        });
        Self { address, heard }
    }

    /// Returns a client of this server.
    pub(crate) fn outside(&self, timeout: Duration) -> Outside {
        let address = Address::parse(&format!("http://{}/v1/", self.address)).unwrap();
        Outside::new(address, Some("sk-test"), timeout).unwrap()
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

fn head(status: u16, length: usize) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}

async fn answer(mut stream: TcpStream, say: Say, heard: Arc<Mutex<Vec<Heard>>>) {
    while let Some(request) = read(&mut stream).await {
        heard.lock().unwrap().push(request);
        match &say {
            Say::Json(json) => {
                let body = json.to_string();
                let _ = stream.write_all((head(200, body.len()) + &body).as_bytes()).await;
            }
            Say::Bytes(bytes) => {
                let _ = stream.write_all(bytes).await;
                return;
            }
            Say::Nothing => std::future::pending().await,
            Say::Slowly => {
                let _ = stream.write_all(head(200, 1000).as_bytes()).await;
                while stream.write_all(b" ").await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                return;
            }
        }
    }
}

/// Reads one request; `None` at the end of the connection.
async fn read(stream: &mut TcpStream) -> Option<Heard> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
            let length: usize = length.parse().unwrap();
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                stream.read_buf(&mut body).await.ok().filter(|read| *read > 0)?;
            }
            return Some(Heard { head, body: serde_json::from_slice(&body).unwrap() });
        }
        stream.read_buf(&mut bytes).await.ok().filter(|read| *read > 0)?;
    }
}
