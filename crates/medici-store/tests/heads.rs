//! The signatures of the file of heads, and who is caught by them.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use medici_ledger::AccountId;
use medici_store::{
    Embedded, Finding, HeadKey, HeadKeyError, KeptElsewhere, OpenError, Options, ReadOnly, Report, verify,
};
use medici_testkit::ManualClock;
use support::{copy, tamper, world_in};

/// A directory that was opened a few times, so that its file of heads has several lines.
struct Directory {
    folder: tempfile::TempDir,
}

impl Directory {
    fn new() -> Self {
        let this = Self { folder: tempfile::tempdir().unwrap() };
        let mut world = world_in(&this.origin());
        for number in 0..3 {
            let account = world.account();
            world.run(world.charge(account, &format!("{number}"))).unwrap().unwrap();
            world = world.reopen();
            if number == 1 {
                this.copy("earlier");
            }
        }
        this
    }

    fn origin(&self) -> PathBuf {
        self.folder.path().join("origin")
    }

    fn copy(&self, name: &str) -> PathBuf {
        let home = self.folder.path().join(name);
        copy(&self.origin(), &home);
        home
    }
}

fn report(home: &Path) -> Report {
    verify(home, &KeptElsewhere::default()).unwrap()
}

fn findings(home: &Path) -> Vec<String> {
    report(home).findings.iter().map(Finding::to_string).collect()
}

fn says(home: &Path, what: &str) -> bool {
    let findings = findings(home);
    assert!(findings.iter().any(|finding| finding.contains(what)), "{what:?} in {findings:?}");
    true
}

fn lines(home: &Path) -> Vec<String> {
    fs::read_to_string(home.join("heads")).unwrap().lines().map(str::to_owned).collect()
}

fn put_lines(home: &Path, lines: &[String]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(home.join("heads"), text).unwrap();
}

fn unsigned(line: &str) -> String {
    line.split_once(" ed25519:").unwrap().0.to_owned()
}

fn open(home: &Path, secret: u8) -> Result<(), OpenError> {
    let options = Options { new_head_key: HeadKey::from_bytes(&[secret; 32]), ..Options::for_tests() };
    let clock = Arc::new(ManualClock::at("2027-01-01T00:00:00Z".parse().unwrap()));
    Embedded::open(home, clock, Arc::new(medici_testkit::store_contract::world::prices()), &options).map(|_| ())
}

#[test]
fn every_line_is_signed_with_a_key_that_is_its_owners_alone_and_published() {
    let directory = Directory::new();
    let home = directory.origin();
    let report = report(&home);
    assert_eq!(report.findings, []);
    // One when the directory was new, and one after each of three times.
    assert_eq!((report.heads, report.heads_signed), (4, 4));
    assert_eq!(report.head.unwrap().row, report.entries);
    let public = HeadKey::from_bytes(&[7; 32]).public();
    assert_eq!(report.public_key, Some(public));
    assert_eq!(fs::read_to_string(home.join("heads.pub")).unwrap(), format!("{public}\n"));
    assert_eq!(fs::metadata(home.join("heads.key")).unwrap().permissions().mode() & 0o777, 0o600);
    open(&home, 9).unwrap();
    assert_eq!(self::report(&home).public_key, Some(public), "a key is made once");
}

#[test]
fn every_flipped_byte_of_the_file_of_heads_is_found() {
    let directory = Directory::new();
    let home = directory.copy("flipped");
    let path = home.join("heads");
    let bytes = fs::read(&path).unwrap();
    for at in 0..bytes.len() - 1 {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        fs::write(&path, &flipped).unwrap();
        assert_ne!(findings(&home), Vec::<String>::new(), "byte {at}");
    }
    // Without its last line feed a line is what a crash leaves of one.
    fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(findings(&home), Vec::<String>::new());
}

