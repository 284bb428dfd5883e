//! Every command of the binary, with and without a server on the same data.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test of a real process in real time")]

mod support;

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use support::{Home, Server, text};

#[test]
fn administration_does_the_same_with_and_without_a_server() {
    let home = Home::new();
    administer(&home, "before");
    let mut server = home.serve(&["--engine", "test-pattern"]);
    administer(&home, "beside");
    home.verify();
    assert!(server.stop().success());
    administer(&home, "after");
    home.verify();
    let accounts = home.json(&["account", "list"]);
    let names: Vec<&str> =
        accounts.as_array().unwrap().iter().map(|account| account["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["after", "before", "beside", "owner"]);
}

fn administer(home: &Home, name: &str) {
    let made = home.json(&["account", "create", name, "--plan", "free"]);
    assert_eq!(made["name"], name);
    assert!(home.fails(1, &["account", "create", name]).contains("exists already"));
    assert!(home.fails(1, &["account", "create", "Not A Name"]).contains("name"));
    assert!(home.fails(1, &["account", "create", "other", "--plan", "gold"]).contains("gold"));

    let shown = home.json(&["account", "show", name]);
    assert_eq!((&shown["available"], &shown["held"], &shown["plan"]), (&"15".into(), &"0".into(), &"free".into()));
    let grant = ["grant", name, "2.5", "--class", "promo", "--expires", "2037-01-01", "--key", "thanks"];
    let given = home.json(&grant);
    assert_eq!((&given["available"], given["replayed"].as_bool()), (&"17.5".into(), None));
    assert_eq!(home.json(&grant)["replayed"], true, "the same key gives once");
    let other = ["grant", name, "3", "--class", "promo", "--expires", "2037-01-01", "--key", "thanks"];
    assert!(home.fails(1, &other).contains("Idempotency-Key"));
    let paid = ["grant", name, "115", "--class", "paid", "--cost", "15.00 USD", "--expires", "2037-01-01"];
    assert_eq!(home.json(&paid)["available"], "132.5");
    assert!(home.fails(1, &["grant", name, "1", "--cost", "1.00 USD"]).contains("cost"));
    assert!(home.fails(1, &["grant", "nobody", "1"]).contains("nobody"));
    home.fails(2, &["grant", name, "-1"]);
    home.fails(2, &["grant", name, "0.0000001"]);

    let key = home.json(&["key", "create", "--account", name, "--label", "laptop"]);
    let secret = key["secret"].as_str().unwrap();
    assert!(secret.starts_with("sk-m-"));
    for whose in ["--service", "--admin"] {
        assert!(home.key(&[whose]).starts_with("sk-m-"));
    }
    home.fails(2, &["key", "create"]);
    home.fails(2, &["key", "create", "--service", "--admin"]);
    let listed = home.ok(&["key", "list", "--account", name, "--json"]);
    assert!(listed.contains("laptop") && !listed.contains(secret), "a secret is shown once");
    let id = key["id"].as_str().unwrap();
    home.ok(&["key", "revoke", id]);
    let listed = home.json(&["key", "list", "--account", name]);
    assert!(listed[0]["revoked_at"].is_string(), "{listed}");
    home.ok(&["account", "show", name]);
    home.ok(&["key", "list"]);

    let statement = home.json(&["ledger", "statement", name]);
    let facts: Vec<&str> =
        statement["entries"].as_array().unwrap().iter().map(|e| e["fact"].as_str().unwrap()).collect();
    assert_eq!(facts, ["opened", "granted", "granted", "granted"], "{statement}");
    assert!(home.ok(&["ledger", "statement", name]).contains("closing"));
    let explained = home.ok(&["ledger", "explain", name, "4"]);
    assert!(explained.contains("15.00 USD"), "{explained}");
    assert!(home.fails(1, &["ledger", "explain", name, "99"]).contains("99"));
}

#[test]
fn a_picture_is_priced_held_drawn_captured_and_explained() {
    let home = Home::new();
    home.account("ann", "15");
    let key = home.key(&["--account", "ann"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let (status, body) = server.client().picture(&key, "one").unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(home.json(&["account", "show", "ann"])["available"], "14");
    let statement = home.json(&["ledger", "statement", "ann"]);
    let entries = statement["entries"].as_array().unwrap();
    let fact = |name: &str| entries.iter().find(|entry| entry["fact"] == name).unwrap_or_else(|| panic!("{statement}"));
    assert_eq!(fact("held")["held"], "1");
    let hold = fact("captured")["hold"].as_str().unwrap();
    let story = home.ok(&["ledger", "explain", "ann", hold]);
    assert!(story.contains("held 1") && story.contains("captured 1"), "{story}");
    home.verify();
    assert!(server.stop().success());
    let proof = home.verify();
    assert_eq!((&proof["jobs"], &proof["images"]), (&1.into(), &1.into()));
}

#[test]
fn verify_names_an_image_whose_file_is_gone() {
    let home = Home::new();
    home.account("ann", "15");
    let key = home.key(&["--account", "ann"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    assert_eq!(server.client().picture(&key, "one").unwrap().0, 200);
    assert!(server.stop().success());
    home.verify();
    let files = files_under(&home.path().join("blobs"));
    assert_eq!(files.len(), 1, "{files:?}");
    fs::remove_file(&files[0]).unwrap();
    let output = home.run(&["ledger", "verify", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{report}");
    let name = files[0].file_name().unwrap().to_str().unwrap();
    assert!(findings[0]["what"].as_str().unwrap().contains(name), "{report}");
    assert!(text(&home.run(&["ledger", "verify"]).stdout).contains("BROKEN"));
}

fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_under(&path) } else { vec![path] }).collect()
}

#[test]
fn draw_writes_four_pictures_and_overwrites_none() {
    let home = Home::new();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().join("pictures");
    let draw = ["draw", "a red fox", "--seed", "7", "--output", folder.to_str().unwrap()];
    let drawn = home.json(&draw);
    assert_eq!(drawn["pictures"].as_array().unwrap().len(), 4);
    assert_eq!(drawn["seed"], 7);
    let first = pictures(&folder);
    assert_eq!(first.keys().cloned().collect::<Vec<_>>(), [1, 2, 3, 4].map(|n| format!("a-red-fox-7-{n}.png")));
    for bytes in first.values() {
        let reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (256, 256));
    }
    let printed = home.ok(&draw);
    assert_eq!(printed.lines().filter(|line| line.contains(".png")).count(), 4);
    let second = pictures(&folder);
    assert_eq!(second.len(), 8, "the same seed draws the same pictures beside the first ones");
    assert!(first.iter().all(|(name, bytes)| second[name] == *bytes));
    assert_eq!(second["a-red-fox-7-1-2.png"], first["a-red-fox-7-1.png"]);
    assert!(!home.path().exists(), "drawing needs no data directory");

    assert!(home.fails(1, &["draw", "  "]).contains("blank"));
    assert!(home.fails(1, &["draw", "fox", "--size", "300x300"]).contains("256x256"));
    assert!(home.fails(1, &["draw", &"x".repeat(2000)]).contains("characters"));
    home.fails(2, &["draw", "fox", "-n", "0"]);
    home.fails(2, &["draw", "fox", "-n", "11"]);
    home.fails(2, &["draw", "fox", "--size", "big"]);
}

#[test]
fn a_pictures_file_says_where_it_comes_from() {
    let home = Home::new();
    let out = tempfile::tempdir().unwrap();
    let folder = out.path().to_str().unwrap();
    let draw = ["draw", "a red fox", "-n", "2", "--seed", "7", "--engine", "test-pattern", "--output", folder];
    for (format, extension) in [("png", "png"), ("jpeg", "jpg"), ("webp", "webp")] {
        home.ok(&[&draw[..], &["--format", format, "--compression", "80"]].concat());
        let file = out.path().join(format!("a-red-fox-7-2.{extension}"));
        let says = &home.json(&["image", "inspect", file.to_str().unwrap()])[0];
        assert_eq!((&says["format"], &says["size"], &says["ours"]), (&format.into(), &"256x256".into(), &true.into()));
        assert_eq!((&says["model"], &says["seed"], &says["index"]), (&"test-pattern".into(), &7.into(), &1.into()));
        assert_eq!((&says["operation"], &says["prompt"]), (&"generate".into(), &"a red fox".into()));
        let marked = (&says["ai_generated"], &says["source_type"]);
        assert_eq!(marked, (&true.into(), &"trainedAlgorithmicMedia".into()));
        let bytes = fs::read(&file).unwrap();
        assert_eq!(says["bytes"], bytes.len());
        assert_eq!(says["sha256"], medici_studio::BlobHash::of(&bytes).to_string());
        let printed = home.ok(&["image", "inspect", file.to_str().unwrap()]);
        assert!(printed.contains("seed       7") && printed.contains("AI-generated"), "{printed}");
    }
    home.fails(2, &[&draw[..], &["--format", "gif"]].concat());
    home.fails(2, &[&draw[..], &["--format", "jpeg", "--compression", "101"]].concat());

    let ours = out.path().join("a-red-fox-7-1.png");
    let other = out.path().join("letter.png");
    fs::write(&other, "Dear Sir").unwrap();
    let both = home.run(&["image", "inspect", ours.to_str().unwrap(), other.to_str().unwrap(), "--json"]);
    assert_eq!(both.status.code(), Some(1), "one of them is not ours");
    let says: Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!((&says[0]["ours"], &says[1]["ours"]), (&true.into(), &false.into()));
    assert_eq!(says[1]["error"], "a PNG, JPEG, WebP or GIF picture needed, a text found");
    let said = text(&home.run(&["image", "inspect", other.to_str().unwrap()]).stdout);
    assert!(said.contains("a text found"), "{said}");
    assert!(home.fails(1, &["image", "inspect", "nowhere.png"]).contains("cannot read nowhere.png"));
    assert!(!home.path().exists(), "looking at files needs no data directory");
}

fn pictures(folder: &Path) -> std::collections::BTreeMap<String, Vec<u8>> {
    let file = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(file).collect()
}

#[test]
fn serve_draws_first_and_then_serves() {
    let home = Home::new();
    let out = tempfile::tempdir().unwrap();
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--draw", "a red fox"]);
    command.current_dir(out.path());
    let mut server = Server::start(command);
    assert_eq!(pictures(out.path()).len(), 4);
    assert!(server.printed.contains(".png") && server.url().contains("?token="), "{}", server.printed);
    assert!(server.printed.contains("admin key"), "the first start shows a key");
    assert_eq!(server.client().get("/healthz", "").0, 200);
    assert!(server.stop().success());
    let again = home.serve(&["--engine", "test-pattern"]);
    assert!(!again.printed.contains("admin key"), "and later starts do not");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 4, "nothing is created outside the data directory");
}

#[test]
fn serve_refuses_what_cannot_work_in_plain_words() {
    let home = Home::new();
    let engine = ["--engine", "test-pattern"];
    let serve = |listen: &str| home.fails(1, &[&["serve", "--listen", listen][..], &engine].concat());
    assert!(serve("0.0.0.0:0").contains("127.0.0.1"));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = serve(&taken.local_addr().unwrap().to_string());
    assert!(said.contains("taken") && said.contains("--listen"), "{said}");
    assert!(!home.path().join("medici.db").exists(), "a server that cannot listen makes nothing");
    home.fails(2, &["serve", "--listen", "nowhere"]);

    let _running = home.serve(&engine);
    let said = serve("127.0.0.1:0");
    assert!(said.contains("in use by another process"), "{said}");
}

#[test]
fn the_data_directory_is_its_owners_alone_and_holds_everything() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(home.path()), 0o700);
    for secret in ["signing.key", "admin.key", "heads.key", "server.json"] {
        assert_eq!(mode(&home.path().join(secret)), 0o600, "{secret}");
    }
    let signing = fs::read(home.path().join("signing.key")).unwrap();
    assert!(server.stop().success());
    assert!(!home.path().join("server.json").exists());
    let _again = home.serve(&["--engine", "test-pattern"]);
    assert_eq!(fs::read(home.path().join("signing.key")).unwrap(), signing, "links survive a restart");
}

#[test]
fn a_server_that_was_killed_is_no_obstacle() {
    let home = Home::new();
    let mut server = home.serve(&["--engine", "test-pattern"]);
    server.kill();
    assert!(home.path().join("server.json").exists(), "nobody tidied up");
    home.account("after-the-kill", "1");
    home.verify();
    let mut server = home.serve(&["--engine", "test-pattern"]);
    assert!(server.stop().success());
}

#[test]
fn configuration_comes_from_file_environment_and_flags_and_knows_its_keys() {
    let home = Home::new();
    fs::create_dir_all(home.path()).unwrap();
    let file = home.path().join("medici.toml");
    assert_eq!(home.json(&["config"])["listen"], "127.0.0.1:8080");
    fs::write(&file, "listen = \"127.0.0.1:9001\"\n[limits]\npictures_max = 5\n").unwrap();
    let config = home.json(&["config"]);
    assert_eq!((&config["listen"], &config["limits"]["pictures_max"]), (&"127.0.0.1:9001".into(), &5.into()));
    let with = |name: &str, value: &str| {
        let mut command = home.command(&["config", "--json"]);
        command.env(name, value).stdin(Stdio::null()).output().unwrap()
    };
    let output = with("MEDICI_LIMITS__PICTURES_MAX", "3");
    let config: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    assert_eq!(config["limits"]["pictures_max"], 3);

    let secret = "ab".repeat(32);
    let output = with("MEDICI_SIGNING_SECRET", &secret);
    assert!(output.status.success() && !text(&output.stdout).contains(&secret), "secrets are hidden");
    let secret_file = home.path().join("secret");
    fs::write(&secret_file, format!("{secret}\n")).unwrap();
    let output = with("MEDICI_SIGNING_SECRET_FILE", secret_file.to_str().unwrap());
    assert!(text(&output.stdout).contains("(hidden)"), "{}{}", text(&output.stdout), text(&output.stderr));

    for (name, value) in [("MEDICI_LISTNE", "x"), ("MEDICI_LIMITS__COLOUR", "1"), ("MEDICI_WORKER", "maybe")] {
        let output = with(name, value);
        assert_eq!(output.status.code(), Some(1), "{name}: {}", text(&output.stdout));
    }
    fs::write(&file, "[limits]\nheartbeat_seconds = 60\n").unwrap();
    assert!(home.fails(1, &["config"]).contains("heartbeat_seconds"));
    fs::write(&file, "colour = \"red\"\n").unwrap();
    assert!(home.fails(1, &["config"]).contains("colour"));
    fs::remove_file(&file).unwrap();
    assert!(home.fails(1, &["config", "--config", "/nowhere/medici.toml"]).contains("/nowhere/medici.toml"));
}

#[test]
fn services_of_others_are_configured_without_telling_their_keys() {
    let home = Home::new();
    fs::create_dir_all(home.path()).unwrap();
    let file = home.path().join("medici.toml");
    let key_file = home.path().join("key");
    fs::write(&key_file, "sk-secret-of-ours\n").unwrap();
    let area = "[moderation]\nendpoint = \"http://127.0.0.1:9/v1\"\n";
    fs::write(&file, format!("{area}key = \"sk-secret-of-ours\"\ntimeout_ms = 50\nfail_open = \"on\"\n")).unwrap();
    let printed = home.ok(&["config"]);
    assert!(!printed.contains("sk-secret"), "{printed}");
    let config = home.json(&["config"]);
    assert_eq!((&config["moderation"]["key"], &config["moderation"]["pictures"]), (&"(hidden)".into(), &"on".into()));
    assert_eq!(home.ok(&["moderation", "check", "a red fox"]), "clear\n", "what cannot be judged passes");
    fs::write(&file, format!("{area}key_file = {:?}\n", key_file.display().to_string())).unwrap();
    let silent = home.fails(1, &["moderation", "check", "a red fox"]);
    assert!(silent.contains("could not be judged") && !silent.contains("sk-secret"), "{silent}");

    let both = format!("{area}key = \"a\"\nkey_file = \"b\"\n");
    for (text, expected) in [
        ("[moderation]\nendpoint = \"example.org\"\n", "moderation.endpoint: an http or https address"),
        ("[moderation]\ntimeout_ms = 0\n", "moderation.timeout_ms must be 1 to 60000: found 0"),
        ("[readings]\nendpoint = \"http://127.0.0.1:9\"\n", "readings.model is needed beside readings.endpoint"),
        (&both, "moderation.key and moderation.key_file are both set"),
    ] {
        fs::write(&file, text).unwrap();
        let refused = home.fails(1, &["config"]);
        assert!(refused.contains(expected), "{refused}");
    }
    fs::write(&file, format!("{area}key_file = \"/nowhere/key\"\n")).unwrap();
    assert!(home.fails(1, &["moderation", "check", "x"]).contains("/nowhere/key"));
}

#[test]
fn rules_are_listed_and_tried_and_a_bad_file_stops_the_start_with_its_line() {
    let home = Home::new();
    fs::create_dir_all(home.path()).unwrap();
    let rules = home.path().join("rules.toml");
    fs::write(home.path().join("medici.toml"), format!("[moderation]\nrules = {:?}\n", rules.display().to_string()))
        .unwrap();
    fs::write(&rules, "[[rule]]\ncategory = \"weapons\"\nlocale = \"en\"\nzeal = \"auto\"\nwords = [\"gun\"]\n")
        .unwrap();
    let listed = home.json(&["moderation", "list"]);
    let own: Vec<&Value> = listed.as_array().unwrap().iter().filter(|rule| rule["built_in"] == false).collect();
    assert_eq!((own.len(), &own[0]["category"], &own[0]["locale"]), (1, &"weapons".into(), &"en".into()));
    assert!(home.ok(&["moderation", "list"]).contains("sexual/minors"), "the built-in rules stay");
    assert_eq!(home.ok(&["moderation", "check", "a g\u{200b}un", "--zeal", "low"]), "clear\n");
    let output = home.run(&["moderation", "check", "a g\u{200b}un"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), "blocked: weapons\n".to_owned()));

    fs::write(&rules, "[[rule]]\ncategory = \"weapons\"\npatterns = [\n  '(gun',\n]\n").unwrap();
    for command in [&["moderation", "list"][..], &["serve", "--engine", "test-pattern", "--listen", "127.0.0.1:0"]] {
        let refused = home.fails(1, command);
        assert!(refused.contains("rules.toml are refused: line 4: not a pattern"), "{refused}");
    }
}

