//! The file of heads against the journal.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Take},
    path::Path,
};

use medici_ledger::{AccountId, Hash};

use super::{Finding, Report};
use crate::embedded::heads::{Digest, FILE, Line};

/// The lines of the file as it was when it was opened.
pub(super) struct Lines {
    reader: Option<BufReader<Take<File>>>,
    number: u64,
}

impl Lines {
    pub(super) fn open(home: &Path) -> io::Result<Self> {
        let file = match File::open(home.join(FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            file => Some(file?),
        };
        let reader =
            file.map(|file| file.metadata().map(|about| BufReader::new(file.take(about.len())))).transpose()?;
        Ok(Self { reader, number: 0 })
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
            match std::str::from_utf8(&text).ok().and_then(Line::parse) {
                Some(line) => return Ok(Some(line)),
                None => report.find(Finding::of(format!("line {} of the file of heads cannot be read", self.number))),
            }
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
        while self.next.as_ref().is_some_and(|line| line.row < row) {
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
            if line.row > last_row {
                let what = format!("is missing: the file of heads has seen it, the journal ends at row {last_row}");
                report.find(Finding::of(what).row(line.row));
            }
            self.compare(&head_of, report)?;
        }
        Ok(())
    }

    fn compare(&mut self, head_of: &impl Fn(AccountId) -> (u64, Hash), report: &mut Report) -> io::Result<()> {
        let line = self.next.take().expect("it is called while there is a line");
        let digest = std::mem::replace(&mut self.digest, Digest::after(line.digest)).end();
        if digest != line.digest {
            let what = "the entries up to here are not those that the file of heads has seen";
            report.find(Finding::of(what).row(line.row));
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
