use suite::docker::{STUB, docker};
use suite::start_ticks;

/// Containers that look like a victim's, and are somebody else's.
pub(crate) struct Neighbours {
    ids: Vec<String>,
    before: Vec<String>,
}

impl Neighbours {
    /// One with a well-formed mark, of a process that lives: this one. It is paused, as nothing of a victim may be left. And
    /// one that is only called and labelled like a service, without a mark.
    pub(crate) fn start() -> Self {
        let text = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let boot: String =
            text("/proc/sys/kernel/random/boot_id").chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let link = std::fs::read_link("/proc/self/ns/pid").expect("a namespace");
        let link = link.to_string_lossy().into_owned();
        let inode = link.split(['[', ']']).nth(1).expect("pid:[number]");
        let this = std::process::id();
        let mark = format!("chaos1-{boot}-{inode}-{this}-{}-999", start_ticks(this));
        let image = format!("{}:{}", STUB.0, STUB.1);
        let run = |name: &str, labels: &[&str]| {
            let labels = labels.iter().flat_map(|label| ["--label", label]);
            let start = ["run", "--detach", "--name", name].into_iter().chain(labels);
            docker(&start.chain([image.as_str(), "--die-after", "30m"]).collect::<Vec<_>>())
        };
        let marked = format!("chaos-test.mark={mark}");
        let paused = run(&format!("chaos-test-{mark}-app"), &["chaos-test.service=app", &marked]);
        let similar = run(&format!("chaos-test-lookalike-{this}"), &["chaos-test.service=app"]);
        let mut neighbours = Self { ids: vec![paused, similar], before: Vec::new() };
        docker(&["pause", &neighbours.ids[0]]);
        neighbours.before = neighbours.states();
        neighbours
    }

    fn states(&self) -> Vec<String> {
        let format = "{{.State.Status}} since {{.State.StartedAt}}";
        self.ids.iter().map(|id| docker(&["inspect", "--format", format, id])).collect()
    }

    pub(crate) fn are_untouched(&self) {
        assert_eq!(self.states(), self.before);
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        for id in &self.ids {
            docker(&["rm", "--force", "--volumes", id]);
        }
    }
}
