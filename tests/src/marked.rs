/// The processes that carry a mark in their environment.
pub fn marked(mark: &str) -> Vec<u32> {
    let entry = format!("CHAOS_TEST_MARK={mark}");
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|dir| dir.file_name().to_str()?.parse::<u32>().ok());
    let carries = |pid: &u32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.split(|byte| *byte == 0).any(|found| found == entry.as_bytes())
    };
    pids.filter(carries).collect()
}
