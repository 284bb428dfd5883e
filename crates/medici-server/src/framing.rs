//! Where requests begin and end in the bytes of a connection, and what of them could be read in two ways.
//!
//! hyper drops a Content-Length that comes with a Transfer-Encoding and takes lines that end in a bare line
//! feed, so nobody behind it can refuse them. A server in front of us may read such a request differently,
//! and the difference can smuggle a second request past it. This looks at the same bytes beside hyper.

/// The longest head of a request, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;

/// Follows the requests of one connection.
#[derive(Debug)]
pub(crate) struct Framing {
    at: At,
    /// The first thing that was wrong; nothing after it is looked at.
    wrong: Option<&'static str>,
}

#[derive(Debug)]
enum At {
    /// In a head: what the lines so far have said.
    Head(Head),
    /// In a body of which so many bytes are left.
    Body { left: u64 },
    /// In the line that says how long the next chunk is; its digits so far, if they go on.
    ChunkSize { size: u64, digits: bool },
    /// In a chunk, with the line end behind it, of which so many bytes are left.
    Chunk { left: u64 },
    /// In the lines behind the last chunk. An empty one ends the request.
    Trailer { line_bytes: usize },
    /// Past something that was wrong.
    Lost,
}

#[derive(Debug, Default)]
struct Head {
    /// The line so far; of a long one only the beginning.
    line: Vec<u8>,
    bytes: usize,
    lines: usize,
    length: Option<u64>,
    lengths: u32,
    encodings: u32,
    chunked: bool,
}

/// As much of a header line as is looked at.
const LINE_BYTES_MAX: usize = 128;

impl Framing {
    pub(crate) fn new() -> Self {
        Self { at: At::Head(Head::default()), wrong: None }
    }

    /// Returns whether the connection is between two requests: nothing of the next one has come.
    pub(crate) fn is_between(&self) -> bool {
        matches!(&self.at, At::Head(head) if head.bytes == 0)
    }

    /// Returns whether a head has begun and not ended.
    pub(crate) fn is_in_head(&self) -> bool {
        matches!(&self.at, At::Head(head) if head.bytes > 0)
    }

    /// Returns what was wrong with a request that has been seen, if anything.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        self.wrong
    }

    /// Looks at bytes that have arrived.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match &mut self.at {
                At::Lost => return,
                // Bodies are long: they are skipped, not looked at.
                At::Body { left } | At::Chunk { left } => {
                    let skip = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= skip as u64;
                    bytes = &bytes[skip..];
                    match self.at {
                        At::Body { left: 0 } => self.at = At::Head(Head::default()),
                        At::Chunk { left: 0 } => self.at = At::ChunkSize { size: 0, digits: true },
                        _ => {}
                    }
                }
                // Heads are fed line by line: most requests are little else.
                At::Head(head) if head.is_in_line() && bytes[0] != b'\n' => {
                    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
                    let result = head.part_of_line(&bytes[..end]);
                    bytes = &bytes[end..];
                    self.note(result);
                }
                At::Head(_) | At::ChunkSize { .. } | At::Trailer { .. } => {
                    let result = self.byte(bytes[0]);
                    bytes = &bytes[1..];
                    self.note(result);
                }
            }
        }
    }

    fn note(&mut self, result: Result<(), &'static str>) {
        if let Err(wrong) = result {
            self.wrong = Some(wrong);
            self.at = At::Lost;
        }
    }

    fn byte(&mut self, byte: u8) -> Result<(), &'static str> {
        match &mut self.at {
            At::Head(head) => {
                if head.byte(byte)? {
                    self.at = head.body()?;
                }
            }
            At::ChunkSize { size, digits } => match byte {
                b'\n' => {
                    self.at = match *size {
                        0 => At::Trailer { line_bytes: 0 },
                        size => At::Chunk { left: size.saturating_add(2) },
                    }
                }
                _ if *digits => match char::from(byte).to_digit(16) {
                    Some(digit) => {
                        *size = size.checked_mul(16).ok_or("A chunk is too long.")? + u64::from(digit);
                    }
                    None => *digits = false,
                },
                _ => {}
            },
            At::Trailer { line_bytes } => match byte {
                b'\n' if *line_bytes == 0 => self.at = At::Head(Head::default()),
                b'\n' => *line_bytes = 0,
                b'\r' => {}
                _ => *line_bytes += 1,
            },
            At::Body { .. } | At::Chunk { .. } | At::Lost => unreachable!("bodies are skipped as a whole"),
        }
        Ok(())
    }
}

