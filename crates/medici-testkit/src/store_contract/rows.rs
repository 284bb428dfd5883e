//! Promises about accounts and API keys.

use medici_ledger::AccountId;
use medici_studio::{Account, ApiKey, ApiKeyId, Ids, KeyOwner, Touches};

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
