//! What `ledger verify` finds in a data directory that somebody has changed.
#![expect(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
};

use medici_ledger::{AccountId, Command, Credits, Refusal, VoidReason};
use medici_store::{DiskBlobs, Finding, KeptElsewhere, verify};
use medici_studio::{FileFormat, Ids, Image, ImageId, Job, JobState, KnownImage, Outcome, Touches, engine::Size};
use medici_testkit::store_contract::world::{World, act, command};
use support::{copy, tamper, world_in};

struct Sound {
    home: tempfile::TempDir,
    accounts: Vec<AccountId>,
    image: Image,
    next: std::cell::Cell<u32>,
}

impl Sound {
    /// Makes a data directory with charges, a captured job with an image, a voided one and one that waits.
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let origin = home.path().join("origin");
        let world = world_in(&origin);
        let accounts: Vec<_> = (0..4).map(|_| world.account()).collect();
        for number in 0..24_usize {
            let account = accounts[number % 4];
            world.run(world.charge(account, &format!("{number}"))).unwrap().unwrap();
        }
        let image = draw(&world, &origin, accounts[1]);
        let failed = world.job(accounts[2]);
        let void = Command::Void { hold: failed.hold, reason: VoidReason::EngineFailed };
        end(&world, &failed, void, JobState::Cancelled { finished_at: failed.created_at }, None);
        world.job(accounts[3]);
        drop(world);
        Self { home, accounts, image, next: std::cell::Cell::new(0) }
    }

    /// Copies the directory and changes the copy.
    fn changed(&self, sql: &str) -> Vec<Finding> {
        let home = self.copy();
        let changed = tamper(&home).execute(sql, []).unwrap();
        assert_eq!(changed, 1, "{sql}");
        found(&home)
    }

    fn copy(&self) -> PathBuf {
        self.next.set(self.next.get() + 1);
        let origin = self.home.path().join("origin");
        let home = self.home.path().join(self.next.get().to_string());
        copy(&origin, &home);
        let blob = blob_of(&origin, &self.image);
        fs::create_dir_all(blob_of(&home, &self.image).parent().unwrap()).unwrap();
        fs::copy(blob, blob_of(&home, &self.image)).unwrap();
        home
    }
}

fn found(home: &Path) -> Vec<Finding> {
    verify(home, &KeptElsewhere::default()).unwrap().findings
}

fn blob_of(home: &Path, image: &Image) -> PathBuf {
    let name = image.blob.to_string();
    home.join("blobs").join(&name[..2]).join(&name[2..4]).join(&name)
}

fn draw(world: &World, home: &Path, account: AccountId) -> Image {
    let job = world.job(account);
    let blob = DiskBlobs::open(home).unwrap().put_now(b"a picture").unwrap();
    let image = Image {
        id: ImageId::from_u128(world.ids.next()),
        job: job.id,
        account,
        index: 0,
        blob,
        blob_bytes: 9,
        format: FileFormat::Png,
        size: Size::square(256),
        latent: vec![1; 1_536],
        reading: None,
        created_at: job.created_at,
    };
    let amount = job.quote.amount;
    let done = JobState::Done { outcome: Outcome::Charged { amount }, finished_at: job.created_at };
    end(world, &job, Command::Capture { hold: job.hold, amount }, done, Some(image.clone()));
    image
}

fn end(world: &World, job: &Job, command: Command, state: JobState, image: Option<Image>) {
    let job = Job { state, ..job.clone() };
    world
        .run(act(Touches::wallet(job.account).job(job.id), move |work| {
            work.ledger(job.account, &command)?;
            work.put_job(job.clone());
            image.iter().for_each(|image| work.put_image(image.clone()));
            Ok::<_, Refusal>(())
        }))
        .unwrap()
        .unwrap();
}

fn names(findings: &[Finding], account: AccountId, what: &str) -> bool {
    findings.iter().any(|finding| finding.account == Some(account) && finding.what.contains(what))
}

#[test]
fn a_sound_directory_has_no_findings_and_its_numbers_are_counted() {
    let sound = Sound::new();
    let report = verify(&sound.copy(), &KeptElsewhere::default()).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.accounts, report.lots, report.jobs, report.images), (4, 4, 3, 1));
    assert_eq!(report.entries, 4 * 2 + 24 + 2 + 2 + 1);
    assert!(!report.trial_balance.is_empty());
    assert_eq!(report.trial_balance.iter().map(|line| line.amount).sum::<i128>(), 0);
}