#[test]
fn a_line_whose_signature_does_not_hold_is_named() {
    let directory = Directory::new();
    let home = directory.copy("a");
    let mut lines = lines(&home);
    let (message, signature) = lines[2].split_once(" ed25519:").unwrap();
    lines[2] =
        format!("{message} ed25519:{}{}", &signature[..126], if signature.ends_with("00") { "01" } else { "00" });
    put_lines(&home, &lines);
    assert!(says(&home, "line 3 of the file of heads has a signature that does not hold"));
}

#[test]
fn stripped_signatures_are_found_wherever_they_are() {
    let directory = Directory::new();
    let signed = lines(&directory.origin());
    for stripped in 1..signed.len() {
        let home = directory.copy(&format!("one-{stripped}"));
        let mut lines = signed.clone();
        lines[stripped] = unsigned(&lines[stripped]);
        put_lines(&home, &lines);
        assert!(says(&home, &format!("line {} of the file of heads is not signed", stripped + 1)));
    }
    let home = directory.copy("all");
    put_lines(&home, &signed.iter().map(|line| unsigned(line)).collect::<Vec<_>>());
    assert!(says(&home, "does not end with a signed line"));
    fs::remove_file(home.join("heads")).unwrap();
    assert!(says(&home, "missing or empty"));
    // Who takes the keys away, too, is caught by a key that was kept elsewhere.
    let home = directory.copy("no-keys");
    put_lines(&home, &signed.iter().map(|line| unsigned(line)).collect::<Vec<_>>());
    fs::remove_file(home.join("heads.key")).unwrap();
    fs::remove_file(home.join("heads.pub")).unwrap();
    assert_eq!(findings(&home), Vec::<String>::new());
    let kept = KeptElsewhere { public_key: Some(HeadKey::from_bytes(&[7; 32]).public()), head: None };
    let found = verify(&home, &kept).unwrap().findings;
    assert!(found.iter().any(|finding| finding.what.contains("does not end with a signed line")), "{found:?}");
}

#[test]
fn a_directory_signed_anew_with_another_key_is_caught_by_the_key_that_was_kept() {
    let directory = Directory::new();
    let home = directory.copy("thief");
    for file in ["heads", "heads.key", "heads.pub"] {
        fs::remove_file(home.join(file)).unwrap();
    }
    // The thief cuts the journal off and has everything signed anew.
    tamper(&home).execute_batch("DELETE FROM idempotency; DELETE FROM entries WHERE row = 9").unwrap();
    open(&home, 9).unwrap();
    assert_eq!(findings(&home), Vec::<String>::new());
    let kept = KeptElsewhere { public_key: Some(HeadKey::from_bytes(&[7; 32]).public()), head: None };
    let found = verify(&home, &kept).unwrap().findings;
    for what in ["heads.key is not the key", "heads.pub is not the key", "line 1 of the file of heads has a signature"]
    {
        assert!(found.iter().any(|finding| finding.what.contains(what)), "{found:?}");
    }
}

#[test]
fn a_directory_put_back_to_what_it_was_is_caught_by_a_head_that_was_kept() {
    let directory = Directory::new();
    let earlier = directory.folder.path().join("earlier");
    let head = report(&directory.origin()).head.unwrap();
    assert_eq!(head.to_string().parse(), Ok(head));
    let kept = KeptElsewhere { public_key: None, head: Some(head) };
    assert_eq!(verify(&directory.origin(), &kept).unwrap().findings, []);
    assert_eq!(findings(&earlier), Vec::<String>::new());
    let found = verify(&earlier, &kept).unwrap().findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].row, found[0].what.contains("kept elsewhere")), (Some(head.row), true));
}

