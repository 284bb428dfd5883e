//! What is left of images that their owners deleted. Their rows are gone; these answer whoever asks again, and account
//! for pictures that a job no longer has.

use medici_ledger::AccountId;
use medici_studio::{DeletedImage, ImageId, JobId, KnownImage};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::rows::{id, image_by_id, instant};

/// Removes the row of an image and keeps what is left of it.
pub(crate) fn delete(db: &Connection, image: &DeletedImage) -> rusqlite::Result<()> {
    let id = image.id.as_u128().to_be_bytes();
    db.prepare_cached("DELETE FROM images WHERE id = ?")?.execute([id])?;
    db.prepare_cached("INSERT INTO deleted_images (id, job, account, deleted_at) VALUES (?, ?, ?, ?)")?.execute(
        params![
            id,
            image.job.as_u128().to_be_bytes(),
            image.account.as_u128().to_be_bytes(),
            image.deleted_at.micros()
        ],
    )?;
    Ok(())
}

/// Returns what is known of an image.
pub(crate) fn known(db: &Connection, id: ImageId) -> rusqlite::Result<Option<KnownImage>> {
    if let Some(image) = image_by_id(db, id)? {
        return Ok(Some(KnownImage::Stored(image)));
    }
    let deleted = db
        .prepare_cached("SELECT id, job, account, deleted_at FROM deleted_images WHERE id = ?")?
        .query_row([id.as_u128().to_be_bytes()], deleted)
        .optional()?;
    Ok(deleted.map(KnownImage::Deleted))
}

/// Calls back with every deleted image, and whether it has a row all the same.
pub(crate) fn all(db: &Connection, mut each: impl FnMut(DeletedImage, bool)) -> rusqlite::Result<()> {
    // A directory that nothing has opened since images can be deleted has none.
    if !db.table_exists(None, "deleted_images")? {
        return Ok(());
    }
    let mut query = db.prepare(
        "SELECT id, job, account, deleted_at, EXISTS (SELECT 1 FROM images WHERE images.id = deleted_images.id)
         FROM deleted_images ORDER BY id",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        each(deleted(row)?, row.get(4)?);
    }
    Ok(())
}

fn deleted(row: &Row<'_>) -> rusqlite::Result<DeletedImage> {
    Ok(DeletedImage {
        id: ImageId::from_u128(id(row, 0)?),
        job: JobId::from_u128(id(row, 1)?),
        account: AccountId::from_u128(id(row, 2)?),
        deleted_at: instant(row, 3)?,
    })
}
