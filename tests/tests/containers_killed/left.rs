use suite::docker::docker;

/// Everything the engine has with such a mark, in its labels or its name: containers in any state, networks, volumes.
pub(crate) fn left(owner: &str) -> Vec<String> {
    let label = "{{.Label \"chaos-test.mark\"}}";
    let lists: [&[&str]; 3] = [
        &["ps", "--all", "--format", &format!("container {{{{.Names}}}} {{{{.Status}}}} {label}")],
        &["network", "ls", "--format", &format!("network {{{{.Name}}}} {label}")],
        &["volume", "ls", "--format", &format!("volume {{{{.Name}}}} {label}")],
    ];
    let told = lists.map(docker);
    told.iter().flat_map(|text| text.lines()).filter(|line| line.contains(owner)).map(str::to_owned).collect()
}

/// The volumes without a name of their containers, which carry no mark: by what the containers say while they are there.
pub(crate) fn volumes(owner: &str) -> Vec<String> {
    let format = "{{.Label \"chaos-test.mark\"}} {{.Mounts}}";
    let all = docker(&["ps", "--all", "--no-trunc", "--format", format]);
    let of = all.lines().filter(|line| line.contains(owner)).filter_map(|line| line.split(' ').nth(1));
    // A helper has folders of the host; those are no volumes.
    let named =
        of.flat_map(|mounts| mounts.split(',')).filter(|name| !name.is_empty() && !name.contains('/'));
    let mut volumes: Vec<String> = named.map(str::to_owned).collect();
    volumes.sort_unstable();
    volumes.dedup();
    volumes
}

/// Those of them that are still there.
pub(crate) fn still_there(volumes: &[String]) -> Vec<String> {
    if volumes.is_empty() {
        return Vec::new();
    }
    let all = docker(&["volume", "ls", "--quiet"]);
    all.lines().filter(|name| volumes.iter().any(|volume| volume == name)).map(str::to_owned).collect()
}