#[test]
fn lines_from_before_signatures_stay_readable_and_are_sealed_at_the_next_start() {
    let directory = Directory::new();
    let home = directory.copy("old");
    let old: Vec<String> = lines(&home).iter().skip(1).map(|line| unsigned(line)).collect();
    // A file from before: its first line is no seal of an empty journal, so its digests begin with the entries.
    let journal = tamper(&home);
    let hashes: Vec<Vec<u8>> = journal
        .prepare("SELECT hash FROM entries ORDER BY row")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let digest = medici_ledger::Hash::of(&[vec![0; 32], hashes.concat()].concat());
    let last = old.last().unwrap();
    let row = last.split(' ').next().unwrap();
    put_lines(&home, &[format!("{row} {digest}")]);
    fs::remove_file(home.join("heads.key")).unwrap();
    fs::remove_file(home.join("heads.pub")).unwrap();
    let before = report(&home);
    assert_eq!((before.findings, before.heads, before.heads_signed), (vec![], 1, 0));
    drop(journal);
    open(&home, 9).unwrap();
    let after = report(&home);
    assert_eq!((after.findings, after.heads, after.heads_signed), (vec![], 2, 1));
    assert_eq!(after.public_key, Some(HeadKey::from_bytes(&[9; 32]).public()));
    // The unsigned line is sealed by the signed one.
    let mut changed = lines(&home);
    changed[0] = changed[0].replace(&digest.to_string(), &"0".repeat(64));
    put_lines(&home, &changed);
    assert!(says(&home, "not those that the file of heads has seen"));
}

#[test]
fn a_lost_a_replaced_or_a_damaged_key_is_said_and_nothing_is_signed() {
    let directory = Directory::new();
    let refused = |home: &Path| match open(home, 9) {
        Err(OpenError::HeadKey(error)) => error,
        other => panic!("{other:?}"),
    };
    let home = directory.copy("lost");
    fs::remove_file(home.join("heads.key")).unwrap();
    assert!(matches!(refused(&home), HeadKeyError::Lost));
    fs::remove_file(home.join("heads.pub")).unwrap();
    assert!(matches!(refused(&home), HeadKeyError::Lost), "the lines tell, too");
    assert!(says(&home, "there is no key to check it with"));

    let home = directory.copy("replaced");
    fs::write(home.join("heads.key"), "09".repeat(32)).unwrap();
    assert!(matches!(refused(&home), HeadKeyError::Replaced));
    assert!(says(&home, "heads.pub is not the public key of heads.key"));
    // What the message says to do.
    fs::remove_file(home.join("heads")).unwrap();
    fs::remove_file(home.join("heads.pub")).unwrap();
    open(&home, 1).unwrap();
    assert_eq!(findings(&home), Vec::<String>::new());

    let home = directory.copy("damaged");
    fs::write(home.join("heads.key"), "09").unwrap();
    assert!(matches!(refused(&home), HeadKeyError::Damaged { file: "heads.key" }));
    assert!(says(&home, "heads.key is damaged"));
}

#[test]
fn what_a_failed_append_leaves_of_a_line_is_cut_off_by_the_next() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    world.account();
    let heads = home.path().join("heads");
    let mut file = fs::OpenOptions::new().append(true).open(&heads).unwrap();
    file.write_all(b"12 abcdef").unwrap();
    world.account();
    drop(world);
    assert_eq!(findings(home.path()), Vec::<String>::new());
    assert_eq!(report(home.path()).head.unwrap().row, 4);
}

#[test]
fn an_account_whose_last_entry_is_gone_has_been_seen_with_it() {
    let directory = Directory::new();
    let home = directory.copy("cut");
    let db = tamper(&home);
    let account: Vec<u8> = db.query_row("SELECT account FROM entries WHERE row = 9", [], |row| row.get(0)).unwrap();
    let account = AccountId::from_u128(u128::from_be_bytes(account.try_into().unwrap()));
    let books = ReadOnly::open(&home).unwrap();
    let last = books.entries(account).unwrap().pop().unwrap();
    assert_eq!(books.head_seen(account).unwrap(), Some((3, last.hash)));
    db.execute("DELETE FROM entries WHERE row = 9", []).unwrap();
    assert_eq!(books.entries(account).unwrap().len(), 2);
    assert_eq!(books.head_seen(account).unwrap(), Some((3, last.hash)));
    assert_eq!(books.head_seen(AccountId::from_u128(1)).unwrap(), None);
    assert_eq!(books.head_key().unwrap().unwrap().public(), HeadKey::from_bytes(&[7; 32]).public());
}
