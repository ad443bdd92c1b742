/// How a program is told the port it is to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Port {
    /// By arguments, with `{port}` in them.
    Arguments(Vec<String>),
    /// By a variable, whose value has `{port}` in it; `PORT` is set anyway.
    Variable(String, String),
}

impl Port {
    pub(super) fn usual() -> Self {
        Self::Variable("PORT".into(), "{port}".into())
    }
}

/// How a program is told its port, by what its source looks like; nothing if there is no sign of it.
pub(super) fn port(sources: &[String]) -> Option<Port> {
    let has = |sign: &str| sources.iter().any(|text| code(text).any(|line| line.contains(sign)));
    let is_option = has("\"--port\"") || has("long = \"port\"") || (has("#[arg(") && has(" port:"));
    if is_option {
        return Some(Port::Arguments(vec!["--port".into(), "{port}".into()]));
    }
    let names: Vec<&str> = sources
        .iter()
        .flat_map(|text| code(text).flat_map(literals))
        .filter(|text| is_variable(text))
        .collect();
    if names.contains(&"PORT") {
        return Some(Port::usual());
    }
    let of = |ends: &[&str], value: &str| {
        let name = names.iter().find(|name| ends.iter().any(|end| name.ends_with(end)))?;
        Some(Port::Variable((*name).to_owned(), value.to_owned()))
    };
    of(&["_PORT"], "{port}").or_else(|| of(&["ADDR", "ADDRESS", "BIND", "LISTEN"], "{host}:{port}"))
}

/// The path that answers when all is well, by what the source looks like.
pub(super) fn health(sources: &[String]) -> Option<String> {
    const BEGINS: [&str; 2] = ["health", "ready"];
    // As beginnings these would take `/upload` and `/livestreams` as well.
    const WHOLE: [&str; 6] = ["live", "livez", "liveness", "ping", "status", "up"];
    let is_path = |text: &&str| {
        text.len() > 1
            && text.starts_with('/')
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c))
    };
    let paths: Vec<&str> =
        sources.iter().flat_map(|text| code(text).flat_map(literals)).filter(is_path).collect();
    let find = |fits: &dyn Fn(&str) -> bool| {
        let found = paths.iter().find(|path| path.rsplit('/').next().is_some_and(fits));
        found.map(|path| (*path).to_owned())
    };
    let begins = BEGINS.iter().find_map(|sign| find(&|last| last.starts_with(sign)));
    begins.or_else(|| WHOLE.iter().find_map(|sign| find(&|last| last == *sign)))
}

/// The lines that are no comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// What stands between quotes in a line. What a quote inside of one leads to is no path and no name.
fn literals(line: &str) -> impl Iterator<Item = &str> {
    line.split('"').skip(1).step_by(2)
}

/// `SHOP_PORT`
fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::{Port, health, port};

    #[test]
    fn the_port_is_found_as_services_take_it() {
        let arguments = Some(Port::Arguments(vec!["--port".into(), "{port}".into()]));
        let variable = |name: &str, value: &str| Some(Port::Variable(name.into(), value.into()));
        for (source, expected) in [
            ("if arg == \"--port\" {", arguments.clone()),
            ("#[arg(long, default_value_t = 8080)]\n    port: u16,", arguments.clone()),
            ("#[arg(long = \"port\", env = \"PORT\")]\nlisten: u16", arguments),
            ("let port = std::env::var(\"PORT\")", variable("PORT", "{port}")),
            ("env::var(\"SHOP_PORT\").unwrap()", variable("SHOP_PORT", "{port}")),
            ("var(\"BIND_ADDR\")", variable("BIND_ADDR", "{host}:{port}")),
            ("// takes \"--port\"\nTcpListener::bind(\"0.0.0.0:8080\")", None),
            ("println!(\"PORTS\"); let report = \"IMPORT\";", None),
        ] {
            assert_eq!(port(&[source.to_owned()]), expected, "{source}");
        }
    }

    #[test]
    fn the_health_path_is_found_among_routes() {
        for (source, expected) in [
            (".route(\"/orders\", post(order)).route(\"/api/health\", get(ok))", Some("/api/health")),
            ("(GET, \"/readyz\") => ok(), (GET, \"/orders\") => list()", Some("/readyz")),
            (".route(\"/status\", get(x))\n.route(\"/healthz\", get(x))", Some("/healthz")),
            (".route(\"/orders/{id}/ready\", get(x))", None),
            ("// .route(\"/health\")", None),
            (".route(\"/orders\", get(x))", None),
        ] {
            assert_eq!(health(&[source.to_owned()]).as_deref(), expected, "{source}");
        }
    }
}
