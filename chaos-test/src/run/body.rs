use std::fmt;

/// How one run of a test body ended.
pub(crate) type BodyResult = Result<(), BodyError>;

/// The error of a test body, as the text its `Debug` gave.
///
/// ```
/// use chaos_test::{BodyError, IntoBodyResult};
///
/// let sold_out: Result<(), &str> = Err("no tea is left");
/// let error: Option<BodyError> = sold_out.into_body_result().err();
/// assert_eq!(format!("{error:?}"), r#"Some("no tea is left")"#);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BodyError(String);

impl fmt::Debug for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a test body may return: nothing, or a `Result` with any error that can be shown.
///
/// ```
/// use chaos_test::IntoBodyResult;
/// use chaos_test::prelude::*;
///
/// /// The same experiment for any body.
/// fn slow_network<R: Future + 'static>(body: impl Fn(Chaos) -> R + 'static) -> Result<Experiment, Error>
/// where
///     R::Output: IntoBodyResult,
/// {
///     Ok(Experiment::scenario("Medium Network Delay")?.repeat_with(20.per_second(), body))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a chaos test returns `()` or `Result<(), E>` where `E: Debug`, not `{Self}`",
    label = "cannot be the result of a chaos test"
)]
pub trait IntoBodyResult {
    /// The error as text, if there is one.
    fn into_body_result(self) -> Result<(), BodyError>;
}

impl IntoBodyResult for () {
    fn into_body_result(self) -> BodyResult {
        Ok(())
    }
}

impl<E: fmt::Debug> IntoBodyResult for Result<(), E> {
    fn into_body_result(self) -> BodyResult {
        self.map_err(|error| BodyError(format!("{error:?}")))
    }
}
