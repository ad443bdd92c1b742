//! Memory of this process.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::ffi::c_void;
use std::fs;

use nix::libc;

/// Lets go of what was only needed to start: pages of the program and its libraries that can be read again from their
/// files at any time. A reaper sleeps for most of its life, and a test binary is large.
pub(crate) fn let_go() {
    let Ok(maps) = fs::read_to_string("/proc/self/smaps") else { return };
    // Else the next touch of one page brings back two megabytes of its neighbours.
    // SAFETY: this prctl takes integers and changes only how pages of this process are mapped.
    unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0) };
    let mut mapping = None;
    for line in maps.lines() {
        let mut words = line.split_ascii_whitespace();
        match (words.next(), words.next()) {
            // A page of its own, in memory or swapped out: what the loader has relocated cannot be read again.
            (Some("Anonymous:" | "Swap:"), Some(amount)) if amount != "0" => mapping = None,
            // The last line of a mapping.
            (Some("VmFlags:"), _) => {
                let Some((start, length)) = mapping.take() else { continue };
                // SAFETY: the mapping is of a file, is never written to, and has no page of its own: whatever is
                // dropped is read again from the file when it is touched.
                unsafe { libc::madvise(start as *mut c_void, length, libc::MADV_DONTNEED) };
            }
            _ => {
                if let Some(found) = range(line) {
                    mapping = found;
                }
            }
        }
    }
}

/// The first line of a mapping: where it is, if it is of a file and cannot be written to.
fn range(line: &str) -> Option<Option<(usize, usize)>> {
    let mut fields = line.split_ascii_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let (start, end) = (usize::from_str_radix(start, 16).ok()?, usize::from_str_radix(end, 16).ok()?);
    let (mode, path) = (fields.next()?, fields.nth(3));
    let of_a_file = path.is_some_and(|path| path.starts_with('/'));
    Some((of_a_file && !mode.contains('w')).then_some((start, end - start)))
}