#[test]
fn a_mistyped_data_directory_is_not_an_empty_studio() {
    let home = Home::new();
    for args in
        [&["account", "list"][..], &["ledger", "verify"], &["ledger", "statement", "ann"], &["grant", "ann", "1"]]
    {
        assert!(home.fails(1, args).contains("no store"), "{args:?}");
    }
    assert!(!home.path().exists());
}

#[test]
fn scenarios_hold_on_every_store_and_a_failed_expectation_is_told() {
    let home = Home::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../medici-ledger/scenarios");
    let mut files: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().path().to_str().unwrap().to_owned()).collect();
    files.sort();
    assert!(files.len() >= 12);
    for store in ["pure", "memory", "sqlite"] {
        let args: Vec<&str> =
            ["ledger", "play", "--store", store].into_iter().chain(files.iter().map(String::as_str)).collect();
        let printed = home.ok(&args);
        assert_eq!(printed.matches("expectations met").count(), files.len(), "{store}: {printed}");
    }
    let wrong = tempfile::NamedTempFile::new().unwrap();
    fs::write(&wrong, "2026-01-01  grant free 15 until 2026-02-01\nexpect available 16\n").unwrap();
    let output = home.run(&["ledger", "play", wrong.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains(":2: "), "{}", text(&output.stdout));
}

