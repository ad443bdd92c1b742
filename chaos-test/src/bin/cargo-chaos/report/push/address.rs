use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chaos_test::report::render::METRICS;
use percent_encoding::percent_decode_str;
use reqwest::Url;

/// Where a group of metrics is put, and who puts it there.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Without user and password, so that it may be told.
    pub(super) url: Url,
    pub(super) login: Option<Login>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Option<String>,
}

/// A label of the group: `shard=2`.
pub(super) fn group_label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=value, such as shard=2")?;
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !first || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') || name.starts_with("__") {
        return Err(format!(
            "`{name}` is no name of a label: it has letters, digits and `_`, and begins neither with a digit nor with `__`"
        ));
    }
    // A Pushgateway would put the group's value over them, on every series.
    if name == "job" || METRICS.iter().any(|metric| metric.labels().contains(&name)) {
        return Err(format!(
            "`{name}` is a label of the metrics, and would replace theirs: choose another name"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

impl Address {
    /// `URL/metrics/job/JOB/LABEL/VALUE…`.
    ///
    /// # Errors
    /// What is wrong with the URL or the job, and what would be right; without a password that may be in it.
    pub(super) fn new(gateway: &str, job: &str, group: &[(String, String)]) -> Result<Self, String> {
        if job.is_empty() {
            return Err("--job-name is empty: a Pushgateway keeps metrics by the name of their job".into());
        }
        // What cannot be parsed is not told: it may hold a password.
        let mut url = Url::parse(gateway).map_err(|error| {
            format!("--pushgateway-url is no URL ({error}): write it as http://pushgateway.example:9091")
        })?;
        let login = (!url.username().is_empty() || url.password().is_some())
            .then(|| Login { user: decoded(url.username()), password: url.password().map(decoded) });
        let bare = url.set_username("").is_ok() && url.set_password(None).is_ok();
        url.set_query(None);
        url.set_fragment(None);
        match url.scheme() {
            "http" if url.has_host() && (bare || login.is_none()) => {}
            "https" => {
                return Err(format!(
                    "--pushgateway-url {url}: this program speaks no TLS; push to an http address that leads there, or \
                     write the metrics with --prometheus FILE and send them with \
                     `curl -X PUT --data-binary @FILE {}`",
                    Self { url: url.clone(), login: None }.grouped(job, group).url
                ));
            }
            scheme => {
                return Err(format!(
                    "--pushgateway-url has the scheme `{scheme}`: write it as http://pushgateway.example:9091"
                ));
            }
        }
        Ok(Self { url, login }.grouped(job, group))
    }

    fn grouped(mut self, job: &str, group: &[(String, String)]) -> Self {
        let base = self.url.path().trim_end_matches('/');
        // Some name the whole path of the metrics.
        let mut path = format!("{}/metrics", base.strip_suffix("/metrics").unwrap_or(base));
        for (name, value) in
            std::iter::once(("job", job)).chain(group.iter().map(|(n, v)| (n.as_str(), v.as_str())))
        {
            path += &segment(name, value);
        }
        self.url.set_path(&path);
        self
    }
}

/// `/job/chaos-test`; of a value that would not stand in a path as it is, `/job@base64/c2hvcC9lMmU`.
fn segment(name: &str, value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    // A path of dots only leads elsewhere.
    if value.chars().all(plain) && value.chars().any(|c| c != '.') {
        format!("/{name}/{value}")
    } else {
        format!("/{name}@base64/{}", base64(value.as_bytes()))
    }
}

/// Base64 for URLs (RFC 4648, 5), without padding; of nothing it is `=`, as a Pushgateway wants it.
fn base64(bytes: &[u8]) -> String {
    if bytes.is_empty() { "=".into() } else { URL_SAFE_NO_PAD.encode(bytes) }
}

/// `p%40ss` is `p@ss`.
fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(gateway: &str, job: &str, group: &[(&str, &str)]) -> Result<String, String> {
        let group: Vec<_> = group.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Address::new(gateway, job, &group).map(|address| address.url.to_string())
    }

    #[test]
    fn a_group_has_an_address() {
        let of = |gateway, job, group: &[_]| address(gateway, job, group).unwrap();
        assert_eq!(of("http://a:9091", "chaos-test", &[]), "http://a:9091/metrics/job/chaos-test");
        assert_eq!(of("http://a/push/", "j", &[("shard", "2")]), "http://a/push/metrics/job/j/shard/2");
        assert_eq!(of("http://a/metrics?x=1#y", "j", &[]), "http://a/metrics/job/j");
        assert_eq!(of("http://a", "shop/e2e", &[]), "http://a/metrics/job@base64/c2hvcC9lMmU");
        assert_eq!(of("http://a", "j", &[("x", "")]), "http://a/metrics/job/j/x@base64/=");
        // From the Pushgateway's own documentation.
        assert_eq!(
            of("http://a", "directory_cleaner", &[("path", "/var/tmp")]),
            "http://a/metrics/job/directory_cleaner/path@base64/L3Zhci90bXA"
        );
        assert_eq!(
            of("http://a", "titan", &[("name", "Προμηθεύς")]),
            "http://a/metrics/job/titan/name@base64/zqDPgc6_zrzOt864zrXPjc-C"
        );
        for odd in ["..", ".", "a b", "a?b", "a#b", "ü", "\n", "%2e%2e"] {
            assert!(of("http://a", odd, &[]).starts_with("http://a/metrics/job@base64/"), "{odd}");
        }
    }

    #[test]
    fn a_password_is_taken_out_and_never_told() {
        let found = Address::new("http://me:s%40cret@a:1", "j", &[]).unwrap();
        assert_eq!(found.url.as_str(), "http://a:1/metrics/job/j");
        assert_eq!(found.login, Some(Login { user: "me".into(), password: Some("s@cret".into()) }));
        for bad in
            ["https://me:secret@a", "ftp://me:secret@a", "me:secret@a", "http://me:secret@:9/", "//secret"]
        {
            let error = address(bad, "j", &[]).unwrap_err();
            assert!(!error.contains("secret") && error.contains("--pushgateway-url"), "{error}");
        }
        assert!(
            address("https://a", "j", &[])
                .unwrap_err()
                .contains("PUT --data-binary @FILE https://a/metrics/job/j`")
        );
        assert!(address("http://a", "", &[]).unwrap_err().contains("--job-name"));
    }

    #[test]
    fn a_label_has_a_name_of_its_own() {
        assert_eq!(group_label("shard=a=b"), Ok(("shard".into(), "a=b".into())));
        assert_eq!(group_label("_x1="), Ok(("_x1".into(), String::new())));
        for bad in ["shard", "=1", "1a=1", "a-b=1", "ü=1", "__name__=1", "job=1", "test=1", "environment=1"]
        {
            assert!(group_label(bad).is_err(), "{bad}");
        }
    }
}
