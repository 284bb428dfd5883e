//! `ledger proof` and `ledger verify --proof`: one account's history, proved without the data directory.

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::Args;
use medici_ledger::{
    Entry,
    statement::{Period, Statement},
};
use medici_server::documents::{class_json, money_json};
use medici_store::{HeadKey, ProofOf, Proved, verify_proof, write_proof};
use medici_studio::{Account, Clock};
use serde_json::{Value, json};

use super::verify::{VerifyArgs, of_finding, of_trial, unit};
use crate::{Verdict, books, config::Config, machine::SystemClock, render};

/// Arguments of `ledger proof`.
#[derive(Args)]
pub(crate) struct ProofArgs {
    /// Name or id
    account: String,
    /// Where to write it; a file that is there is left as it is
    file: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `ledger proof`: replays the account, signs its head, and writes both down.
pub(crate) fn run(config: &Config, args: &ProofArgs) -> Result<Verdict> {
    let books = books::open(config)?;
    let account = books::account(&books, &args.account)?;
    let seen = books.head_seen(account.id).context("cannot read the file of heads")?;
    let entries = books.entries(account.id)?;
    if let Some((seq, hash)) = seen
        && !entries.iter().any(|entry| (entry.seq, entry.hash) == (seq, hash))
    {
        bail!("the file of heads has seen another entry {seq} of {}: see `medici ledger verify`", account.name)
    }
    let Some(key) = books.head_key()? else {
        bail!("there is no heads.key to sign with; whatever opens the store next, such as `medici serve`, makes one")
    };
    let path = args.file.display();
    let mut options = OpenOptions::new();
    // What it holds is the customer's: whoever hands it on decides who reads it.
    let file = match options.write(true).create_new(true).mode(0o600).open(&args.file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => bail!("{path} exists already; choose another name"),
        file => file.with_context(|| format!("cannot write {path}"))?,
    };
    if let Err(error) = write(file, &account, &entries, &key) {
        // Half a proof is none.
        let _ = fs::remove_file(&args.file);
        return Err(error).with_context(|| format!("cannot write {path}"));
    }
    let head = entries.last().expect("a proof is of at least one entry");
    if args.json {
        render::json(&json!({
            "account": { "id": account.id.to_string(), "name": account.name },
            "file": args.file,
            "entries": head.seq,
            "head": head.hash.to_string(),
            "public_key": key.public().to_string(),
        }))?;
    } else {
        println!("{path}: {} entries of {}, head {}", head.seq, account.name, head.hash);
        println!("public key: {}; hand it over another way than the file", key.public());
    }
    Ok(Verdict::Good)
}

fn write(file: File, account: &Account, entries: &[Entry], key: &HeadKey) -> Result<()> {
    let mut file = BufWriter::new(file);
    let of = ProofOf { account: account.id, name: &account.name, signed_at: SystemClock.now() };
    write_proof(&mut file, of, entries, key)?;
    file.flush()?;
    file.get_ref().sync_all()?;
    Ok(())
}

/// Runs `ledger verify --proof`. Reads nothing but the file.
pub(crate) fn verify(path: &Path, args: &VerifyArgs) -> Result<Verdict> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let report = verify_proof(BufReader::new(file), args.public_key.as_ref())
        .with_context(|| format!("cannot read {}", path.display()))?;
    let kept = args.public_key.is_some();
    if args.json {
        let mut value = report.proved.as_ref().map_or_else(|| json!({}), |proved| of_proved(proved, kept));
        value["clean"] = report.findings.is_empty().into();
        value["findings"] = report.findings.iter().map(of_finding).collect();
        render::json(&value)?;
    } else {
        for finding in &report.findings {
            println!("{finding}");
        }
        match &report.proved {
            Some(proved) => print(proved, kept),
            None => println!("BROKEN: {} proves nothing", path.display()),
        }
    }
    Ok(if report.findings.is_empty() { Verdict::Good } else { Verdict::Broken })
}

fn print(proved: &Proved, kept: bool) {
    println!("{} ({})", proved.name, proved.account);
    print!("{}", Statement::of(&proved.entries, Period::ALWAYS));
    println!("trial balance");
    for line in &proved.trial_balance {
        println!("  {} {} {}", line.account, line.amount, unit(line));
    }
    let (available, held) = sums(proved);
    let key = &proved.public_key;
    println!("head: {}, signed at {}", proved.wallet.head(), proved.signed_at);
    if kept {
        println!("public key: {key}, as it was kept elsewhere");
    } else {
        println!("public key: {key}; anybody can make one, so compare it with --public-key");
    }
    let (entries, lots) = (proved.entries.len(), proved.wallet.lots().count());
    println!("proved: {entries} entries, {lots} lots, {available} available, {held} held");
}

fn of_proved(proved: &Proved, kept: bool) -> Value {
    let statement = Statement::of(&proved.entries, Period::ALWAYS);
    let (available, held) = sums(proved);
    json!({
        "account": { "id": proved.account.to_string(), "name": proved.name },
        "signed_at": proved.signed_at.to_string(),
        "public_key": proved.public_key.to_string(),
        "public_key_compared": kept,
        "entries": proved.entries.len(),
        "head": proved.wallet.head().to_string(),
        "lots": proved.wallet.lots().count(),
        "available": available,
        "held": held,
        "classes": statement.classes.iter().map(class_json).collect::<Vec<_>>(),
        "money": statement.money.iter().map(money_json).collect::<Vec<_>>(),
        "trial_balance": proved.trial_balance.iter().map(of_trial).collect::<Vec<_>>(),
    })
}

/// Returns what is available and held as of the last entry, whatever time has made of it since.
fn sums(proved: &Proved) -> (String, String) {
    let sum = |part: fn(&medici_ledger::Lot) -> i64| {
        let micro: i64 = proved.wallet.lots().map(|lot| part(&lot)).sum();
        medici_ledger::Unit::Credits.decimal(micro).to_string()
    };
    (sum(|lot| lot.available.micro()), sum(|lot| lot.held.micro()))
}
