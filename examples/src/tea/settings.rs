//! How the tea shop is started: by arguments, or by the environment, as in a container.

use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use std::time::Duration;

/// A mistake that is made on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bug {
    /// None: the service as it should be.
    #[default]
    None,
    /// Waits for the database and the cache for as long as they like.
    NoTimeout,
    /// Connects to the database once, and never again.
    PoolNeverRecovers,
    /// Waits a moment only, and asks again ten times, at once, whatever others do.
    RetryStorm,
}

impl FromStr for Bug {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "" | "none" => Ok(Self::None),
            "no-timeout" => Ok(Self::NoTimeout),
            "pool-never-recovers" => Ok(Self::PoolNeverRecovers),
            "retry-storm" => Ok(Self::RetryStorm),
            _ => Err(format!("{name} is no bug: none, no-timeout, pool-never-recovers and retry-storm are")),
        }
    }
}

/// How the tea shop is started.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where to listen.
    pub host: IpAddr,
    /// The port to listen on; 0 is any.
    pub port: u16,
    /// `postgres://user@host:port/database`
    pub database: String,
    /// `redis://host:port`
    pub cache: String,
    /// The mistake that is made on purpose.
    pub bug: Bug,
}

impl Settings {
    /// A connection is two round trips or three.
    pub(super) const CONNECT_PATIENCE: Duration = Duration::from_millis(1500);
    /// One answer of the database: longer than its slowest good answer, shorter than a user's patience.
    pub(super) const DATABASE_PATIENCE: Duration = Duration::from_millis(800);
    /// For a database next door; it is the other half of a retry storm.
    pub(super) const IMPATIENCE: Duration = Duration::from_millis(100);
    /// All attempts of one request together.
    pub(super) const DEADLINE: Duration = Duration::from_secs(2);
    /// What is slower than this is no cache. One behind a bad line still is: without it every price is the database's to tell.
    pub(super) const CACHE_PATIENCE: Duration = Duration::from_millis(300);
    /// With an old answer at hand, a fresh one is worth that much.
    pub(super) const STALE_PATIENCE: Duration = Duration::from_millis(75);

    /// Reads `--host --port --database --cache --bug`, each with a value; `HOST`, `PORT`, `DATABASE_URL`, `CACHE_URL` and
    /// `BUG` stand for what is not given.
    ///
    /// # Errors
    /// What is not understood, or missing.
    pub fn parse(
        mut args: impl Iterator<Item = String>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let [mut host, mut port, mut database, mut cache, mut bug] =
            ["HOST", "PORT", "DATABASE_URL", "CACHE_URL", "BUG"].map(environment);
        while let Some(arg) = args.next() {
            let value = args.next().ok_or(format!("{arg} wants a value"));
            let place = match arg.as_str() {
                "--host" => &mut host,
                "--port" => &mut port,
                "--database" => &mut database,
                "--cache" => &mut cache,
                "--bug" => &mut bug,
                _ => {
                    return Err(format!(
                        "{arg} is not an option: --host, --port, --database, --cache and --bug are"
                    ));
                }
            };
            *place = Some(value?);
        }
        Ok(Self {
            host: read("host", host, IpAddr::V4(Ipv4Addr::LOCALHOST))?,
            port: read("port", port, 0)?,
            database: database.ok_or("no database: --database postgres://… or DATABASE_URL")?,
            cache: cache.ok_or("no cache: --cache redis://… or CACHE_URL")?,
            bug: bug.as_deref().unwrap_or_default().parse()?,
        })
    }

    /// How long something may take: no end of it is one of the bugs.
    pub(super) fn patience(&self, healthy: Duration) -> Duration {
        // A kernel counts a connection's patience in milliseconds, in 31 bits.
        const FOREVER: Duration = Duration::from_secs(20 * 24 * 3600);
        if self.bug == Bug::NoTimeout { FOREVER } else { healthy }
    }
}

fn read<T: FromStr<Err: std::fmt::Display>>(
    name: &str,
    text: Option<String>,
    default: T,
) -> Result<T, String> {
    text.map_or(Ok(default), |text| text.parse().map_err(|error| format!("--{name} {text}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str], environment: &[(&str, &str)]) -> Result<Settings, String> {
        let of = |name: &str| environment.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        Settings::parse(args.iter().map(|arg| (*arg).to_owned()), of)
    }

    #[test]
    fn an_argument_is_stronger_than_the_environment() {
        let environment = [("DATABASE_URL", "postgres://a"), ("CACHE_URL", "redis://a"), ("PORT", "1")];
        let settings = parse(&["--port", "2", "--bug", "retry-storm"], &environment).expect("all is there");
        assert_eq!((settings.port, settings.bug), (2, Bug::RetryStorm));
        assert_eq!(settings.database, "postgres://a");
    }

    #[test]
    fn what_is_missing_or_not_understood_is_named() {
        assert!(parse(&[], &[]).unwrap_err().contains("DATABASE_URL"));
        assert!(parse(&["--bugs", "x"], &[]).unwrap_err().contains("--bugs is not an option"));
        let given = [("DATABASE_URL", ""), ("CACHE_URL", ""), ("PORT", "tea")];
        assert!(parse(&[], &given).unwrap_err().contains("--port tea"));
    }
}
