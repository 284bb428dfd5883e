//! Accounts are opened, and API keys made and revoked.

use medici_ledger::{AccountId, Command, PlanName, Refusal, Timestamp};

use crate::{
    account::{Account, ApiKey, KeyOwner},
    api_key::Secret,
    ids::ApiKeyId,
    store::StoreError,
    studio::Studio,
    unit::{Decide, Touches, UnitOfWork, decide},
};

/// An account to open.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAccount {
    /// Its unique handle.
    pub name: String,
    /// A plan of the price book.
    pub plan: PlanName,
    /// For a sandbox: what its clock says at first.
    pub sandbox: Option<Timestamp>,
    /// The code of a cohort that it joins at once.
    pub code: Option<String>,
}

/// Why an account was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenAccountError {
    /// The name cannot be one.
    #[error("an account's name is 1 to 63 of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit")]
    BadName,
    /// Another account has it.
    #[error("an account named {0} exists already")]
    NameTaken(String),
    /// No cohort of the price book in force has this code.
    #[error("no cohort has this code now")]
    UnknownCode,
    /// The ledger refused it, for example for want of such a plan.
    #[error(transparent)]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Studio {
    /// Opens an account on a plan. Its monthly credits begin at this instant.
    pub async fn open_account(&self, name: &str, plan: PlanName) -> Result<Account, OpenAccountError> {
        self.open_new(NewAccount { name: name.to_owned(), plan, sandbox: None, code: None }).await
    }

    /// Opens an account, a sandbox or one with a code among them. Its name is taken once, so a repeat is refused.
    pub async fn open_new(&self, new: NewAccount) -> Result<Account, OpenAccountError> {
        let name = &new.name;
        let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '.' | '_' | '-');
        let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if !begins || name.len() > 63 || !name.chars().all(allowed) {
            return Err(OpenAccountError::BadName);
        }
        let id = AccountId::from_u128(self.ids.next());
        decide(&*self.store, OpenAccount { id, new }).await?
    }

    /// Makes an API key. The secret is in this answer and nowhere else.
    pub async fn create_api_key(&self, owner: KeyOwner, label: &str) -> Result<(ApiKey, Secret), StoreError> {
        let secret = Secret::new(self.ids.secret(), self.ids.secret());
        let key = ApiKey {
            id: ApiKeyId::from_u128(self.ids.next()),
            owner,
            lookup: secret.lookup().to_owned(),
            secret_hash: secret.hash(),
            label: label.to_owned(),
            created_at: self.clock.now(),
            revoked_at: None,
        };
        let Ok(()) = decide(&*self.store, PutApiKey { key: key.clone() }).await?;
        Ok((key, secret))
    }

    /// Makes a key stop working, at once. Returns it, or `None` if there is none. A repeat changes nothing.
    pub async fn revoke_api_key(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let Some(mut key) = self.store.api_key_by_id(id).await? else { return Ok(None) };
        if key.revoked_at.is_none() {
            key.revoked_at = Some(self.clock.now());
            let Ok(()) = decide(&*self.store, PutApiKey { key: key.clone() }).await?;
        }
        Ok(Some(key))
    }
}

struct OpenAccount {
    id: AccountId,
    new: NewAccount,
}

impl Decide for OpenAccount {
    type Reply = Account;
    type Refusal = OpenAccountError;

    fn touches(&self) -> Touches {
        Touches::wallet(self.id)
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<Account, OpenAccountError> {
        let NewAccount { name, plan, sandbox, code } = &self.new;
        if work.name_taken(name) {
            return Err(OpenAccountError::NameTaken(name.clone()));
        }
        let open = Command::Open { plan: *plan, sandbox: *sandbox };
        work.ledger(self.id, &open).map_err(OpenAccountError::Refused)?;
        if let Some(code) = code {
            self.join(work, code)?;
        }
        let account = Account { id: self.id, name: name.clone(), created_at: work.now() };
        work.put_account(account.clone());
        Ok(account)
    }
}

impl OpenAccount {
    /// Joins every cohort that has the code. One that takes whoever comes now has been joined already.
    fn join(&self, work: &mut UnitOfWork<'_>, code: &str) -> Result<(), OpenAccountError> {
        let version = work.prices().version_at(work.time_of(self.id));
        let cohorts = version.iter().flat_map(|version| &version.cohorts);
        let admitting: Vec<_> = cohorts.filter(|(_, terms)| terms.admits_code(code)).map(|(name, _)| *name).collect();
        if admitting.is_empty() {
            return Err(OpenAccountError::UnknownCode);
        }
        for cohort in admitting {
            match work.ledger(self.id, &Command::JoinCohort { cohort, code: Some(code.into()) }) {
                Ok(_) | Err(Refusal::CohortJoined) => {}
                Err(refusal) => return Err(OpenAccountError::Refused(refusal)),
            }
        }
        Ok(())
    }
}

struct PutApiKey {
    key: ApiKey,
}

impl Decide for PutApiKey {
    type Reply = ();
    type Refusal = std::convert::Infallible;

    fn touches(&self) -> Touches {
        Touches::default()
    }

    fn decide(&self, work: &mut UnitOfWork<'_>) -> Result<(), Self::Refusal> {
        work.put_api_key(self.key.clone());
        Ok(())
    }
}
