//! Power cuts: what was acknowledged before the power went is there when it comes back.
//!
//! The ext4 shutdown ioctl without a log flush drops everything the disk was not told to keep, which is what
//! pulling the plug does. Only acknowledgements stamped before the cut began count: those within the call's own
//! time may be on either side of it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

#[path = "support/load.rs"]
mod load;
#[path = "support/mount.rs"]
mod mount;
mod support;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use load::{Cast, Kind, Ledger, Noted, ask_until_gone};
use mount::Mount;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use support::{Home, rounds};

const CLIENTS: [Kind; 4] = [Kind::Charge, Kind::Charge, Kind::Charge, Kind::Picture];

#[test]
fn what_was_acknowledged_before_the_power_went_is_there_when_it_comes_back() {
    let Some(disk) = disk() else { return };
    let seed = rounds("MEDICI_SEED", 20_261_122);
    let mut moments = ChaCha8Rng::seed_from_u64(seed);
    let home = Home::at(disk.path().join("data"));
    let cast = Cast::new(&home);
    let mut ledger = Ledger::default();
    let (cuts, mut lost) = (rounds("MEDICI_POWER_CUTS", 20), 0);
    for round in 0..cuts {
        let cutter = Cutter::new(disk.path()).unwrap();
        let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
        let moment = Duration::from_micros(50_000 + u64::from(moments.next_u32()) % 350_000);
        let address = server.address;
        let (noted, cut) = std::thread::scope(|scope| {
            let clients: Vec<_> = CLIENTS
                .iter()
                .enumerate()
                .map(|(client, kind)| {
                    let cast = &cast;
                    scope.spawn(move || ask_until_gone(address, cast, *kind, &format!("p{round}-c{client}")))
                })
                .collect();
            std::thread::sleep(moment);
            // The control: written and never synced, so a real power cut loses it.
            std::fs::write(disk.path().join("control"), [round.to_le_bytes(); 1024].concat()).unwrap();
            let cut = Instant::now();
            cutter.cut();
            server.kill();
            (clients.into_iter().flat_map(|client| client.join().unwrap()).collect::<Vec<_>>(), cut)
        });
        drop(cutter);
        disk.off().unwrap();
        disk.again().unwrap();
        let control = std::fs::read(disk.path().join("control")).unwrap_or_default();
        lost += u64::from(control != [round.to_le_bytes(); 1024].concat());
        home.verify();
        let counted: Vec<Noted> = noted.into_iter().map(|noted| before(noted, cut)).collect();
        let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
        ledger.resolve(&server, &cast, counted);
        ledger.compare(&home);
        assert!(server.stop().success());
        home.verify();
        eprintln!("cut {round} (seed {seed}, after {moment:?}): {}", ledger.counts());
    }
    assert!(lost >= cuts / 2, "the cuts were none: of {cuts} files that nobody synced, {lost} were lost");
    assert!(ledger.charges() > 20 && ledger.pictures() > 5, "too little load: {}", ledger.counts());
}

#[test]
fn a_server_whose_disk_fails_acknowledges_nothing_more_and_ends_with_code_70() {
    let Some(disk) = disk() else { return };
    let home = Home::at(disk.path().join("data"));
    let cast = Cast::new(&home);
    let cutter = Cutter::new(disk.path()).unwrap();
    let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
    let mut client = server.client();
    assert_eq!(client.charge(&cast.account, &cast.service_key, "before").unwrap().0, 201);
    cutter.cut();
    // An answer may not come at all; an acknowledgement must not.
    if let Ok((status, body)) = client.charge(&cast.account, &cast.service_key, "after") {
        assert_eq!(status, 503, "{body}");
    }
    assert_eq!(server.wait(Duration::from_secs(10)).code(), Some(70));
    drop(cutter);
    disk.off().unwrap();
    disk.again().unwrap();
    let mut server = home.serve(&["--engine", "test-pattern", "--log", "json"]);
    let again = server.client().charge(&cast.account, &cast.service_key, "before").unwrap();
    assert_eq!((again.0, &again.1["entry"]["seq"]), (201, &3.into()), "{}", again.1);
    assert_eq!(server.client().charge(&cast.account, &cast.service_key, "after").unwrap().0, 201);
    assert!(server.stop().success());
    home.verify();
}

/// Makes the disk; a machine that cannot is a failure, unless the environment says to leave these tests out.
fn disk() -> Option<Mount> {
    match Mount::ext4(256).and_then(|disk| Cutter::new(disk.path()).map(|_| disk)) {
        Ok(disk) => Some(disk),
        Err(lack) if std::env::var("MEDICI_SKIP_POWER_CUT").is_ok_and(|value| value == "1") => {
            eprintln!("skipped by MEDICI_SKIP_POWER_CUT: {lack}");
            None
        }
        Err(lack) => panic!(
            "this test cuts the power of a loop-mounted ext4 image: it needs root, loop devices, mkfs.ext4 and \
             python3 ({lack}); MEDICI_SKIP_POWER_CUT=1 leaves it out"
        ),
    }
}

/// Forgets an answer that came after the cut began: it promises nothing.
fn before(noted: Noted, cut: Instant) -> Noted {
    let acknowledged = noted.acknowledged.filter(|(at, ..)| *at < cut);
    Noted { acknowledged, ..noted }
}

/// A process that has the file system open and waits for the word to cut its power.
///
/// Started beforehand, so that the cut takes no longer than the call; in Python, because a system call of one's
/// own is unsafe code, which this workspace does without.
struct Cutter {
    child: Child,
    word: ChildStdin,
    answer: std::cell::RefCell<BufReader<ChildStdout>>,
}

const CUT: &str = "
import fcntl, os, struct, sys
EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587d, 2
fd = os.open(sys.argv[1], os.O_RDONLY)
print('open', flush=True)
if sys.stdin.readline().strip() == 'cut':
    fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack('I', NO_LOG_FLUSH))
    print('cut', flush=True)
";

impl Cutter {
    fn new(mount: &Path) -> Result<Self, String> {
        let mut child = Command::new("python3")
            .args(["-c", CUT])
            .arg(mount)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("python3: {error}"))?;
        let word = child.stdin.take().expect("it was piped");
        let answer = BufReader::new(child.stdout.take().expect("it was piped"));
        let cutter = Self { child, word, answer: answer.into() };
        match cutter.line().as_str() {
            "open" => Ok(cutter),
            other => Err(format!("python3 said {other:?}")),
        }
    }

    fn cut(&self) {
        (&self.word).write_all(b"cut\n").unwrap();
        assert_eq!(self.line(), "cut", "the power could not be cut");
    }

    fn line(&self) -> String {
        let mut line = String::new();
        self.answer.borrow_mut().read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
