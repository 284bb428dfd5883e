//! `medici key`: make, list and revoke API keys.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use medici_studio::{ApiKey, ApiKeyId, KeyOwner, Secret};
use serde_json::{Value, json};

use crate::{
    Verdict,
    admin::{Admin, Ask, block_on, text},
    books,
    config::Config,
    render,
};

/// What to do with API keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key; its secret is shown this once
    Create {
        #[command(flatten)]
        owner: Owner,
        /// What it is called in lists
        #[arg(long, default_value = "")]
        label: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List keys, revoked ones too; never their secrets
    List {
        /// Only this account's [default: the services' and the operator's]
        #[arg(long, value_name = "NAME")]
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a key stop working, at once
    Revoke {
        /// key_ and 32 digits, as `medici key list` shows it
        id: ApiKeyId,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Whose requests a new key signs.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Owner {
    /// An account's: draws for it, and reads it
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Another service's: charges any account
    #[arg(long)]
    service: bool,
    /// The operator's: administers
    #[arg(long)]
    admin: bool,
}

/// Runs `medici key`.
pub(crate) fn run(config: Config, command: KeyCommand) -> Result<Verdict> {
    match command {
        KeyCommand::Create { owner, label, json } => create(&config, &owner, &label, json)?,
        KeyCommand::List { account, json } => list(&config, account.as_deref(), json)?,
        KeyCommand::Revoke { id, json } => revoke(&config, id, json)?,
    }
    Ok(Verdict::Good)
}

fn create(config: &Config, owner: &Owner, label: &str, as_json: bool) -> Result<()> {
    let made = block_on(async {
        let admin = Admin::open(config).await?;
        let (path, body) = match &owner.account {
            Some(name) => {
                let id = books::account(&books::open(config)?, name)?.id;
                (format!("/api/accounts/{id}/keys"), json!({ "label": label }))
            }
            None => {
                let owner = if owner.admin { "admin" } else { "service" };
                ("/api/keys".to_owned(), json!({ "owner": owner, "label": label }))
            }
        };
        admin.ask(Ask::post(&path, body)).await
    })?;
    if as_json {
        return render::json(&made);
    }
    println!("{}", text(&made, "secret")?);
    eprintln!("{}: shown this once; whoever has it can use it", text(&made, "id")?);
    Ok(())
}

fn list(config: &Config, account: Option<&str>, as_json: bool) -> Result<()> {
    let books = books::open(config)?;
    let account = account.map(|name| books::account(&books, name)).transpose()?;
    let keys = books.api_keys(account.map(|account| account.id))?;
    if as_json {
        return render::json(&keys.iter().map(of_key).collect::<Vec<_>>());
    }
    let rows = keys.iter().map(|key| {
        let state = key.revoked_at.map_or("works".to_owned(), |at| format!("revoked {at}"));
        vec![key.id.to_string(), owner(key).to_owned(), key.label.clone(), key.created_at.to_string(), state]
    });
    render::table(&["id", "owner", "label", "created", ""], &rows.collect::<Vec<_>>());
    Ok(())
}

fn of_key(key: &ApiKey) -> Value {
    let account = match key.owner {
        KeyOwner::Account(account) => Some(account.to_string()),
        KeyOwner::Service | KeyOwner::Admin => None,
    };
    json!({
        "id": key.id.to_string(),
        "owner": owner(key),
        "account": account,
        "label": key.label,
        "created_at": key.created_at.to_string(),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}

fn owner(key: &ApiKey) -> &'static str {
    match key.owner {
        KeyOwner::Account(_) => "account",
        KeyOwner::Service => "service",
        KeyOwner::Admin => "admin",
    }
}

fn revoke(config: &Config, id: ApiKeyId, as_json: bool) -> Result<()> {
    let own = config.data.admin_key()?.as_deref().and_then(Secret::parse);
    let keys = books::open(config)?.api_keys(None)?;
    if keys.iter().any(|key| key.id == id && own.as_ref().is_some_and(|own| own.lookup() == key.lookup)) {
        bail!("{id} is the key of commands on this machine: without it, they could not reach a running server");
    }
    let revoked = block_on(async {
        let admin = Admin::open(config).await?;
        admin.ask(Ask::delete(&format!("/api/keys/{id}"))).await
    })?;
    if as_json {
        return render::json(&revoked);
    }
    println!("{id} is revoked");
    Ok(())
}
