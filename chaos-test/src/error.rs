use std::any::Any;
use std::fmt;

/// The experiment could not be carried out. (A broken SLO is no error: it is a verdict.)
///
/// The message names the input, the rule and the fix.
///
/// ```
/// use chaos_test::{Error, ErrorKind};
///
/// let error = Error::setup("SHOP_LICENCE is not set: export the licence of the shop");
/// assert_eq!(error.kind(), ErrorKind::Setup);
/// assert!(!error.is_input());
/// assert_eq!(format!("{error:?}"), error.to_string(), "what a test that returns it prints");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

/// What sort of error it is.
///
/// ```
/// use chaos_test::{Error, ErrorKind};
///
/// /// Whether it may go better another time, with nothing changed.
/// fn may_pass(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Setup | ErrorKind::Record)
/// }
/// assert!(may_pass(&Error::setup("port 5432 is taken")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// What was asked for makes no sense: an unknown scenario, a malformed rate, a bad catalogue.
    Input,
    /// The rules of safety do not allow it: a target outside the blast radius, a fault that wants a confirmation.
    Refused,
    /// The environment could not be started.
    Setup,
    /// The record could not be written.
    Record,
    /// This host lacks what the environment needs, and the test is to be skipped then.
    Skipped,
}

impl Error {
    /// What sort of error it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the mistake is in what was asked for, so that trying again cannot help.
    pub fn is_input(&self) -> bool {
        self.kind == ErrorKind::Input
    }

    /// A mistake in what was asked for.
    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Input, message: message.to_string() }
    }

    /// What the rules of safety do not allow.
    pub(crate) fn refused(message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Refused, message: message.to_string() }
    }

    /// An environment that could not be started. For environments of your own.
    pub fn setup(message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Setup, message: message.to_string() }
    }

    /// What this host lacks, in a few words and then at length.
    #[cfg_attr(not(feature = "containers"), allow(dead_code, reason = "what may be lacking is an engine"))]
    pub(crate) fn skipped(what: &str, why: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Skipped, message: format!("{what}: {why}") }
    }

    /// What a function that starts an environment ended with.
    pub(crate) fn of_environment<X: fmt::Debug + 'static>(error: &X) -> Self {
        match (error as &dyn Any).downcast_ref::<Self>() {
            Some(skipped) if skipped.kind == ErrorKind::Skipped => skipped.clone(),
            _ => Self::setup(format!("{error:?}")),
        }
    }

    pub(crate) fn record(message: impl fmt::Display) -> Self {
        Self { kind: ErrorKind::Record, message: message.to_string() }
    }
}

/// The message, as by `Display`: this is what a test or a `main` that returns it prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
