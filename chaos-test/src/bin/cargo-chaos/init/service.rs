use super::Args;
use super::ask::Asked;
use super::change::Changes;
use super::first_test::Service;
use super::guess::{self, Port};
use super::project::Package;
use crate::exit::Stop;

const USUAL_HEALTH: &str = "/health";

/// What is to be tested: as it was named, as the package looks, or as somebody says.
pub(super) fn of(
    args: &Args,
    package: &Package,
    asked: Asked,
    sources: &[String],
    changes: &mut Changes,
) -> Result<Service, Stop> {
    if let Some(url) = &args.url {
        return address(url).map_err(|why| Stop::usage(format!("--url: {why}")));
    }
    if let (Some(image), Some(port)) = (&args.image, args.port) {
        return Ok(of_image(image, port));
    }
    if args.bin.is_none() && !package.has_binary() {
        let question = format!(
            "package {:?} has no binary: which image and port is the service, NAME:TAG PORT, or which http:// URL?",
            package.name
        );
        if let Some(service) = asked.understood(&question, as_typed)? {
            return Ok(service);
        }
    }
    let name = package.binary(args.bin.as_deref(), asked)?;
    let port = match &args.port_arg {
        Some(typed) if !typed.contains("{port}") => {
            return Err(Stop::usage(format!("--port-arg {typed:?} has no {{port}} in it, which becomes the port")));
        }
        Some(typed) => Port::Arguments(typed.split_whitespace().map(str::to_owned).collect()),
        None => guess::port(sources).unwrap_or_else(|| {
            changes.notes.push(format!(
                "nothing in the source says how {name:?} is told its port, so the test sets the variable PORT; if it takes \
                 an argument, say --port-arg '--port {{port}}'"
            ));
            Port::usual()
        }),
    };
    Ok(Service::Binary { name, port })
}

fn of_image(image: &str, port: u16) -> Service {
    let (name, tag) = match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (image, "latest"),
    };
    Service::Image { name: name.to_owned(), tag: tag.to_owned(), port }
}

/// Something already running, by host and port, as an environment takes it. What is wrong is told without the URL, which may
/// have a login in it.
fn address(url: &str) -> Result<Service, String> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err("only http:// addresses are measured; aim behind what terminates TLS".into());
    };
    let host = rest.strip_suffix('/').unwrap_or(rest);
    if host.is_empty() || host.contains(['/', '?', '#', '@', '\\']) {
        return Err(
            "only host and port of an address are used: write http://HOST:PORT; --health says which path \
                    is asked"
                .into(),
        );
    }
    Ok(Service::Url(url.to_owned()))
}

/// `NAME:TAG PORT`, or `http://HOST:PORT`
fn as_typed(text: &str) -> Result<Service, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    match words.as_slice() {
        [url] if url.starts_with("http://") => address(url),
        [image, port] if !image.contains("://") => port
            .parse::<u16>()
            .map(|port| of_image(image, port))
            .map_err(|error| format!("{port:?} is no port: {error}")),
        _ => Err(format!("{text:?} is neither NAME:TAG PORT nor http://HOST:PORT")),
    }
}

/// The path that answers when all is well, as it was named, or as the source looks.
pub(super) fn health(args: &Args, service: &Service, sources: &[String], changes: &mut Changes) -> String {
    let is_ours = matches!(service, Service::Binary { .. });
    args.health.clone().or_else(|| guess::health(sources).filter(|_| is_ours)).unwrap_or_else(|| {
        changes.notes.push(format!(
            "which path answers 200 when all is well is not known, so {USUAL_HEALTH} is asked; --health says another"
        ));
        USUAL_HEALTH.to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::{Service, as_typed};

    #[test]
    fn what_is_typed_is_an_image_or_an_address() {
        let image =
            |name: &str, tag: &str| Ok(Service::Image { name: name.into(), tag: tag.into(), port: 8080 });
        assert_eq!(as_typed("shop:1.2 8080"), image("shop", "1.2"));
        assert_eq!(as_typed("registry:5000/shop  8080"), image("registry:5000/shop", "latest"));
        assert_eq!(as_typed("http://shop:80"), Ok(Service::Url("http://shop:80".into())));
        assert_eq!(as_typed("http://shop/"), Ok(Service::Url("http://shop/".into())));
        let beyond = ["http://shop/api", "http://me:secret@shop", "http://shop?x", "http://"];
        let none = ["shop:1.2", "shop 99999", "https://shop", "https://shop 443", "shop 80 90"];
        for none in none.into_iter().chain(beyond) {
            assert!(as_typed(none).is_err(), "{none}");
        }
    }
}
