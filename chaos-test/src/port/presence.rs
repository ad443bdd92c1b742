use std::fmt;

/// Whether our fault is there.
///
/// ```
/// use chaos_test::port::{Dose, Presence};
///
/// let little = Presence::of(Dose::new(0.2, 0.01));
/// assert!(matches!(little, Presence::Absent(_)), "a busy host shows as much by itself");
/// assert_eq!(little.dose().measured, 0.01);
/// assert!(matches!(Presence::of(Dose::new(0.2, 0.1)), Presence::Present(_)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Presence {
    /// It is, at this dose.
    Present(Dose),
    /// It is not; what was measured all the same.
    Absent(Dose),
}

/// How much of a fault, in the unit of its [`Prepared`](super::Prepared).
///
/// ```
/// use chaos_test::port::Dose;
///
/// /// How much of what was asked for is there.
/// fn share(dose: Dose) -> f64 {
///     dose.measured / dose.asked
/// }
///
/// assert_eq!(share(Dose::new(0.2, 0.1)), 0.5);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Dose {
    /// What was asked for.
    pub asked: f64,
    /// What was measured.
    pub measured: f64,
}

impl Dose {
    /// So much was asked for, and so much measured, in one unit.
    ///
    /// ```
    /// use chaos_test::port::{Dose, Presence};
    ///
    /// let dose = Dose::new(0.2, 0.201);
    /// assert_eq!(Presence::of(dose), Presence::Present(dose));
    /// ```
    #[must_use]
    pub fn new(asked: f64, measured: f64) -> Self {
        Self { asked, measured }
    }
}

impl Presence {
    /// Present when more than a tenth of the dose asked for was measured.
    pub fn of(dose: Dose) -> Self {
        if dose.measured > dose.asked * 0.1 { Self::Present(dose) } else { Self::Absent(dose) }
    }

    /// What was measured.
    pub fn dose(self) -> Dose {
        match self {
            Self::Present(dose) | Self::Absent(dose) => dose,
        }
    }
}

macro_rules! text_error {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(pub String);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::error::Error for $name {}
    };
}

text_error!(
    /// The fault could not be put in place; the text names the step and the fix.
    ///
    /// ```
    /// use chaos_test::model::{Fault, OutageMode};
    /// use chaos_test::port::InjectError;
    ///
    /// fn mode(fault: &Fault) -> Result<OutageMode, InjectError> {
    ///     let Fault::DatabaseDown { mode, .. } = fault else {
    ///         return Err(InjectError(format!("preparing {fault}: it can only be a database that is down")));
    ///     };
    ///     Ok(*mode)
    /// }
    /// ```
    InjectError
);
text_error!(
    /// The fault could not be looked at. This says nothing about whether it is there.
    ///
    /// ```
    /// use chaos_test::port::{Dose, ObserveError, Presence};
    ///
    /// /// From what a service says of itself: the share of the requests that it refuses.
    /// fn presence(asked: f64, answer: &str) -> Result<Presence, ObserveError> {
    ///     let measured = answer.trim().parse::<f64>();
    ///     let measured = measured.map_err(|error| ObserveError(format!("it answered `{answer}`: {error}")))?;
    ///     Ok(Presence::of(Dose::new(asked, measured)))
    /// }
    ///
    /// assert!(presence(0.2, "").is_err(), "no answer is no absence");
    /// ```
    ObserveError
);
text_error!(
    /// The fault could not be undone; the text says what is left behind.
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use std::path::Path;
    ///
    /// use chaos_test::port::RevertError;
    ///
    /// /// A file that is gone is as good as removed: it may be undone twice.
    /// fn remove(file: &Path) -> Result<(), RevertError> {
    ///     match std::fs::remove_file(file) {
    ///         Err(error) if error.kind() != ErrorKind::NotFound => {
    ///             Err(RevertError(format!("{} is still there: {error}", file.display())))
    ///         }
    ///         _ => Ok(()),
    ///     }
    /// }
    /// ```
    RevertError
);
