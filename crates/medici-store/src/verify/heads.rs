//! The file of heads against the journal.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Take},
    path::Path,
};

use medici_ledger::{AccountId, Hash};

use super::{Finding, KeptElsewhere, Report};
use crate::{
    embedded::{
        HeadKeyError, JournalHead, head_key,
        heads::{Digest, FILE, Line, SignedLine},
    },
    signing::PublicKey,
};

/// The lines of the file as it was when it was opened.
pub(super) struct Lines {
    reader: Option<BufReader<Take<File>>>,
    key: Option<PublicKey>,
    /// Whether the last line must be signed.
    signed_at_the_end: bool,
    /// The last line with a signature, or 0.
    last_signed: u64,
    number: u64,
    /// A head that was kept elsewhere, until it is found.
    wanted: Option<JournalHead>,
}

impl Lines {
    pub(super) fn open(home: &Path, kept: &KeptElsewhere, report: &mut Report) -> io::Result<Self> {
        // The public key is published after the first signed line, and so it is looked for before the lines.
        let published = read_key(head_key::read_public(home), report)?;
        let file = match File::open(home.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(file?),
        };
        let reader =
            file.map(|file| file.metadata().map(|about| BufReader::new(file.take(about.len())))).transpose()?;
        let secret = read_key(head_key::read_secret(home), report)?.map(|key| key.public());
        let signed_at_the_end = kept.public_key.is_some() || published.is_some();
        if published.is_some() && secret.is_some() && published != secret {
            report.find(Finding::of("heads.pub is not the public key of heads.key"));
        }
        if let Some(kept) = kept.public_key {
            for (file, key) in [("heads.key", secret), ("heads.pub", published)] {
                if key.is_some_and(|key| key != kept) {
                    report.find(Finding::of(format!("{file} is not the key that was kept elsewhere")));
                }
            }
        }
        let key = kept.public_key.or(secret).or(published);
        report.public_key = key;
        Ok(Self { reader, key, signed_at_the_end, last_signed: 0, number: 0, wanted: kept.head })
    }

    /// Returns the next line that can be read; others are findings. A line cut short by a crash is none.
    fn next(&mut self, report: &mut Report) -> io::Result<Option<Line>> {
        let Some(reader) = &mut self.reader else { return Ok(None) };
        loop {
            let mut text = Vec::new();
            if reader.read_until(b'\n', &mut text)? == 0 || text.pop() != Some(b'\n') {
                return Ok(None);
            }
            self.number += 1;
            match std::str::from_utf8(&text).ok().and_then(SignedLine::parse) {
                Some(line) => {
                    self.check_signature(&line, report);
                    report.heads += 1;
                    report.head = Some(line.line.end);
                    self.wanted = self.wanted.filter(|wanted| *wanted != line.line.end);
                    return Ok(Some(line.line));
                }
                None => report.find(Finding::of(format!("line {} of the file of heads cannot be read", self.number))),
            }
        }
    }

    fn check_signature(&mut self, line: &SignedLine, report: &mut Report) {
        let mut find = |what: &str| {
            let what = format!("line {} of the file of heads {what}", self.number);
            report.find(Finding::of(what).row(line.line.end.row));
        };
        match &self.key {
            _ if !line.is_signed() && self.last_signed > 0 => find("is not signed, though one before it is"),
            _ if !line.is_signed() => return,
            None => find("is signed, and there is no key to check it with: heads.key and heads.pub are missing"),
            Some(key) if !line.is_signed_by(key) => find("has a signature that does not hold"),
            Some(_) => {}
        }
        if line.is_signed() {
            self.last_signed = self.number;
            report.heads_signed += 1;
        }
    }

    /// Says what the lines as a whole lack.
    fn end(&self, report: &mut Report) {
        if self.signed_at_the_end && (self.last_signed == 0 || self.last_signed < self.number) {
            let what = match self.number {
                0 => "the file of heads is missing or empty, though the heads of this directory are signed",
                _ => "the file of heads does not end with a signed line, though the heads of this directory are signed",
            };
            report.find(Finding::of(what));
        }
        if let Some(wanted) = self.wanted {
            let what = "no line of the file of heads is the head that was kept elsewhere";
            report.find(Finding::of(what).row(wanted.row));
        }
    }
}

/// Returns a key, or nothing; a damaged one is a finding.
fn read_key<K>(read: Result<Option<K>, HeadKeyError>, report: &mut Report) -> io::Result<Option<K>> {
    match read {
        Ok(key) => Ok(key),
        Err(HeadKeyError::Io(error)) => Err(error),
        Err(error @ (HeadKeyError::Damaged { .. } | HeadKeyError::Lost | HeadKeyError::Replaced)) => {
            report.find(Finding::of(error.to_string()));
            Ok(None)
        }
    }
}

/// Follows the journal row by row and compares it with each line on the way.
pub(super) struct Follow {
    lines: Lines,
    next: Option<Line>,
    digest: Digest,
}

impl Follow {
    pub(super) fn new(mut lines: Lines, report: &mut Report) -> io::Result<Self> {
        let next = lines.next(report)?;
        Ok(Self { lines, next, digest: Digest::after(Hash::ZERO) })
    }

    /// Takes note of a row's hash, after comparing the lines before it.
    pub(super) fn row(
        &mut self,
        row: u64,
        hash: &Hash,
        head_of: impl Fn(AccountId) -> (u64, Hash),
        report: &mut Report,
    ) -> io::Result<()> {
        while self.next.as_ref().is_some_and(|line| line.end.row < row) {
            self.compare(&head_of, report)?;
        }
        self.digest.add(hash);
        Ok(())
    }

    /// Compares what is left after the journal's last row.
    pub(super) fn end(
        mut self,
        last_row: u64,
        head_of: impl Fn(AccountId) -> (u64, Hash),
        report: &mut Report,
    ) -> io::Result<()> {
        while let Some(line) = &self.next {
            if line.end.row > last_row {
                let what = format!("is missing: the file of heads has seen it, the journal ends at row {last_row}");
                report.find(Finding::of(what).row(line.end.row));
            }
            self.compare(&head_of, report)?;
        }
        self.lines.end(report);
        Ok(())
    }

    fn compare(&mut self, head_of: &impl Fn(AccountId) -> (u64, Hash), report: &mut Report) -> io::Result<()> {
        let line = self.next.take().expect("it is called while there is a line");
        let digest = std::mem::replace(&mut self.digest, Digest::after(line.end.digest)).end();
        if digest != line.end.digest {
            let what = "the entries up to here are not those that the file of heads has seen";
            report.find(Finding::of(what).row(line.end.row));
        }
        for head in &line.heads {
            let (seq, hash) = head_of(head.account);
            let finding = |what: &str| Finding::of(what).account(head.account).seq(head.seq);
            if seq < head.seq {
                report.find(finding("is missing: the file of heads has seen it"));
            } else if seq == head.seq && hash != head.hash {
                report.find(finding("has another hash than the file of heads has seen"));
            }
        }
        self.next = self.lines.next(report)?;
        Ok(())
    }
}