#[test]
fn altered_columns_of_an_entry_are_found() {
    let sound = Sound::new();
    for sql in [
        "UPDATE entries SET seq = seq + 1 WHERE row = 12",
        "UPDATE entries SET prev = prev - 1 WHERE row = 12",
        "UPDATE entries SET row = 1000 WHERE row = 12",
        "UPDATE entries SET row = 38 WHERE row = 37",
        "UPDATE entries SET account = randomblob(7) WHERE row = 12",
    ] {
        assert_ne!(sound.changed(sql), [], "{sql}");
    }
}

#[test]
fn a_deleted_last_entry_of_any_account_is_named() {
    let sound = Sound::new();
    for &account in &sound.accounts {
        let id = format!("x'{:032x}'", account.as_u128());
        let sql = format!("DELETE FROM entries WHERE row = (SELECT max(row) FROM entries WHERE account = {id})");
        let findings = sound.changed(&sql);
        assert!(names(&findings, account, "is missing"), "{findings:?}");
        let seq = findings.iter().find(|finding| finding.account == Some(account)).unwrap().seq;
        assert!(seq >= Some(8), "{findings:?}");
    }
}

#[test]
fn a_deleted_entry_in_the_middle_is_named() {
    let sound = Sound::new();
    let findings = sound.changed("DELETE FROM entries WHERE row = 12");
    assert!(findings.iter().any(|finding| finding.row == Some(12)), "{findings:?}");
    assert!(findings.iter().any(|finding| finding.what.contains("needed")), "{findings:?}");
}

#[test]
fn an_altered_wallet_row_is_named() {
    let sound = Sound::new();
    let home = sound.copy();
    let db = tamper(&home);
    let (id, account, body): (i64, Vec<u8>, Vec<u8>) = db
        .query_row("SELECT id, account, body FROM wallets ORDER BY id LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    let account = AccountId::from_u128(u128::from_be_bytes(account.try_into().unwrap()));
    for at in 0..body.len() {
        let mut flipped = body.clone();
        flipped[at] ^= 1;
        db.execute("UPDATE wallets SET body = ? WHERE id = ?", (&flipped, id)).unwrap();
        assert!(names(&found(&home), account, "wallet row"), "byte {at} of {}", body.len());
    }
    db.execute("UPDATE wallets SET body = ? WHERE id = ?", (&body, id)).unwrap();
    assert_eq!(found(&home), []);
    db.execute("UPDATE wallets SET seq = 1000 WHERE id = ?", [id]).unwrap();
    assert!(names(&found(&home), account, "wallet row"));
    db.execute("DELETE FROM wallets", []).unwrap();
    assert!(names(&found(&home), account, "is in no wallet row"));
}

#[test]
fn an_image_without_its_blob_or_with_another_is_named() {
    let sound = Sound::new();
    let home = sound.copy();
    let blob = blob_of(&home, &sound.image);
    fs::write(&blob, b"another picture").unwrap();
    assert!(names(&found(&home), sound.accounts[1], "holds other bytes"));
    fs::remove_file(&blob).unwrap();
    assert!(names(&found(&home), sound.accounts[1], "is missing"));
    let findings = sound.changed("DELETE FROM images");
    assert!(names(&findings, sound.accounts[1], "it is done and has no image"), "{findings:?}");
}

#[test]
fn what_was_deleted_is_no_finding_and_what_contradicts_it_is() {
    let home = tempfile::tempdir().unwrap();
    let origin = home.path().join("origin");
    let world = world_in(&origin);
    let account = world.account();
    let image = draw(&world, &origin, account);
    let whole = draw(&world, &origin, account);
    for image in [&image, &whole] {
        let id = image.id;
        let delete = act(Touches::default().images([id]), move |work| {
            let Some(KnownImage::Stored(image)) = work.image(id).cloned() else { return Err(()) };
            work.delete_image(&image);
            Ok(())
        });
        world.run(delete).unwrap().unwrap();
    }
    let mut job = world.wait(world.store().job(whole.job)).unwrap().unwrap();
    job.deleted_at = Some(job.created_at);
    let deleted = job.clone();
    world
        .run(act(Touches::default().job(job.id), move |work| {
            work.put_job(deleted.clone());
            Ok::<_, ()>(())
        }))
        .unwrap()
        .unwrap();
    drop(world);
    fs::remove_file(blob_of(&origin, &image)).unwrap();
    let report = verify(&origin, &KeptElsewhere::default()).unwrap();
    assert_eq!((report.findings, report.jobs, report.images), (vec![], 2, 0));

    let (first, second) = (id_of(image.id.as_u128()), id_of(whole.job.as_u128()));
    let row = format!(
        "INSERT INTO images SELECT id, job, account, 0, x'{}', 1, 1, 1, x'', NULL, 0, 'png' FROM deleted_images WHERE",
        image.blob
    );
    for (number, (sql, what)) in [
        (format!("DELETE FROM deleted_images WHERE id = {first}"), "it is done and has no image"),
        (format!("UPDATE deleted_images SET job = randomblob(16) WHERE id = {first}"), "does not exist"),
        (format!("{row} id = {first}"), "it is deleted and has a row"),
        (format!("{row} job = {second}"), "it is deleted and has images"),
    ]
    .into_iter()
    .enumerate()
    {
        let changed = home.path().join(number.to_string());
        copy(&origin, &changed);
        assert_eq!(tamper(&changed).execute(&sql, []).unwrap(), 1, "{sql}");
        let findings = found(&changed);
        assert!(names(&findings, account, what), "{sql}: {findings:?}");
    }
}

fn id_of(raw: u128) -> String {
    format!("x'{raw:032x}'")
}

#[test]
fn a_directory_from_before_deletions_is_verified() {
    let sound = Sound::new();
    let home = sound.copy();
    let db = tamper(&home);
    db.execute_batch(
        "DROP TABLE deleted_images; DROP INDEX jobs_listed; ALTER TABLE jobs DROP COLUMN deleted_at;
         DROP INDEX images_by_account; DELETE FROM migrations WHERE number = 8;",
    )
    .unwrap();
    drop(db);
    assert_eq!(found(&home), []);
}

#[test]
fn a_job_that_contradicts_its_hold_is_named() {
    let sound = Sound::new();
    let done = "UPDATE jobs SET data = json_set(data, '$.state', json('{\"is\":\"queued\"}')) WHERE state = 'done'";
    assert!(names(&sound.changed(done), sound.accounts[1], "captured, and it does not say so"));
    let more = "UPDATE jobs SET data = json_set(data, '$.state.amount', 5) WHERE state = 'done'";
    assert!(names(&sound.changed(more), sound.accounts[1], "captured was 1"));
    let waits = "UPDATE jobs SET data = json_set(data, '$.state',
                   json('{\"is\":\"cancelled\",\"finished_at\":0}')) WHERE state = 'queued'";
    assert!(names(&sound.changed(waits), sound.accounts[3], "its hold is open"));
    let voided = "UPDATE jobs SET data = json_set(data, '$.state',
                    json('{\"is\":\"charged\",\"amount\":1000000,\"finished_at\":0}')) WHERE state = 'cancelled'";
    assert!(names(&sound.changed(voided), sound.accounts[2], "nothing was captured"));
    let unheld = "UPDATE jobs SET hold = randomblob(16) WHERE state = 'queued'";
    assert!(names(&sound.changed(unheld), sound.accounts[3], "not in the journal"));
}

