//! The names of streams: a probe's is that of its service, and from the second probe of a service on it has a number.
//!
//! Invariant: what is judged, carried, excused and reported is looked up by these names, so no two scheduled streams of a run
//! have one.

/// The name of the nth stream that would have this one: `app`, `app (2)`.
pub(crate) fn nth(name: &str, nth: u32) -> String {
    if nth > 1 { format!("{name} ({nth})") } else { name.to_owned() }
}

/// Whether a stream of this name is that of a probe of a service.
pub(crate) fn is_of(stream: &str, service: &str) -> bool {
    let digits = |number: &str| number.bytes().all(|byte| byte.is_ascii_digit());
    stream.strip_prefix(service).is_some_and(|rest| {
        let number = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        rest.is_empty() || number.is_some_and(digits)
    })
}

/// The stream of a repeated body.
#[cfg(feature = "runtime")]
pub(crate) const BODY: &str = "body";
/// The stream of what the client of a body sends.
pub(crate) const REQUESTS: &str = "requests";

/// The names that the streams of a run have so far. Its own two are taken, so a service may be called as it likes.
#[cfg(feature = "runtime")]
pub(crate) struct StreamNames(std::collections::BTreeSet<String>);

#[cfg(feature = "runtime")]
impl StreamNames {
    pub(crate) fn new() -> Self {
        Self([BODY, REQUESTS].map(str::to_owned).into())
    }

    /// The first of this name that is free; it is taken then.
    pub(crate) fn take(&mut self, name: &str) -> String {
        let mut n = 1;
        loop {
            let free = nth(name, n);
            if self.0.insert(free.clone()) {
                return free;
            }
            n += 1;
        }
    }
}

#[cfg(all(test, feature = "runtime"))]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_given_twice() {
        let mut names = StreamNames::new();
        let wanted = ["app", "stock", "app", "app (2)", "app", "app (2)", "body"];
        let given = wanted.map(|name| names.take(name));
        assert_eq!(given, ["app", "stock", "app (2)", "app (2) (2)", "app (3)", "app (2) (3)", "body (2)"]);
    }

    #[test]
    fn a_stream_of_a_service_has_its_name_or_a_number_after_it() {
        for own in ["app", "app (2)", "app (17)"] {
            assert!(is_of(own, "app"), "{own}");
        }
        for other in ["ap", "apps", "app 2", "app (two)", "app (2", "stock", "body", "app (2) (2)"] {
            assert!(!is_of(other, "app"), "{other}");
        }
    }
}
