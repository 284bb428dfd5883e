//! Requests with files: their types have no JSON form, so they are filled field by field.

use async_openai::types::images::{
    CreateImageEditRequest, CreateImageVariationRequest, ImageEditInput, ImageInput, ImageModel,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};

pub fn edit(command: &Value) -> CreateImageEditRequest {
    let files = &command["files"];
    CreateImageEditRequest {
        image: match &files["image"] {
            Value::Array(paths) => ImageEditInput::Images(paths.iter().map(file).collect()),
            path => ImageEditInput::Image(file(path)),
        },
        mask: files.get("mask").map(file),
        prompt: field(command, "prompt").unwrap_or_default(),
        background: field(command, "background"),
        model: field(command, "model").unwrap_or(ImageModel::default()),
        n: field(command, "n"),
        size: field(command, "size"),
        response_format: field(command, "response_format"),
        output_format: field(command, "output_format"),
        output_compression: field(command, "output_compression"),
        stream: field(command, "stream"),
        partial_images: field(command, "partial_images"),
        quality: field(command, "quality"),
        ..CreateImageEditRequest::default()
    }
}

pub fn variation(command: &Value) -> CreateImageVariationRequest {
    CreateImageVariationRequest {
        image: file(&command["files"]["image"]),
        model: field(command, "model"),
        n: field(command, "n"),
        response_format: field(command, "response_format"),
        size: field(command, "size"),
        ..CreateImageVariationRequest::default()
    }
}

fn field<T: DeserializeOwned>(command: &Value, name: &str) -> Option<T> {
    let value = command["arguments"].get(name)?.clone();
    Some(from_value(value).expect("arguments that this client has"))
}

fn file(path: &Value) -> ImageInput {
    ImageInput::from(path.as_str().expect("a path"))
}
