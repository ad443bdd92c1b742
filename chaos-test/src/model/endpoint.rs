use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a request of the test body goes to: a method and a path, as in `POST /orders/{id}`.
///
/// A segment `{name}` or `*` of the path stands for any one segment. The query does not count, nor does a slash at the
/// end, nor the service.
///
/// ```
/// use chaos_test::model::Endpoint;
/// let order: Endpoint = "GET /orders/{id}".parse().unwrap();
/// assert!(order.matches("GET", "/orders/7"));
/// assert!(!order.matches("POST", "/orders/7") && !order.matches("GET", "/orders/7/items"));
/// assert!("orders".parse::<Endpoint>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    method: String,
    path: String,
}

/// A text that is no endpoint; the message says what was expected.
///
/// ```
/// use chaos_test::model::{Endpoint, NotAnEndpoint};
/// let refused: NotAnEndpoint = "GET orders".parse::<Endpoint>().unwrap_err();
/// assert_eq!(refused.to_string(), "expected a path that begins with a slash, found \"GET orders\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAnEndpoint(String);

impl Endpoint {
    /// Whether a request goes to it. The path is that of the URL, without the query.
    pub fn matches(&self, method: &str, path: &str) -> bool {
        let mut asked = segments(path);
        let mut own = segments(&self.path);
        let alike = own.by_ref().all(|own| asked.next().is_some_and(|asked| fits(own, asked)));
        alike && asked.next().is_none() && self.method == method
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    path.strip_suffix('/').unwrap_or(path).split('/')
}

fn fits(own: &str, asked: &str) -> bool {
    if is_any(own) { !asked.is_empty() } else { own == asked }
}

/// `*` or `{name}`.
fn is_any(segment: &str) -> bool {
    let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    segment == "*" || name.is_some_and(|name| !name.is_empty() && !name.contains(['{', '}', '*']))
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(text: &str) -> Result<Self, NotAnEndpoint> {
        let shown: String = text.chars().take(60).flat_map(char::escape_debug).collect();
        let wrong = |why: &str| NotAnEndpoint(format!("{why}, found \"{shown}\""));
        let mut words = text.split_whitespace();
        let (Some(method), Some(path), None) = (words.next(), words.next(), words.next()) else {
            return Err(wrong("expected a method and a path such as \"POST /orders\""));
        };
        if !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(wrong("expected a method in capitals such as GET in front of the path"));
        }
        if !path.starts_with('/') {
            return Err(wrong("expected a path that begins with a slash"));
        }
        if path.contains(['?', '#']) {
            return Err(wrong("expected a path without a query, which does not count"));
        }
        if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("expected a path as it is in the URL, what is not ASCII as %C3%A4"));
        }
        if segments(path).any(|segment| segment.contains(['*', '{', '}']) && !is_any(segment)) {
            return Err(wrong("expected `*` or `{name}` in place of a whole segment"));
        }
        Ok(Self { method: method.to_owned(), path: path.to_owned() })
    }
}

impl TryFrom<String> for Endpoint {
    type Error = NotAnEndpoint;
    fn try_from(text: String) -> Result<Self, NotAnEndpoint> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[track_caller]
    fn endpoint(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    #[test]
    fn a_placeholder_stands_for_one_segment_and_not_for_none() {
        for pattern in ["GET /orders/{id}/items", "GET /orders/*/items"] {
            let pattern = endpoint(pattern);
            assert!(pattern.matches("GET", "/orders/7/items"));
            assert!(pattern.matches("GET", "/orders/7/items/"));
            assert!(!pattern.matches("GET", "/orders//items"));
            assert!(!pattern.matches("GET", "/orders/items"));
            assert!(!pattern.matches("GET", "/orders/7/8/items"));
            assert!(!pattern.matches("GET", "/orders/7/items/1"));
            assert!(!pattern.matches("get", "/orders/7/items"));
        }
        assert!(endpoint("GET /").matches("GET", "/") && endpoint("GET /").matches("GET", ""));
        assert!(!endpoint("GET /").matches("GET", "/orders"));
        assert!(!endpoint("GET /*").matches("GET", "/"));
    }

    #[test]
    fn what_is_none_says_what_was_expected() {
        let wrong = |text: &str| text.parse::<Endpoint>().unwrap_err().to_string();
        insta::assert_snapshot!(
            ["", "/orders", "post /orders", "GET orders", "GET /a?b=1", "GET /kä", "GET /a/*.txt", "GET /{a}{b}", "GET /{}", "GET /a /b"]
                .map(wrong)
                .join("\n"),
            @r#"
        expected a method and a path such as "POST /orders", found ""
        expected a method and a path such as "POST /orders", found "/orders"
        expected a method in capitals such as GET in front of the path, found "post /orders"
        expected a path that begins with a slash, found "GET orders"
        expected a path without a query, which does not count, found "GET /a?b=1"
        expected a path as it is in the URL, what is not ASCII as %C3%A4, found "GET /kä"
        expected `*` or `{name}` in place of a whole segment, found "GET /a/*.txt"
        expected `*` or `{name}` in place of a whole segment, found "GET /{a}{b}"
        expected `*` or `{name}` in place of a whole segment, found "GET /{}"
        expected a method and a path such as "POST /orders", found "GET /a /b"
        "#
        );
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "\\PC{0,30}|[A-Z]{1,5} (/[a-z{}*]{0,4}){1,4}") {
            if let Ok(read) = text.parse::<Endpoint>() {
                proptest::prop_assert_eq!(read.to_string().parse::<Endpoint>(), Ok(read));
            }
        }
    }
}