#[test]
fn a_file_of_heads_that_was_changed_is_noticed() {
    let sound = Sound::new();
    let home = sound.copy();
    let heads = home.join("heads");
    let text = fs::read_to_string(&heads).unwrap();
    fs::write(&heads, text.replacen('a', "b", 1)).unwrap();
    assert_ne!(found(&home), []);
    fs::write(&heads, format!("{text}1 2 3\n")).unwrap();
    assert!(found(&home).iter().any(|finding| finding.what.contains("cannot be read")));
    // What a crash left of a line is not a line.
    fs::write(&heads, format!("{text}40 ab")).unwrap();
    assert_eq!(found(&home), []);
}

#[test]
fn verifying_beside_a_running_store_finds_nothing() {
    let home = tempfile::tempdir().unwrap();
    let world = world_in(home.path());
    let account = world.account();
    for number in 0..9 {
        world.run(world.charge(account, &number.to_string())).unwrap().unwrap();
        let report = verify(home.path(), &KeptElsewhere::default()).unwrap();
        assert_eq!(report.findings, []);
        assert_eq!(report.entries, 3 + number);
    }
    world.run(command(account, Command::Settle)).unwrap().unwrap();
}

#[test]
fn an_alert_that_is_not_its_entrys_is_named() {
    let home = tempfile::tempdir().unwrap();
    let origin = home.path().join("origin");
    let world = world_in(&origin);
    let account = world.account();
    world.run(command(account, Command::SetAlert { below: Some(Credits::whole(20)) })).unwrap().unwrap();
    drop(world);
    assert_eq!(found(&origin), []);
    let cases = [
        ("UPDATE alerts SET available = 3", "has an alert that is not its entry's"),
        ("UPDATE alerts SET row = row - 1", "has an alert that is not its entry's"),
        ("DELETE FROM alerts", "tells of a low balance, and has no alert"),
    ];
    for (number, (sql, what)) in cases.into_iter().enumerate() {
        let changed = home.path().join(number.to_string());
        copy(&origin, &changed);
        assert_eq!(tamper(&changed).execute(sql, []).unwrap(), 1, "{sql}");
        let findings = found(&changed);
        assert!(names(&findings, account, what), "{sql}: {findings:?}");
    }
}
