use std::path::Path;

use super::change::Changes;
use super::manifest::Source;
use crate::exit::Stop;
use crate::output;

const GITHUB: &str = include_str!("../../../../assets/github/chaos.yml");
const GITLAB: &str = include_str!("../../../../assets/gitlab/chaos.yml");
const DASHBOARD: &str = include_str!("../../../../assets/grafana/chaos-test.json");
const RULES: &str = include_str!("../../../../assets/prometheus/chaos-test.rules.yml");
/// On so many machines the tests are run side by side; people change it in the file.
const SHARDS: &str = "2";
const GITLAB_FILE: &str = ".gitlab/chaos.yml";

/// The workflow for GitHub.
pub(super) fn github(
    changes: &mut Changes,
    repository: &Path,
    package: &str,
    source: &Source,
) -> Result<(), Stop> {
    changes
        .create(repository.join(".github/workflows/chaos.yml"), filled(GITHUB, package, source, repository))
}

/// The pipeline for GitLab, and the file that includes it, where there is none.
pub(super) fn gitlab(
    changes: &mut Changes,
    repository: &Path,
    package: &str,
    source: &Source,
) -> Result<(), Stop> {
    changes.create(repository.join(GITLAB_FILE), filled(GITLAB, package, source, repository))?;
    let main = repository.join(".gitlab-ci.yml");
    let there = super::change::read(&main)?;
    match there {
        Some(text) if text.contains(GITLAB_FILE) => Ok(()),
        Some(_) => {
            changes.notes.push(format!(".gitlab-ci.yml is yours; add to it what includes {GITLAB_FILE}"));
            Ok(())
        }
        None => changes.create(main, format!("include:\n  - local: {GITLAB_FILE}\n")),
    }
}

/// The dashboard for Grafana and the alert rules for Prometheus.
pub(super) fn grafana(changes: &mut Changes, repository: &Path) -> Result<(), Stop> {
    changes.create(repository.join("chaos/grafana/chaos-test.json"), DASHBOARD.to_owned())?;
    changes.create(repository.join("chaos/prometheus/chaos-test.rules.yml"), RULES.to_owned())
}

/// A template for that package, with the command line tool from where its library comes.
fn filled(template: &str, package: &str, source: &Source, repository: &Path) -> String {
    let template = template.replace("{{package}}", package).replace("{{shards}}", SHARDS);
    template.replace("{{install}}", &install(source, repository))
}

fn install(source: &Source, repository: &Path) -> String {
    let from = match source {
        // The pipeline runs in the repository, and what is outside of it may be nowhere else.
        Source::Path(path) => {
            let within = Path::new(path).strip_prefix(repository).unwrap_or(Path::new(path));
            format!("--path {}", output::quoted(&within.display().to_string()))
        }
        Source::Git { url, at: None } => format!("--git {} chaos-test", output::quoted(url)),
        Source::Git { url, at: Some((key, which)) } => {
            format!("--git {} --{key} {} chaos-test", output::quoted(url), output::quoted(which))
        }
        Source::Version(_) | Source::Workspace => {
            format!("chaos-test --version {}", env!("CARGO_PKG_VERSION"))
        }
    };
    format!("cargo install {from} --locked --features cli")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::manifest::Source;
    use super::{GITHUB, GITLAB, filled};

    #[test]
    fn no_placeholder_is_left() {
        for template in [GITHUB, GITLAB] {
            for source in [Source::Version("0.1".into()), Source::Path("../chaos-test".into())] {
                let text = filled(template, "shop", &source, Path::new("/srv/shop"));
                // `${{ … }}` is GitHub's.
                assert!(!text.replace("${{", "").contains("{{"), "{text}");
                assert!(text.contains("cargo install "), "{text}");
            }
        }
    }
}
