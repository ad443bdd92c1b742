//! `--push`: the metrics of a report, to a Pushgateway.
//!
//! Invariants: what logs in is never told, whatever the other side answers; the time for all tries together is bounded.
//! Not here: what is pushed (that is the library's `render::prometheus`).

mod address;
mod tries;

use std::time::Duration;

use chaos_test::__cli as support;
use chaos_test::units::show_duration;

use crate::exit::Stop;
use address::{Address, group_label};
use tries::{Failed, Pusher};

const URL: &str = "CHAOS_TEST_PUSHGATEWAY_URL";
const AUTH: &str = "CHAOS_TEST_PUSHGATEWAY_AUTH";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Push the metrics to a Pushgateway, in place of what the job had there
    ///
    /// They are those of --prometheus. The value of $CHAOS_TEST_PUSHGATEWAY_AUTH is sent as the
    /// header Authorization, such as `Bearer TOKEN`. Failed connections and the answers 429 and 5xx are
    /// tried again.
    #[arg(long, verbatim_doc_comment)]
    push: bool,

    /// Where it is [default: $CHAOS_TEST_PUSHGATEWAY_URL]
    #[arg(long, value_name = "URL", requires = "push")]
    pushgateway_url: Option<String>,

    /// The job the metrics belong to there
    #[arg(long, value_name = "NAME", default_value = "chaos-test", requires = "push")]
    job_name: String,

    /// A further label of what is replaced, such as shard=2
    #[arg(long, value_name = "K=V", value_parser = group_label, requires = "push")]
    group_label: Vec<(String, String)>,

    /// How long all tries may take together
    #[arg(long, value_name = "S", default_value = "30", value_parser = span, requires = "push")]
    push_timeout: Duration,
}

/// A push that can be carried out as far as is known.
pub(super) struct Push {
    pusher: Pusher,
    address: Address,
    longest: Duration,
}

impl Options {
    /// What is to be pushed to; `None` where nothing is.
    pub(super) fn ready(&self) -> Result<Option<Push>, Stop> {
        if !self.push {
            return Ok(None);
        }
        let url = self.pushgateway_url.clone().or_else(|| support::var(URL)).ok_or_else(|| {
            Stop::usage(format!(
                "--push does not know where to: name the Pushgateway with --pushgateway-url or ${URL}"
            ))
        })?;
        let mut names: Vec<&str> = self.group_label.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|two| two[0] == two[1]) {
            return Err(Stop::usage(format!(
                "--group-label {} is given twice: a label has one value",
                twice[0]
            )));
        }
        let address = Address::new(&url, &self.job_name, &self.group_label).map_err(Stop::usage)?;
        let pusher = Pusher::new(support::var(AUTH), address.login.as_ref()).map_err(Stop::usage)?;
        Ok(Some(Push { pusher, address, longest: self.push_timeout }))
    }
}

impl Push {
    /// Pushes; says where to.
    pub(super) fn carry_out(&self, metrics: &str) -> Result<String, Stop> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Stop::usage(format!("cannot start a runtime: {error}")))?;
        let url = &self.address.url;
        match runtime.block_on(self.pusher.push(url, metrics, self.longest)) {
            Ok(()) => Ok(format!("metrics pushed to {url}")),
            Err(Failed { tries, why, fix }) => {
                let tries = match tries {
                    1 => "in one try".to_owned(),
                    tries => format!("in {tries} tries"),
                };
                let within = show_duration(self.longest);
                Err(Stop::usage(format!("cannot push to {url}, {tries} (of at most {within}): {why}; {fix}")))
            }
        }
    }
}

/// A number of seconds, or a number with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let span = crate::run::span(text)?;
    if span.is_zero() { Err("nothing can be sent in no time".into()) } else { Ok(span) }
}
