//! A full disk: refused clearly, nothing lost, and back by itself when there is space.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

#[path = "support/mount.rs"]
mod mount;
mod support;

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::{Duration, Instant},
};

use mount::Mount;
use support::{Home, Server};

#[test]
fn a_full_disk_refuses_what_it_cannot_keep_and_loses_nothing() {
    let disk = match Mount::tmpfs("48m") {
        Ok(disk) => disk,
        Err(lack) if std::env::var("MEDICI_SKIP_DISK_FULL").is_ok_and(|value| value == "1") => {
            eprintln!("skipped by MEDICI_SKIP_DISK_FULL: {lack}");
            return;
        }
        Err(lack) => panic!("this test mounts a tmpfs, as root ({lack}); MEDICI_SKIP_DISK_FULL=1 leaves it out"),
    };
    let home = Home::at(disk.path().join("data"));
    let account = home.account("full", "100000");
    let (service, reader) = (home.key(&["--service"]), home.key(&["--account", "full"]));
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let mut client = server.client();
    let mut charged = 0;
    let mut number = 0;
    let mut charge = |client: &mut support::Client, charged: &mut u32| {
        number += 1;
        let (status, body) = client.charge(&account, &service, &format!("full-{number}")).unwrap();
        if matches!(status, 200 | 201) {
            *charged += 1;
        }
        (status, body)
    };
    for _ in 0..20 {
        assert!(matches!(charge(&mut client, &mut charged).0, 200 | 201));
    }

    fill(disk.path());
    let refused = until(Duration::from_secs(20), || {
        let (status, body) = charge(&mut client, &mut charged);
        (!matches!(status, 200 | 201)).then_some((status, body))
    });
    assert_eq!(refused.0, 503, "{}", refused.1);
    assert_eq!(refused.1["code"], "storage_full", "{}", refused.1);
    let (status, body) = client.picture(&reader, "picture-while-full").unwrap();
    assert_eq!((status, &body["error"]["code"]), (503, &"storage_full".into()), "{body}");
    let (status, credits) = client.get("/api/credits", &reader);
    assert_eq!(status, 200, "reads go on: {credits}");
    assert_eq!(ready(&mut client), 503);

    fs::remove_file(disk.path().join("ballast")).unwrap();
    let freed = Instant::now();
    until(Duration::from_secs(5), || {
        let (status, _) = charge(&mut client, &mut charged);
        matches!(status, 200 | 201).then_some(())
    });
    eprintln!("took charges again {:?} after there was space", freed.elapsed());
    assert_eq!(ready(&mut client), 200);
    check(&home, &mut server, charged);
}

/// The ledger proves itself, and has every charge that was acknowledged and none that was refused.
fn check(home: &Home, server: &mut Server, charged: u32) {
    home.verify();
    assert!(server.stop().success());
    home.verify();
    let statement = home.json(&["ledger", "statement", "full"]);
    let booked = statement["entries"].as_array().unwrap().iter().filter(|entry| entry["fact"] == "charged").count();
    assert_eq!(booked, charged as usize);
}

fn ready(client: &mut support::Client) -> u16 {
    client.get("/readyz", "").0
}

/// Writes until nothing more goes in.
fn fill(disk: &Path) {
    let mut ballast = File::create(disk.join("ballast")).unwrap();
    for block in [1 << 20, 1 << 12, 1] {
        let bytes = vec![0u8; block];
        while ballast.write_all(&bytes).is_ok() {}
    }
}

fn until<T>(patience: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(done) = attempt() {
            return done;
        }
        assert!(begun.elapsed() < patience, "not within {patience:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
