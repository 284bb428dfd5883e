//! Forward-only migrations: numbered files, each applied once, in one tx, and remembered with its checksum.

use medici_ledger::Hash;
use rusqlite::{Connection, TransactionBehavior, params};

struct Migration {
    number: i64,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migration {
    ($number:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../migrations/sqlite/", $name, ".sql")),
        }
    };
}

const MIGRATIONS: &[Migration] = &[
    migration!(1, "0001_journal"),
    migration!(2, "0002_idempotency"),
    migration!(3, "0003_accounts"),
    migration!(4, "0004_jobs"),
    migration!(5, "0005_alerts"),
    migration!(6, "0006_price_versions"),
    migration!(7, "0007_meter_events"),
    migration!(8, "0008_image_format"),
];

/// Why a database's schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// It was written by a later version of this program.
    #[error("the database has migration {found}, this program knows {known}; a newer program wrote it")]
    Newer {
        /// The last migration in the database.
        found: i64,
        /// The last one known.
        known: i64,
    },
    /// A migration that was applied differs from the one in this program.
    #[error("migration {name} was applied with other content; a shipped migration is never edited")]
    Edited {
        /// Which.
        name: String,
    },
    /// The database itself.
    #[error("a migration failed")]
    Database(#[from] rusqlite::Error),
}

/// Brings a database up to this program's schema. Repeating it changes nothing.
pub(crate) fn migrate(db: &mut Connection) -> Result<(), MigrateError> {
    migrate_to(db, MIGRATIONS)
}

fn migrate_to(db: &mut Connection, migrations: &[Migration]) -> Result<(), MigrateError> {
    db.execute_batch(
        "CREATE TABLE IF NOT EXISTS migrations (
           number   INTEGER PRIMARY KEY,
           name     TEXT NOT NULL,
           checksum TEXT NOT NULL
         ) STRICT",
    )?;
    let known = migrations.last().map_or(0, |migration| migration.number);
    let found: i64 = db.query_row("SELECT coalesce(max(number), 0) FROM migrations", [], |row| row.get(0))?;
    if found > known {
        return Err(MigrateError::Newer { found, known });
    }
    for migration in migrations {
        let checksum = Hash::of(migration.sql.as_bytes()).to_string();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let applied: Option<String> = {
            let mut query = tx.prepare("SELECT checksum FROM migrations WHERE number = ?")?;
            let mut rows = query.query([migration.number])?;
            rows.next()?.map(|row| row.get(0)).transpose()?
        };
        match applied {
            Some(applied) if applied == checksum => {}
            Some(_) => return Err(MigrateError::Edited { name: migration.name.to_owned() }),
            None => {
                tx.execute_batch(migration.sql)?;
                tx.execute(
                    "INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)",
                    params![migration.number, migration.name, checksum],
                )?;
                tx.commit()?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use medici_studio::{FileFormat, JobId, Output};

    use super::*;
    use crate::embedded::rows;

    #[test]
    fn migrating_twice_changes_nothing() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        migrate(&mut db).unwrap();
        let applied: i64 = db.query_row("SELECT count(*) FROM migrations", [], |row| row.get(0)).unwrap();
        assert_eq!(applied, MIGRATIONS.last().unwrap().number);
    }

    #[test]
    fn images_and_jobs_from_before_files_had_formats_are_png() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate_to(&mut db, &MIGRATIONS[..7]).unwrap();
        let (job, one) = ([7_u8; 16], [1_u8; 16]);
        let image = "INSERT INTO images VALUES (?1, ?2, ?1, 0, zeroblob(32), 9, 256, 256, x'00', NULL, 5)";
        db.execute(image, params![one, job]).unwrap();
        // As the last version before wrote it.
        let data = r#"{"api_key":null,"operation":"generate","model":"dall-e-2","spec":{"prompt":"a red fox","count":1,
            "width":256,"height":256,"seed":7,"background":"auto","steps":null,"previews":0},"quote":{"version":0,
            "operation":"generate","count":1,"unit":1000000,"included":4,"charge":"per_operation","amount":1000000,
            "rule":0,"base":0},"notice":null,"state":{"is":"queued"},"attempts":0}"#;
        let insert =
            "INSERT INTO jobs (id, account, hold, state, created_at, data) VALUES (?1, ?2, ?2, 'queued', 5, ?3)";
        db.execute(insert, params![job, one, data]).unwrap();
        let mut before = 0;
        rows::all_images(&db, |image| before += image.blob_bytes).unwrap();
        assert_eq!(before, 9, "a directory that was not migrated yet can be verified");

        migrate(&mut db).unwrap();
        let job = JobId::from_u128(u128::from_be_bytes(job));
        assert_eq!(rows::images_of(&db, job).unwrap()[0].format, FileFormat::Png);
        let job = rows::job_by_id(&db, job).unwrap().unwrap();
        assert_eq!((job.output, job.keep_prompt), (Output::default(), false));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        db.execute("INSERT INTO migrations VALUES (9000, '9000_later', 'x')", []).unwrap();
        assert!(matches!(migrate(&mut db), Err(MigrateError::Newer { found: 9000, .. })));
    }

    #[test]
    fn an_edited_migration_is_refused() {
        let mut db = Connection::open_in_memory().unwrap();
        migrate(&mut db).unwrap();
        let edited = [Migration { number: 1, name: "0001_journal", sql: "CREATE TABLE other (a INTEGER)" }];
        assert!(matches!(migrate_to(&mut db, &edited), Err(MigrateError::Newer { .. })));
        db.execute("DELETE FROM migrations WHERE number > 1", []).unwrap();
        assert!(matches!(migrate_to(&mut db, &edited), Err(MigrateError::Edited { .. })));
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut db = Connection::open_in_memory().unwrap();
        let broken = [Migration { number: 1, name: "0001", sql: "CREATE TABLE a (b INTEGER); CREATE TABEL c;" }];
        assert!(matches!(migrate_to(&mut db, &broken), Err(MigrateError::Database(_))));
        assert!(!db.table_exists(None, "a").unwrap());
    }
}