#[test]
fn a_server_told_to_stop_ends_soon_and_its_job_is_drawn_after_the_restart() {
    let home = Home::new();
    home.account("ann", "15");
    let key = home.key(&["--account", "ann"]);
    // A server without a worker accepts and holds, and draws nothing.
    let mut server = home.serve(&["--engine", "test-pattern", "--worker", "off"]);
    let address = server.address;
    let asking = std::thread::spawn({
        let key = key.clone();
        move || support::Client::new(address).picture(&key, "kept")
    });
    let begun = std::time::Instant::now();
    while home.json(&["account", "show", "ann"])["held"] != "1" {
        assert!(begun.elapsed() < Duration::from_secs(20), "the request was not accepted");
    }
    assert!(server.stop().success());
    let _ = asking.join().unwrap();
    let mut server = home.serve(&["--engine", "test-pattern"]);
    let (status, body) = server.client().picture(&key, "kept").unwrap();
    assert_eq!(status, 200, "{body}");
    assert_eq!(home.json(&["account", "show", "ann"])["available"], "14", "one request, one credit");
    assert!(server.stop().success());
    home.verify();
}

#[test]
fn a_price_book_is_checked_before_it_is_used() {
    let home = Home::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prices.toml");
    let path = file.to_str().unwrap();
    let check = |book: &str| {
        fs::write(&file, book).unwrap();
        ["price", "check", path]
    };
    let odd =
        "[[version]]\neffective = 2026-12-01\n[version.operations]\ngenerate = { credits = \"1\", included = 4 }\n";
    let said = home.ok(&check(odd));
    assert!(said.contains("warning: edit has no price from 2026-12-01T00:00:00Z on"), "{said}");
    assert!(said.contains("can be used: 1 version, 2 warnings"), "{said}");
    let said = home.json(&check(odd));
    assert_eq!((&said["refused"], &said["warnings"][1]["kind"]), (&Value::Null, &"no-price".into()));
    assert_eq!(said["versions"][0]["operations"]["generate"]["included"], 4);

    let wrong = odd.replace("\"1\"", "\"1/3\"");
    let refused = home.fails(1, &check(&wrong));
    assert!(refused.contains("prices.toml is refused: version 2026-12-01, operation generate, credits:"), "{refused}");
    let output = home.run(&["price", "check", path, "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(said["refused"].as_str().unwrap().contains("operation generate, credits"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert!(home.fails(1, &["price", "check", "/nowhere"]).contains("cannot read /nowhere"));
    assert!(!home.path().exists(), "checking needs no data directory");
}

#[test]
fn the_prices_in_force_are_shown_and_a_month_is_estimated() {
    let home = Home::new();
    let shown = home.ok(&["price", "show"]);
    for part in ["in force from 2022-07-20T00:00:00Z", "1 credit for up to 4 pictures", "studio", "pack-115", "beta"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let shown = home.json(&["price", "show", "--at", "2026-11-22"]);
    assert_eq!((&shown["plans"]["studio"]["class"], &shown["packs"][0]["bonus"]), (&"paid".into(), &"0".into()));
    assert!(home.fails(1, &["price", "show", "--at", "2020-01-01"]).contains("no prices are in force"));

    let said = home.ok(&["estimate", "--prompts", "10", "--edits", "3"]);
    assert_eq!(said.lines().take(2).collect::<Vec<_>>(), ["13 credits a month", "free"]);
    let said = home.json(&["estimate", "--prompts", "200", "--edits", "20"]);
    assert_eq!((&said["credits"], &said["ways"][0]["plan"]), (&"220".into(), &"studio".into()));
    assert_eq!(said["cheaper_from"][0]["prompts"], 88);
    assert!(home.fails(1, &["estimate", "--plan", "gold"]).contains("there is no plan gold now"));
    home.fails(2, &["estimate", "--prompts", "-1"]);
}

#[test]
fn prices_are_published_listed_kept_over_a_restart_and_simulated() {
    let home = Home::new();
    home.account("ann", "0");
    home.ok(&["account", "create", "bob", "--plan", "free"]);
    let book = |effective: &str, edit: &str| {
        format!(
            "[[version]]\neffective = {effective}\n[version.operations]\n\
             generate = {{ credits = \"{edit}\", included = 4 }}\n[version.plans.free]\nmonthly = \"15\"\n\
             [version.plans.none]\nmonthly = \"0\"\n"
        )
    };
    let file = home.path().join("dearer.toml");
    fs::write(&file, book("2037-01-01T00:00:00Z", "2")).unwrap();
    let path = file.to_str().unwrap();
    assert!(home.ok(&["price", "publish", path, "--dry-run"]).contains("would publish"));
    assert_eq!(home.json(&["price", "history"]).as_array().unwrap().len(), 1);
    let published = home.json(&["price", "publish", path, "--reason", "electricity"]);
    assert_eq!(published["versions"][0]["effective"], "2037-01-01T00:00:00Z");
    assert!(home.ok(&["price", "publish", path]).contains("nothing new"));

    // A version is never edited, wherever the other text comes from.
    fs::write(&file, book("2037-01-01T00:00:00Z", "3")).unwrap();
    assert!(home.fails(1, &["price", "publish", path]).contains("never edited"));
    assert!(home.fails(1, &["serve", "--prices", path, "--listen", "127.0.0.1:0"]).contains("never edited"));
    fs::write(&file, book("2020-01-01T00:00:00Z", "3")).unwrap();
    assert!(home.fails(1, &["price", "publish", path]).contains("in the future"));

    let history = home.json(&["price", "history"]);
    let states: Vec<&str> =
        history.as_array().unwrap().iter().map(|version| version["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["in force", "upcoming"]);
    assert_eq!(history[1]["reason"], "electricity");
    let later = home.json(&["price", "show", "--at", "2037-06-01"]);
    assert_eq!(later["operations"]["generate"]["credits"], "2");

    // What if everything had cost eight times as much?
    let service = home.key(&["--service"]);
    let mut server = home.serve(&["--engine", "test-pattern", "--worker", "off"]);
    for number in 0..3 {
        let (status, answer) = server.client().charge("bob", &service, &format!("charge-{number}")).unwrap();
        assert!(matches!(status, 200 | 201), "{answer}");
    }
    fs::write(&file, book("2020-01-01T00:00:00Z", "8")).unwrap();
    let simulated = home.json(&["price", "simulate", path, "--since", "2020-01-01"]);
    assert_eq!(simulated["before"]["micro_credits_spent"]["generate"], "3000000", "{simulated}");
    assert_eq!(simulated["after"]["micro_credits_spent"]["generate"], "8000000");
    assert_eq!((&simulated["refused"], &simulated["dry"][0]["account"]), (&2.into(), &"bob".into()));
    assert!(home.ok(&["price", "simulate", path, "--since", "2020-01-01"]).contains("1 accounts would have run dry"));
    assert_eq!(home.json(&["account", "show", "bob"])["available"], "12", "a simulation writes nothing");
    assert!(server.stop().success());
}

#[test]
fn a_simulation_prices_each_picture_by_what_was_asked_for() {
    let home = Home::new();
    home.account("ann", "10");
    let key = home.key(&["--account", "ann"]);
    let mut server = home.serve(&["--engine", "test-pattern"]);
    for number in 0..2 {
        let (status, body) = server.client().picture(&key, &format!("picture-{number}")).unwrap();
        assert_eq!(status, 200, "{body}");
    }
    let file = home.path().join("by-size.toml");
    let book = |size: &str| {
        format!(
            "[[version]]\neffective = 2020-01-01T00:00:00Z\n[version.operations.generate]\ncredits = \"1\"\n\
             included = 4\n[[version.operations.generate.rules]]\nsize = \"{size}\"\nmodel = \"dall-e-2\"\n\
             credits = \"4\"\n[version.plans.none]\nmonthly = \"0\"\n"
        )
    };
    for (size, spent) in [("256x256", "8000000"), ("512x512", "2000000")] {
        fs::write(&file, book(size)).unwrap();
        let simulated = home.json(&["price", "simulate", file.to_str().unwrap(), "--since", "2020-01-01"]);
        assert_eq!(simulated["before"]["micro_credits_spent"]["generate"], "2000000", "{simulated}");
        assert_eq!(simulated["after"]["micro_credits_spent"]["generate"], spent, "{simulated}");
    }
    assert!(server.stop().success());
}
