//! The files that images are kept as, and what they say of themselves.

use medici_engine::inspect;
use medici_studio::{
    FileFormat, Finished, Output, Submit, SubmitError,
    engine::{Background, Drawing},
};

use crate::world::World;

async fn drawn(world: &World, request: Submit) -> (Finished, Vec<Vec<u8>>) {
    let ticket = world.studio.submit(request).await.unwrap();
    let finished = world.work_until_ended(ticket.job).await;
    let mut files = Vec::new();
    for image in &finished.images {
        files.push(world.studio.image_file(image).await.unwrap().unwrap());
    }
    (finished, files)
}

#[tokio::test]
async fn images_are_kept_as_the_files_that_were_asked_for() {
    let world = World::new().await;
    for format in FileFormat::ALL {
        let output = Output { format, compression: 70 };
        let request = world.request(world.account, "a red fox", format.name());
        let (finished, files) = drawn(&world, Submit { output, ..request }).await;
        assert_eq!(finished.job.output, output);
        for (image, file) in finished.images.iter().zip(&files) {
            let inspection = inspect(file).unwrap();
            assert_eq!((image.format, inspection.probe.format.name()), (format, format.name()));
            assert_eq!((inspection.probe.size, file.len() as u64), (image.size, image.blob_bytes));
        }
    }
    world.audit().await;
}

#[tokio::test]
async fn every_file_says_what_drew_it_and_the_words_only_if_their_owner_wants() {
    let world = World::new().await;
    for keep_prompt in [false, true] {
        let request = world.request(world.account, "a red fox", &format!("kept {keep_prompt}"));
        let (finished, files) = drawn(&world, Submit { keep_prompt, ..request }).await;
        assert_eq!((finished.job.keep_prompt, files.len()), (keep_prompt, 4));
        for (image, file) in finished.images.iter().zip(&files) {
            let inspection = inspect(file).unwrap();
            assert!(inspection.is_ai_generated());
            let told = inspection.provenance.unwrap();
            assert_eq!((&*told.model, told.seed, told.index), (world.studio.engine.model(), 7, image.index));
            assert_eq!(told.operation, Drawing::Generate);
            assert_eq!(told.prompt.as_deref(), keep_prompt.then_some("a red fox"));
            assert_eq!(told.reading, image.reading.clone().filter(|_| keep_prompt));
        }
    }
}

#[tokio::test]
async fn a_transparent_background_is_refused_where_the_file_has_none() {
    let world = World::new().await;
    let mut request = world.request(world.account, "a red fox", "one");
    request.spec.background = Background::Transparent;
    request.output.format = FileFormat::Jpeg;
    let refused = world.studio.submit(request.clone()).await.unwrap_err();
    assert!(matches!(&refused, SubmitError::BadSpec(_)), "{refused}");
    assert_eq!(refused.to_string(), "a transparent background needs png or webp, jpeg asked for");
    assert_eq!(world.available().await, "15");
    request.output.format = FileFormat::Webp;
    drawn(&world, request).await;
}