impl Head {
    /// Takes one byte. Returns whether the head has ended.
    fn byte(&mut self, byte: u8) -> Result<bool, &'static str> {
        // Empty lines before a request are allowed, and belong to nothing.
        if self.lines == 0 && self.line.is_empty() && matches!(byte, b'\r' | b'\n') {
            return Ok(false);
        }
        if byte != b'\n' {
            return self.part_of_line(&[byte]).map(|()| false);
        }
        self.bytes += 1;
        let whole = std::mem::take(&mut self.line);
        let line = whole.strip_suffix(b"\r").ok_or("The lines of a request's head end in CR LF.")?;
        self.lines += 1;
        if line.is_empty() {
            return Ok(true);
        }
        if self.lines > 1 {
            self.header(line)?;
        }
        self.line = whole;
        self.line.clear();
        Ok(false)
    }

    /// Returns whether a line has begun, or must not be an empty one.
    fn is_in_line(&self) -> bool {
        self.lines > 0 || !self.line.is_empty()
    }

    /// Takes bytes that do not end the line.
    fn part_of_line(&mut self, part: &[u8]) -> Result<(), &'static str> {
        self.bytes += part.len();
        // What hyper refuses for its length need not be followed.
        if self.bytes > HEAD_BYTES_MAX {
            return Err("The request's head is too long.");
        }
        if self.line.len() + part.len() <= LINE_BYTES_MAX {
            self.line.extend_from_slice(part);
        } else {
            for byte in part {
                if self.line.len() < LINE_BYTES_MAX || *byte == b'\r' {
                    self.line.push(*byte);
                }
            }
        }
        Ok(())
    }

    fn header(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = (&line[..colon], line[colon..].strip_prefix(b":").unwrap_or_default());
        if name.eq_ignore_ascii_case(b"content-length") {
            self.lengths += 1;
            let digits = value.trim_ascii();
            let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
            let number = std::str::from_utf8(digits).ok().filter(|_| plain).and_then(|text| text.parse().ok());
            self.length = Some(number.ok_or("Content-Length is not a number.")?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.encodings += 1;
            self.chunked = value.trim_ascii().eq_ignore_ascii_case(b"chunked");
        }
        Ok(())
    }

    fn body(&self) -> Result<At, &'static str> {
        match (self.lengths, self.encodings) {
            (0, 0) => Ok(At::Head(Self::default())),
            (1, 0) => Ok(match self.length {
                Some(left) if left > 0 => At::Body { left },
                _ => At::Head(Self::default()),
            }),
            (0, 1) if self.chunked => Ok(At::ChunkSize { size: 0, digits: true }),
            (0, 1) => Err("The only Transfer-Encoding of a request is chunked."),
            (0, _) | (_, 0) => Err("A request states the length of its body once."),
            _ => Err("A request has either Content-Length or Transfer-Encoding."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds the bytes in pieces of every length, which must make no difference.
    fn wrong(bytes: &str) -> Option<&'static str> {
        let run = |piece: usize| {
            let mut framing = Framing::new();
            bytes.as_bytes().chunks(piece).for_each(|piece| framing.feed(piece));
            (framing.wrong(), framing.is_between())
        };
        let whole = run(bytes.len());
        for piece in 1..bytes.len() {
            assert_eq!(run(piece), whole, "in pieces of {piece}");
        }
        assert!(whole.0.is_some() || whole.1, "the request has not ended");
        whole.0
    }

    const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\n";

    #[test]
    fn good_requests_pass_one_after_the_other() {
        let length = format!("{POST}Content-Length: 3\r\n\r\nabc");
        let chunked = format!("{POST}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\na\nb\r\n0\r\nTrailer: 1\r\n\r\n");
        let none = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert_eq!(wrong(&format!("{length}{chunked}\r\n{none}{chunked}{length}{none}")), None);
        assert_eq!(wrong(&format!("{POST}content-length:0\r\n\r\n{none}")), None);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_wrong_also_behind_a_good_request() {
        let good = format!("{POST}Content-Length: 3\r\n\r\nabc");
        for bad in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
            "Content-Length: +3\r\n\r\n",
            "Content-Length: 3, 3\r\n\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            "Transfer-Encoding: gzip, chunked\r\n\r\n",
            "Transfer-Encoding: xchunked\r\n\r\n",
            "X: y\n\r\n",
        ] {
            assert!(wrong(&format!("{POST}{bad}")).is_some(), "{bad:?}");
            assert!(wrong(&format!("{good}{POST}{bad}")).is_some(), "{bad:?} behind a good one");
        }
    }

    #[test]
    fn a_request_inside_a_body_is_no_request() {
        let inner = format!("{POST}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n");
        assert_eq!(wrong(&format!("{POST}Content-Length: {}\r\n\r\n{inner}", inner.len())), None);
    }
}
