//! Revert records: how they are made, and what they say.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::port::{InjectError, RevertRecord, UndoStep};

/// A record of a fault on that service, which those steps undo. `id` is the mark of what the fault puts in place.
pub(super) fn made(
    injector: &str,
    service: &str,
    id: String,
    undo: Vec<UndoStep>,
    payload: &impl Serialize,
) -> Result<RevertRecord, InjectError> {
    Ok(RevertRecord {
        undo,
        id,
        injector: injector.into(),
        service: service.into(),
        payload: serde_json::to_value(payload).map_err(|error| InjectError(error.to_string()))?,
    })
}

/// What a record of that injector says.
pub(super) fn payload<T: DeserializeOwned>(record: &RevertRecord, injector: &str) -> Result<T, String> {
    serde_json::from_value(record.payload.clone())
        .map_err(|error| format!("the revert record {} is not one of {injector}: {error}", record.id))
}
