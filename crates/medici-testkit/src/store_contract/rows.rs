//! Promises about accounts, API keys and price versions.

use std::sync::Arc;

use medici_ledger::{AccountId, PriceBook};
use medici_studio::{Account, ApiKey, ApiKeyId, Ids, KeyOwner, NewPrices, PublishedVersion, Touches};

use super::{
    Open,
    world::{World, act, open},
};

/// Two accounts of one name are refused by the decision, also when both come at once.
pub fn a_name_is_given_once(open_store: Open<'_>) {
    let world = World::new(open_store);
    let create = |name: &str| {
        let (id, name) = (AccountId::from_u128(world.ids.next()), name.to_owned());
        act(Touches::wallet(id), move |work| {
            if work.name_taken(&name) {
                return Err("taken");
            }
            work.ledger(id, &open()).map_err(|_| "refused")?;
            let account = Account { id, name: name.clone(), created_at: work.now() };
            work.put_account(account.clone());
            Ok(account)
        })
    };
    let at_once = world.run_all((0..8).map(|_| create("ada")).collect::<Vec<_>>());
    let given: Vec<_> = at_once.into_iter().filter_map(|answer| answer.unwrap().ok()).collect();
    assert_eq!(given.len(), 1);
    let ada = &given[0];
    let bob = world.run(create("bob")).unwrap().unwrap();
    let zoe = world.run(create("zoe")).unwrap().unwrap();

    let world = world.reopen();
    let store = world.store();
    let ids = &world.ids;
    let late = AccountId::from_u128(ids.next());
    let again = world.run(act(Touches::wallet(late), |work| Ok::<_, ()>(work.name_taken("ada"))));
    assert_eq!(again.unwrap(), Ok(true));
    assert_eq!(world.wait(store.account_named("ada")).unwrap().as_ref(), Some(ada));
    assert_eq!(world.wait(store.account(ada.id)).unwrap().as_ref(), Some(ada));
    assert_eq!(world.wait(store.account_named("eve")).unwrap(), None);
    assert_eq!(world.wait(store.account(late)).unwrap(), None);
    assert_eq!(world.wait(store.accounts(None, 2)).unwrap(), [ada.clone(), bob.clone()]);
    assert_eq!(world.wait(store.accounts(Some("ada"), 9)).unwrap(), [bob, zoe.clone()]);
    assert_eq!(world.wait(store.accounts(Some("c"), 9)).unwrap(), [zoe]);
    assert_eq!(world.wait(store.accounts(Some("zoe"), 9)).unwrap(), []);
}

/// A revoked key is still found, so that its use can be told from a key that never was.
pub fn api_keys_are_found_by_their_public_part_until_and_after_revocation(open_store: Open<'_>) {
    let world = World::new(open_store);
    let account = world.account();
    let made = world.store().wallet(account).unwrap().recorded_at();
    let key = |owner, lookup: &str| ApiKey {
        id: ApiKeyId::from_u128(world.ids.next()),
        owner,
        lookup: lookup.into(),
        secret_hash: world.ids.secret(),
        label: "laptop".into(),
        created_at: made,
        revoked_at: None,
    };
    let put = |world: &World, key: &ApiKey| {
        let key = key.clone();
        world.run(act(Touches::default(), move |work| {
            work.put_api_key(key.clone());
            Ok::<_, ()>(())
        }))
    };
    let mut own = key(KeyOwner::Account(account), "own");
    let newer = key(KeyOwner::Account(account), "newer");
    let (service, admin) = (key(KeyOwner::Service, "service"), key(KeyOwner::Admin, "admin"));
    for key in [&own, &newer, &service, &admin] {
        put(&world, key).unwrap().unwrap();
    }
    let twice = key(KeyOwner::Service, "own");
    assert!(put(&world, &twice).is_err(), "a public part names one key");
    own.revoked_at = Some(made);
    put(&world, &own).unwrap().unwrap();

    let world = world.reopen();
    let store = world.store();
    assert_eq!(world.wait(store.api_key("own")).unwrap().as_ref(), Some(&own));
    assert_eq!(world.wait(store.api_key_by_id(own.id)).unwrap().as_ref(), Some(&own));
    assert_eq!(world.wait(store.api_key("unknown")).unwrap(), None);
    assert_eq!(world.wait(store.api_keys(Some(account))).unwrap(), [newer, own]);
    assert_eq!(world.wait(store.api_keys(None)).unwrap(), [admin, service]);
}

/// Published prices are in force for the next unit of work, also for the next of the same group, and after a restart
/// they are there to be put in force again. A version is published once.
pub fn published_prices_are_in_force_at_once_and_kept_for_ever(open_store: Open<'_>) {
    let world = World::new(open_store);
    let at = |days: u64| {
        let now = world.prices.versions().last().unwrap().effective_at;
        now.max(medici_ledger::Timestamp::EPOCH).plus(std::time::Duration::from_secs(days * 86_400)).unwrap()
    };
    let publish = |effective_at: medici_ledger::Timestamp| {
        act(Touches::default(), move |work| {
            let mut version = work.prices().versions().last().expect("there are prices").clone();
            version.effective_at = effective_at;
            let mut versions = work.prices().versions().to_vec();
            versions.push(version);
            let book = PriceBook::new(versions).map_err(|error| error.to_string())?;
            let row = PublishedVersion {
                effective_at,
                published_at: work.now(),
                reason: "a test".into(),
                book: "a file".into(),
            };
            work.put_prices(NewPrices { versions: vec![row], book: Arc::new(book) });
            Ok::<_, String>(work.prices().versions().len())
        })
    };
    let before = world.store().prices().versions().len();
    let counts = world.run_all(vec![publish(at(40_000)), publish(at(40_001))]);
    let counts: Vec<usize> = counts.into_iter().map(|count| count.unwrap().unwrap()).collect();
    assert_eq!(counts, [before, before + 1], "the second sees what the first published");
    assert_eq!(world.store().prices().versions().len(), before + 2);
    assert!(world.run(publish(at(40_000))).unwrap().is_err(), "two versions of one instant");

    let world = world.reopen();
    let kept = world.wait(world.store().price_versions()).unwrap();
    assert_eq!(kept.iter().map(|row| &*row.book).collect::<Vec<_>>(), ["a file", "a file"]);
    assert!(kept[0].effective_at < kept[1].effective_at);
}
