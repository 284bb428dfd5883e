//! Between a file and the row that names it.
//!
//! A file is stored first, and named by a row in the commit after that: in between nobody can see that it is needed.
//! Equal pictures share a file, so that it may be an old one, which somebody else is just deleting. Hence whoever
//! stores files to name them and whoever removes files take turns.

use std::{sync::Arc, time::Duration};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// How long a removal waits for its turn. A store without space keeps jobs between their files and their rows.
const PATIENCE: Duration = Duration::from_millis(500);

/// Keeps files from being removed while somebody is about to name them.
#[derive(Clone, Default)]
pub struct Naming(Arc<RwLock<()>>);

/// While it, or a clone of it, is there, no file is removed.
#[derive(Clone)]
pub struct NamesSoon {
    _turn: Arc<OwnedRwLockReadGuard<()>>,
}

/// While it is there, nobody stores a file to name it.
pub(crate) struct NobodyNames {
    _turn: OwnedRwLockWriteGuard<()>,
}

impl Naming {
    /// Begins to store files that a row will name. What this returns must live until the commit of that row is
    /// answered; inside the unit of work, it does even when nobody waits for the answer any more.
    pub async fn begin(&self) -> NamesSoon {
        NamesSoon { _turn: Arc::new(Arc::clone(&self.0).read_owned().await) }
    }

    /// Waits until no file is between being stored and being named; `None` if that takes too long.
    pub(crate) async fn rests(&self) -> Option<NobodyNames> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.0).write_owned()).await;
        turn.ok().map(|turn| NobodyNames { _turn: turn })
    }
}
