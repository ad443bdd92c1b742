use std::fmt::Debug;

/// How one run of a test body ended: nothing, or its error as text.
pub(crate) type BodyResult = Result<(), String>;

/// What a test body may return: nothing, or a `Result` with any error that can be shown.
#[diagnostic::on_unimplemented(
    message = "a chaos test returns `()` or `Result<(), E>` where `E: Debug`, not `{Self}`",
    label = "cannot be the result of a chaos test"
)]
pub trait IntoBodyResult {
    /// The error as text, if there is one.
    fn into_body_result(self) -> Result<(), String>;
}

impl IntoBodyResult for () {
    fn into_body_result(self) -> BodyResult {
        Ok(())
    }
}

impl<E: Debug> IntoBodyResult for Result<(), E> {
    fn into_body_result(self) -> BodyResult {
        self.map_err(|error| format!("{error:?}"))
    }
}
