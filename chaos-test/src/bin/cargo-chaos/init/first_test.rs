use super::guess::Port;

/// What is to be tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Service {
    /// A binary of the package.
    Binary { name: String, port: Port },
    /// A container image and the port it listens on.
    Image { name: String, tag: String, port: u16 },
    /// Something already running.
    Url(String),
}

/// The first test of a service, which asks that path: a file of its own, as rustfmt would have it.
pub(super) fn render(service: &Service, health: &str) -> String {
    let health_text = literal(health);
    let (import, start) = match service {
        Service::Binary { name, port } => {
            let mut start = format!("    let app = Process::cargo_bin({})\n", literal(name));
            match port {
                Port::Arguments(arguments) => {
                    let arguments: Vec<String> = arguments.iter().map(|argument| literal(argument)).collect();
                    start += &format!("        .args([{}])\n", arguments.join(", "));
                }
                // It is set for every process.
                Port::Variable(name, value) if name == "PORT" && value == "{port}" => {}
                Port::Variable(name, value) => {
                    start += &format!("        .env({}, {})\n", literal(name), literal(value));
                }
            }
            start += &format!("        .ready(Probe::http({health_text}));\n");
            ("", start + "    Environment::builder().process(\"app\", app).start().await\n")
        }
        Service::Image { name, tag, port } => (
            "use chaos_test::testcontainers::GenericImage;\n",
            format!(
                "    let app = Container::of(GenericImage::new({}, {}))\n        .port({port})\n        \
                 .ready(Probe::http({health_text}));\n    Environment::builder().container(\"app\", app).start().await\n",
                literal(name),
                literal(tag)
            ),
        ),
        Service::Url(url) => {
            ("", format!("    Environment::builder().url(\"app\", {}).start().await\n", literal(url)))
        }
    };
    format!(
        "//! What the service does in bad weather: cargo nextest run --profile chaos\n\
         use chaos_test::prelude::*;\n\
         {import}\n\
         async fn app() -> Result<Environment, Error> {{\n\
         {start}\
         }}\n\
         \n\
         #[chaos_test(scenario = \"Light Network Delay\", environment = app, repeat = \"20/s\")]\n\
         async fn it_survives(chaos: Chaos) -> Result<(), Box<dyn std::error::Error>> {{\n\
         \x20   let answer = chaos.client(\"app\").get({health_text}).send().await?;\n\
         \x20   answer.error_for_status()?;\n\
         \x20   Ok(())\n\
         }}\n"
    )
}

/// A text as a literal of Rust.
fn literal(text: &str) -> String {
    format!("{text:?}")
}

#[cfg(test)]
mod tests {
    use super::super::guess::Port;
    use super::{Service, render};

    #[test]
    fn a_binary_that_takes_an_argument() {
        let port = Port::Arguments(vec!["--port".into(), "{port}".into()]);
        let text = render(&Service::Binary { name: "shop".into(), port }, "/health");
        assert_eq!(
            text,
            r#"//! What the service does in bad weather: cargo nextest run --profile chaos
use chaos_test::prelude::*;

async fn app() -> Result<Environment, Error> {
    let app = Process::cargo_bin("shop")
        .args(["--port", "{port}"])
        .ready(Probe::http("/health"));
    Environment::builder().process("app", app).start().await
}

#[chaos_test(scenario = "Light Network Delay", environment = app, repeat = "20/s")]
async fn it_survives(chaos: Chaos) -> Result<(), Box<dyn std::error::Error>> {
    let answer = chaos.client("app").get("/health").send().await?;
    answer.error_for_status()?;
    Ok(())
}
"#
        );
    }

    #[test]
    fn other_services_differ_in_how_they_start() {
        let start = |service: Service| {
            let text = render(&service, "/up");
            let (_, rest) = text.split_once("Error> {\n").unwrap();
            rest.split_once("}\n").unwrap().0.to_owned()
        };
        let of = |name: &str, value: &str| Service::Binary {
            name: "a".into(),
            port: Port::Variable(name.into(), value.into()),
        };
        assert!(!start(of("PORT", "{port}")).contains("env"));
        assert!(start(of("BIND", "{host}:{port}")).contains(r#".env("BIND", "{host}:{port}")"#));
        let image = start(Service::Image { name: "shop".into(), tag: "1.2".into(), port: 8080 });
        assert!(image.contains(r#"Container::of(GenericImage::new("shop", "1.2"))"#), "{image}");
        assert!(image.contains(".port(8080)"), "{image}");
        let url = start(Service::Url("http://127.0.0.1:8000".into()));
        assert_eq!(url, "    Environment::builder().url(\"app\", \"http://127.0.0.1:8000\").start().await\n");
    }
}
