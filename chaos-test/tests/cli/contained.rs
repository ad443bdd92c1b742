//! What dead runs have left in a container engine, where nobody can be asked about it.

use serde_json::json;

use crate::alone::alone;
use crate::dead_runs::{Doomed, lines, owed};
use crate::sandbox::{Sandbox, ended};

/// What has to be said of such containers beside their names.
const WHY: &[&str] = if cfg!(feature = "containers") {
    &["there is no container engine to be reached"]
} else {
    &[
        "built without the feature `containers`",
        "--features cli,containers",
        "docker rm -fv $(docker ps -aqf label=",
    ]
};

#[test]
fn containers_that_cannot_be_removed_are_named_and_stay_owed() {
    alone("contained::containers_that_cannot_be_removed_are_named_and_stay_owed", |_| {
        let (sandbox, run) = (Sandbox::new(), Doomed::new());
        let mark = run.owner.mark();
        let step = json!({"step": "remove_containers", "mark": mark});
        let ledger = sandbox.write(&run.owner.ledger(), &lines(&[run.owner.opened(), owed(&mark, &[step])]));
        run.die();
        let reap =
            |args: &[&str]| ended(sandbox.command(args).env("DOCKER_HOST", "unix:///nowhere/docker.sock"));
        let said = |text: &str, begin: &str| {
            let is_it = |line: &&str| line.starts_with(begin) && line.contains(&mark);
            let line = text.lines().find(is_it).unwrap_or_else(|| panic!("no {begin}: {text}"));
            WHY.iter().for_each(|part| assert!(line.contains(part), "{part}: {line}"));
        };
        let dry = reap(&["reap", "--dry-run"]);
        assert_eq!(dry.code, Some(0), "{dry:?}");
        assert!(
            dry.stdout.contains(&format!("remove the containers, networks and volumes marked {mark}")),
            "{dry:?}"
        );
        if !cfg!(feature = "containers") {
            said(&dry.stdout, "left     the containers of app, ");
        }
        let paid = reap(&["reap"]);
        assert_eq!(paid.code, Some(5), "{paid:?}");
        said(&paid.stdout, "FAILED   ");
        assert!(ledger.exists(), "somebody else can still pay it");
    });
}
