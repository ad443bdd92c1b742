use super::open::Pending;
use super::{Container, Service};

/// Which containers reach which others past their front doors, as far as is said of them: they are started after them, or a
/// variable names them.
pub(super) fn of(services: &[Service], pending: &[Option<Pending>]) -> Vec<(usize, usize)> {
    let contained = pending.iter().enumerate().filter_map(|(at, rest)| match rest {
        Some(Pending::Container(rest)) => Some((at, &rest.container)),
        _ => None,
    });
    let contained: Vec<(usize, &Container)> = contained.collect();
    let mut callers = Vec::new();
    for (caller, container) in &contained {
        for (called, _) in contained.iter().filter(|(called, _)| called != caller) {
            let name = services[*called].name();
            let is_named = |(key, value): &(String, String)| names(key, value, name);
            if container.after.iter().any(|after| after == name) || container.env.iter().any(is_named) {
                callers.push((*caller, *called));
            }
        }
    }
    callers
}

/// Whether a variable names that host: behind `//` or `@`, before a port, or alone where its key says that it is one.
fn names(key: &str, value: &str, host: &str) -> bool {
    let of_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let key = key.to_ascii_uppercase();
    let alone = value == host && ["HOST", "ADDR", "SERVER", "URL"].iter().any(|word| key.contains(word));
    alone
        || value.match_indices(host).any(|(at, _)| {
            let (before, after) = (&value[..at], &value[at + host.len()..]);
            let whole = !before.ends_with(of_name) && !after.starts_with(of_name);
            let port =
                after.strip_prefix(':').is_some_and(|port| port.starts_with(|c: char| c.is_ascii_digit()));
            whole && (before.ends_with("//") || before.ends_with('@') || port)
        })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_variable_names_a_host_where_a_host_stands() {
        for (key, value) in [
            ("DATABASE", "postgres://db:5432/shop"),
            ("DATABASE", "postgres://app:secret@db/shop"),
            ("BROKERS", "a:9092,db:9092"),
            ("PGHOST", "db"),
            ("db_addr", "db"),
            ("SEARCH_URL", "http://db"),
        ] {
            assert!(names(key, value, "db"), "{key}={value}");
        }
        for (key, value) in [
            ("POSTGRES_DB", "db"),
            ("DATABASE", "postgres://mydb:5432/shop"),
            ("DATABASE", "postgres://db.example:5432/shop"),
            ("DATABASE", "postgres://other/db"),
            ("OPTIONS", "db:full"),
            ("PGHOST", "db2"),
        ] {
            assert!(!names(key, value, "db"), "{key}={value}");
        }
    }
}
